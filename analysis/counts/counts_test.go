package counts

import (
	"encoding/json"
	"math"
	"testing"

	"netab/results"
)

// a count of one arm on two kernels, whose boots had so many instructions for 100
// messages.
func count(a, b []int64) *results.Count {
	c := &results.Count{ID: "x", Name: "udp", Unit: "message", Kernels: []results.Kernel{{Release: "old"}, {Release: "new"}},
		Kinds: []results.CountKind{{Arm: "plain", Kernel: 0}, {Arm: "plain", Kernel: 1}}}
	for kind, values := range [][]int64{a, b} {
		for i, n := range values {
			c.Boots = append(c.Boots, results.CountBoot{Kind: kind, Seed: uint64(i + 1), End: "finished", Instructions: n, Source: n / 2, Sink: n / 2, Units: 100, Calls: 100})
		}
	}
	return c
}

func TestSummarize(t *testing.T) {
	for _, tt := range []struct {
		name              string
		a, b              []int64
		change            float64
		identical, paired int
		zeroInside        bool
	}{
		{"the same source built twice", []int64{700_000, 700_010, 699_990}, []int64{700_000, 700_010, 699_990}, 0, 3, 3, true},
		{"one of three", []int64{700_000, 700_010, 699_990}, []int64{700_000, 700_011, 699_991}, 0, 1, 3, true},
		{"nine percent", []int64{700_000, 700_010, 699_990}, []int64{763_000, 763_010, 762_990}, 0.09, 0, 3, false},
		{"one percent", []int64{700_000, 700_100, 699_900}, []int64{707_000, 707_100, 706_900}, 0.01, 0, 3, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Summarize(count(tt.a, tt.b))
			if len(s.Comparisons) != 1 {
				t.Fatalf("%d comparisons", len(s.Comparisons))
			}
			p := s.Comparisons[0]
			if math.Abs(p.Change-tt.change) > 1e-5 || p.Identical != tt.identical || p.Paired != tt.paired || (p.Lo <= 0 && p.Hi >= 0) != tt.zeroInside {
				t.Errorf("%+v", p)
			}
			if text, err := json.Marshal(s); err != nil || !json.Valid(text) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestFailed: a boot that failed is no zero.
func TestFailed(t *testing.T) {
	c := count([]int64{700_000, 700_010}, []int64{763_000})
	c.Boots = append(c.Boots, results.CountBoot{Kind: 1, Seed: 2, End: "panic", Text: "x"})
	s := Summarize(c)
	if a := s.Arms[1]; a.Failed != 1 || len(a.Boots) != 1 || a.Mean != 7630 {
		t.Errorf("%+v", a)
	}
	if len(s.Warnings) != 2 {
		t.Errorf("%q", s.Warnings)
	}
	if p := s.Comparisons[0]; p.SE != 0 || p.Lo != p.Change {
		t.Errorf("an interval of one boot: %+v", p)
	}
	c.Boots = c.Boots[:2]
	if s := Summarize(c); len(s.Comparisons) != 0 {
		t.Errorf("compared with nothing: %+v", s.Comparisons)
	}
}

// TestModes: boots that received in other steps are told apart.
func TestModes(t *testing.T) {
	c := count([]int64{700_000, 800_000, 700_010}, []int64{700_000})
	c.Boots[1].Calls = 90
	m := Summarize(c).Arms[0].Modes
	if len(m) != 2 || len(m[0].Seeds) != 2 || m[1].Calls != 90 || m[1].Mean != 8000 {
		t.Errorf("%+v", m)
	}
}

// TestRepeats: the seed is the unit, however often it is booted, and whether that gave the
// same is said.
func TestRepeats(t *testing.T) {
	c := count([]int64{700_000, 700_100, 700_000, 700_100}, []int64{763_000, 763_400, 763_000, 763_000})
	for i := range c.Boots {
		c.Boots[i].Seed = uint64(i%2 + 1)
	}
	s := Summarize(c)
	if r := s.Arms[0].Repeats; r == nil || *r != (Repeats{2, 2, 0}) || s.Arms[0].Mean != 7000.5 {
		t.Errorf("%+v, mean %v", r, s.Arms[0].Mean)
	}
	if r := s.Arms[1].Repeats; r == nil || r.Identical != 1 || math.Abs(r.Apart-400.0/763_000) > 1e-9 || s.Arms[1].Mean != 7631 {
		t.Errorf("%+v, mean %v", r, s.Arms[1].Mean)
	}
	// Of two seeds there is one degree of freedom, not of four boots three.
	if got, want := s.Arms[0].Hi-s.Arms[0].Mean, 12.706*0.5; math.Abs(got-want) > 0.01 {
		t.Errorf("the interval's half is %v, want %v", got, want)
	}
	if p := s.Comparisons[0]; p.Paired != 2 || p.Identical != 0 {
		t.Errorf("%+v", p)
	}
	if len(s.Warnings) != 1 {
		t.Errorf("%q", s.Warnings)
	}
}

// TestUnits: bytes, and messages of which a transaction has two.
func TestUnits(t *testing.T) {
	c := count([]int64{700_000}, []int64{763_000})
	for i := range c.Boots {
		c.Boots[i].Bytes, c.Boots[i].Answers = 6400, true
		c.Boots[i].Functions = []results.CountFunction{{Role: "sink", Context: "task", Function: "f", Instructions: 64_000}}
	}
	for unit, want := range map[string]float64{results.PerTransaction: 7000, results.PerMessage: 3500, results.PerByte: 109.375} {
		c.Unit = unit
		s := Summarize(c)
		if s.Arms[0].Mean != want || s.Arms[0].ByRole.Source != want/2 || s.Comparisons[0].Functions[0].To != want*64/700 || math.Abs(s.Comparisons[0].Change-0.09) > 1e-9 {
			t.Errorf("%s: %+v, %+v", unit, s.Arms[0], s.Comparisons[0])
		}
	}
}

// TestFunctions: the largest difference first, and what a compiler made of a function is
// that function.
func TestFunctions(t *testing.T) {
	c := count([]int64{700_000}, []int64{763_000})
	c.Boots[0].Functions = []results.CountFunction{{Role: "source", Context: "softirq", Function: "ip_rcv.isra.0", Instructions: 100}, {Role: "sink", Context: "task", Function: "__kfree_skb", Instructions: 247_000}}
	c.Boots[1].Functions = []results.CountFunction{{Role: "source", Context: "softirq", Function: "ip_rcv", Instructions: 200}, {Role: "source", Context: "softirq", Function: "napi_consume_skb", Instructions: 340_200}}
	p := Summarize(c).Comparisons[0]
	want := []Function{{"source", "softirq", "napi_consume_skb", 0, 3402}, {"sink", "task", "__kfree_skb", 2470, 0}, {"source", "softirq", "ip_rcv", 1, 2}}
	if len(p.Functions) != 3 || p.Functions[0] != want[0] || p.Functions[1] != want[1] || p.Functions[2] != want[2] {
		t.Errorf("%+v", p.Functions)
	}
	if g := p.Groups[0]; g != (Group{"source", "softirq", 1, 3404}) {
		t.Errorf("%+v", p.Groups)
	}
}
