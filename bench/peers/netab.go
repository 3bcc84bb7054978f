package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/traffic"
)

// netabFlows are flows of netab's own, in an agent of their own.
type netabFlows struct {
	agent  *agent.Agent
	config traffic.Config
	setup  time.Duration
}

// ours is netab as a contender.
func ours(name string, c traffic.Config, flows int) entrant {
	e := entrant{name: name, unit: bytesUnit}
	if c.Protocol == vocab.TCP {
		c.Congestion = "cubic"
	}
	if c.Kind == vocab.RR {
		e.unit = transactions
	}
	e.open = func(p *place) (contender, error) { return openNetab(p, c, flows) }
	return e
}

func openNetab(p *place, c traffic.Config, flows int) (_ *netabFlows, err error) {
	a, err := p.here.Start(p.ctx, agent.Options{Namespace: p.namespace})
	if err != nil {
		return nil, err
	}
	f := &netabFlows{agent: a, config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	began := time.Now()
	if err := a.Open(c); err != nil {
		return nil, err
	}
	addr := p.built.Sink.Addr
	sinks, sources := make([]traffic.End, flows), make([]traffic.End, flows)
	for i := range sinks {
		sinks[i] = traffic.End{Flow: i, CPUs: []int{p.sinkCPU}, Addr: addr}
	}
	ports, err := a.Listen(sinks)
	if err != nil {
		return nil, err
	}
	for i := range sources {
		sources[i] = traffic.End{Flow: i, CPUs: []int{p.sourceCPU}, To: netip.AddrPortFrom(addr, ports[i]), Share: 1 / float64(flows)}
	}
	peers, err := a.Connect(sources)
	if err != nil {
		return nil, err
	}
	for i := range sinks {
		sinks[i].To = netip.AddrPortFrom(addr, peers[i])
	}
	if err := a.Accept(sinks); err != nil {
		return nil, err
	}
	f.setup = time.Since(began)
	return f, nil
}

func (f *netabFlows) run(windows []traffic.Window) (outcome, error) {
	report, err := f.agent.Run(windows, windows[len(windows)-1].End)
	if err != nil {
		return outcome{}, fmt.Errorf("netab: %w", err)
	}
	out := outcome{counts: make([]count, len(windows)), setup: f.setup, allocated: report.Allocated}
	group := report.Groups[0]
	for i, w := range windows {
		got := group.Windows[i]
		out.counts[i] = count{units: got.RxBytes, ns: w.End - w.Count}
		if f.config.Kind == vocab.RR {
			out.counts[i].units = got.RxMsgs
		}
	}
	for _, e := range group.Ends {
		if e.Sink {
			out.messages += e.Total.Msgs
		}
	}
	out.peak, err = peakMemory(f.agent.PID())
	return out, err
}

func (f *netabFlows) close() error { return f.agent.Close(context.Background()) }

// peakMemory is the most memory that a process had resident so far.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	return parsePeak(string(status))
}

// parsePeak finds VmHWM in /proc/PID/status, in kB (proc_pid_status(5)).
func parsePeak(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 53)
			if err != nil {
				return 0, fmt.Errorf("VmHWM of /proc/PID/status: %w", err)
			}
			return n << 10, nil
		}
	}
	return 0, errors.New("/proc/PID/status has no VmHWM")
}
