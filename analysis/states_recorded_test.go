package analysis

import (
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// recordedStates are runs of loopback-rps on one guest in one hour, with the round
// trip of a cache line between its two CPUs as it was logged meanwhile. Of a trial
// only the totals are known: each is one block, with as many slices an arm as there
// are canaries.
func recordedStates(t *testing.T) []*results.Run {
	t.Helper()
	f, err := os.Open("testdata/states.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	began := time.Date(2026, 11, 30, 7, 11, 57, 0, time.UTC)
	d := results.Design{Name: "loopback-rps", Baseline: "off", Confidence: 0.95, Resolution: 0.01}
	for _, name := range []string{"off", "sink", "all"} {
		d.Arms = append(d.Arms, results.Arm{Name: name, Kind: "stream", Protocol: "tcp", Topology: "loopback", Flows: 1, Message: 128 << 10})
	}
	var runs []*results.Run
	for _, row := range rows[1:] {
		id := "run " + row[0]
		i := slices.IndexFunc(runs, func(r *results.Run) bool { return r.Header.ID == id })
		if i < 0 {
			i = len(runs)
			runs = append(runs, &results.Run{Header: results.Header{ID: id, Design: d}, End: &results.End{Reason: "max-time"}})
		}
		const counted = 480_000_000
		tr := results.Trial{Index: len(runs[i].Trials), Started: began.Add(time.Duration(number(row[1])) * time.Millisecond), RunNS: 1.8e9,
			Host: results.HostDelta{ForeignNS: int64(number(row[2])) * 1e6, StealNS: int64(number(row[3])) * 1e6, CPUs: make([]results.CPUDelta, 2)}}
		distances := strings.Fields(row[7])
		n := len(distances)
		for k, ns := range distances {
			for arm := range d.Arms {
				sl := results.Slice{Arm: arm, StartNS: int64(3*k+arm) * tr.RunNS / int64(3*n), CountedNS: counted / int64(n), Counts: results.Counts{RxBytes: int64(number(row[4+arm]) * 1e6 / float64(n))}}
				if ns := number(ns); arm == 0 {
					sl.Canaries = &results.Canaries{SinkCPU: 1}
					if ns > 0 { // else it timed out
						sl.Canaries.DistanceNS = &ns
					}
				}
				tr.Slices = append(tr.Slices, sl)
			}
		}
		for arm := range d.Arms {
			tr.Arms = append(tr.Arms, results.ArmTrial{Arm: arm})
		}
		runs[i].Trials = append(runs[i].Trials, tr)
	}
	return runs
}

// TestRecordedStates: in more than a third of the pairs of runs the effects of
// sink exclude each other, and in most of these one run is sure that it is faster
// and the other that it is slower: they were in different states of the machine.
// Within a state, it is one pair in hundreds. As the record has no error within
// trials, netab's own intervals are widened there; those of t alone stand beside.
func TestRecordedStates(t *testing.T) {
	const enough = 5 // trials
	goodput, _ := LookupMetric("goodput")
	spans, given, long := map[string][]Mode{}, map[string][]Mode{}, map[string][]Mode{}
	for _, r := range recordedStates(t) {
		d := r.Header.Design
		sifted := sift(d, r.Trials)
		if sifted.few {
			continue
		}
		add := func(state string, trials []results.Trial) {
			x := stat.NewSample(values(trialEffects(record.Of(d, trials), goodput, 0, 1)))
			lo, hi := x.Interval(0.05).Ends()
			m := Mode{Lo: relative(lo), Hi: relative(hi)}
			if x.N >= enough {
				spans[state] = append(spans[state], m)
			}
			if x.N >= 8 {
				long[state] = append(long[state], m)
			}
		}
		name := func(canaries map[string]float64) string {
			if canaries[canaryDistance] > 200 {
				return "far"
			}
			return "near"
		}
		add("ignored", sifted.judged)
		s := statesOf(sifted.judged)
		for k, state := range s.list {
			add(name(state.Canaries), s.runPart(sifted.judged, k, false))
		}
		c := Summarize(r).Comparisons[0]
		modes := []Mode{{Lo: c.Lo, Hi: c.Hi, Canaries: s.list[0].Canaries, Trials: make([]int, c.N)}}
		if c.Modes.ByState() {
			modes = c.Modes.Groups
		}
		for _, m := range modes {
			if len(m.Trials) >= enough {
				given[name(m.Canaries)] = append(given[name(m.Canaries)], m)
			}
		}
	}
	for _, tt := range []struct {
		name                                string
		of                                  []Mode
		runs, pairs, exclude, contradictory int
		half                                float64 // the largest median half-width that is right
	}{
		{"states ignored", spans["ignored"], 34, 561, 221, 168, 0.020},
		{"near", spans["near"], 9, 36, 0, 0, 0.022},
		{"near, eight trials or more", long["near"], 6, 15, 0, 0, 0.020},
		{"far", spans["far"], 24, 276, 1, 0, 0.019},
		{"near, netab's intervals", given["near"], 9, 36, 0, 0, 0.032},
		{"far, netab's intervals", given["far"], 24, 276, 0, 0, 0.033},
	} {
		pairs, exclude, contradictory := 0, 0, 0
		var halves []float64
		for i, a := range tt.of {
			halves = append(halves, (a.Hi-a.Lo)/2)
			for _, b := range tt.of[i+1:] {
				pairs++
				if a.Lo > b.Hi || b.Lo > a.Hi {
					exclude++
				}
				if a.Lo > 0 && b.Hi < 0 || b.Lo > 0 && a.Hi < 0 {
					contradictory++
				}
			}
		}
		if len(tt.of) != tt.runs || pairs != tt.pairs || exclude != tt.exclude || contradictory != tt.contradictory {
			t.Errorf("%s: %d runs, %d pairs, of which %d exclude each other and %d contradict in sign; want %d, %d, %d, %d",
				tt.name, len(tt.of), pairs, exclude, contradictory, tt.runs, tt.pairs, tt.exclude, tt.contradictory)
		}
		if half := stat.Median(halves); half > tt.half {
			t.Errorf("%s: median half-width %.2f %%, want %.2f %% at most", tt.name, 100*half, 100*tt.half)
		}
	}
}
