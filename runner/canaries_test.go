package runner

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/results"
	"netab/runner/canary"
	"netab/runner/host"
	"netab/test/need"
)

// TestCanariesOfSlices: slices carry what was measured in their settle parts, trials
// what was measured at their ends, and nothing where it is switched off or has no room.
func TestCanariesOfSlices(t *testing.T) {
	need.Root(t)
	need.CPUs(t, 2)
	for name, tt := range map[string]struct {
		placement string
		change    func(*Options)
		warn      string
		distances bool
	}{
		"two CPUs":    {"distinct", nil, "", true},
		"not pinned":  {"free", nil, "", false},
		"one CPU":     {"same", nil, "source and sink of a, b share a CPU", false},
		"off":         {"distinct", func(o *Options) { o.NoCanaries = true }, "", false},
		"no room":     {"distinct", func(o *Options) { o.Settle = 300 * time.Microsecond }, "a settle part of 300µs has no room", false},
		"whole trial": {"distinct", func(o *Options) { o.WholeTrials = true }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			text := fmt.Sprintf("question: q\ntopology: loopback\ntraffic: {protocol: tcp, message: 16K}\nplacement: %s\narms: {a: {}, b: {}}\n", tt.placement)
			o, run := measured(t, text, 1, func(o *Options) {
				if tt.change != nil {
					tt.change(o)
				}
			})
			var slicesWith, edges int
			warned := false
			for _, trial := range run.Trials { // one that others disturb is made again
				edges += len(trial.Edges)
				var warnings []string
				for _, w := range trial.Warnings {
					if w.Code == "no-canaries" && !strings.HasPrefix(w.Text, "most distances") { // others have the CPUs
						warnings = append(warnings, w.Text)
					}
				}
				warned = warned || len(warnings) > 0
				if len(warnings) > 1 || len(warnings) == 1 && (tt.warn == "" || !strings.Contains(warnings[0], tt.warn)) {
					t.Errorf("warnings %q, want one of %q", warnings, tt.warn)
				}
				for _, s := range trial.Slices {
					if s.Canaries == nil {
						continue
					}
					slicesWith++
					c := s.Canaries
					if tt.distances && (c.SourceCPU != o.Arms[s.Arm].CPUs.Source[0] || c.SinkCPU != o.Arms[s.Arm].CPUs.Sink[0]) {
						t.Errorf("measured on CPUs %d and %d, the roles are on %+v", c.SourceCPU, c.SinkCPU, o.Arms[s.Arm].CPUs)
					}
					if c.DistanceNS != nil && (*c.DistanceNS <= 0 || c.SourceCPU == c.SinkCPU) {
						t.Errorf("%v ns between CPUs %d and %d", *c.DistanceNS, c.SourceCPU, c.SinkCPU)
					}
				}
			}
			if off := tt.change != nil && !o.WholeTrials; off != (slicesWith == 0) || o.NoCanaries != (edges == 0) {
				t.Errorf("%d slices and %d edges have canaries", slicesWith, edges)
			}
			if tt.warn != "" && !warned {
				t.Errorf("no warning of %q", tt.warn)
			}
		})
	}
}

// TestPick: each pair of CPUs is measured at the first of its turns and then once in a
// gap.
func TestPick(t *testing.T) {
	near, other := [2]int{0, 1}, [2]int{0, 2}
	w := &watching{pairs: map[int][2]int{0: near, 1: near, 2: other}}
	var turns []turn
	turns = append(turns, turn{slice: -1, arm: 0, start: 0})
	for i := range int64(12) {
		turns = append(turns, turn{slice: int(i), arm: int(i) % 4, start: 40 + 25*i}) // the arm 3 has no pair
	}
	var got []int
	for _, picked := range w.pick(turns, 100) {
		got = append(got, picked.slice)
	}
	if diff := cmp.Diff([]int{0, 2, 4, 6, 8, 10}, got); diff != "" {
		t.Error(diff)
	}
}

// TestPairs: which CPUs stand for roles that are not pinned.
func TestPairs(t *testing.T) {
	for _, tt := range []struct {
		pair    [2]int
		allowed []int
		want    [2]int
	}{
		{[2]int{-1, -1}, []int{2, 3, 4}, [2]int{2, 3}},
		{[2]int{-1, 2}, []int{2, 3, 4}, [2]int{3, 2}},
		{[2]int{3, -1}, []int{2, 3, 4}, [2]int{3, 2}},
		{[2]int{-1, -1}, []int{5}, [2]int{5, 5}},
	} {
		if got := fill(tt.pair, tt.allowed); got != tt.want {
			t.Errorf("%v of %v: %v, want %v", tt.pair, tt.allowed, got, tt.want)
		}
	}
	r := &run{canaries: canaries{seen: map[int][2]int{0: {1, 1}, 1: {0, 1}}}}
	l := &live{setup: &setup{}, groups: []group{{flows: make([]flow, 1)}}}
	allowed, err := canary.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	for arm, want := range [][2]int{fill([2]int{1, -1}, allowed), {0, 1}, fill([2]int{-1, -1}, allowed)} {
		if got, err := r.pairOf(arm, l); got != want || err != nil {
			t.Errorf("arm %d, not pinned: %v, %v, want %v", arm, got, err, want)
		}
	}
	l.arm.CPUs.Source, l.arm.CPUs.Sink = []int{7}, []int{7}
	if got, err := r.pairOf(0, l); got != [2]int{7, 7} || err != nil {
		t.Errorf("pinned to one: %v, %v", got, err)
	}
	var c canaries
	c.see(&results.ArmTrial{Arm: 1, Source: results.RoleDelta{CPUs: map[int]int{3: 5, 1: 5, 0: 2, -1: 90}}})
	if got := c.seen[1]; got != [2]int{1, -1} {
		t.Errorf("seen on %v", got)
	}
}

// TestGapFollowsCost: canaries that cost more come more seldom.
func TestGapFollowsCost(t *testing.T) {
	var c canaries
	for each, want := range map[time.Duration]time.Duration{
		0: leastGap, 50 * time.Microsecond: leastGap, time.Millisecond: 400 * time.Millisecond,
	} {
		if c.learnGap(each); c.gap != want {
			t.Errorf("%v each: every %v, want %v", each, c.gap, want)
		}
	}
}

// TestSilence: what timed out is null, and said where it is most.
func TestSilence(t *testing.T) {
	r := &run{plan: &plan{settle: 5 * time.Millisecond}}
	answered := toldOf([2]int{0, 1}, canary.Reading{Distance: 80, Step: [2]float64{1, 2}})
	silent := toldOf([2]int{0, 1}, canary.Reading{Step: [2]float64{1, 0}})
	alone := toldOf([2]int{1, 1}, canary.Reading{Step: [2]float64{1, 1}})
	if answered.DistanceNS == nil || *answered.DistanceNS != 80 || silent.DistanceNS != nil || silent.SourceStepNS != 1 || alone.SinkCPU != 1 {
		t.Errorf("%+v, %+v, %+v", answered, silent, alone)
	}
	trial := func(canaries ...*results.Canaries) results.Trial {
		var out results.Trial
		for _, c := range append(canaries, nil, alone, alone) {
			out.Slices = append(out.Slices, results.Slice{Canaries: c})
		}
		return out
	}
	half, most := trial(answered, silent), trial(answered, silent, silent)
	r.warnOfSilence(&half)
	r.warnOfSilence(&most)
	if len(half.Warnings) != 0 || len(most.Warnings) != 1 || !strings.Contains(most.Warnings[0].Text, "within 2.5ms") {
		t.Errorf("%+v, %+v", half.Warnings, most.Warnings)
	}
	if again := trial(silent); true {
		if r.warnOfSilence(&again); len(again.Warnings) != 0 {
			t.Errorf("said twice in a run: %+v", again.Warnings)
		}
	}
}

// caches is a machine whose first CPU has caches of these sizes.
type caches struct {
	host.Host
	sizes map[string]string
}

func (c caches) Glob(string) (out []string, _ error) {
	for path := range c.sizes {
		out = append(out, path)
	}
	return out, nil
}

func (c caches) ReadFile(path string) ([]byte, error) {
	if s := c.sizes[path]; s != "" {
		return []byte(s), nil
	}
	return nil, fs.ErrNotExist
}

func TestLastCache(t *testing.T) {
	for want, sizes := range map[int64]map[string]string{
		0:        {},
		32 << 10: {"a": "32K\n"},
		16 << 20: {"a": "32K\n", "b": "1024K\n", "c": "16384K\n", "gone": "", "odd": "many"},
	} {
		if got := lastCache(caches{sizes: sizes}); got != want {
			t.Errorf("%v: %d, want %d", sizes, got, want)
		}
	}
}
