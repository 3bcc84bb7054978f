package events

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/explain/sample"
)

// A Names says what addresses are.
type Names struct {
	Functions *sample.Symbols
	Variables *sample.Symbols // locks by name; nil = they stay without
	// Namespaces are those of an arm's source and sink, by their numbers.
	Namespaces map[int][2]uint32
}

// Told is what was watched.
type Told struct {
	Drops      []results.DropPlace
	Scheduling []results.RoleScheduling
	Interrupts []results.SentInterrupt
	Locks      []results.LockWait
	Overflow   int64
	Withheld   map[string]string
}

// Told reads what was counted. Nothing may be attached.
func (w *Watch) Told(n Names) (Told, error) {
	if len(w.links) > 0 {
		return Told{}, errors.New("watching events: read while it counts")
	}
	out := Told{Withheld: w.withheld}
	var lost uint64
	err := errors.Join(w.objects.Lost.Get(&lost), w.drops(&out, n), w.scheduling(&out), w.interrupts(&out, n), w.locks(&out, n))
	if err != nil {
		return Told{}, fmt.Errorf("watching events: read what was counted: %w", err)
	}
	out.Overflow = int64(lost)
	return out, nil
}

func (w *Watch) drops(out *Told, n Names) error {
	total := map[results.DropPlace]int64{}
	var at programsDrop
	var packets uint64
	all := w.objects.Drops.Iterate()
	for all.Next(&at, &packets) {
		if int(at.Arm) < 0 || int(at.Arm) >= w.arms {
			continue
		}
		arm, space := n.whose(int(at.Arm), at.Net)
		// The address is where the call returns to.
		total[results.DropPlace{Arm: arm, Reason: w.kernel.reason(at.Reason), Place: n.Functions.Name(at.Location - 1), Namespace: space}] += int64(packets)
	}
	for at, packets := range total {
		at.Packets = packets
		out.Drops = append(out.Drops, at)
	}
	slices.SortFunc(out.Drops, func(a, b results.DropPlace) int {
		return cmp.Or(a.Arm-b.Arm, cmp.Compare(b.Packets, a.Packets), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Namespace, b.Namespace))
	})
	return all.Err()
}

// whose says whose namespace a packet was dropped in: what an arm sent may be dropped in
// the next one's slice, and where each has namespaces of its own, that tells.
func (n Names) whose(arm int, number uint32) (of int, space string) {
	if number == 0 {
		return arm, ""
	}
	for _, of := range append([]int{arm}, slices.Sorted(maps.Keys(n.Namespaces))...) {
		switch sides := n.Namespaces[of]; {
		case number == sides[0] && number == sides[1]:
			return of, "both"
		case number == sides[0]:
			return of, "source"
		case number == sides[1]:
			return of, "sink"
		}
	}
	return arm, "other"
}

func roleOf(of uint32) (arm int, role vocab.Owner) {
	if of%2 == 1 {
		return int(of / 2), vocab.SinkTime
	}
	return int(of / 2), vocab.SourceTime
}

func (w *Watch) scheduling(out *Told) error {
	if w.withheld[Scheduling] != "" {
		return nil
	}
	for of := range uint32(2 * w.arms) {
		var each []programsStat
		if err := w.objects.Stats.Lookup(of, &each); err != nil {
			return err
		}
		arm, role := roleOf(of)
		s := results.RoleScheduling{Arm: arm, Role: role, WakeLatency: &results.Histogram{}}
		for _, c := range each {
			s.Wakeups += int64(c.Wakeups)
			s.Runs += int64(c.Runs)
			s.Migrations += int64(c.Migrations)
			s.Preemptions += int64(c.Preempted)
			for b, n := range c.Latency {
				s.WakeLatency.Counts[results.HistogramBucket(middle(b))] += int64(n)
			}
		}
		if s.Runs+s.Wakeups+s.Preemptions > 0 {
			out.Scheduling = append(out.Scheduling, s)
		}
	}
	var key programsPreemption
	var n uint64
	all := w.objects.Preemptions.Iterate()
	for all.Next(&key, &n) {
		arm, role := roleOf(key.Of)
		for i := range out.Scheduling {
			if s := &out.Scheduling[i]; s.Arm == arm && s.Role == role {
				if s.PreemptedBy == nil {
					s.PreemptedBy = map[string]int64{}
				}
				s.PreemptedBy[preempter(key)] += int64(n)
			}
		}
	}
	return all.Err()
}

// preempter names who took the CPU. The kernel's threads of each CPU are one.
func preempter(p programsPreemption) string {
	switch p.By {
	case 1:
		return string(vocab.SourceTime)
	case 2:
		return string(vocab.SinkTime)
	}
	name := text(p.Name[:])
	if head, _, ok := strings.Cut(name, "/"); ok && head != "" {
		return head
	}
	return name
}

// middle of a bucket of the programs': below 16 each number has its own, then an octave
// has eight.
func middle(bucket int) int64 {
	if bucket < 16 {
		return int64(bucket)
	}
	shift := bucket/8 - 1
	from := int64(8+bucket%8) << shift
	return from + int64(1)<<shift/2
}

func (w *Watch) interrupts(out *Told, n Names) error {
	if w.withheld[Interrupts] != "" {
		return nil
	}
	total := map[results.SentInterrupt]int64{}
	var key programsSent
	var count uint64
	all := w.objects.Interrupts.Iterate()
	for all.Next(&key, &count) {
		s := results.SentInterrupt{From: n.Functions.Name(key.From - 1)}
		s.Arm, s.Role = roleOf(key.Of)
		if key.Call != 0 {
			s.Call = n.Functions.Name(key.Call)
		}
		total[s] += int64(count)
	}
	for s, count := range total {
		s.N = count
		out.Interrupts = append(out.Interrupts, s)
	}
	slices.SortFunc(out.Interrupts, func(a, b results.SentInterrupt) int {
		return cmp.Or(a.Arm-b.Arm, cmp.Compare(a.Role, b.Role), cmp.Compare(b.N, a.N), cmp.Compare(a.From, b.From), cmp.Compare(a.Call, b.Call))
	})
	return all.Err()
}

func (w *Watch) locks(out *Told, n Names) error {
	if w.withheld[Locks] != "" {
		return nil
	}
	total := map[results.LockWait]programsWaited{}
	var key programsLockWait
	var waited programsWaited
	all := w.objects.Locks.Iterate()
	for all.Next(&key, &waited) {
		l := results.LockWait{Kind: lockKind(key.Flags), Caller: sample.Unknown}
		l.Arm, l.Role = roleOf(key.Of)
		if n.Variables != nil {
			l.Lock = n.Variables.Variable(key.Lock)
		}
		var chain programsChain
		if key.Stack >= 0 && w.objects.Stacks.Lookup(uint32(key.Stack), &chain) == nil {
			l.Caller = caller(n.Functions.Names(slices.DeleteFunc(slices.Clone(chain.At[:]), func(at uint64) bool { return at == 0 })))
		}
		t := total[l]
		t.N, t.Ns = t.N+waited.N, t.Ns+waited.Ns
		total[l] = t
	}
	for _, l := range slices.SortedFunc(maps.Keys(total), func(a, b results.LockWait) int {
		return cmp.Or(a.Arm-b.Arm, cmp.Compare(a.Role, b.Role), cmp.Compare(total[b].Ns, total[a].Ns), cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Lock, b.Lock), cmp.Compare(a.Kind, b.Kind))
	}) {
		l.N, l.NS = int64(total[l].N), int64(total[l].Ns)
		out.Locks = append(out.Locks, l)
	}
	return all.Err()
}

// lockKind is by the flags of include/trace/events/lock.h.
func lockKind(flags uint32) string {
	const spin, read, write, rt, perCPU, mutex = 1, 2, 4, 8, 16, 32
	switch {
	case flags&perCPU != 0:
		return "percpu rwsem"
	case flags&(read|write) != 0 && flags&spin != 0:
		return "rwlock"
	case flags&(read|write) != 0:
		return "rwsem"
	case flags&rt != 0:
		return "rt mutex"
	case flags&spin != 0 && flags&mutex == 0:
		return "spinlock"
	case flags&mutex != 0, flags == 0:
		return "mutex" // 0: before it had a flag
	}
	return "lock"
}

// ofLocking begins functions that take a lock for others, and those of this watching.
var ofLocking = []string{"bpf_", "__bpf_", "__traceiter_", "trace_", "__probestub", "native_queued_", "queued_", "__pv_queued", "pv_queued", "_raw_", "__raw_", "do_raw_",
	"mutex_", "__mutex", "rwsem_", "down_", "__down", "up_", "osq_", "rt_mutex", "rt_spin", "__rt_", "percpu_", "__percpu", "lock_sock", "__lock_sock", "release_sock", "get_perf_callchain", "perf_"}

// caller is the innermost function of a chain that is none of locking.
func caller(names []string) string {
	for _, name := range names {
		if name != sample.Program && name != sample.Unknown && !slices.ContainsFunc(ofLocking, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return name
		}
	}
	return sample.Unknown
}
