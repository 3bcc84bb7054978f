package why

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// sampledRun is steered() with samples of the source in every second trial: TCP/IP
// leaves its net_rx softirqs, and nothing of its own calls changes.
func sampledRun(coverage float64, every int64) *results.Run {
	w := steered()
	w.trials, w.noise = 8, 0.002
	w.source = [2]map[string]float64{{"task": 80, "net_rx": 60}, {"task": 80, "net_rx": 40}}
	r := w.run()
	rng := rand.New(rand.NewPCG(3, 3))
	functions := []string{"rep_movs_alternative", "tcp_sendmsg_locked", "do_syscall_64", "tcp_ack", "net_rx_action", "handle_softirqs", "kmem_cache_free", "nobodys_function"}
	copying, sending := []int{0, 1, 2}, []int{1, 2}
	acking, freeing, unknown := []int{3, 4, 5, 1, 2}, []int{6, 4, 5, 1, 2}, []int{7, 4, 5}
	for i := range r.Explains {
		if i%2 == 0 {
			continue
		}
		x := &r.Explains[i]
		x.Instrument = vocab.Sampling
		x.Samples = &results.Samples{Role: vocab.SourceTime, CPUs: []int{0}, EveryNS: every, Functions: functions}
		var ns [2]map[string]int64
		for j := range x.Slices {
			s := &x.Slices[j]
			if s.Source == nil {
				continue
			}
			if ns[s.Arm] == nil {
				ns[s.Arm] = map[string]int64{}
			}
			for context, n := range s.Source.NS {
				ns[s.Arm][context] += n
			}
		}
		add := func(arm int, frames []int, context string, share float64) {
			n := coverage * share * float64(ns[arm][context]) / 500e3
			x.Samples.Stacks = append(x.Samples.Stacks, results.SampleStack{Arm: arm, Frames: frames, N: int64(n + 0.02*n*rng.NormFloat64())})
		}
		for arm, acks := range []float64{40. / 60, 20. / 40} { // 40 and 20 ns/KiB
			add(arm, copying, "task", 0.75)
			add(arm, sending, "task", 0.25)
			add(arm, acking, "net_rx", acks)
			add(arm, freeing, "net_rx", (1-acks)*0.95)
			add(arm, unknown, "net_rx", (1-acks)*0.05)
		}
	}
	return r
}

func partOf(e Explanation, context, category, function string) *Part {
	for i, p := range e.Parts {
		if p.Context == context && p.Category == category && p.Function == function && p.Role == vocab.SourceTime {
			return &e.Parts[i]
		}
	}
	return nil
}

// TestSampled: shares of samples are scaled to exact times, and what moved is named.
func TestSampled(t *testing.T) {
	e := one(t, sampledRun(0.95, 500e3))
	if e.Coverage == nil || math.Abs(*e.Coverage-0.95) > 0.03 || e.SampledRole != vocab.SourceTime {
		t.Fatalf("coverage %v of the %s", e.Coverage, e.SampledRole)
	}
	if e.Unmapped == nil || *e.Unmapped > 0.02 || *e.Unmapped < 0.002 {
		t.Errorf("unmapped %v", *e.Unmapped)
	}
	for _, want := range []Part{
		{Context: "net_rx", Category: "TCP/IP", From: 40, To: 20, Significant: true},
		{Context: "net_rx", Category: "TCP/IP", Function: "tcp_ack", From: 40, To: 20, Significant: true},
		{Context: "", Category: "TCP/IP", From: 60, To: 40, Significant: true},
		{Context: "task", Category: "data copy", From: 60, To: 60},
		{Context: "net_rx", Category: "memory", Function: "kmem_cache_free", From: 19, To: 19},
	} {
		p := partOf(e, want.Context, want.Category, want.Function)
		if p == nil || math.Abs(p.From-want.From) > 1 || math.Abs(p.To-want.To) > 1 || p.Significant != want.Significant {
			t.Errorf("%+v\nwant %+v", p, want)
		}
	}
	// The categories of a context are all of it.
	sum := 0.0
	for _, p := range e.Parts {
		if p.Context == "net_rx" && p.Category != "" && p.Function == "" {
			sum += p.From
		}
	}
	if whole := partOf(e, "net_rx", "", ""); math.Abs(sum-whole.From) > 0.5 {
		t.Errorf("the categories of net_rx come to %.1f of %.1f", sum, whole.From)
	}
	if !strings.Contains(e.Text, ": TCP/IP (-") {
		t.Error(e.Text)
	}
}

// TestCoverage: of a role of whose time too little was seen no function is shown.
func TestCoverage(t *testing.T) {
	e := one(t, sampledRun(0.5, 500e3))
	for _, p := range e.Parts {
		if p.Category != "" {
			t.Fatalf("%+v", p)
		}
	}
	if !strings.Contains(strings.Join(e.Notes, " "), " % of its time, and functions are shown from 80 % on") {
		t.Error(e.Notes)
	}
	// Of cycles nobody knows how many there should be.
	if e := one(t, sampledRun(0.5, 0)); e.Coverage != nil || partOf(e, "net_rx", "TCP/IP", "") == nil {
		t.Errorf("cycles: coverage %v", e.Coverage)
	}
}

// TestOtherSampled: the other role is split too where its samples cover it; where they do
// not, that is said and the limit's stay.
func TestOtherSampled(t *testing.T) {
	for coverage, shown := range map[float64]bool{0.95: true, 0.4: false} {
		r := sampledRun(0.95, 500e3)
		for i := range r.Explains { // half of the trials sample the sink instead
			x := &r.Explains[i]
			if x.Samples == nil || i%4 != 3 {
				continue
			}
			x.Samples = &results.Samples{Role: vocab.SinkTime, CPUs: []int{1}, EveryNS: 500e3, Functions: []string{"rep_movs_alternative", "tcp_recvmsg"}}
			for arm := range 2 {
				ns := int64(0)
				for _, s := range x.Slices {
					if s.Arm == arm && s.Sink != nil {
						ns += s.Sink.NS["task"] + s.Sink.NS["net_rx"]
					}
				}
				x.Samples.Stacks = append(x.Samples.Stacks, results.SampleStack{Arm: arm, Frames: []int{0, 1}, N: int64(coverage * float64(ns) / 500e3)})
			}
		}
		e := one(t, r)
		if e.SampledRole != vocab.SourceTime || e.Other == nil || e.Other.Role != vocab.SinkTime || e.Other.Coverage == nil || math.Abs(*e.Other.Coverage-coverage) > 0.1 {
			t.Fatalf("%s, other %+v", e.SampledRole, e.Other)
		}
		if partOf(e, "net_rx", "TCP/IP", "") == nil {
			t.Error("nothing is said of the source any more")
		}
		has := slices.ContainsFunc(e.Parts, func(p Part) bool { return p.Role == vocab.SinkTime && p.Category == "data copy" })
		if said := strings.Contains(strings.Join(e.Notes, " "), "Samples of the sink cover "); has != shown || !said {
			t.Errorf("coverage %v: shown %v, said %v", coverage, has, said)
		}
	}
}
