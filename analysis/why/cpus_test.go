package why

import (
	"math"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// onCPUs is sampledRun with whose the CPUs were: the source has CPU 0, and half of its
// softirqs are on CPU 1, where the sink is, and idling.
func onCPUs() *results.Run {
	r := sampledRun(0.95, 500e3)
	for i := range r.Explains {
		x := &r.Explains[i]
		for arm := range 2 {
			cpus := [2]results.ExplainCPU{{CPU: 0, Arm: arm}, {CPU: 1, Arm: arm}}
			for j := range cpus {
				cpus[j].NS = map[vocab.Owner]map[string]int64{vocab.SourceTime: {}, vocab.SinkTime: {}, vocab.IdleTime: {}}
			}
			for _, s := range x.Slices {
				if s.Arm != arm || s.Source == nil {
					continue
				}
				cpus[0].CountedNS += s.CountedNS
				cpus[1].CountedNS += s.CountedNS
				cpus[0].NS[vocab.SourceTime]["task"] += s.Source.NS["task"]
				cpus[0].NS[vocab.SourceTime]["net_rx"] += s.Source.NS["net_rx"] / 2
				cpus[1].NS[vocab.SourceTime]["net_rx"] += s.Source.NS["net_rx"] / 2
				cpus[1].NS[vocab.SinkTime]["task"] += s.Sink.NS["task"]
				cpus[1].NS[vocab.IdleTime]["task"] += s.CountedNS / 3
				cpus[1].NS[vocab.IdleTime]["net_rx"] += s.CountedNS / 100
			}
			x.CPUs = append(x.CPUs, cpus[0], cpus[1])
		}
	}
	return r
}

// TestFlameByCPU: below each CPU is whose it was, in which context, and by which calls,
// in the exact time of that CPU.
func TestFlameByCPU(t *testing.T) {
	run := onCPUs()
	e := one(t, run)
	all := Flames(run, &e, 1000)
	if len(all) != 2 || all[0].ByCPU || !all[1].ByCPU || all[1].Role != "" {
		t.Fatalf("%+v", all)
	}
	f := all[1]
	for _, want := range []struct {
		path     string
		from, to float64
		sure     bool
	}{
		{"CPU 0", 110, 100, true},
		{"CPU 0/source", 110, 100, true},
		{"CPU 0/source/its own calls", 80, 80, false},
		{"CPU 0/source/its own calls/do_syscall_64/tcp_sendmsg_locked", 80, 80, false},
		{"CPU 0/source/net_rx softirq on its back", 30, 20, true},
		{"CPU 0/source/net_rx softirq on its back/handle_softirqs/net_rx_action/tcp_ack", 20, 10, true},
		{"CPU 1/source/net_rx softirq on its back", 30, 20, true}, // which was not sampled there
	} {
		x := frameAt(f, strings.Split(want.path, "/")...)
		if x == nil || math.Abs(x.From-want.from) > 1 || math.Abs(x.To-want.to) > 1 || x.Sure != want.sure || x.Lo > x.To-x.From || x.Hi < x.To-x.From {
			t.Errorf("%s: %+v\nwant %+v", want.path, x, want)
		}
	}
	if x := frameAt(f, "CPU 1", "source", "net_rx softirq on its back"); x == nil || len(x.Calls) > 0 {
		t.Errorf("where nothing was sampled: %+v", x)
	}
	if frameAt(f, "CPU 1", "idle", "net_rx softirq on its back") == nil || frameAt(f, "CPU 1", "idle", "its own calls") != nil {
		t.Errorf("idle: %+v", frameAt(f, "CPU 1", "idle"))
	}
	found := false
	for _, p := range f.CPUs {
		if p.CPU == 0 && p.Role == vocab.SourceTime && p.Context == "net_rx" {
			found = p.Significant && math.Abs(p.Delta+10) < 1
		}
		if p.Role == vocab.IdleTime && p.Context == task {
			t.Errorf("idling: %+v", p)
		}
	}
	if !found {
		t.Errorf("%+v", f.CPUs)
	}
	// Of samples of several CPUs that do not say of which, contexts are shown and no
	// functions.
	for i := range run.Explains {
		if s := run.Explains[i].Samples; s != nil {
			s.CPUs = []int{0, 1}
		}
	}
	f = Flames(run, &e, 1000)[1]
	if x := frameAt(f, "CPU 0", "source", "its own calls"); x == nil || len(x.Calls) > 0 {
		t.Errorf("not told on which CPU: %+v", x)
	}
	cpu := 0
	for i := range run.Explains {
		if s := run.Explains[i].Samples; s != nil {
			for j := range s.Stacks {
				s.Stacks[j].CPU = &cpu
			}
		}
	}
	f = Flames(run, &e, 1000)[1]
	if x := frameAt(f, "CPU 0", "source", "its own calls"); x == nil || len(x.Calls) == 0 {
		t.Errorf("told: %+v", x)
	}
}
