package why

import (
	"math"
	"slices"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// TestBetween: what moved from one run to another is named by context and function, each
// side scaled to its own times, and nothing is of two runs that are the same.
func TestBetween(t *testing.T) {
	a, b := sampledRun(0.95, 500e3), sampledRun(0.95, 500e3)
	// The second kernel needs more for the same: what was arm sink becomes off.
	for _, r := range []*results.Run{a, b} {
		keep := 0
		if r == b {
			keep = 1
		}
		for i := range r.Explains {
			x := &r.Explains[i]
			x.Slices = slices.DeleteFunc(x.Slices, func(s results.ExplainSlice) bool { return s.Arm != keep })
			for j := range x.Slices {
				x.Slices[j].Arm = 0
			}
			if x.Samples == nil {
				continue
			}
			var stacks []results.SampleStack
			for _, s := range x.Samples.Stacks {
				if s.Arm == keep {
					s.Arm = 0
					stacks = append(stacks, s)
				}
			}
			x.Samples.Stacks = stacks
		}
	}
	all := Between(Run{"6.17", a}, Run{"6.18", b})
	if len(all) != 1 {
		t.Fatalf("%d explanations", len(all))
	}
	e := all[0]
	if e.Of != "off" || e.Baseline != "6.17" || e.Arm != "6.18" || e.Role != vocab.SourceTime || !e.Closes {
		t.Errorf("%+v", e)
	}
	truth := 140./120 - 1
	if e.Measured == nil || math.Abs(*e.Measured-truth) > 0.01 || e.Predicted == nil || math.Abs(*e.Predicted-truth) > 0.01 {
		t.Errorf("predicted %v, measured %v, want %.3f", e.Predicted, e.Measured, truth)
	}
	for _, want := range []Part{
		{Context: "net_rx", From: 60, To: 40, Significant: true},
		{Context: "task", From: 80, To: 80},
		{Context: "net_rx", Category: "TCP/IP", Function: "tcp_ack", From: 40, To: 20, Significant: true},
		{Context: "net_rx", Category: "memory", Function: "kmem_cache_free", From: 19, To: 19},
	} {
		p := partOf(e, want.Context, want.Category, want.Function)
		if p == nil || math.Abs(p.From-want.From) > 1 || math.Abs(p.To-want.To) > 1 || p.Significant != want.Significant {
			t.Errorf("%+v\nwant %+v", p, want)
		}
	}
	for _, want := range []string{"off, from 6.17 to 6.18: 16.", " % faster in the explain trials", "the source needs 2", "net_rx softirq on its back -", "; by function: tcp_ack -"} {
		if !strings.Contains(e.Text, want) {
			t.Errorf("%s\nwant %q", e.Text, want)
		}
	}
	if f := FlamesBetween(Run{"6.17", a}, Run{"6.18", b}, &e, 100); len(f) != 1 || frameAt(f[0], "net_rx softirq on its back", "handle_softirqs", "net_rx_action", "tcp_ack") == nil {
		t.Errorf("%+v", f)
	}
	same := Between(Run{"a", a}, Run{"b", a})
	if len(same) != 1 || !strings.Contains(same[0].Text, "did not change beyond chance") {
		t.Errorf("%+v", same)
	}
	for _, p := range same[0].Parts {
		if p.Significant {
			t.Errorf("of the same: %+v", p)
		}
	}
	// In a hurry, no trial has blocks without the accounting: parts are shown, and nothing
	// is foretold.
	for _, r := range []*results.Run{a, b} {
		for i := range r.Explains {
			x := &r.Explains[i]
			x.Slices = slices.DeleteFunc(x.Slices, func(s results.ExplainSlice) bool { return s.Source == nil })
		}
	}
	if e := Between(Run{"6.17", a}, Run{"6.18", b})[0]; e.Measured == nil || math.Abs(*e.Measured-truth) > 0.01 || e.Predicted != nil || e.Closes || !strings.Contains(e.Text, "; nothing is predicted") {
		t.Errorf("in a hurry: %+v", e)
	}
	if none := Between(Run{"a", a}, Run{"b", &results.Run{Header: a.Header}}); none != nil {
		t.Errorf("of a run without explain trials: %+v", none)
	}
}

// kernels are two runs of one arm, whose kernels differ, and of whose functions some are
// other ones.
func kernels() (a, b Run) {
	x, y := sampledRun(0.95, 500e3), sampledRun(0.95, 500e3)
	x.Header.Machine.Kernel, y.Header.Machine.Kernel = "6.17.1", "6.18.2"
	for _, r := range []*results.Run{x, y} {
		for i := range r.Explains {
			s := r.Explains[i].Samples
			if r == y { // what was arm sink is off now
				for j := range r.Explains[i].Slices {
					r.Explains[i].Slices[j].Arm = 1 - r.Explains[i].Slices[j].Arm
				}
			}
			if s == nil {
				continue
			}
			for j := range s.Stacks {
				if r == y {
					s.Stacks[j].Arm = 1 - s.Stacks[j].Arm
					if s.Functions[s.Stacks[j].Frames[0]] == "kmem_cache_free" {
						s.Stacks[j].N = s.Stacks[j].N * 6 / 5
					}
				}
			}
			for j := range s.Functions {
				s.Sizes = append(s.Sizes, int64(100+j))
				if r == y && s.Functions[j] == "kmem_cache_free" {
					s.Sizes[j] = 240
				}
			}
		}
	}
	return Run{"6.17", x}, Run{"6.18", y}
}

// TestChangedFunctionsFirst: those whose size differs between the kernels' symbol tables
// stand before all others, however little they moved.
func TestChangedFunctionsFirst(t *testing.T) {
	a, b := kernels()
	e := Between(a, b)[0]
	var functions []Part
	for _, p := range e.Parts {
		if p.Function != "" {
			functions = append(functions, p)
		}
	}
	if len(functions) < 3 || functions[0].Function != "kmem_cache_free" || !functions[0].Changed() || functions[0].FromBytes != 106 || functions[0].ToBytes != 240 || !functions[0].Significant {
		t.Fatalf("%+v", functions)
	}
	if functions[1].Function != "tcp_ack" || functions[1].Changed() || math.Abs(functions[1].Delta) < math.Abs(functions[0].Delta) {
		t.Errorf("%+v", functions[1])
	}
	const note = "Of 8 functions that samples of both runs have, 1 differs in size between the symbol tables of 6.17.1 and 6.18.2: its code changed, and if it moved beyond chance it stands first."
	if !slices.Contains(e.Notes, note) {
		t.Errorf("%q", e.Notes)
	}
	if first := functionsMoved(&Explanation{Role: vocab.SourceTime, Parts: e.Parts}, 2); !strings.HasPrefix(first, "kmem_cache_free ") || !strings.Contains(first, " (its code changed), tcp_ack ") {
		t.Errorf("%q", first)
	}
	// Of the same kernel nothing is another function; of a run that kept no sizes it is
	// not known.
	same := b
	run := *b.Run
	run.Header.Machine.Kernel = "6.17.1"
	same.Run = &run
	for _, p := range Between(a, same)[0].Parts {
		if p.Changed() || p.FromBytes > 0 {
			t.Errorf("of one kernel: %+v", p)
		}
	}
	for i := range a.Explains {
		if s := a.Explains[i].Samples; s != nil {
			s.Sizes = nil
		}
	}
	if notes := strings.Join(Between(a, b)[0].Notes, " "); !strings.Contains(notes, "is not known: ") {
		t.Errorf("%q", notes)
	}
}
