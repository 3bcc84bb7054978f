package analysis

import (
	"slices"
	"strings"
	"testing"

	"netab/results"
)

// onCPUs pins the second arm of a run.
func onCPUs(run *results.Run, source, sink []int) {
	for i := range run.Trials {
		at := &run.Trials[i].Arms[1]
		at.Source.Pinned, at.Sink.Pinned = source, sink
	}
}

func TestPlacementOfAnArmIsAConfounder(t *testing.T) {
	placed := func(change func(b *results.Run), declared ...string) []Confounder {
		a, b := twoRuns()
		change(b)
		s := Compare(a, b, declared...)
		if g := NewGate(s, nil, gateDay); g.Outcome == NotComparable {
			t.Errorf("placement blocks: %s", g.Sentence)
		}
		return slices.DeleteFunc(s.Confounders, func(f Confounder) bool { return !strings.HasPrefix(f.Name, "cpus of ") })
	}
	for _, tt := range []struct {
		name   string
		change func(b *results.Run)
		want   string
	}{
		{"same", func(*results.Run) {}, ""},
		{"moved", func(b *results.Run) { onCPUs(b, []int{2}, []int{3, 4}) }, "source 2, sink 3,4"},
		{"free", func(b *results.Run) { onCPUs(b, nil, nil) }, "source free, sink free"},
		{"in one trial", func(b *results.Run) { b.Trials[3].Arms[1].Sink.Pinned = []int{7} }, "source 0, sink 1 or source 0, sink 7"},
		{"in a trial that does not count", func(b *results.Run) { b.Trials[3].Arms[1].Sink.Pinned, b.Trials[3].Invalid = []int{7}, "died" }, ""},
		{"not recorded", func(b *results.Run) {
			for i := range b.Trials {
				b.Trials[i].Arms = nil
			}
		}, ""},
		{"beside", func(b *results.Run) {
			for i := range b.Trials {
				b.Trials[i].Arms[1].Beside = map[string]results.Beside{"bulk": {Sink: results.RoleDelta{Pinned: []int{5}}}}
			}
		}, "source 0, sink 1, beside it bulk: source free, sink 5"},
	} {
		got := placed(tt.change)
		want := []Confounder{{Name: "cpus of arm1", A: "source 0, sink 1", B: tt.want}}
		if tt.want == "" {
			want = want[:0]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
	moved := func(b *results.Run) { onCPUs(b, []int{2}, []int{3}) }
	if got := placed(moved, "cpus of arm1"); len(got) != 1 || !got[0].Declared {
		t.Errorf("declared: %+v", got)
	}
}
