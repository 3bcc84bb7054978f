package analysis

import (
	"math"
	"slices"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// rested plays a run of four arms whose clear ones rest.
func rested(t *testing.T, seed uint64) (run *results.Run, last Decision) {
	t.Helper()
	w := world.Quiet()
	w.Effects, w.Trial = []float64{0.3, 0.004, -0.3, 0}, 0.01
	d := w.Design(0.005, 3*time.Minute)
	d.RestDecided = true
	run = w.Run(d, seed, 0)
	src, stop, looks := w.Source(seed), NewStop(d, seed), []results.Look{}
	stop.OnlyLooks = true
	for elapsed := time.Duration(0); !last.Stop; {
		elapsed += src.TrialTime()
		run.Trials = append(run.Trials, src.Trial())
		last = stop.Look(run.Trials, elapsed, elapsed+src.TrialTime() > 3*time.Minute)
		if last.Look {
			looks = append(looks, last.Record)
		}
		src.Rest(last.Record.Rested)
	}
	run.End = &results.End{Reason: vocab.MaxTime, Looks: looks}
	if last.Converged {
		run.End.Reason = vocab.Decided
	}
	return run, last
}

// Arms that are decided are measured no more, keep what the look said at which they
// were, and the others get the time. The report says what the rule said.
func TestRest(t *testing.T) {
	for seed := range uint64(5) {
		run, last := rested(t, seed)
		spent, first := 0.0, run.End.Looks[0]
		for _, l := range run.End.Looks {
			spent += l.Alpha
		}
		if spent > 0.05+1e-9 {
			t.Errorf("seed %d: %v of alpha is spent", seed, spent)
		}
		if !slices.Equal(first.Rested, []int{1, 3}) {
			t.Errorf("seed %d: after the first look %v rest", seed, first.Rested)
		}
		end := &run.Trials[len(run.Trials)-1]
		if slices.Contains(end.Order, 1) || !slices.Contains(end.Order, 0) || end.RunNS >= run.Trials[0].RunNS {
			t.Errorf("seed %d: the last trial has %v and took %v", seed, end.Order, time.Duration(end.RunNS))
		}
		s := Summarize(run)
		var judged []Comparison
		for _, c := range s.Comparisons {
			if c.Judged {
				judged = append(judged, c)
			}
		}
		if len(judged) != 4 {
			t.Fatalf("seed %d: %d comparisons", seed, len(judged))
		}
		for i, c := range judged {
			said := last.Comparisons[i]
			if c.Arm != said.Arm || c.Verdict != said.Verdict || c.N != said.N || c.RestedAfter != said.RestedAfter || c.Looks != said.Looks || math.Abs(c.Lo-said.Lo) > 1e-12 || math.Abs(c.Alpha-said.Alpha) > 1e-12 {
				t.Errorf("seed %d: the rule said %+v, the report %+v", seed, said, c)
			}
			if i%2 == 0 && (c.RestedAfter != first.Trials || c.N != first.Trials || c.Verdict == Inconclusive || c.Alpha > first.Alpha) {
				t.Errorf("seed %d: %s rested after %d trials, judged by %d at %v: %s", seed, c.Arm, c.RestedAfter, c.N, c.Alpha, c.Verdict)
			}
			if i%2 == 1 && c.N <= first.Trials {
				t.Errorf("seed %d: %s was judged by %d trials", seed, c.Arm, c.N)
			}
		}
		if s.Converged != last.Converged {
			t.Errorf("seed %d: converged %v, by the rule %v", seed, s.Converged, last.Converged)
		}
	}
}

// The record of a run that was cut off tells the same of the arms that rested.
func TestRestCutOff(t *testing.T) {
	run, _ := rested(t, 1)
	whole := Summarize(run)
	run.End = nil
	cut := Summarize(run)
	for i, c := range cut.Comparisons {
		if w := whole.Comparisons[i]; c.Judged && c.RestedAfter != w.RestedAfter || c.RestedAfter > 0 && c.Verdict != w.Verdict {
			t.Errorf("%s: cut off %s after %d, whole %s after %d", c.Arm, c.Verdict, c.RestedAfter, w.Verdict, w.RestedAfter)
		}
	}
	// One whose record has no look there has no verdict.
	run.End = &results.End{Reason: vocab.MaxTime}
	for _, c := range Summarize(run).Comparisons {
		if c.Judged && c.RestedAfter > 0 && (c.Verdict != Inconclusive || c.Withheld == "") {
			t.Errorf("%s: %s without a look", c.Arm, c.Verdict)
		}
	}
}

// Where such a run goes on, the arms that rested keep what their look said.
func TestRestResumed(t *testing.T) {
	run, _ := rested(t, 2)
	whole := Summarize(run)
	at := 0
	for at < len(run.Trials) && slices.Contains(run.Trials[at].Order, 1) {
		at++
	}
	cut := *run
	cut.Trials, cut.End = run.Trials[:at+1], nil
	x, err := GoesOn(&cut, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop := NewStop(run.Header.Design, run.Header.Seed)
	stop.GoOn(&cut, x)
	d := stop.Look(cut.Trials, time.Minute, true)
	for i, c := range d.Comparisons {
		w := whole.Comparisons[slices.IndexFunc(whole.Comparisons, func(w Comparison) bool { return w.Judged && w.Arm == c.Arm })]
		if i%2 == 0 && (c.RestedAfter != w.RestedAfter || c.Verdict != w.Verdict || math.Abs(c.Alpha-w.Alpha) > 1e-12) {
			t.Errorf("%s: %s after %d at %v, want %s after %d at %v", c.Arm, c.Verdict, c.RestedAfter, c.Alpha, w.Verdict, w.RestedAfter, w.Alpha)
		}
	}
}
