package trend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"netab/analysis/gate"
	synthetic "netab/analysis/world"
	"netab/results"
)

// goodputRuns are runs of one arm with these values.
func goodputRuns(against string, values ...float64) []results.Digest {
	var out []results.Digest
	for i, v := range values {
		key := results.SeriesKey{Arm: "off", Against: against, Metric: "goodput", Traffic: "tcp", Judged: true, Resolution: 0.01}
		if v == missing {
			key.Missing, v = true, 0
		}
		out = append(out, results.Digest{ID: fmt.Sprint("run", i), Started: began.Add(time.Duration(i) * 24 * time.Hour), Scenario: "s",
			Facts: map[string]string{factHost: "h", factCPU: "model"}, Series: []results.SeriesKey{key}, Values: []float64{v}})
	}
	return out
}

const missing = -99

// TestSilentRuns: a run in which nothing was received is an outcome of its series,
// and one that has no figure of it does not pass.
func TestSilentRuns(t *testing.T) {
	wander := func(n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = 1e9 * (1 + 0.002*float64(i%3))
		}
		return xs
	}
	for name, tc := range map[string]struct {
		values  []float64
		against string
		outcome gate.Outcome
		silent  int
		says    string
	}{
		"none":                     {wander(12), "", gate.Passed, 0, "Steady"},
		"the newest":               {append(wander(12), 0), "", gate.Worse, 1, "since run run12 (kernel unknown) nothing is received any more"},
		"the newest two":           {append(wander(12), 0, 0), "", gate.Worse, 2, "since run run12"},
		"after few":                {append(wander(2), 0), "", gate.Worse, 1, "nothing is received"},
		"and back":                 {append(append(wander(8), 0), wander(8)...), "", gate.Passed, 1, "Steady"},
		"all":                      {[]float64{0, 0, 0}, "", gate.Undecided, 3, "In none of 3 runs"},
		"all of the baseline less": {append([]float64{0.01, 0.011, 0.01, 0.009, 0.01, 0.011, 0.01}, -1), "base", gate.Worse, 1, "nothing is received"},
		"no figure in the newest":  {append(wander(12), missing), "", gate.Undecided, 0, "Run run12 was begun later and is no point: it has no figure of this"},
		"no figure, and back":      {append(append(wander(8), missing), wander(4)...), "", gate.Passed, 0, "Steady"},
	} {
		t.Run(name, func(t *testing.T) {
			h := Analyze(goodputRuns(tc.against, tc.values...), Options{Filter: Filter{Changes: tc.against != ""}})
			if len(h.Series) != 1 {
				t.Fatalf("%d series", len(h.Series))
			}
			s := h.Series[0]
			if s.Outcome != tc.outcome || len(s.Silent) != tc.silent || !strings.Contains(s.Text, tc.says) {
				t.Errorf("%s, %d silent runs, %q; want %s, %d, %q", s.Outcome, len(s.Silent), s.Text, tc.outcome, tc.silent, tc.says)
			}
			for _, segment := range s.Segments {
				if !(segment.Level >= -1) {
					t.Errorf("level %v", segment.Level)
				}
			}
		})
	}
}

// TestDigestOfDeadArms: the digest of a run keeps zeros, says what it should have
// judged and could not, and leaves out runs that were disturbed.
func TestDigestOfDeadArms(t *testing.T) {
	w := synthetic.World{Effects: []float64{0.1}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.02}
	run := w.Run(w.Design(0.01, time.Minute), 1, 12)
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			if s := &run.Trials[i].Slices[k]; s.Arm == 1 {
				s.RxBytes, s.RxMsgs = 0, 0
			}
		}
	}
	run.Header.Design.Metrics = []string{"goodput", "ns_per_byte_sink"}
	d := Digest(run)
	value := func(against, metric string) (v float64, missing, ok bool) {
		for i, k := range d.Series {
			if k.Arm == "arm1" && k.Against == against && k.Metric == metric {
				return d.Values[i], k.Missing, true
			}
		}
		return 0, false, false
	}
	for _, tc := range []struct {
		against, metric string
		value           float64
		missing         bool
	}{
		{"", "goodput", 0, false}, {"off", "goodput", -1, false}, {"", "ns_per_byte_sink", 0, true}, {"off", "ns_per_byte_sink", 0, true},
	} {
		if v, missing, ok := value(tc.against, tc.metric); !ok || missing != tc.missing || v-tc.value > 1e-9 || tc.value-v > 1e-9 {
			t.Errorf("%s against %q: %v, missing %v (there: %v); want %v, %v", tc.metric, tc.against, v, missing, ok, tc.value, tc.missing)
		}
	}
	for i := range run.Trials {
		run.Trials[i].Host.ForeignNS = run.Trials[i].RunNS
	}
	if d := Digest(run); !strings.Contains(d.Unused, "disturbed: 12 of 12 trials") || len(d.Series) > 0 {
		t.Errorf("a disturbed run: unused %q, %d series", d.Unused, len(d.Series))
	}
}
