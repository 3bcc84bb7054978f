package main

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/traffic"
)

// A stopped contender is a tool's client and server, which know no schedule:
// both are stopped but in their slices, and what the server received is what
// the kernel says of it.
type stopped struct {
	client, server *child
	meter          meter
	gap            time.Duration
}

// A meter reads how much a server has received so far.
type meter func() (int64, error)

// atLeast is from how much on a meter's figure is traffic, and not the control
// connection's or a warm-up's.
const (
	someBytes        = 1_000_000
	someTransactions = 1000
)

// installed says what to do where a peer's program is missing.
func installed(program, pkg string) string {
	if _, err := exec.LookPath(program); err != nil {
		return program + " is not installed: apt-get install " + pkg
	}
	return ""
}

// openStopped starts a client whose server is ready, waits for its traffic, and
// stops both.
func (p *place) openStopped(server *child, m meter, atLeast int64, program string, args ...string) (contender, error) {
	f := &stopped{server: server, meter: m, gap: p.gap}
	before, err := m()
	if err != nil {
		return nil, server.failed(err)
	}
	if f.client, err = startOn(p.pid, p.sourceCPU, program, args...); err != nil {
		server.kill()
		return nil, err
	}
	if err = f.waitForTraffic(before + atLeast); err == nil {
		err = f.pause()
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *stopped) waitForTraffic(enough int64) error {
	for range 10000 {
		got, err := f.meter()
		if err != nil {
			return f.client.failed(err)
		}
		if got > enough {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return f.client.failed(errors.New("no traffic within 10 s"))
}

func (f *stopped) run(windows []traffic.Window) (outcome, error) {
	// A thread of its own that runs for microseconds, at once when its instant
	// has come though both CPUs are busy. It ends with this goroutine. Without
	// the right to that, more blocks are late and left out.
	runtime.LockOSThread()
	unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
	out := outcome{counts: make([]count, len(windows))}
	for i, w := range windows {
		var err error
		if out.counts[i], err = f.slice(w); err != nil {
			return outcome{}, err
		}
	}
	return out, nil
}

// slice lets the flow run for one window. The counted part is from the moment
// of one reading to that of the other, whenever these were.
func (f *stopped) slice(w traffic.Window) (count, error) {
	sleepUntil(w.Start)
	if err := f.resume(); err != nil {
		return count{}, err
	}
	late := traffic.Now() > (w.Start+w.Count)/2
	sleepUntil(w.Count)
	before, from, err := f.read()
	if err != nil {
		return count{}, err
	}
	sleepUntil(w.End)
	after, to, err := f.read()
	if err != nil {
		return count{}, err
	}
	if err := f.pause(); err != nil {
		return count{}, err
	}
	return count{units: after - before, ns: to - from, late: late || traffic.Now() > w.End+int64(f.gap)}, nil
}

// read is what was received, and by when.
func (f *stopped) read() (units, at int64, err error) {
	units, err = f.meter()
	at = traffic.Now()
	if err != nil {
		return 0, 0, f.server.failed(err)
	}
	return units, at, nil
}

func (f *stopped) resume() error {
	return errors.Join(f.server.signal(syscall.SIGCONT), f.client.signal(syscall.SIGCONT))
}

// pause stops the sender first, and gives the receiver a moment to empty its
// socket, as the other contenders' receivers do.
func (f *stopped) pause() error {
	if err := f.client.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	sleepUntil(traffic.Now() + int64(time.Millisecond))
	return f.server.signal(syscall.SIGSTOP)
}

func (f *stopped) close() error {
	f.client.kill()
	f.server.kill()
	return nil
}

func sleepUntil(instant int64) {
	t := unix.NsecToTimespec(instant)
	for traffic.Now() < instant {
		unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &t, nil) // EINTR only
	}
}

// startOn starts a program in the namespace of process pid, on one CPU.
func startOn(pid, cpu int, program string, args ...string) (*child, error) {
	return startIn(pid, "taskset", append([]string{"--cpu-list", strconv.Itoa(cpu), program}, args...)...)
}

// startServer starts a server that says nothing of being ready, and waits until
// the kernel says so.
func (p *place) startServer(protocol string, port int, program string, args ...string) (*child, error) {
	c, err := startOn(p.pid, p.sinkCPU, program, args...)
	if err != nil {
		return nil, err
	}
	for range 5000 {
		open, err := isOpen(p.pid, protocol, port)
		if err != nil {
			return nil, c.failed(err)
		}
		if open {
			return c, nil
		}
		time.Sleep(time.Millisecond)
	}
	return nil, c.failed(fmt.Errorf("no socket on %s port %d within 5 s", protocol, port))
}
