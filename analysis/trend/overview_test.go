package trend

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"netab/results"
)

// askedNights are nights of one question with these changes, each known to 0.2 %.
func askedNights(asked, host, kernel string, changes ...float64) (out []results.Digest) {
	series := []results.SeriesKey{{Arm: "on", Metric: "goodput", Judged: true, Resolution: 0.01},
		{Arm: "on", Against: "off", Metric: "goodput", Judged: true, Resolution: 0.01}}
	for i, x := range changes {
		started := began.Add(time.Duration(i) * time.Hour)
		out = append(out, results.Digest{ID: fmt.Sprintf("%s-%s-%s-%d", asked, host, kernel, i), Run: fmt.Sprint(asked, host, kernel, i), Started: started, Scenario: "loopback-rps", Asked: asked,
			Facts: map[string]string{"hostname": host, "cpu model": "model", "kernel": kernel}, Series: series, Values: []float64{40e9, x},
			Effects: []results.DigestEffect{{Arm: "on", Baseline: "off", Metric: "goodput", X: math.Log1p(x), SE: 0.002, DF: 20, Lo: x - 0.004, Hi: x + 0.004, Verdict: "improvement"}}})
	}
	return out
}

func byStart(lists ...[]results.Digest) []results.Digest {
	out := slices.Concat(lists...)
	slices.SortStableFunc(out, func(a, b results.Digest) int { return a.Started.Compare(b.Started) })
	return out
}

func TestOversee(t *testing.T) {
	withheld := askedNights("b", "ci1", "6.18", 0.05, 0.05)
	withheld[1].Effects = nil
	cut := askedNights("b", "ci1", "6.18", 0.05, 0.05)
	cut[1].Unused, cut[1].Effects = "cut off", nil
	old := askedNights("", "ci1", "6.18", 0.05, -0.2)
	other := askedNights("a", "ci1", "6.18", 0.05, 0.05, -0.05)
	for i := range other {
		other[i].State = map[string]float64{"distance_ns": 70}
	}
	other[2].State = map[string]float64{"distance_ns": 350}
	levels := askedNights("c", "ci1", "6.18", 0.05)
	levels[0].Effects, levels[0].Series, levels[0].Values = nil, levels[0].Series[:1], levels[0].Values[:1]
	for _, tt := range []struct {
		name    string
		runs    []results.Digest
		runsOf  []int
		kernels []string // of the newest question
		points  int      // of its first answer; 0 = it has none
		missing bool
		against []string // of its newest contradiction
		opposed bool
	}{
		{"no run", nil, nil, nil, 0, false, nil, false},
		{"they agree", askedNights("a", "ci1", "6.18", 0.05, 0.051, 0.049), []int{3}, []string{"6.18"}, 3, false, nil, false},
		{"one against two", askedNights("a", "ci1", "6.18", 0.05, 0.051, -0.05), []int{3}, []string{"6.18"}, 3, false, []string{"a-ci1-6.18-1", "a-ci1-6.18-0"}, true},
		{"in size only", askedNights("a", "ci1", "6.18", 0.05, 0.15), []int{2}, []string{"6.18"}, 2, false, []string{"a-ci1-6.18-0"}, false},
		{"within the resolution", askedNights("a", "ci1", "6.18", 0.050, 0.0595), []int{2}, []string{"6.18"}, 2, false, nil, false},
		{"another kernel is no contradiction", byStart(askedNights("a", "ci1", "6.18", 0.05), askedNights("a", "ci1", "6.19", -0.05)), []int{2}, []string{"6.19", "6.18"}, 2, false, nil, false},
		{"nor is another state", other, []int{3}, []string{"6.18"}, 3, false, nil, false},
		{"another machine is another question", byStart(askedNights("a", "ci1", "6.18", 0.05), askedNights("a", "ci2", "6.18", -0.05)), []int{1, 1}, []string{"6.18"}, 1, false, nil, false},
		{"other arms are", byStart(askedNights("a", "ci1", "6.18", 0.05), askedNights("b", "ci1", "6.18", -0.05)), []int{1, 1}, []string{"6.18"}, 1, false, nil, false},
		{"what was asked is not known", old, []int{2}, []string{"6.18"}, 2, false, nil, false},
		{"the newest has no figure", withheld, []int{2}, []string{"6.18"}, 1, true, nil, false},
		{"the newest is no point", cut, []int{2}, []string{"6.18"}, 1, false, nil, false},
		{"levels", levels, []int{1}, []string{"6.18"}, 1, false, nil, false},
	} {
		o := Oversee(tt.runs, nil)
		var runsOf []int
		for _, q := range o.Questions {
			runsOf = append(runsOf, len(q.Runs))
		}
		if !slices.Equal(runsOf, tt.runsOf) || o.Runs != len(tt.runs) {
			t.Errorf("%s: %d runs in %v, want %v", tt.name, o.Runs, runsOf, tt.runsOf)
			continue
		}
		if len(runsOf) == 0 {
			continue
		}
		q := o.Questions[0]
		if !slices.Equal(q.Kernels, tt.kernels) || len(q.Answers) != 1 {
			t.Errorf("%s: kernels %v, %d answers", tt.name, q.Kernels, len(q.Answers))
			continue
		}
		a := q.Answers[0]
		if len(a.Points) != tt.points || a.Missing != tt.missing || q.Contradicts() != (tt.against != nil) {
			t.Errorf("%s: %d points, missing %v, contradictions %v", tt.name, len(a.Points), a.Missing, a.Contradictions)
			continue
		}
		if tt.against != nil && (!slices.Equal(a.Contradictions[0].With, tt.against) || a.Contradictions[0].Opposed != tt.opposed) {
			t.Errorf("%s: %+v", tt.name, a.Contradictions[0])
		}
	}
}

// TestOverseeOthersRuns: what somebody else put into the store contradicts nobody.
func TestOverseeOthersRuns(t *testing.T) {
	runs := askedNights("a", "ci1", "6.18", 0.05, -0.05, 0.05)
	o := Oversee(runs, func(id string) bool { return id != runs[1].ID })
	if c := o.Questions[0].Answers[0].Contradictions; len(c) != 1 || c[0].Run != runs[1].ID {
		t.Errorf("%+v", c)
	}
}

func TestOverseeWhatCannotBeRead(t *testing.T) {
	runs := append(askedNights("a", "ci1", "6.18", 0.05), results.Digest{ID: "broken", Unused: "unreadable: no header"})
	if o := Oversee(runs, nil); len(o.Unused) != 1 || o.Unused[0].Run != "broken" || len(o.Questions) != 1 {
		t.Errorf("%+v", o)
	}
}

func BenchmarkOversee(b *testing.B) {
	var runs []results.Digest
	for q := range 40 {
		changes := make([]float64, 250)
		for i := range changes {
			changes[i] = 0.05 + 0.1*float64(i%3) // each contradicts two of three
		}
		runs = append(runs, askedNights(fmt.Sprint("q", q), "ci1", "6.18", changes...)...)
	}
	runs = byStart(runs)
	for b.Loop() {
		if o := Oversee(runs, nil); len(o.Questions) != 40 {
			b.Fatal(len(o.Questions))
		}
	}
}
