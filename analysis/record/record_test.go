package record

import (
	"testing"

	"netab/results"
)

func slice(block, arm int, bytes int64) results.Slice {
	return results.Slice{Block: block, Arm: arm, CountedNS: 1e9, Counts: results.Counts{RxBytes: bytes}}
}

// damaged is a trial of a record that is not as a run writes it: slices out of order,
// some that do not count, arms that the design lacks, one that is there twice.
func damaged() results.Trial {
	stalled, empty := slice(0, 0, 7), slice(1, 0, 7)
	stalled.Invalid, empty.CountedNS = "stalled", 0
	return results.Trial{
		Slices: []results.Slice{slice(1, 0, 1), slice(0, 1, 2), slice(0, 0, 3), stalled, empty, slice(1, 0, 4), slice(0, 9, 5), slice(0, -1, 6)},
		Arms:   []results.ArmTrial{{Arm: 1, Failed: "first"}, {Arm: 1, Failed: "second"}, {Arm: 9}, {Arm: -1}},
	}
}

func bytesOf(slices []*results.Slice) (out []int64) {
	for _, s := range slices {
		out = append(out, s.RxBytes)
	}
	return out
}

func equal(a []int64, b ...int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestOf(t *testing.T) {
	r := Of(results.Design{Arms: make([]results.Arm, 3)}, []results.Trial{damaged()})
	trial := &r.Trials[0]
	a, b := trial.Arm(0), trial.Arm(1)
	if a.Seen != nil || !equal(bytesOf(a.Counted), 1, 3, 4) {
		t.Errorf("first arm: %v, %v", a.Seen, bytesOf(a.Counted))
	}
	if len(a.Blocks) != 2 || a.Blocks[0].Number != 0 || !equal(bytesOf(a.Blocks[0].Counted), 3) || a.Blocks[1].Number != 1 || !equal(bytesOf(a.Blocks[1].Counted), 1, 4) {
		t.Errorf("its blocks: %+v", a.Blocks)
	}
	if b.Seen == nil || b.Seen.Failed != "first" || !equal(bytesOf(b.Counted), 2) {
		t.Errorf("second arm: %+v, %v", b.Seen, bytesOf(b.Counted))
	}
	for _, none := range []int{-1, 2, 3, 9} {
		if x := trial.Arm(none); x.Seen != nil || len(x.Counted) > 0 || len(x.Blocks) > 0 {
			t.Errorf("arm %d: %+v", none, x)
		}
	}
}

func TestOnly(t *testing.T) {
	trials := make([]results.Trial, 5)
	for i := range trials {
		trials[i] = damaged()
		trials[i].Index = 10 + i
	}
	trials[1].Invalid = "died"
	r := Of(results.Design{Arms: make([]results.Arm, 2)}, trials)
	if valid := r.Valid(); len(valid) != 4 || valid[1].Index != 12 || valid[1].At != 2 {
		t.Errorf("%d valid trials", len(valid))
	}
	odd := r.Only(func(t *Trial) bool { return t.At%2 == 1 })
	if len(odd.Trials) != 2 || odd.Trials[1].Index != 13 || odd.Trials[1].At != 1 || odd.Trials[1].Arm(0) != r.Trials[3].Arm(0) || r.Trials[3].At != 3 {
		t.Errorf("%+v", odd.Trials)
	}
}

// A part of a trial leaves the trial as it was.
func TestWithin(t *testing.T) {
	trials := []results.Trial{damaged()}
	r := Of(results.Design{Arms: make([]results.Arm, 2)}, trials)
	part := r.Trials[0].Within(func(block int) bool { return block == 1 })
	if a := part.Arm(0); !equal(bytesOf(a.Counted), 1, 4) || len(a.Blocks) != 1 || len(part.Arm(1).Counted) != 0 || part.Arm(1).Seen == nil {
		t.Errorf("within block 1: %+v", a)
	}
	if a := r.Trials[0].Arm(0); len(a.Counted) != 3 || len(a.Blocks) != 2 {
		t.Errorf("the trial itself: %+v", a)
	}
	aside := r.Trials[0].SetAside("in another state")
	if aside.Invalid != "in another state" || trials[0].Invalid != "" || r.Trials[0].Invalid != "" {
		t.Errorf("set aside: %q, %q", aside.Invalid, trials[0].Invalid)
	}
}

// What an arm did in a trial is the sum of its valid slices; those without a counted
// part add nothing to the time.
func TestTotals(t *testing.T) {
	trial := damaged()
	trial.Slices[0].Beside = map[string]results.Counts{"rpc": {Transactions: 3}}
	trial.Slices[5].Beside = map[string]results.Counts{"rpc": {Transactions: 4}, "bulk": {RxBytes: 1}}
	arm := Of(results.Design{Arms: make([]results.Arm, 2)}, []results.Trial{trial}).Trials[0].Arm(0)
	if sum := arm.Totals(); sum.Slices != 4 || sum.CountedNS != 3e9 || sum.RxBytes != 1+3+7+4 {
		t.Errorf("totals %+v", sum)
	}
	if sums := arm.Beside(); len(sums) != 2 || sums["rpc"].Transactions != 7 || sums["bulk"].RxBytes != 1 {
		t.Errorf("beside: %+v", sums)
	}
}

func TestLatency(t *testing.T) {
	of := func(ns ...int64) *results.Histogram {
		h := &results.Histogram{}
		for _, x := range ns {
			h.Add(x)
		}
		return h
	}
	trials := []results.Trial{
		{Arms: []results.ArmTrial{{Latency: of(10, 20), Beside: map[string]results.Beside{"rpc": {Latency: of(5)}}}}},
		{Arms: []results.ArmTrial{{Latency: of(30)}}},
		{Arms: []results.ArmTrial{{Latency: of(40)}}, Invalid: "died"},
		{},
	}
	r := Of(results.Design{Arms: make([]results.Arm, 2)}, trials)
	if h := r.Latency(0, ""); h == nil || h.Count() != 3 || trials[0].Arms[0].Latency.Count() != 2 {
		t.Errorf("latency %v", h)
	}
	if h := r.Latency(0, "rpc"); h == nil || h.Count() != 1 || Shows(h, 0.5) {
		t.Errorf("beside: %v", h)
	}
	if r.Latency(1, "") != nil || r.Latency(0, "bulk") != nil {
		t.Error("a latency that nobody recorded")
	}
}

func TestArmName(t *testing.T) {
	d := results.Design{Arms: []results.Arm{{Name: "off", Kind: "rr", Levels: []results.FactorLevel{{Factor: "rps", Value: "none"}}}}}
	if ArmName(d, 0) != "off" || ArmName(d, 7) != "arm 7" || ArmName(d, -1) != "arm -1" || KindOf(d, 0) != "rr" || KindOf(d, 1) != "" ||
		FactorLevelOf(d, 0, "rps") != "none" || FactorLevelOf(d, 0, "mtu") != "" || FactorLevelOf(d, 1, "rps") != "" {
		t.Error("an arm by its index")
	}
}
