package trend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis/confounder"
	synthetic "netab/analysis/world"
	"netab/results"
)

// askedRuns are nightly runs of one arm, one for each word: what its direction
// was, or "" in a record that does not say. All have the same few words.
func askedRuns(directions ...string) []results.Digest {
	var out []results.Digest
	for i, direction := range directions {
		d := results.Description{"traffic.direction": direction}
		key := results.SeriesKey{Arm: "off", Metric: "goodput", Traffic: "tcp", Judged: true, Resolution: 0.01}
		facts := map[string]string{factHost: "h", factCPU: "model"}
		if direction != "" {
			key.Question = d.Question()
			facts[confounder.ArmFact("traffic", "off", "direction")], facts[factDescribed] = direction, "recorded"
		}
		out = append(out, results.Digest{ID: fmt.Sprint("run", i), Started: began.Add(time.Duration(i) * 24 * time.Hour), Scenario: "s",
			Facts: facts, Series: []results.SeriesKey{key}, Values: []float64{1e9 + float64(i)}})
	}
	return out
}

// What an arm was makes the series. Where a record does not say it, the run goes
// on with the series before it, or begins the one that comes after.
func TestSeriesByWhatArmsWere(t *testing.T) {
	for _, tt := range []struct {
		name       string
		directions []string
		want       []string
	}{
		{"one question", []string{"forward", "forward"}, []string{"tcp: 0 1"}},
		{"another direction", []string{"forward", "forward", "reverse", "reverse"}, []string{"tcp, traffic.direction forward: 0 1", "tcp, traffic.direction reverse: 2 3"}},
		{"and back", []string{"forward", "reverse", "forward"}, []string{"tcp, traffic.direction forward: 0 2", "tcp, traffic.direction reverse: 1"}},
		{"older records alone", []string{"", ""}, []string{"tcp: 0 1"}},
		{"an upgrade", []string{"", "", "forward"}, []string{"tcp: 0 1 2 (older-records)"}},
		{"an upgrade and a change", []string{"", "forward", "reverse"}, []string{"tcp, traffic.direction forward: 0 1 (older-records)", "tcp, traffic.direction reverse: 2"}},
		{"an older netab now and then", []string{"forward", "reverse", "", "", "forward", ""}, []string{"tcp, traffic.direction forward: 0 4 5 (older-records)", "tcp, traffic.direction reverse: 1 2 3 (older-records)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range Analyze(askedRuns(tt.directions...), Options{}).Series {
				text := s.Traffic + ":"
				for _, p := range s.Points {
					text += strings.TrimPrefix(p.Run, "run")
					text += " "
				}
				text = strings.Replace(strings.TrimSpace(text), ":", ": ", 1)
				for _, w := range s.Warnings {
					text += " (" + string(w.Code) + ")"
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("series %q, want %q", got, tt.want)
			}
		})
	}
}

// What only one of two records says is no difference between the runs.
func TestDiffersOfOlderRecords(t *testing.T) {
	runs := askedRuns("", "forward", "reverse")
	names := func(a, b int) (out []string) {
		for _, x := range differs(runs[a].Facts, runs[b].Facts) {
			out = append(out, x.Name)
		}
		return out
	}
	if got := names(0, 1); !slices.Equal(got, []string{"description of the arms"}) {
		t.Errorf("an older record and a newer: %q", got)
	}
	if got := names(1, 2); !slices.Equal(got, []string{"traffic of off: direction"}) {
		t.Errorf("two newer: %q", got)
	}
}

// A digest tells arms apart by what they were asked, and not by their knobs.
func TestDigestOfQuestions(t *testing.T) {
	w := synthetic.Quiet()
	question := func(path, value string) string {
		r := w.Run(w.Design(0.01, time.Minute), 1, 4)
		if path != "" {
			r.Header.Design.Arms[0].Description[path] = value
		}
		d := Digest(r)
		for _, k := range d.Series {
			if k.Arm == "off" && k.Metric == "goodput" {
				if len(k.Question) != 16 || !strings.HasPrefix(k.Traffic, "tcp stream, 131072 B, 1 flow, loopback") {
					t.Errorf("key %+v", k)
				}
				return k.Question
			}
		}
		t.Fatal("no such series")
		return ""
	}
	base := question("", "")
	for _, tt := range []struct {
		path string
		same bool
	}{{"traffic.direction", false}, {"topology.family", false}, {"placement.mode", false}, {"knobs.governor", true}} {
		if got := question(tt.path, "x") == base; got != tt.same {
			t.Errorf("with another %s: same series %v", tt.path, got)
		}
	}
}
