package why

import (
	"fmt"
	"math"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// frameAt follows calls from a context inwards.
func frameAt(f Flame, path ...string) *Frame {
	calls, found := f.Roots, (*Frame)(nil)
	for _, name := range path {
		found = nil
		for i := range calls {
			if calls[i].Name == name {
				found = &calls[i]
			}
		}
		if found == nil {
			return nil
		}
		calls = found.Calls
	}
	return found
}

// TestFlame: frames are scaled to exact times as the parts are, what interrupted begins
// where it began, and only what differs is called so.
func TestFlame(t *testing.T) {
	run := sampledRun(0.95, 500e3)
	e := one(t, run)
	all := Flames(run, &e, 1000)
	if len(all) != 1 || all[0].Role != vocab.SourceTime || all[0].Unit != "ns/KiB" || all[0].Baseline != "off" || all[0].Arm != "sink" {
		t.Fatalf("%+v", all)
	}
	f := all[0]
	for _, want := range []struct {
		path     []string
		from, to float64
		sure     bool
	}{
		{[]string{"its own calls"}, 80, 80, false},
		{[]string{"its own calls", "do_syscall_64", "tcp_sendmsg_locked"}, 80, 80, false},
		{[]string{"net_rx softirq on its back"}, 60, 40, true},
		{[]string{"net_rx softirq on its back", "handle_softirqs", "net_rx_action", "tcp_ack"}, 40, 20, true},
		{[]string{"net_rx softirq on its back", "handle_softirqs", "net_rx_action", "kmem_cache_free"}, 19, 19, false},
	} {
		x := frameAt(f, want.path...)
		if x == nil || math.Abs(x.From-want.from) > 1 || math.Abs(x.To-want.to) > 1 || x.Sure != want.sure || x.Lo > x.To-x.From || x.Hi < x.To-x.From {
			t.Errorf("%v: %+v\nwant %+v", want.path, x, want)
		}
	}
	if frameAt(f, "net_rx softirq on its back", "do_syscall_64") != nil {
		t.Error("what was interrupted is in the softirq")
	}
	if from, to := f.Sum(); math.Abs(from-140) > 2 || math.Abs(to-120) > 2 {
		t.Errorf("all of it is %.1f and %.1f", from, to)
	}
	// A parent has all that it calls.
	var walk func(fs []Frame)
	walk = func(fs []Frame) {
		for _, x := range fs {
			var from, to float64
			for _, y := range x.Calls {
				from, to = from+y.From, to+y.To
			}
			if from > x.From*1.0001 || to > x.To*1.0001 {
				t.Errorf("%s has %.2f and %.2f, and what it calls %.2f and %.2f", x.Name, x.From, x.To, from, to)
			}
			walk(x.Calls)
		}
	}
	walk(f.Roots)
}

// TestFlameVanished: what only the baseline does is kept, and what is small is cut.
func TestFlameVanished(t *testing.T) {
	run := sampledRun(0.95, 500e3)
	for i := range run.Explains {
		s := run.Explains[i].Samples
		if s == nil {
			continue
		}
		gone, many := len(s.Functions), 400
		s.Functions = append(s.Functions, "gone_function")
		s.Stacks = append(s.Stacks, results.SampleStack{Arm: 0, Frames: []int{gone, 2}, N: 500})
		for j := range many {
			s.Functions = append(s.Functions, fmt.Sprintf("small_%d", j))
			s.Stacks = append(s.Stacks, results.SampleStack{Arm: j % 2, Frames: []int{gone + 1 + j, 2}, N: 1 + int64(j%3)})
		}
	}
	e := one(t, run)
	f := Flames(run, &e, 30)[0]
	x := frameAt(f, "its own calls", "do_syscall_64", "gone_function")
	if x == nil || x.To != 0 || x.From < 1 || !x.Sure {
		t.Fatalf("%+v", x)
	}
	n := 0
	var walk func(fs []Frame)
	walk = func(fs []Frame) {
		for _, y := range fs {
			n++
			walk(y.Calls)
		}
	}
	walk(f.Roots)
	if n > 30 || n < 6 {
		t.Errorf("%d frames", n)
	}
	if f.Left <= 0 || f.Left > 0.5 {
		t.Errorf("left out: %v", f.Left)
	}
}

// TestNoFlame: of a role of which too little was seen there is none, nor of one arm.
func TestNoFlame(t *testing.T) {
	run := sampledRun(0.5, 500e3)
	e := one(t, run)
	if f := Flames(run, &e, 100); f != nil {
		t.Errorf("%+v", f)
	}
	if f := Flames(run, &Explanation{Arm: "sink"}, 100); f != nil {
		t.Errorf("of one arm: %+v", f)
	}
	if f := Flames(run, &Explanation{Baseline: "off", Arm: "nobody"}, 100); f != nil {
		t.Errorf("of no arm: %+v", f)
	}
}
