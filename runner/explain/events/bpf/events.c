// Packets that the kernel throws away, by place; wake-ups and switches of the roles'
// threads, interrupts that they send to other CPUs, and locks that they wait for.
//
// All are raw tracepoints. What is read of the kernel's structs is at offsets that user
// space knows (by BTF) and sets before loading, so that one object does with and
// without: an offset of 0 is one that is not known, and the program that needs it is
// not attached.
#include "../../bpf/kernel.h"

enum { NONE = -1, BUCKETS = 320, NAME = 16, DEPTH = 12 };

// The slices are of one length, so that the time says which it is.
struct turn {
	s32 arm, setup;
};
volatile u64 warm_begins = 0, begins = 0;
const volatile u64 warm_ns = 1, slice_ns = 1, settle_ns = 0;
const volatile u32 warms = 0, turns_given = 0; // the slices stand behind the warm-ups

const volatile u32 skb_dev = 0, skb_sk = 0, dev_net = 0, sk_net = 0, net_number = 0;
const volatile u32 task_pid = 0, task_name = 0;

volatile u64 lost = 0; // what found no room

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct turn);
} turns SEC(".maps");

// A thread of a role: 2 * setup + (1 = sink).
struct thread {
	u32 role;
	u32 pad;
	u64 woken;
};
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct thread);
} threads SEC(".maps");

struct drop {
	u64 location;
	u32 reason, net;
	s32 arm;
	u32 pad;
};
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, struct drop);
	__type(value, u64);
} drops SEC(".maps");

struct stat {
	u64 wakeups, runs, migrations, preempted;
	u64 latency[BUCKETS];
};
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32); // 2 * arm + (1 = sink)
	__type(value, struct stat);
} stats SEC(".maps");

struct preemption {
	u32 of;   // as stats
	u32 by;   // 0, or 1 + (1 = sink): the other role
	char name[NAME];
};
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 2048);
	__type(key, struct preemption);
	__type(value, u64);
} preemptions SEC(".maps");

struct sent {
	u64 from, call;
	u32 of;
	u32 pad;
};
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 2048);
	__type(key, struct sent);
	__type(value, u64);
} interrupts SEC(".maps");

struct wait_id {
	u32 who; // the thread
	u32 spins;
};
struct begun {
	u64 at, lock;
	s32 stack;
	u32 flags;
};
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wait_id);
	__type(value, struct begun);
} waiting SEC(".maps");
struct lock_wait {
	u64 lock;
	s32 stack;
	u32 flags, of;
	u32 pad;
};
struct waited {
	u64 n, ns;
};
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 8192);
	__type(key, struct lock_wait);
	__type(value, struct waited);
} locks SEC(".maps");
struct chain {
	u64 at[DEPTH];
};
struct {
	__uint(type, MAP_STACKS);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct chain);
} stacks SEC(".maps");

// turn_at says whose turn it is; what comes behind the last slice is of its arm, and
// not counted.
always_inline struct turn *turn_at(u64 now, u32 *counted)
{
	u64 i;
	*counted = 0;
	if (now >= begins) {
		u64 since = now - begins;
		i = since / slice_ns;
		if (i >= turns_given - warms)
			i = turns_given - warms - 1;
		else
			*counted = since - i * slice_ns >= settle_ns;
		i += warms;
	} else {
		if (now < warm_begins)
			return 0;
		i = (now - warm_begins) / warm_ns;
		if (i >= warms)
			return 0;
	}
	u32 k = i;
	return map_lookup(&turns, &k);
}

// role_at is where a thread's events are counted now, NONE for nowhere.
always_inline s32 role_at(struct thread *t, u64 now)
{
	u32 counted;
	struct turn *turn = turn_at(now, &counted);
	if (!turn || !counted || turn->setup != (s32)(t->role >> 1))
		return NONE;
	return 2 * turn->arm + (t->role & 1);
}

always_inline void count(void *map, const void *key)
{
	u64 one = 1, *n = map_lookup(map, key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else if (map_update(map, key, &one, 1) && (n = map_lookup(map, key))) // another CPU came first
		__sync_fetch_and_add(n, 1);
	else if (!map_lookup(map, key))
		__sync_fetch_and_add(&lost, 1);
}

always_inline u64 pointer_at(u64 base, u32 offset)
{
	u64 p = 0;
	if (base && offset)
		probe_read(&p, sizeof(p), (void *)(base + offset));
	return p;
}

always_inline u32 net_of(u64 net)
{
	u32 n = 0;
	if (net && net_number)
		probe_read(&n, sizeof(n), (void *)(net + net_number));
	return n;
}

always_inline int drop(u64 skb, u64 location, u32 reason)
{
	u32 counted;
	struct turn *turn = turn_at(ktime_get_ns(), &counted);
	if (!turn)
		return 0;
	struct drop d = { .location = location, .reason = reason, .arm = turn->arm };
	// Of a datagram in a socket's queue the device's place holds something else, and
	// reading by it gives 0.
	d.net = net_of(pointer_at(pointer_at(skb, skb_dev), dev_net));
	if (!d.net)
		d.net = net_of(pointer_at(pointer_at(skb, skb_sk), sk_net));
	count(&drops, &d);
	return 0;
}

SEC("raw_tp/kfree_skb") int dropped(u64 *ctx)
{
	return drop(ctx[0], ctx[1], ctx[2]);
}

// Before Linux 5.17 there were no reasons.
SEC("raw_tp/kfree_skb") int dropped_before(u64 *ctx)
{
	return drop(ctx[0], ctx[1], 0);
}

always_inline u32 pid_of(u64 task)
{
	u32 pid = 0;
	probe_read(&pid, sizeof(pid), (void *)(task + task_pid));
	return pid;
}

SEC("raw_tp/sched_waking") int woken(u64 *ctx)
{
	u32 pid = pid_of(ctx[0]);
	struct thread *t = map_lookup(&threads, &pid);
	if (!t || pid == (u32)current_pid_tgid()) // it wakes itself: it never slept
		return 0;
	u64 now = ktime_get_ns();
	t->woken = now;
	u32 of = role_at(t, now);
	struct stat *s = map_lookup(&stats, &of);
	if (s)
		s->wakeups++;
	return 0;
}

SEC("raw_tp/sched_migrate_task") int migrated(u64 *ctx)
{
	u32 pid = pid_of(ctx[0]);
	struct thread *t = map_lookup(&threads, &pid);
	if (!t)
		return 0;
	u32 of = role_at(t, ktime_get_ns());
	struct stat *s = map_lookup(&stats, &of);
	if (s)
		s->migrations++;
	return 0;
}

// bucket_of is of eighths of an octave: (8 + the three bits behind the first) at the
// first bit's place. Below 16 each number has its own.
always_inline u32 bucket_of(u64 ns)
{
	u32 shift = 0;
	if (ns >> 32) {
		shift += 32;
	}
	if (ns >> (shift + 16))
		shift += 16;
	if (ns >> (shift + 8))
		shift += 8;
	if (ns >> (shift + 4))
		shift += 4;
	if (ns >> (shift + 2))
		shift += 2;
	if (ns >> (shift + 1))
		shift += 1;
	if (shift < 4)
		return ns;
	return (shift - 3) * 8 + (u32)(ns >> (shift - 3));
}

SEC("raw_tp/sched_switch") int task_switched(u64 *ctx)
{
	u32 prev = pid_of(ctx[1]), next = pid_of(ctx[2]);
	u64 now = 0;
	struct thread *t = map_lookup(&threads, &prev);
	if (t && (ctx[0] & 0xff)) { // it was preempted
		now = ktime_get_ns();
		t->woken = 0;
		s32 of = role_at(t, now);
		u32 at = of;
		struct stat *s = map_lookup(&stats, &at);
		if (s) {
			s->preempted++;
			struct preemption p = { .of = at };
			struct thread *by = map_lookup(&threads, &next);
			if (by)
				p.by = 1 + (by->role & 1);
			else
				probe_read(p.name, sizeof(p.name), (void *)(ctx[2] + task_name));
			count(&preemptions, &p);
		}
	}
	t = map_lookup(&threads, &next);
	if (!t)
		return 0;
	if (!now)
		now = ktime_get_ns();
	u32 at = role_at(t, now);
	struct stat *s = map_lookup(&stats, &at);
	u64 woken_at = t->woken;
	t->woken = 0;
	if (!s)
		return 0;
	s->runs++;
	if (woken_at && now > woken_at) {
		u32 b = bucket_of(now - woken_at);
		if (b < BUCKETS)
			s->latency[b]++;
	}
	return 0;
}

always_inline struct thread *current_thread(void)
{
	u32 pid = current_pid_tgid();
	return map_lookup(&threads, &pid);
}

// cpu (or the mask of some), where it is sent from, what is called there.
SEC("raw_tp/ipi_send_cpu") int interrupts_other(u64 *ctx)
{
	struct thread *t = current_thread();
	s32 of = t ? role_at(t, ktime_get_ns()) : NONE;
	if (of < 0)
		return 0;
	struct sent s = { .from = ctx[1], .call = ctx[2], .of = of };
	count(&interrupts, &s);
	return 0;
}

SEC("raw_tp/contention_begin") int wait_begins(u64 *ctx)
{
	struct thread *t = current_thread();
	if (!t)
		return 0;
	struct wait_id id = { .who = current_pid_tgid(), .spins = ctx[1] & 1 };
	struct begun b = { .lock = ctx[0], .flags = ctx[1], .stack = stack_id(ctx, &stacks, 0) };
	b.at = ktime_get_ns();
	map_update(&waiting, &id, &b, 0);
	return 0;
}

SEC("raw_tp/contention_end") int wait_ends(u64 *ctx)
{
	struct thread *t = current_thread();
	if (!t)
		return 0;
	struct wait_id id = { .who = current_pid_tgid(), .spins = 1 };
	struct begun *b = map_lookup(&waiting, &id);
	if (!b || b->lock != ctx[0]) {
		id.spins = 0;
		b = map_lookup(&waiting, &id);
	}
	if (!b || b->lock != ctx[0])
		return 0;
	u64 now = ktime_get_ns();
	s32 of = role_at(t, now);
	if (of >= 0 && now > b->at) {
		struct lock_wait k = { .lock = b->lock, .stack = b->stack, .flags = b->flags, .of = of };
		struct waited one = { 1, now - b->at }, *w = map_lookup(&locks, &k);
		if (w) {
			__sync_fetch_and_add(&w->n, 1);
			__sync_fetch_and_add(&w->ns, one.ns);
		} else if (map_update(&locks, &k, &one, 1)) {
			__sync_fetch_and_add(&lost, 1);
		}
	}
	map_delete(&waiting, &id);
	return 0;
}

char _license[] SEC("license") = "GPL";
