package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
	"netab/runner/pktgen"
	"netab/runner/probe"
)

// A kernelSource lets the kernel's pktgen send. Its thread is not ours: its CPU time is
// read beside ours, and it rests between windows by a long delay between its packets, as
// starting and stopping take up to 100 ms.
//
// A thread that waits for its next packet does not see that the delay has become
// another one (spin, net/core/pktgen.c), so it would begin with a window when it wakes.
// But it wakes at instants that follow from the delays: at the one before, plus the delay
// that it finds when it wakes. So each rest is made to end with the next window's
// beginning, and the window's own delay is written while the thread sleeps.
type kernelSource struct {
	host   host.Host
	config pktgen.Config
	clocks []int32 // of the threads' CPU time
	used   int64   // of it before the first count
	base   int64   // the instant that the thread's next rest is counted from
	write  int64   // when the delay of the window behind a rest is written
}

const (
	// starting is the delay between packets until it is known when pktgen began.
	starting = 5 * time.Millisecond
	// resting is that behind the last window.
	resting = 50 * time.Millisecond
	// longestRest is below what pktgen takes for never.
	longestRest = time.Second
	// startsWithin is how long pktgen may take to start: 100 ms, on a CPU that is free.
	startsWithin = time.Second
	// leastRest is a gap between windows that is worth a rest.
	leastRest = 2 * time.Millisecond
)

func (k *kernelSource) open(e *endpoint, c *Config) error {
	f := e.Frames
	if f == nil {
		return fmt.Errorf("flow %d: the path pktgen needs addresses of the link", e.Flow)
	}
	k.host = host.Local{}
	k.config = pktgen.Config{Device: f.Device, SourceMAC: f.SourceMAC, SinkMAC: f.SinkMAC, Source: f.From, Sink: e.To,
		Ports: f.Ports, Payload: c.Message, Delay: starting}
	if len(e.CPUs) > 0 {
		k.config.CPU = e.CPUs[0]
	}
	if err := k.findClocks(); err != nil {
		return fmt.Errorf("flow %d: pktgen's threads: %w", e.Flow, err)
	}
	return pktgen.Setup(k.host, k.config)
}

// run sends in the windows. It is ordinary Go: nothing of it is in the way of a
// packet.
func (k *kernelSource) run(l *loop) (err error) {
	l.gate.waitInGo()
	if l.meter == nil {
		return pktgen.Reset(k.host)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sending := make(chan error, 1)
	go func() { sending <- pktgen.Start(ctx, k.host) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-sending, pktgen.Reset(k.host))
	}()
	k.used = k.threadsTime()
	if err := k.count(l); err != nil {
		return err
	}
	l.take(&l.first)
	if err := k.begin(l); err != nil {
		return err
	}
	for i := range l.windows {
		if err := k.window(l, i); err != nil {
			return err
		}
	}
	return nil
}

// delay is that of a window's packets.
func (k *kernelSource) delay(l *loop, w *Window) time.Duration {
	if rate := max(l.pace.rate, w.Rate*l.pace.share); rate > 0 {
		return time.Duration(1e9 / rate)
	}
	return 0
}

// begin waits until pktgen runs, and has it rest until the first window.
func (k *kernelSource) begin(l *loop) error {
	if len(l.windows) == 0 {
		return nil
	}
	first := &l.windows[0]
	for {
		s, err := pktgen.Read(k.host, k.config)
		if err != nil {
			return err
		}
		if s.Running {
			k.base = int64(s.Started)
			break
		}
		if Now() > first.Start+int64(startsWithin) {
			return fmt.Errorf("pktgen: %s: its thread does not begin to send", k.config.Device)
		}
		time.Sleep(leastRest / 2)
	}
	for k.base < Now()+int64(leastRest) { // it wakes then, and finds what is written until then
		k.base += int64(starting)
	}
	if first.Start-k.base < int64(leastRest) {
		return pktgen.SetDelay(k.host, k.config, k.delay(l, first))
	}
	if err := k.rest(first.Start); err != nil {
		return err
	}
	return k.wake(l, first)
}

// rest has the thread sleep until an instant, in parts that are not too long.
func (k *kernelSource) rest(until int64) error {
	parts := (time.Duration(until-k.base) + longestRest - 1) / longestRest
	each := time.Duration(until-k.base) / parts
	k.base += int64(each * parts)
	k.write = k.base - min(int64(each), k.base-Now())/2
	return pktgen.SetDelay(k.host, k.config, each)
}

// wake writes a window's delay while the thread sleeps the last time before it.
func (k *kernelSource) wake(l *loop, w *Window) error {
	sleepUntil(k.write)
	k.write = 0
	return pktgen.SetDelay(k.host, k.config, k.delay(l, w))
}

// window counts at its edges, and has the thread rest behind it.
func (k *kernelSource) window(l *loop, i int) error {
	w := &l.windows[i]
	var next *Window
	if i+1 < len(l.windows) {
		next = &l.windows[i+1]
	}
	for at, edge := range []int64{w.Start, w.Count, w.End, max(w.Tail, w.End)} {
		sleepUntil(edge)
		if at == 2 {
			if err := k.end(l, w, next); err != nil {
				return err
			}
		}
		if err := k.count(l); err != nil {
			return err
		}
		l.check()
	}
	if k.write > 0 {
		return k.wake(l, next)
	}
	return nil
}

// end is the end of a window. Without a delay the thread has not slept since it woke
// for it; with one it sends when this is due.
func (k *kernelSource) end(l *loop, w, next *Window) error {
	if k.delay(l, w) > 0 {
		k.base = w.End
	}
	switch {
	case next == nil:
		return pktgen.SetDelay(k.host, k.config, resting)
	case next.Start-max(w.End, k.base) < int64(leastRest): // it goes on, or has not even begun
		return pktgen.SetDelay(k.host, k.config, k.delay(l, next))
	}
	return k.rest(next.Start)
}

func sleepUntil(instant int64) { time.Sleep(time.Duration(instant - Now())) }

// count reads what was sent so far, and what that cost.
func (k *kernelSource) count(l *loop) error {
	s, err := pktgen.Read(k.host, k.config)
	if err != nil {
		return err
	}
	l.msgs, l.bytes = s.Packets, s.Packets*int64(k.config.Payload)
	l.beside = k.threadsTime() - k.used
	return nil
}

// findClocks finds the CPU-time clocks of the threads that may be this source's: every
// namespace has one for the CPU, and which is whose the kernel does not say. The others'
// rest while this one's does not.
func (k *kernelSource) findClocks() error {
	processes, err := probe.ReadProcesses(results.Root(""))
	if err != nil {
		return err
	}
	for pid, p := range processes {
		if p.Kernel && p.Name == fmt.Sprintf("kpktgend_%d", k.config.CPU) {
			k.clocks = append(k.clocks, int32(^pid)<<3|cpuClockSched)
		}
	}
	return nil
}

// cpuClockSched is CPUCLOCK_SCHED (include/linux/posix-timers.h): what a process has used,
// exact to the moment.
const cpuClockSched = 2

// threadsTime is the CPU time of those threads, in ns. One that has gone used nothing.
func (k *kernelSource) threadsTime() (sum int64) {
	for _, clock := range k.clocks {
		var ts unix.Timespec
		if unix.ClockGettime(clock, &ts) == nil {
			sum += ts.Nano()
		}
	}
	return sum
}
