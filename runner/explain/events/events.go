// Package events watches what happens to the flows of an explain trial, event by event:
// packets that the kernel throws away, wake-ups of the roles' threads and who takes the
// CPU from them, interrupts that they send to other CPUs, and locks that they wait for.
//
// Its eBPF programs are at raw tracepoints (bpf/events.c). They cost more than the
// accounting, and most where a thread is woken for each message, so they are on in
// trials of their own, in half of the blocks: the others tell how much it is.
//
// What they read of the kernel's structs is found by its type information (BTF). Each
// part does without the others: where the kernel has no such tracepoint, or no BTF, that
// part is withheld, and Told says why.
package events

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// The object is committed, so that building netab takes no clang. `make bpf` makes it
// anew.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package events -target bpfel -cflags "-O2 -Wall -Werror" -type turn -type thread -type drop -type stat -type preemption -type sent -type lock_wait -type waited -type chain programs bpf/events.c

// A Turn is a stretch of the schedule: whose it is.
type Turn struct{ Arm, Setup int }

// A Schedule says whose turn it is when. Warm-ups come first, then the slices; each is
// as long as its like, and begins where the one before ends.
type Schedule struct {
	WarmNS, SliceNS, SettleNS int64
	Warms                     int
	Turns                     []Turn
}

// A Role is of the threads of a setup.
type Role struct {
	Setup int
	Sink  bool
}

// The parts of what is watched: each may be withheld.
const (
	Drops      = "drops"
	Reasons    = "reasons"
	Namespaces = "namespaces"
	Scheduling = "scheduling"
	Interrupts = "interrupts"
	Locks      = "locks"
)

// A Watch is loaded into the kernel. Its life: New, Assign, Begin, Attach and Detach,
// Told, Close.
type Watch struct {
	schedule Schedule
	arms     int
	kernel   *Kernel
	objects  programsObjects
	links    map[string][]link.Link // by part
	withheld map[string]string
}

// New loads the programs.
func New(s Schedule, arms int, k *Kernel) (*Watch, error) {
	if len(s.Turns) <= s.Warms || s.SliceNS <= 0 || arms <= 0 {
		return nil, errors.New("watching events: nothing is scheduled")
	}
	w := &Watch{schedule: s, arms: arms, kernel: k, links: map[string][]link.Link{}, withheld: map[string]string{}}
	if err := w.load(); err != nil {
		return nil, refusal(err)
	}
	for i, t := range s.Turns {
		if err := w.objects.Turns.Put(uint32(i), programsTurn{Arm: int32(t.Arm), Setup: int32(t.Setup)}); err != nil {
			return nil, errors.Join(fmt.Errorf("watching events: turn %d: %w", i, err), w.Close())
		}
	}
	return w, nil
}

func (w *Watch) load() error {
	_ = rlimit.RemoveMemlock() // see account
	spec, err := loadPrograms()
	if err != nil {
		return err
	}
	spec.Maps[programsMapTurns].MaxEntries = uint32(len(w.schedule.Turns))
	spec.Maps[programsMapStats].MaxEntries = uint32(2 * w.arms)
	for name, value := range map[string]uint64{programsVarWarmNs: uint64(max(w.schedule.WarmNS, 1)), programsVarSliceNs: uint64(w.schedule.SliceNS), programsVarSettleNs: uint64(w.schedule.SettleNS)} {
		if err := spec.Variables[name].Set(value); err != nil {
			return err
		}
	}
	offsets := w.kernel.offsets()
	offsets[programsVarWarms], offsets[programsVarTurnsGiven] = uint32(w.schedule.Warms), uint32(len(w.schedule.Turns))
	for name, value := range offsets {
		if err := spec.Variables[name].Set(value); err != nil {
			return err
		}
	}
	return spec.LoadAndAssign(&w.objects, nil)
}

// refusal says why the programs cannot be loaded, and what it takes.
func refusal(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("watching events takes root, or CAP_BPF and CAP_PERFMON, and a kernel that is not locked down: %w", unix.EPERM)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("watching events takes Linux 5.5 with CONFIG_BPF_SYSCALL: %w", err)
	}
	return fmt.Errorf("watching events: load the eBPF programs: %w", err)
}

// Assign says whose threads are whose, by their numbers.
func (w *Watch) Assign(threads map[int]Role) error {
	for id, r := range threads {
		role := uint32(2 * r.Setup)
		if r.Sink {
			role++
		}
		if err := w.objects.Threads.Put(uint32(id), programsThread{Role: role}); err != nil {
			return fmt.Errorf("watching events: thread %d: %w", id, err)
		}
	}
	return nil
}

// Begin says when the schedule begins, in ns of CLOCK_MONOTONIC.
func (w *Watch) Begin(start int64) error {
	return errors.Join(w.objects.WarmBegins.Set(uint64(start)), w.objects.Begins.Set(uint64(start+int64(w.schedule.Warms)*w.schedule.WarmNS)))
}

// Try says which parts this machine withholds, by switching all on.
func Try(k *Kernel) (withheld map[string]string, err error) {
	w, err := New(Schedule{SliceNS: 1, Turns: []Turn{{}}}, 1, k)
	if err != nil {
		return nil, err
	}
	err = w.Attach(Drops, Scheduling, Interrupts, Locks)
	return w.withheld, errors.Join(err, w.Close())
}

// A tracepoint is one that a program is for.
type tracepoint struct {
	name    string
	program *ebpf.Program
}

// Attach switches parts on, as far as this kernel has them: Drops, Scheduling,
// Interrupts, Locks.
func (w *Watch) Attach(parts ...string) error {
	for _, part := range parts {
		points, since, lacking := w.points(part)
		if lacking == "" {
			err := w.attach(part, points)
			if errors.Is(err, os.ErrNotExist) {
				lacking, err = "this kernel has no tracepoints of it"+since, nil
			}
			if err != nil {
				return errors.Join(err, w.Detach())
			}
		}
		if lacking != "" {
			w.withheld[part] = lacking
		}
	}
	return nil
}

// points are the tracepoints of a part, which kernels have them, and what else this one
// lacks.
func (w *Watch) points(part string) (points []tracepoint, since, lacking string) {
	o := &w.objects
	switch part {
	case Drops:
		if why := w.kernel.lacks(programsVarNetNumber, programsVarDevNet); why != "" {
			w.withheld[Namespaces] = why
		}
		if !w.kernel.hasReasons() {
			w.withheld[Reasons] = w.kernel.withoutReasons()
		}
		return []tracepoint{{"kfree_skb", w.dropped()}}, "", ""
	case Scheduling:
		return []tracepoint{{"sched_switch", o.TaskSwitched}, {"sched_waking", o.Woken}, {"sched_migrate_task", o.Migrated}}, "", w.kernel.lacks(programsVarTaskPid)
	case Interrupts:
		return []tracepoint{{"ipi_send_cpu", o.InterruptsOther}, {"ipi_send_cpumask", o.InterruptsOther}}, ": Linux 6.4 has", ""
	case Locks:
		return []tracepoint{{"contention_end", o.WaitEnds}, {"contention_begin", o.WaitBegins}}, ": Linux 5.19 has", ""
	}
	return nil, "", "there is no such part"
}

func (w *Watch) dropped() *ebpf.Program {
	if w.kernel.hasReasons() {
		return w.objects.Dropped
	}
	return w.objects.DroppedBefore
}

// attach all of a part's, or none.
func (w *Watch) attach(part string, points []tracepoint) error {
	for _, t := range points {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: t.name, Program: t.program})
		if err != nil {
			return errors.Join(fmt.Errorf("watching events: attach to tracepoint %s: %w", t.name, err), w.Detach(part))
		}
		w.links[part] = append(w.links[part], l)
	}
	return nil
}

// Detach switches parts off, or all.
func (w *Watch) Detach(parts ...string) error {
	if len(parts) == 0 {
		parts = slices.Collect(maps.Keys(w.links))
	}
	var errs []error
	for _, part := range parts {
		for _, l := range w.links[part] {
			errs = append(errs, l.Close())
		}
		delete(w.links, part)
	}
	return errors.Join(errs...)
}

// Close takes all out of the kernel.
func (w *Watch) Close() error { return errors.Join(w.Detach(), w.objects.Close()) }

// text is a C string.
func text(b []int8) string {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c == 0 {
			break
		}
		out = append(out, byte(c))
	}
	return string(out)
}
