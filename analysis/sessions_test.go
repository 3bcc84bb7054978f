package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// spreadRun is a run of so many sessions of four trials each.
func spreadRun(seed uint64, sessions int, change func(*world.World)) *results.Run {
	w := world.Quiet()
	w.SessionTrials = 4
	change(&w)
	d := w.Design(0.02, time.Minute)
	d.Sessions = sessions
	return w.Run(d, seed, 4*sessions)
}

func TestSessions(t *testing.T) {
	for _, tt := range []struct {
		name     string
		seed     uint64
		sessions int
		change   func(*world.World)
		unit     bool
		df       float64
		codes    string
	}{
		{"that are alike", 1, 6, func(w *world.World) { w.Trial = 0.005 }, false, 23, ""},
		{"that scatter", 5, 6, func(w *world.World) { w.Session = 0.05 }, true, 5, "sessions-disagree"},
		{"too few", 5, 3, func(w *world.World) { w.Session = 0.05 }, true, 2, "sessions-disagree few-sessions"},
		{"one only", 5, 1, func(w *world.World) { w.Session = 0.05 }, false, 3, "sessions-missing"},
	} {
		run := spreadRun(tt.seed, tt.sessions, tt.change)
		run.Header.Design.Sessions = max(tt.sessions, 2)
		s := Summarize(run)
		c := s.find(t, "arm1")
		if unit := c.Sessions != nil && c.Sessions.Unit; unit != tt.unit || c.DF != tt.df || c.N != 4*tt.sessions {
			t.Errorf("%s: unit %v, %v degrees of freedom, %d trials: %+v", tt.name, unit, c.DF, c.N, c.Sessions)
		}
		for _, code := range []string{"sessions-disagree", "few-sessions", "sessions-missing"} {
			if want := strings.Contains(tt.codes, code); hasWarning(s.Warnings, vocab.Code(code)) != want {
				t.Errorf("%s: warning %s is %v", tt.name, code, !want)
			}
		}
		if hasWarning(s.Warnings, "heterogeneous") && tt.unit || hasWarning(s.Warnings, "autocorrelated") {
			t.Errorf("%s: %v", tt.name, s.Warnings)
		}
		if c.Sessions == nil {
			continue
		}
		// The mean is that of sessions, and the interval holds theirs.
		mean, n := 0.0, float64(len(c.Sessions.Effects))
		for _, e := range c.Sessions.Effects {
			mean += math.Log1p(e.Change) / n
			if e.Trials != 4 {
				t.Errorf("%s: session of %d trials", tt.name, e.Trials)
			}
		}
		near(t, tt.name, math.Log1p(c.Change), mean, 1e-9)
		var se float64
		for _, e := range c.Sessions.Effects {
			se += math.Pow(math.Log1p(e.Change)-mean, 2) / (n - 1) / n
		}
		if h := stat.Critical(c.Alpha, n-1) * math.Sqrt(se); tt.unit && (math.Log1p(c.Lo) > mean-h+1e-9 || math.Log1p(c.Hi) < mean+h-1e-9) {
			t.Errorf("%s: %v to %v does not hold %v either way of %v", tt.name, c.Lo, c.Hi, h, mean)
		}
	}
}

// A percentile of a session is that of all its transactions, not the mean of its
// trials'.
func TestSessionsOfPercentiles(t *testing.T) {
	run := rrRun(1, 0, 24)
	run.Header.Design.Arms = append(run.Header.Design.Arms, run.Header.Design.Arms[0])
	run.Header.Design.Arms[1].Name, run.Header.Design.Baseline, run.Header.Design.Sessions = "b", run.Header.Design.Arms[0].Name, 6
	run.Header.Design.Metrics = []string{"latency_p50"}
	run.Trials = nil
	for i := range 24 {
		trial := results.Trial{Index: i, Session: i / 4}
		for arm := range 2 {
			h := &results.Histogram{}
			for k := range int64(400) {
				h.Add(10_000 + k + int64(arm*(i/4)*700)) // another change in each session
			}
			trial.Arms = append(trial.Arms, results.ArmTrial{Arm: arm, Latency: h})
		}
		run.Trials = append(run.Trials, trial)
	}
	for _, c := range Summarize(run).Comparisons {
		if c.Metric == "latency_p50" && (c.Sessions == nil || !c.Sessions.Unit || c.DF != 5 || math.Abs(c.Change-0.17) > 0.02 || c.Lo > 0.05) {
			t.Errorf("%+v, %+v", c, c.Sessions)
		}
	}
}

// TestSessionsPooled: whatever the scatter between sessions, the interval misses
// hardly oftener than promised, although small scatter goes unseen.
func TestSessionsPooled(t *testing.T) {
	const times, trials = 3000, 6
	rng := rand.New(rand.NewPCG(1, 2))
	for _, sessions := range []int{2, 3, 4, 6, 12} {
		for _, between := range []float64{0, 0.2, 0.4, 0.6, 1} { // of a trial's
			missed := 0
			for range times {
				var effects []effect
				var of []results.Trial
				for s := range sessions {
					own := between * rng.NormFloat64()
					for range trials {
						effects = append(effects, effect{at: len(of), x: own + rng.NormFloat64()})
						of = append(of, results.Trial{Session: s})
					}
				}
				x := stat.NewSample(values(effects))
				lo, hi := x.Interval(0.05).Ends()
				if s := sessionsOf(record.Of(results.Design{}, of), effects); !s.pooled { // t alone: ranks and bounds only widen it
					l, h := stat.NewSample(values(s.means)).Interval(0.05).Ends()
					lo, hi = min(lo, l), max(hi, h)
				}
				if lo > 0 || hi < 0 {
					missed++
				}
			}
			if most := within(0.055, times); missed > most {
				t.Errorf("%d sessions, %v between them: %d of %d missed, at most %d may be", sessions, between, missed, times, most)
			}
		}
	}
}

// A run of several sessions is judged when the last has ended: neither decided
// before, nor by its clock, which does not run between sessions.
func TestStopOfSessions(t *testing.T) {
	run := spreadRun(5, 6, func(w *world.World) { w.Effects = []float64{0.5} })
	stop := NewStop(run.Header.Design, 1)
	for n := range run.Trials {
		last := n == len(run.Trials)-1
		d := stop.Look(run.Trials[:n+1], time.Duration(n+1)*time.Hour, last)
		if d.Look != last || d.Stop != last {
			t.Fatalf("trial %d: look %v, stop %v", n, d.Look, d.Stop)
		}
	}
	if looks := stop.Looks(); len(looks) != 1 || looks[0].Alpha != 1-run.Header.Design.Confidence {
		t.Errorf("%+v", looks)
	}
}

// Levels wander from session to session, and their intervals know it.
func TestSessionsOfLevels(t *testing.T) {
	run := spreadRun(5, 6, func(*world.World) {})
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			s := &run.Trials[i].Slices[k]
			s.RxBytes += s.RxBytes / 10 * int64(run.Trials[i].Session%3)
		}
	}
	l := Summarize(run).Arms[0].Metrics["goodput"]
	for i := range run.Trials {
		run.Trials[i].Session = 0
	}
	if alone := Summarize(run).Arms[0].Metrics["goodput"]; l.Hi-l.Lo < 1.5*(alone.Hi-alone.Lo) || l.Mean != alone.Mean {
		t.Errorf("%v to %v; of trials %v to %v", l.Lo, l.Hi, alone.Lo, alone.Hi)
	}
}
