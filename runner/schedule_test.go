package runner

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/scenarios"
)

func TestBlocksOf(t *testing.T) {
	const slice, settle = 100 * time.Millisecond, 20 * time.Millisecond
	arms := []int{0, 1, 2}
	turns := blocksOf(rand.New(rand.NewPCG(7, 0)), arms, 200, slice, settle)
	if len(turns) != 600 {
		t.Fatalf("%d turns, want 600", len(turns))
	}
	first := map[int]int{}
	for i, turn := range turns {
		if turn.slice != i || turn.block != i/3 {
			t.Fatalf("turn %d is numbered %d in block %d", i, turn.slice, turn.block)
		}
		if turn.start != int64(i)*int64(slice) || turn.count != turn.start+int64(settle) || turn.end != turn.start+int64(slice) {
			t.Fatalf("turn %d has the wrong instants: %+v", i, turn)
		}
		if i%3 == 0 {
			block := []int{turns[i].arm, turns[i+1].arm, turns[i+2].arm}
			first[block[0]]++
			slices.Sort(block)
			if !slices.Equal(block, arms) {
				t.Fatalf("block %d holds arms %v", turn.block, block)
			}
		}
	}
	for _, arm := range arms { // 200 draws of 1/3: beyond 5 standard deviations
		if first[arm] < 33 || first[arm] > 100 {
			t.Errorf("arm %d was first in %d of 200 blocks", arm, first[arm])
		}
	}
}

func TestBlocksOfRepeatsWithTheSeed(t *testing.T) {
	make := func(seed uint64) []turn {
		return blocksOf(rand.New(rand.NewPCG(seed, 0)), []int{0, 1, 2, 3}, 20, time.Second, time.Millisecond)
	}
	if !slices.Equal(make(1), make(1)) {
		t.Error("the same seed gives another order")
	}
	if slices.Equal(make(1), make(2)) {
		t.Error("another seed gives the same order")
	}
}

func TestWindowsAreTheArmsOwn(t *testing.T) {
	turns := blocksOf(rand.New(rand.NewPCG(1, 0)), []int{0, 1, 2}, 5, time.Second, time.Millisecond)
	w := windows(turns, []int{1}, 1e12, 4*time.Millisecond)
	if len(w) != 5 {
		t.Fatalf("%d windows, want one a block", len(w))
	}
	for _, x := range w {
		turn := turns[x.Slice]
		if turn.arm != 1 || x.Start != 1e12+turn.start || x.Count != 1e12+turn.count || x.End != 1e12+turn.end {
			t.Errorf("window %+v is not turn %+v", x, turn)
		}
		goesOn := x.Slice+1 == len(turns) || turns[x.Slice+1].arm == 1
		if want := x.End + 4e6; goesOn != (x.Tail == 0) || !goesOn && x.Tail != want {
			t.Errorf("window %+v: tail, want %d unless the flow goes on (%v)", x, want, goesOn)
		}
	}
}

func TestBlocksPerTrial(t *testing.T) {
	for _, tc := range []struct {
		trial, slice time.Duration
		arms, want   int
	}{
		{2 * time.Second, 100 * time.Millisecond, 2, 10},
		{2 * time.Second, 100 * time.Millisecond, 3, 7},   // 6.67: the nearest
		{2 * time.Second, 100 * time.Millisecond, 100, 2}, // never fewer than two
		{time.Second, time.Second, 1, 2},
	} {
		if got := blocksPerTrial(tc.trial, tc.slice, tc.arms); got != tc.want {
			t.Errorf("blocksPerTrial(%v, %v, %d) = %d, want %d", tc.trial, tc.slice, tc.arms, got, tc.want)
		}
	}
}

// TestCountEnough: an arm that sends seldom gets longer trials, or is refused with
// the figures.
func TestCountEnough(t *testing.T) {
	arm := func(rate scenarios.Rate) scenarios.Arm {
		a := scenarios.Arm{Name: "a"}
		a.Config.Traffic.Rate = rate
		return a
	}
	besides := arm(0)
	besides.Config.Traffic.Beside = map[string]scenarios.Traffic{"rpc": {Rate: 20}}
	searching := arm(1)
	searching.Config.Traffic.LossFree = &scenarios.LossFree{}
	for _, tc := range []struct {
		arms   []scenarios.Arm
		blocks int
		says   string // in the plan's reason, or the error
	}{
		{[]scenarios.Arm{arm(0), arm(1e6)}, 20, ""},
		{[]scenarios.Arm{arm(0), arm(20)}, 25, "; a trial lasts until 10 messages of arm a are counted"},
		{[]scenarios.Arm{besides}, 25, "of rpc beside it"},
		{[]scenarios.Arm{searching}, 20, ""},
		{[]scenarios.Arm{arm(0), arm(1)}, 20, "arm a: at 1/s, 0.4 messages are counted in a trial of 1s, which are too few to judge by; 10 take a trial of 25s, and 6 of those do not fit into the time limit of 1m0s"},
	} {
		p := &plan{arms: tc.arms, slice: 25 * time.Millisecond, settle: 5 * time.Millisecond, blocks: 20}
		err := p.countEnough(time.Minute)
		says := p.reason
		if err != nil {
			says = err.Error()
		}
		if p.blocks != tc.blocks || !strings.Contains(says, tc.says) || tc.says == "" && says != "" {
			t.Errorf("%d blocks (want %d), %q, want %q", p.blocks, tc.blocks, says, tc.says)
		}
	}
}
