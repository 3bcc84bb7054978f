// Package account splits the time of every CPU into slices, and each slice's into
// whose it was and in which context: a task's own, an interrupt's, a softirq's by its
// vector, on whoever's back it ran.
//
// It does so with five eBPF programs at raw tracepoints (bpf/account.c): of context
// switches, interrupts and softirqs. Nothing is sampled, so the parts of a CPU add up
// to wall time, and a test holds them to 0.1 %. /proc/stat counts in ticks, and
// schedstat bills a softirq to the thread that it interrupts without saying so; both
// know nothing of slices.
//
// The programs need no type information of the kernel (BTF) and no tracing of its
// functions, so they load on any kernel since 5.5. A task's time in user space is told
// from that in the kernel where it is asked for (Split): that is two events more for each
// system call.
//
// Measuring costs: at each event a task, most often one that is measured, runs the
// program. How much is told by doing without in some stretches of the same trial, see
// Attach.
package account

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// The object is committed, so that building netab takes no clang. `make bpf` makes it
// anew.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package account -target bpfel -cflags "-O2 -Wall -Werror" -type edge -type cell -type span -type clock -type owner programs bpf/account.c

// A Slot is who had the CPU.
type Slot uint32

// Slots that every account has; those of the measured roles come after.
const (
	Other    Slot = iota // processes that are not netab's, kernel threads
	Idle                 // nobody
	Softirqd             // ksoftirqd
	Netab                // netab's own threads that are no roles: the measuring itself
	Beside               // roles of traffic beside the main one
	fixed
)

// Role is the slot of the threads of one role of an arm.
func Role(arm int, sink bool) Slot {
	s := fixed + Slot(2*arm)
	if sink {
		s++
	}
	return s
}

// Slots is how many there are with so many arms.
func Slots(arms int) int { return int(fixed) + 2*arms }

// Contexts are what a CPU does in a slot's time: the task itself, an interrupt on its
// back, a softirq of each vector on its back; and, where system calls are told (Split),
// what of a role's own is in user space, which then is not in Task.
const (
	Task = iota
	IRQ
	firstSoftirq
	User     = firstSoftirq + 10
	Contexts = User + 1
)

// Vectors are the kernel's names of softirqs (include/linux/interrupt.h), in the order
// of their contexts.
var Vectors = [...]string{"hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu"}

// ContextName is "task", "irq", "net_rx", ...
func ContextName(context int) string {
	switch {
	case context == Task:
		return "task"
	case context == IRQ:
		return "irq"
	case context == User:
		return "user"
	}
	return Vectors[context-firstSoftirq]
}

// None is the Slice of an Edge from which on nothing is counted.
const None = -1

// An Edge is where another slice begins, in ns of CLOCK_MONOTONIC.
type Edge struct {
	At    int64
	Slice int
}

// A Size is how much an account has room for.
type Size struct {
	Slices, Edges, Arms int
	// Split the time of roles' tasks into user space and kernel: two events more for each
	// system call, on all of the machine.
	Split bool
}

// spans is how many stretches of time that cross edges a CPU may have. Each edge is
// crossed once; but a stretch that is ended late goes into the next, whose edges are then
// crossed again.
func (s Size) spans() int { return 2*s.Edges + 1 }

// maxMemory bounds what the kernel keeps for an account.
const maxMemory = 256 << 20

// An Account is loaded into the kernel. Its life: New, Assign and Schedule, Attach and
// Detach as often as there are stretches, Times, Close.
type Account struct {
	size     Size
	cpus     int
	objects  programsObjects
	edges    []Edge
	stretch  uint32
	from, to int // edges of the stretch
	links    []link.Link
	known    []Slot // by CPU: whose it was last
	extra    *Times // what user space cut
	absent   []string
	untold   bool // the kernel has no tracepoints of system calls
}

// New loads the programs: 5 to 15 ms.
func New(size Size) (*Account, error) {
	if err := inFirstPIDNamespace(); err != nil {
		return nil, err
	}
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("accounting: %w", err)
	}
	a := &Account{size: size, cpus: cpus, known: slices.Repeat([]Slot{Idle}, cpus), extra: newTimes(cpus, size)}
	if room := len(a.extra.cells) * int(unsafe.Sizeof(programsCell{})); room > maxMemory {
		return nil, fmt.Errorf("accounting: %d slices on %d CPUs take %d MiB, where %d at most are taken", size.Slices, cpus, room>>20, maxMemory>>20)
	}
	if err := a.load(); err != nil {
		return nil, refusal(err)
	}
	return a, nil
}

// pidNamespace is the number of the first PID namespace (PROC_PID_INIT_INO,
// include/linux/proc_ns.h).
const pidNamespace = "pid:[4026531836]"

// inFirstPIDNamespace: programs see the numbers that threads have there, netab those of
// its own.
func inFirstPIDNamespace() error {
	own, err := os.Readlink("/proc/self/ns/pid")
	if err == nil && own != pidNamespace {
		err = errors.New("netab runs in a PID namespace of its own (a container), where the kernel's numbers of threads are not known: run it with the host's (--pid=host)")
	}
	if err != nil {
		return fmt.Errorf("accounting: %w", err)
	}
	return nil
}

// refusal says why the programs cannot be loaded, and what it takes.
func refusal(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("accounting takes root, or CAP_BPF and CAP_PERFMON, and a kernel that is not locked down: %w", unix.EPERM)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("accounting takes Linux 5.5 with CONFIG_BPF_SYSCALL: %w", err)
	}
	return fmt.Errorf("accounting: load its eBPF programs: %w", err)
}

func (a *Account) load() error {
	_ = rlimit.RemoveMemlock() // kernels before 5.11 count maps as locked; loading says so if that is the fault
	spec, err := loadPrograms()
	if err != nil {
		return err
	}
	spans := a.size.spans()
	for name, entries := range map[string]int{programsMapCells: len(a.extra.cells), programsMapSchedule: a.size.Edges, programsMapSpans: a.cpus * spans} {
		spec.Maps[name].MaxEntries = uint32(max(entries, 1))
	}
	for name, value := range map[string]int{programsVarSlices: a.size.Slices, programsVarSlots: Slots(a.size.Arms), programsVarMostSpans: spans} {
		if err := spec.Variables[name].Set(uint32(value)); err != nil {
			return err
		}
	}
	if a.size.Split {
		if err := spec.Variables[programsVarSplit].Set(uint32(1)); err != nil {
			return err
		}
	}
	return spec.LoadAndAssign(&a.objects, nil)
}

// Assign says whose threads and processes are whose, by their numbers. All other
// threads of a process are its slot's.
func (a *Account) Assign(threads, processes map[int]Slot) error {
	put := func(m *ebpf.Map, id int, value any) error {
		if err := m.Put(uint32(id), value); err != nil {
			return fmt.Errorf("accounting: thread %d: %w", id, err)
		}
		return nil
	}
	for id, slot := range threads {
		if err := put(a.objects.Threads, id, programsOwner{Slot: uint32(slot)}); err != nil {
			return err
		}
	}
	for id, slot := range processes {
		if err := put(a.objects.Processes, id, uint32(slot)); err != nil {
			return err
		}
	}
	return nil
}

// Schedule gives the edges of all stretches, in order of time.
func (a *Account) Schedule(edges []Edge) error {
	if len(edges) > a.size.Edges {
		return fmt.Errorf("accounting: %d edges, with room for %d", len(edges), a.size.Edges)
	}
	for i, e := range edges {
		if i > 0 && e.At < edges[i-1].At || e.Slice >= a.size.Slices {
			return fmt.Errorf("accounting: edge %d is out of order, or of no slice", i)
		}
		if err := a.objects.Schedule.Put(uint32(i), programsEdge{At: uint64(e.At), Slice: int32(e.Slice)}); err != nil {
			return fmt.Errorf("accounting: edge %d: %w", i, err)
		}
	}
	a.edges = edges
	return nil
}

// A tracepoint is one that a program is for.
type tracepoint struct{ name, program string }

// Always there, see include/trace/events.
var always = []tracepoint{
	{"softirq_exit", programsProgSoftirqOut}, {"softirq_entry", programsProgSoftirqIn},
	{"irq_handler_exit", programsProgIrqOut}, {"irq_handler_entry", programsProgIrqIn},
	{"sched_switch", programsProgTaskSwitch},
}

// Interrupts that are not of devices have tracepoints of their architecture's:
// arch/x86/include/asm/trace/irq_vectors.h, include/trace/events/ipi.h.
func ofArchitecture() []string {
	switch runtime.GOARCH {
	case "amd64":
		return []string{"local_timer", "reschedule", "call_function", "call_function_single"}
	case "arm64":
		return []string{"ipi"}
	}
	return nil
}

// Attach begins a stretch: the edges [from, to) are counted, and the last of them ends
// it. It should come some ms before the first of them, so that each CPU has been seen by
// then.
func (a *Account) Attach(from, to int) (err error) {
	if len(a.links) > 0 || from < 0 || to <= from || to > len(a.edges) || a.edges[to-1].Slice != None {
		return fmt.Errorf("accounting: no stretch has the edges %d to %d", from, to)
	}
	a.stretch++
	a.from, a.to = from, to
	now := monotonic()
	for _, set := range []struct {
		variable *ebpf.Variable
		value    any
	}{{a.objects.FirstEdge, uint32(from)}, {a.objects.Begins, uint64(now)}, {a.objects.Stretch, a.stretch}} {
		if err := set.variable.Set(set.value); err != nil {
			return fmt.Errorf("accounting: %w", err)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("accounting: %w", err), a.unlink())
		}
	}()
	for _, t := range always {
		if err := a.attach(t); err != nil {
			return err
		}
	}
	a.absent = nil
	for _, name := range ofArchitecture() {
		err := a.attach(tracepoint{name + "_exit", programsProgIrqOut})
		if err == nil {
			err = a.attach(tracepoint{name + "_entry", programsProgIrqIn})
		}
		if errors.Is(err, os.ErrNotExist) {
			a.absent = append(a.absent, name)
		} else if err != nil {
			return err
		}
	}
	if !a.size.Split {
		return nil
	}
	err = a.attach(tracepoint{"sys_enter", programsProgCallIn})
	if err == nil {
		err = a.attach(tracepoint{"sys_exit", programsProgCallOut})
	}
	if errors.Is(err, os.ErrNotExist) {
		a.untold, err = true, nil
	}
	return err
}

// Splits says whether the time of tasks is split; a kernel without tracepoints of
// system calls (CONFIG_FTRACE_SYSCALLS) does not tell.
func (a *Account) Splits() bool { return a.size.Split && !a.untold }

// Absent are interrupts that this kernel has no tracepoints of: their time is counted
// as that of whom they interrupt.
func (a *Account) Absent() []string { return a.absent }

func (a *Account) attach(t tracepoint) error {
	program := map[string]*ebpf.Program{programsProgSoftirqIn: a.objects.SoftirqIn, programsProgSoftirqOut: a.objects.SoftirqOut,
		programsProgIrqIn: a.objects.IrqIn, programsProgIrqOut: a.objects.IrqOut, programsProgTaskSwitch: a.objects.TaskSwitch,
		programsProgCallIn: a.objects.CallIn, programsProgCallOut: a.objects.CallOut}[t.program]
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: t.name, Program: program})
	if err != nil {
		return fmt.Errorf("attach to tracepoint %s: %w", t.name, err)
	}
	a.links = append(a.links, l)
	return nil
}

func (a *Account) unlink() error {
	var errs []error
	for _, l := range a.links {
		errs = append(errs, l.Close())
	}
	a.links = nil
	return errors.Join(errs...)
}

// Detach ends the stretch, and completes its last slices: a CPU that slept through
// them had no event. It should come some ms after the last edge, when each CPU that does
// not sleep has had one.
func (a *Account) Detach() error {
	if len(a.links) == 0 {
		return nil
	}
	if err := a.unlink(); err != nil {
		return fmt.Errorf("accounting: detach: %w", err)
	}
	clocks := make([]programsClock, a.cpus)
	if err := a.objects.Clocks.Lookup(uint32(0), &clocks); err != nil {
		return fmt.Errorf("accounting: read the clocks: %w", err)
	}
	edges := a.edges[a.from:a.to]
	for cpu, c := range clocks {
		s := remaining(c, c.Stretch == a.stretch, edges, a.known[cpu])
		a.known[cpu] = Slot(s.Slot)
		a.extra.cut(cpu, s, edges)
	}
	return nil
}

// remaining is a CPU's time from its last event to the end of the stretch.
func remaining(c programsClock, seen bool, edges []Edge, known Slot) programsSpan {
	s := programsSpan{From: uint64(edges[0].At), To: uint64(edges[len(edges)-1].At), Slot: uint32(known), Context: Task}
	if !seen {
		return s // not one event: it went on with what it did before
	}
	s.From, s.Slot = max(c.Last, s.From), c.Slot
	switch {
	case c.Slot == unknownSlot:
		// It switched, and then nothing more happened, no tick either: it is asleep.
		s.Slot = uint32(Idle)
	case c.Irq > 0:
		s.Context = IRQ
	case c.Vector >= 0 && int(c.Vector) < len(Vectors):
		s.Context = firstSoftirq + uint32(c.Vector)
	case c.User > 0:
		s.Context = User
	}
	return s
}

const unknownSlot = ^uint32(0) // UNKNOWN in bpf/account.c

// Times reads what was counted in all stretches. No stretch may be on.
func (a *Account) Times() (*Times, error) {
	if len(a.links) > 0 {
		return nil, errors.New("accounting: read while it counts")
	}
	out := newTimes(a.cpus, a.size)
	if err := readAll(a.objects.Cells, out.cells); err != nil {
		return nil, fmt.Errorf("accounting: read the cells: %w", err)
	}
	perCPU := a.size.spans()
	spans := make([]programsSpan, a.cpus*perCPU)
	if err := readAll(a.objects.Spans, spans); err != nil {
		return nil, fmt.Errorf("accounting: read the spans: %w", err)
	}
	clocks := make([]programsClock, a.cpus)
	if err := a.objects.Clocks.Lookup(uint32(0), &clocks); err != nil {
		return nil, fmt.Errorf("accounting: read the clocks: %w", err)
	}
	for cpu, c := range clocks {
		if c.Lost > 0 {
			return nil, fmt.Errorf("accounting: CPU %d: %d spans found no room, which is a fault of netab", cpu, c.Lost)
		}
		for _, s := range spans[cpu*perCPU:][:c.Spans] {
			out.cut(cpu, s, a.edges)
		}
	}
	out.add(a.extra)
	return out, nil
}

// readAll copies an array map that is mapped.
func readAll[T any](m *ebpf.Map, into []T) error {
	memory, err := m.Memory()
	if err != nil {
		return err
	}
	if len(into) == 0 {
		return nil
	}
	_, err = memory.ReadAt(unsafe.Slice((*byte)(unsafe.Pointer(&into[0])), len(into)*int(unsafe.Sizeof(into[0]))), 0)
	return err
}

// Close takes all out of the kernel.
func (a *Account) Close() error { return errors.Join(a.unlink(), a.objects.Close()) }

func monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
