// Who had each CPU, in which context, in which slice.
//
// Each CPU has a clock (struct clock). Every event charges the time since the one
// before to (slice, slot of the current task, context), so that the parts add up to
// wall time. A task stays the current one until the sched_switch that ends it, so the
// current pid says whose the time was, and no struct of the kernel is read.
//
// The slices are given beforehand, as edges. What lies within one is added to its cell
// here. What crosses an edge is written down as a span, and user space cuts it: an idle
// CPU may sleep over many slices, and a loop over them would be unrolled into every
// program. (With a loop of 32 steps loading took 60 ms instead of 13.)
#include "../../bpf/kernel.h"

enum { TASK, IRQ, SOFTIRQ, USER = SOFTIRQ + 10, CONTEXTS };
enum { OTHER, IDLE }; // slots; the rest is user space's
enum { UNKNOWN = 0xffffffff, NONE = -1 };

struct edge {
	u64 at;
	s32 slice; // what time counts for from then on, NONE for nothing
	u32 pad;
};
struct cell {
	u64 ns[CONTEXTS];
	u64 events[CONTEXTS]; // that ended in the context
	u64 switches;
};
struct span {
	u64 from, to;
	u32 slot, context;
};
struct clock {
	u64 last, next; // the last event, the next edge
	u32 edge;       // that next is of
	s32 slice;
	u32 slot, irq; // of the current task; how deep in interrupts
	s32 vector;    // of the softirq
	u32 stretch;   // that all this is of
	u32 spans;     // so many are written down
	u32 lost;      // so many were not
	u32 known;     // the current task is of threads, so that its user space is told apart
	u32 user;      // it is there
	u32 busy;      // a program is at work
	u32 pad;
};
struct owner {
	u32 slot;
	u32 user; // it was in user space when it was switched from
};

const volatile u32 slices = 1, slots = 1, most_spans = 1;

// A stretch is from one attaching to the next. What a CPU knew before it is stale.
volatile u32 stretch = 0, first_edge = 0;
volatile u64 begins = 0;
const volatile u32 split = 0; // system calls are told

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, F_MMAPABLE);
	__type(key, u32);
	__type(value, struct edge);
} schedule SEC(".maps");
struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, F_MMAPABLE);
	__type(key, u32);
	__type(value, struct cell);
} cells SEC(".maps");
struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, F_MMAPABLE);
	__type(key, u32);
	__type(value, struct span);
} spans SEC(".maps");
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct owner);
} threads SEC(".maps");
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} processes SEC(".maps");
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct clock);
} clocks SEC(".maps");

#define barrier() __asm__ volatile("" ::: "memory")

always_inline void look_up_current(struct clock *c)
{
	u64 both = current_pid_tgid();
	u32 pid = both, tgid = both >> 32;
	struct owner *o = map_lookup(&threads, &pid);
	c->known = o != 0;
	c->user = o && o->user;
	if (o) {
		c->slot = o->slot;
	} else if (!pid) {
		c->slot = IDLE;
	} else {
		u32 *s = map_lookup(&processes, &tgid);
		c->slot = s ? *s : OTHER;
	}
}

always_inline u32 context_of(struct clock *c)
{
	if (c->irq)
		return IRQ;
	if (c->vector >= 0 && c->vector < 10)
		return SOFTIRQ + c->vector;
	return c->user ? USER : TASK;
}

always_inline struct cell *cell_of(struct clock *c)
{
	if (c->slice < 0 || c->slot >= slots)
		return 0;
	u32 i = (this_cpu() * slices + c->slice) * slots + c->slot;
	return map_lookup(&cells, &i);
}

// next_of is when edge i is. Room for edges that were not given holds zeros.
always_inline u64 next_of(u32 i)
{
	struct edge *e = map_lookup(&schedule, &i);
	return e && e->at ? e->at : ~0ULL;
}

always_inline void renew(struct clock *c)
{
	c->stretch = stretch;
	c->last = begins;
	c->edge = first_edge;
	c->slice = NONE;
	c->slot = UNKNOWN;
	c->known = c->user = 0;
	c->irq = 0;
	c->vector = NONE;
	c->next = next_of(first_edge);
}

// write_down leaves a stretch of time that crosses edges to user space, and finds the
// slice that it ends in. Four edges are enough but for a CPU that slept; of that more
// is written down, until the edge is found.
always_inline void write_down(struct clock *c, u64 now, u32 context)
{
	u32 i = this_cpu() * most_spans + c->spans;
	struct span *s = c->spans < most_spans ? map_lookup(&spans, &i) : 0;
	if (s) {
		s->from = c->last;
		s->to = now;
		s->slot = c->slot;
		s->context = context;
		c->spans++;
	} else {
		c->lost++;
	}
	for (int k = 0; k < 4; k++) {
		u32 at = c->edge;
		struct edge *e = map_lookup(&schedule, &at);
		if (!e || now < c->next)
			break;
		c->slice = e->slice;
		c->next = next_of(++c->edge);
	}
}

always_inline struct clock *charge_to(struct clock *c)
{
	u64 now = ktime_get_ns();
	if (c->stretch != stretch)
		renew(c);
	if (now <= c->last)
		return c;
	if (c->slot == UNKNOWN)
		look_up_current(c);
	u32 x = context_of(c);
	if (x >= CONTEXTS)
		return 0;
	if (now >= c->next) {
		write_down(c, now, x);
	} else {
		struct cell *t = cell_of(c);
		if (t) {
			t->ns[x] += now - c->last;
			t->events[x]++;
		}
	}
	c->last = now;
	return c;
}

// charge is interrupted now and then, and by the interrupt at an edge more often than by
// others, as slices end by timers. What comes within then charges nothing, or both would
// write the same span, and one of them be lost: its time is the outer one's.
always_inline struct clock *charge(void)
{
	u32 zero = 0;
	struct clock *c = map_lookup(&clocks, &zero);
	if (!c || c->busy)
		return c;
	c->busy = 1;
	barrier();
	struct clock *charged = charge_to(c);
	barrier();
	c->busy = 0;
	return charged;
}

SEC("raw_tp/softirq_entry") int softirq_in(u64 *ctx)
{
	struct clock *c = charge();
	if (c)
		c->vector = ctx[0];
	return 0;
}

SEC("raw_tp/softirq_exit") int softirq_out(u64 *ctx)
{
	struct clock *c = charge();
	if (c)
		c->vector = NONE;
	return 0;
}

SEC("raw_tp/sched_switch") int task_switch(u64 *ctx)
{
	struct clock *c = charge();
	if (!c)
		return 0;
	struct cell *t = cell_of(c);
	if (t)
		t->switches++;
	if (split && c->known) { // the current task is still the one that is switched from
		u32 pid = current_pid_tgid();
		struct owner *o = map_lookup(&threads, &pid);
		if (o)
			o->user = c->user;
	}
	// The tracepoint comes before the switch: who is next is known at the next event.
	c->slot = UNKNOWN;
	c->known = c->user = 0;
	c->irq = 0; // nothing switches within these
	c->vector = NONE;
	return 0;
}

// Where system calls are told too, the time of a role's own is split into user space
// and kernel. What is between two calls is user space: faults, too, and what the kernel
// does before and behind these tracepoints.
SEC("raw_tp/sys_enter") int call_in(u64 *ctx)
{
	struct clock *c = charge();
	if (c)
		c->user = 0;
	return 0;
}

SEC("raw_tp/sys_exit") int call_out(u64 *ctx)
{
	struct clock *c = charge();
	if (c)
		c->user = c->known;
	return 0;
}

// One program serves all tracepoints of its kind: which, is said when it is attached.
SEC("raw_tp/irq_in") int irq_in(u64 *ctx)
{
	struct clock *c = charge();
	if (c)
		c->irq++;
	return 0;
}

SEC("raw_tp/irq_out") int irq_out(u64 *ctx)
{
	struct clock *c = charge();
	if (c && c->irq)
		c->irq--;
	return 0;
}

char _license[] SEC("license") = "GPL";
