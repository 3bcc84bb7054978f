// Package exact has a guest count instructions: under QEMU's -icount the guest's clock is
// the number of instructions that its CPU has executed, so what a kernel's path costs is
// the same number in every boot that has the same seed.
//
// For that nothing of the host may reach the guest: its memory layout is fixed, its CPU
// model is named, its real-time clock begins at a fixed date and runs with the
// instructions, QEMU's random numbers come from a seed, there is no virtio device, and
// the guest talks over a UART, of which it needs nothing while it counts.
//
// It counts how long a path is. It sees no caches, no locks and no parallelism.
package exact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/results/disk"
	"netab/runner"
	"netab/runner/guest"
	"netab/runner/guest/arch"
	"netab/runner/guest/execlog"
	"netab/runner/guest/inside"
	"netab/runner/guest/kallsyms"
)

// An Identity is what all boots have in common whose counts may be compared, beside QEMU
// and the kernel.
type Identity struct {
	Arch      *arch.Arch
	CPUModel  string
	Cmdline   []string
	CPUs      int
	MemoryMiB int
}

// The first QEMU in which a guest of two CPUs comes up under -icount: 7.2 hangs at
// "Booting SMP configuration".
const smpMajor = 10

// Identify is the identity of guests with so many CPUs; q runs them.
func Identify(q *guest.QEMU, a *arch.Arch, cpus int) (Identity, error) {
	id := Identity{Arch: a, CPUModel: a.Exact.CPUModel, Cmdline: a.Exact.Cmdline, CPUs: cpus, MemoryMiB: 256}
	for _, f := range a.Exact.Without {
		if q.Knows(f) {
			id.CPUModel += ",-" + f
		}
	}
	if cpus == 1 {
		id.Cmdline = slices.Concat(id.Cmdline, a.Exact.One)
		return id, nil
	}
	if a.Exact.Two == "" {
		return id, fmt.Errorf("guests of %s that count instructions have one CPU: how two come up in step is not known there", a.Name)
	}
	if q.Major < smpMajor {
		return id, fmt.Errorf("guests of %d CPUs that count instructions want QEMU %d or newer, where they come up; %s is %s: name another with --qemu PATH (make qemu10 puts Debian 13's into bin/qemu10)",
			cpus, smpMajor, q.Path, q.Version)
	}
	id.CPUModel = a.Exact.Two
	return id, nil
}

// machine is a boot's. The guest stops before and after what is counted, whether or not
// that is logged: both are the same guest.
func (id Identity) machine(qemu, program string, seed uint64) guest.Machine {
	return guest.Machine{Arch: id.Arch, QEMU: qemu, Program: program, MemoryMiB: id.MemoryMiB, CPUs: id.CPUs, CPUModel: id.CPUModel, Accel: guest.TCG, SingleThread: true,
		Port: inside.UART, Kernel: id.Cmdline,
		Extra: []string{"-icount", id.icount(), "-seed", strconv.FormatUint(seed, 10), "-rtc", "base=2026-01-01T00:00:00,clock=vm",
			"-device", "i6300esb", "-action", "watchdog=pause"}}
}

// icount has one CPU's instructions be the clock. While QEMU records a run (of which nothing
// is kept) its other threads wait until that of the CPU has accounted for what it executed,
// and else one of them may take a CPU that has just begun to idle by the time of before, and
// put the clock forward by too much. It cannot record two CPUs.
func (id Identity) icount() string {
	if id.CPUs > 1 {
		return "shift=0,sleep=off"
	}
	return "shift=0,sleep=off,rr=record,rrfile=/dev/null"
}

// A Boot is one to be made.
type Boot struct {
	QEMU     string
	Program  string // the netab that is booted; see guest.FindProgram
	Identity Identity
	Seed     uint64
	Kernel   guest.Kernel
	Job      guest.Job // netab count --inside: its one line is a Said
	// Functions has what is executed logged, and counted by these functions. It is the
	// same boot, and takes longer.
	Functions kallsyms.Table
}

// Said is what a guest says that has counted.
type Said struct {
	runner.Counted
	Modules []execlog.Module `json:"modules,omitempty"`
}

// A Count is what a boot counted.
type Count struct {
	guest.Outcome
	Counted *Said            // nil = the boot failed, for the reason in Text
	Profile *execlog.Profile // nil = no functions were asked for
}

// Run boots and counts. An error means that nothing was booted.
func (b Boot) Run(ctx context.Context) (*Count, error) {
	m := b.Identity.machine(b.QEMU, b.Program, b.Seed)
	if b.Identity.CPUs > 1 && b.Functions == nil {
		return nil, errors.New("count: with two CPUs the guest's clock is that of both, so what each executed is counted of the log, and functions are wanted")
	}
	w, err := b.newWatcher(&m)
	if err != nil {
		return nil, err
	}
	defer w.close()
	var lines [][]byte
	var said strings.Builder
	out := &Count{}
	out.Outcome, err = m.Run(ctx, b.Kernel, b.Job, func(line []byte) error {
		if len(lines) < maxLines {
			lines = append(lines, append([]byte(nil), line...))
		}
		return nil
	}, &said)
	if err != nil {
		return nil, err
	}
	if out.End != guest.Finished || out.Status != 0 {
		if last := lastLine(said.String()); last != "" {
			out.Text += ": " + last
		}
		return out, nil
	}
	if len(lines) != 1 {
		return nil, fmt.Errorf("the guest counted and said %d lines, want one", len(lines))
	}
	c := &Said{}
	if err := json.Unmarshal(lines[0], c); err != nil {
		return nil, fmt.Errorf("what the guest counted: %w", err)
	}
	out.Counted = c
	if b.Functions != nil {
		if out.Profile, err = w.profile(c.Modules); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const (
	maxLines   = 10
	maxProgram = 256 << 20
)

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// A watcher has QEMU log what is executed between the two instants, and reads it.
type watcher struct {
	monitor   *os.File // our side
	turns     *turns   // nil = one CPU
	theirs    []*os.File
	log       *os.File // our end
	done      chan struct{}
	monitored chan error
	logs      bool
	reader    *execlog.Reader
	readErr   error
}

// line is a connection to QEMU: our end, and the one that it inherits.
func line(name string) (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("QEMU's %s: %w", name, err)
	}
	return os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name), nil
}

func (b Boot) newWatcher(m *guest.Machine) (*watcher, error) {
	o := execlog.Options{Arch: b.Identity.Arch, Functions: b.Functions, Apart: m.CPUs > 1}
	if b.Functions != nil {
		program, err := disk.Read(b.Program, maxProgram)
		if err != nil {
			return nil, err
		}
		marker, err := newMarker(program)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Program, err)
		}
		o.Mark = marker.mark
	}
	ours, theirs, err := line("monitor")
	if err != nil {
		return nil, err
	}
	w := &watcher{monitor: ours, theirs: []*os.File{theirs}, done: make(chan struct{}), monitored: make(chan error, 1), logs: b.Functions != nil,
		reader: execlog.NewReader(o)}
	inherit := func(f *os.File) int {
		m.Inherit = append(m.Inherit, f)
		return guest.FirstInherited + len(m.Inherit) - 1
	}
	m.Extra = append(m.Extra, "-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", inherit(theirs)), "-mon", "chardev=monitor,mode=control")
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		close(w.done)
		w.close()
		return nil, fmt.Errorf("QEMU's log: %w", err)
	}
	_, _ = unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, 1<<20) // as much as there may be
	w.log, theirs = os.NewFile(uintptr(ends[0]), "log"), os.NewFile(uintptr(ends[1]), "log")
	w.theirs = append(w.theirs, theirs)
	m.Extra = append(m.Extra, "-D", fmt.Sprintf("/proc/self/fd/%d", inherit(theirs)))
	if m.CPUs > 1 {
		ours, theirs, err := line("turns")
		if err != nil {
			close(w.done)
			w.close()
			return nil, err
		}
		w.turns, w.theirs = newTurns(ours), append(w.theirs, theirs)
		m.Extra = append(m.Extra, "-chardev", fmt.Sprintf("socket,id=turns,fd=%d", inherit(theirs)), "-qtest", "chardev:turns", "-qtest-log", "none")
	}
	go func() {
		defer close(w.done)
		w.readErr = w.reader.Read(w.log)
	}()
	go func() { w.monitored <- w.watch() }()
	return w, nil
}

// close gives back all.
func (w *watcher) close() {
	for _, f := range w.theirs {
		_ = f.Close()
	}
	_ = w.monitor.Close()
	if w.turns != nil {
		_ = w.turns.line.Close()
	}
	<-w.done
	_ = w.log.Close()
}

// profile is for after the guest's end.
func (w *watcher) profile(loaded []execlog.Module) (*execlog.Profile, error) {
	for i := range w.theirs {
		_ = w.theirs[i].Close()
	}
	w.theirs = nil
	<-w.done
	_ = w.monitor.SetReadDeadline(time.Now().Add(time.Second))
	if err := <-w.monitored; err != nil {
		return nil, fmt.Errorf("log what a guest executes: %w", err)
	}
	if w.readErr != nil {
		return nil, fmt.Errorf("read the log of what a guest executed: %w", w.readErr)
	}
	return w.reader.Profile(loaded)
}

// watch turns the log on and off as the guest stops. The protocol is QMP's: a line a
// message (docs/interop/qmp-spec.txt).
func (w *watcher) watch() error {
	d := json.NewDecoder(io.LimitReader(w.monitor, 16<<20))
	type message struct {
		QMP, Return json.RawMessage
		Error       *struct{ Desc string }
		Event       string
	}
	next := func() (m message, err error) {
		err = d.Decode(&m)
		if err == nil && m.Error != nil {
			err = errors.New(m.Error.Desc)
		}
		return m, err
	}
	stops := 0
	tell := func(command string) error {
		if _, err := w.monitor.WriteString(command + "\n"); err != nil {
			return err
		}
		for {
			m, err := next()
			if err != nil {
				return err
			}
			if m.Return != nil {
				return nil
			}
		}
	}
	if _, err := next(); err != nil {
		return err
	}
	if err := tell(`{"execute":"qmp_capabilities"}`); err != nil {
		return err
	}
	log := func(items string) error {
		if !w.logs {
			return nil
		}
		return tell(`{"execute":"human-monitor-command","arguments":{"command-line":"log ` + items + `"}}`)
	}
	// Before the warm-up, and before and after what is counted.
	at := []func() error{
		w.turns.begin,
		func() error { return log("in_asm,exec,nochain") },
		func() error { return errors.Join(log("none"), w.turns.end()) },
	}
	for stops < len(at) {
		m, err := next()
		if err != nil {
			if stops == 0 {
				return fmt.Errorf("the guest did not stop before what is counted: its kernel may have a driver of its own for the watchdog: build it without CONFIG_I6300ESB_WDT (%w)", err)
			}
			return err
		}
		if m.Event != "STOP" {
			continue
		}
		if err := at[stops](); err != nil {
			return err
		}
		stops++
		if err := tell(`{"execute":"cont"}`); err != nil {
			return err
		}
	}
	return nil
}
