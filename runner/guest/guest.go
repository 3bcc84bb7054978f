// Package guest runs a job in a guest of QEMU: one boot of a kernel, in which netab
// is process 1 (package inside) and runs netab. A kernel is compared with another by
// such boots.
//
// Nothing of a guest is left behind, whatever ends the process that started it: the
// initramfs lies in memory without a name, what guest and host say goes over sockets
// without names, and QEMU is killed by the kernel when its parent dies. Nothing here
// needs root.
//
// How a guest ended is told from what is seen from outside: QEMU ends with 0 after a
// panic too, so only the job's last message makes an end a good one.
//
// A guest is not trusted: what it sends is bounded, and what it prints is made
// harmless.
package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"netab/runner/guest/arch"
	"netab/runner/guest/inside"
)

// An Accel is what executes a guest's instructions.
type Accel string

// These are known. Times of a guest under TCG, which translates them, are not those
// of hardware.
const (
	KVM Accel = "kvm"
	TCG Accel = "tcg"
)

// A Machine is what a guest runs on. The zero Machine is a small one under TCG.
type Machine struct {
	Arch      *arch.Arch // nil = this netab's
	QEMU      string     // the program; "" = the architecture's in $PATH
	Program   string     // the netab that is booted; "" = this one
	MemoryMiB int        // 0 = 256
	CPUs      int        // 0 = two, or one where this machine has one
	CPUModel  string     // "" = all that QEMU can do, or the host's own under KVM
	Accel     Accel      // "" = TCG; see Fastest
	// Port is how the guest is connected; "" = virtio-serial where the kernel has it,
	// else a UART.
	Port inside.Port
	// Kernel are parameters for the kernel's command line.
	Kernel []string
	// Extra are more arguments of QEMU.
	Extra []string
	// SingleThread has one thread of the host's execute all CPUs under TCG, and nothing of
	// the host reach the guest's clock, as counting instructions takes.
	SingleThread bool
	// Inherit are files that QEMU has open, as descriptors from FirstInherited.
	Inherit []*os.File
	// BootWithin is how long the guest may take until it begins with the job; 0 = two
	// minutes.
	BootWithin time.Duration
	// Rotation is what it executes in turns with; nil = it executes all the time.
	Rotation *Rotation
}

// A Job is what runs in a guest.
type Job struct {
	Args  []string // of netab, without argv[0]
	Files []File   // in its working directory, /tmp
	Env   []string
	// Stream is the file whose lines are wanted, by its path in the guest, which may be a
	// pattern (/tmp/store/*/run.jsonl: the first that there is). "" = standard output.
	Stream string
	// Deadline is how long it may take; 0 = ten minutes. The guest ends it, and the host
	// the guest if that does not.
	Deadline time.Duration
	Modules  []string // that it needs, by their names
}

// A File is one of a job's.
type File struct {
	Name string // below the working directory
	Data []byte
}

// An Outcome is how a boot went.
type Outcome struct {
	End     End
	Text    string        // it, in one line for people
	Status  int           // of the job, if it Finished
	Console []string      // the last lines of the guest's console
	Hello   *inside.Hello // what the guest said of itself; nil = it did not come that far
	Up      time.Duration // from the start to that
	Took    time.Duration // until all was over
}

const (
	defaultMemory   = 256 // netab itself counts on 110 for three arms side by side
	defaultDeadline = 10 * time.Minute
	defaultBoot     = 2 * time.Minute
	// shutdown is how long a guest may take to end when all is said.
	shutdown = 10 * time.Second
	// overdue is how long the guest may take to end a job that is late, before it is
	// taken to hang.
	overdue = 30 * time.Second
	// shownLines is how much of the console goes with an outcome.
	shownLines = 60
)

func (m Machine) filled() (Machine, error) {
	if m.Arch == nil {
		var err error
		if m.Arch, err = arch.Parse(""); err != nil {
			return m, err
		}
	}
	m.MemoryMiB = cmp.Or(m.MemoryMiB, defaultMemory)
	m.CPUs = cmp.Or(m.CPUs, min(2, runtime.NumCPU()))
	m.Accel = cmp.Or(m.Accel, TCG)
	m.CPUModel = cmp.Or(m.CPUModel, map[Accel]string{TCG: m.Arch.CPUModel, KVM: "host"}[m.Accel])
	m.BootWithin = cmp.Or(m.BootWithin, defaultBoot)
	m.Program = cmp.Or(m.Program, own)
	switch {
	case m.MemoryMiB < 1 || m.CPUs < 1:
		return m, fmt.Errorf("a guest of %d MiB and %d CPUs: want at least one of each", m.MemoryMiB, m.CPUs)
	case m.Accel != TCG && m.Accel != KVM:
		return m, fmt.Errorf("a guest under %q: want %s or %s", m.Accel, KVM, TCG)
	case m.Accel == KVM && m.Arch != arch.Here():
		return m, fmt.Errorf("guests of %s under KVM: this machine is none of those, so they run under %s", m.Arch.Name, TCG)
	case m.Accel == KVM && m.Rotation != nil:
		return m, errors.New("guests under KVM do not take turns: their clocks would go on while they are held")
	case m.Port != "" && m.Port != inside.Virtio && m.Port != inside.UART:
		return m, fmt.Errorf("a guest's port %q: want %s or %s", m.Port, inside.Virtio, inside.UART)
	}
	return m, nil
}

// Run boots a kernel and lets it do a job. line is called with each line of the
// stream, without its end; said gets what else the job says, for people. Both come
// from the guest as they are: it is not trusted. While line keeps what it is given the
// guest waits, and so do its deadlines.
//
// An error means that nothing was booted, or is line's. What became of a boot is the
// Outcome, also when ctx ended it.
func (m Machine) Run(ctx context.Context, k Kernel, job Job, line func([]byte) error, said io.Writer) (Outcome, error) {
	b, err := m.prepare(ctx, k, job)
	if err != nil {
		return Outcome{}, err
	}
	defer b.close()
	return b.run(ctx, line, said)
}

// A boot is one that is about to begin.
type boot struct {
	machine  Machine
	job      Job
	kernel   Kernel
	qemu     *QEMU
	initrd   *os.File
	image    *os.File // nil = QEMU reads the kernel's own
	console  *wire
	port     *wire
	monitor  *wire // nil = QEMU is not told anything
	deadline time.Duration
	unpacks  int // MiB; see sight
}

// close gives back what it holds.
func (b *boot) close() {
	for _, f := range []*os.File{b.initrd, b.image} {
		if f != nil {
			_ = f.Close()
		}
	}
	b.console.close()
	b.port.close()
	b.monitor.close()
}

// prepare finds out all that can be wrong before anything boots.
func (m Machine) prepare(ctx context.Context, k Kernel, job Job) (b *boot, err error) {
	if m, err = m.filled(); err != nil {
		return nil, err
	}
	b = &boot{machine: m, job: job, kernel: k, deadline: cmp.Or(job.Deadline, defaultDeadline)}
	defer func() {
		if err != nil {
			b.close()
			b = nil
		}
	}()
	if k.Arch != m.Arch.Name {
		return b, fmt.Errorf("%s is a kernel for %s, and guests are %s", k.Ref, k.Arch, m.Arch.Name)
	}
	if err := checkFiles(job.Files); err != nil {
		return b, err
	}
	if b.qemu, err = FindQEMU(ctx, m.QEMU, m.Arch); err != nil {
		return b, err
	}
	modules, err := b.choosePort()
	if err != nil {
		return b, err
	}
	program, err := readProgram(m.Program, m.Arch)
	if err != nil {
		return b, err
	}
	initramfs := image{program: program, modules: modules, files: job.Files, release: k.Release, config: k.Config, spec: inside.Spec{
		Args: job.Args, Env: job.Env, Stream: job.Stream, Deadline: b.deadline, Port: b.machine.Port, Line: m.Arch.LineNode, NoAck: b.machine.SingleThread}}
	if b.initrd, err = memory("initramfs", initramfs.write); err != nil {
		return b, fmt.Errorf("%s: make the initramfs: %w", k.Ref, err)
	}
	if k.Unpack != nil {
		if b.image, err = memory("kernel", k.Unpack); err != nil {
			return b, fmt.Errorf("%s: %w", k.Ref, err)
		}
	}
	if b.unpacks, err = unpacks(k.Image, b.initrd); err != nil {
		return b, err
	}
	connect := newWire
	if b.machine.SingleThread {
		connect = newPipe
	}
	if b.console, err = connect(); err != nil {
		return b, err
	}
	if b.port, err = connect(); err != nil {
		return b, err
	}
	if m.Rotation != nil {
		b.monitor, err = newWire()
	}
	return b, err
}

// choosePort decides on the port, and returns all modules that the guest loads.
func (b *boot) choosePort() ([]Module, error) {
	// Nothing but the driver of the bus depends on it.
	virtio := []string{"virtio_pci", "virtio_console"}
	if b.machine.Port == "" {
		b.machine.Port = inside.Virtio
		if _, missing := b.kernel.Modules(virtio...); len(missing) > 0 {
			b.machine.Port = inside.UART
		}
	}
	names := b.job.Modules
	if b.machine.Port == inside.Virtio {
		names = slices.Concat(virtio, names)
	}
	modules, missing := b.kernel.Modules(names...)
	if len(missing) > 0 {
		return nil, fmt.Errorf("kernel %s has no %s, neither as a module nor built in", b.kernel.Ref, strings.Join(missing, ", "))
	}
	return modules, nil
}

// run boots it, and returns when QEMU is gone.
func (b *boot) run(ctx context.Context, line func([]byte) error, said io.Writer) (Outcome, error) {
	began := time.Now()
	q, err := start(b.command(), append([]*os.File{b.initrd, b.console.theirs, b.port.theirs, b.image, b.monitor.given()}, b.machine.Inherit...)...)
	if err != nil {
		return Outcome{}, fmt.Errorf("start %s: %w", b.qemu.Path, err)
	}
	for _, w := range []*wire{b.console, b.port, b.monitor} {
		w.started()
	}
	out := &console{}
	printed := make(chan struct{})
	go func() { defer close(printed); _, _ = io.Copy(out, b.console.ours) }()
	h := &hearing{boot: b, began: began, line: line, said: newQuota(said), alarm: newAlarm(b.machine.BootWithin)}
	defer h.alarm.timer.Stop()
	if r := b.machine.Rotation; r != nil {
		h.turns = r.join(newMonitor(b.monitor.ours), h.alarm, q.kill)
	}
	h.listen(ctx, q)
	h.turns.leave()
	select {
	case <-printed: // all sides of it are closed
	case <-time.After(time.Second):
	}
	s := h.sight
	s.kernel, s.console, s.memory, s.unpacks = b.kernel.Ref, out.last(), b.machine.MemoryMiB, b.unpacks
	s.qemu, s.qemuSaid, s.disobeyed = q.state(), q.said(), h.turns.disobeyed()
	end, text := s.judge()
	o := Outcome{End: end, Text: text, Hello: s.hello, Up: h.up, Took: time.Since(began)}
	o.Console = s.console[max(0, len(s.console)-shownLines):]
	if end == Finished {
		o.Status = s.exit.Status
	}
	return o, h.err
}

// A hearing is one boot as the host follows it.
type hearing struct {
	*boot
	began time.Time
	line  func([]byte) error
	said  io.Writer
	alarm *alarm
	turns *turns
	sight sight
	up    time.Duration
	err   error // of line
}

// listen hears the guest out, and returns when QEMU is gone.
func (h *hearing) listen(ctx context.Context, q *process) {
	messages := make(chan inside.Message)
	var broken error
	go func() {
		defer close(messages)
		r := inside.NewReader(h.port.ours)
		for {
			m, err := r.Next()
			if err != nil {
				broken = err
				return
			}
			messages <- m
		}
	}()
	exited, interrupted := q.exited, ctx.Done()
	for messages != nil || exited != nil {
		select {
		case m, more := <-messages:
			if !more {
				messages = nil
				if errors.Is(broken, inside.ErrGarbled) {
					h.sight.garbled = broken.Error()
					q.kill()
				}
			} else if h.hear(m) != nil {
				q.kill()
			}
		case <-exited:
			exited = nil
			// What it said before is in the socket still, and ends there.
			h.alarm.last(shutdown)
		case <-h.alarm.timer.C:
			if exited == nil {
				h.port.hangUp()
			} else {
				h.sight.late = h.sight.exit == nil
				q.kill()
			}
		case <-interrupted:
			interrupted = nil
			h.sight.interrupted = h.sight.exit == nil
			q.kill()
		}
	}
}

// hear takes a message. After an error of line the rest is not looked at, nor is what
// comes behind the end. A hello gives time once.
func (h *hearing) hear(m inside.Message) error {
	if h.err != nil || h.sight.exit != nil {
		return h.err
	}
	switch m.Type {
	case inside.HelloType:
		if h.sight.hello == nil {
			h.sight.hello, h.up = m.Hello, time.Since(h.began)
			h.alarm.set(h.deadline + overdue)
			h.turns.isUp()
		}
	case inside.LineType:
		h.err = h.line(m.Data)
	case inside.SaidType:
		_, _ = h.said.Write(m.Data)
	case inside.ExitType:
		h.sight.exit = m.Exit
		h.port.acknowledge()
		h.alarm.set(shutdown)
	}
	return h.err
}
