package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis/record"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// A breaking plays a run that is broken off and goes on, as a runner would.
type breaking struct {
	w       world.World
	run     *results.Run
	src     *world.Source
	stop    *Stop
	elapsed time.Duration
	limit   time.Duration
	next    []results.Look // of the end
}

func newBreaking(w world.World, d results.Design, seed uint64) *breaking {
	run := w.Run(d, seed, 0)
	run.End = nil
	b := &breaking{w: w, run: run, src: w.Source(seed), stop: NewStop(d, seed), limit: time.Duration(d.MaxTimeS * float64(time.Second))}
	b.stop.OnlyLooks = true
	return b
}

// trial measures one more, and says what the rule thinks.
func (b *breaking) trial() Decision {
	t := b.src.Trial()
	t.Session = len(b.run.Resumed)
	b.run.Trials = append(b.run.Trials, t)
	b.elapsed += b.w.TrialTime()
	d := b.stop.Look(b.run.Trials, b.elapsed, b.elapsed+b.w.TrialTime() > b.limit)
	b.note(d)
	return d
}

func (b *breaking) note(d Decision) {
	if d.Look {
		b.next = append(b.next, d.Record)
	}
}

// end is the record of one that ended so.
func (b *breaking) end(why vocab.End) {
	b.run.End = &results.End{Reason: why, Looks: slices.Clone(b.next)}
}

// goOn resumes it.
func (b *breaking) goOn(t *testing.T, total time.Duration) {
	t.Helper()
	x, err := GoesOn(b.run, total)
	if err != nil {
		t.Fatal(err)
	}
	x.Trials, x.BootID = len(b.run.Trials), b.run.Header.Machine.BootID
	b.stop = NewStop(b.run.Header.Design, b.run.Header.Seed)
	b.stop.OnlyLooks = true
	b.stop.GoOn(b.run, x)
	b.run.Resumed, b.run.End = append(b.run.Resumed, x), nil
	b.next, b.limit = slices.Clone(x.Looks), time.Duration(x.MaxTimeS*float64(time.Second))
}

// However often a run is broken off, by Ctrl-C or hard, its looks spend what a run
// spends that is not; and what the report says is what the rule said.
func TestBrokenOffSpendsAlphaOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for seed := range uint64(60) {
		w := with(func(w *world.World) { w.Trial = 0.02 })
		b := newBreaking(w, w.Design(0.003, time.Minute), seed)
		var last Decision
		for last = b.trial(); !last.Stop; last = b.trial() {
			if rng.IntN(6) > 0 {
				continue
			}
			if rng.IntN(2) == 0 {
				d := b.stop.Break(b.run.Trials, b.elapsed)
				b.note(d)
				b.end(vocab.Interrupted)
				s := Summarize(b.run)
				if c := s.Comparisons[0]; c.Alpha != d.Comparisons[0].Alpha || c.Verdict != d.Comparisons[0].Verdict || c.Looks != d.Comparisons[0].Looks {
					t.Fatalf("seed %d: at Ctrl-C %v, look %d, alpha %v; the report %v, look %d, alpha %v", seed, d.Comparisons[0].Verdict, d.Comparisons[0].Looks, d.Comparisons[0].Alpha, c.Verdict, c.Looks, c.Alpha)
				}
				if d.Record.Decided {
					last = d
					break
				}
			}
			b.goOn(t, 0)
		}
		if b.run.End == nil {
			b.end(vocab.MaxTime)
			if last.Converged {
				b.end(vocab.Decided)
			}
		}
		spent := 0.0
		for _, l := range b.run.End.Looks {
			if l.Alpha < 0 {
				t.Fatalf("seed %d: a look with alpha %v", seed, l.Alpha)
			}
			spent += l.Alpha
		}
		if spent > 0.05+1e-9 || b.run.End.Reason == vocab.MaxTime && spent < 0.05-1e-9 {
			t.Errorf("seed %d: %d looks of a run broken off %d times spent %v", seed, len(b.run.End.Looks), len(b.run.Resumed), spent)
		}
		s := Summarize(b.run)
		if c := s.Comparisons[0]; c.Verdict != last.Comparisons[0].Verdict || c.Alpha != last.Comparisons[0].Alpha {
			t.Errorf("seed %d: the rule said %v at %v, the report %v at %v", seed, last.Comparisons[0].Verdict, last.Comparisons[0].Alpha, c.Verdict, c.Alpha)
		}
	}
}

// A run that came to its time limit has spent its alpha. Made longer it gets half as
// much, then a quarter, and says so.
func TestMadeLonger(t *testing.T) {
	w := with(func(w *world.World) { w.Trial = 0.02 })
	b := newBreaking(w, w.Design(0.0001, time.Minute), 3)
	for !b.trial().Stop {
	}
	b.end(vocab.MaxTime)
	for _, tt := range []struct {
		total time.Duration
		alpha float64
		sure  string
	}{{2 * time.Minute, 0.025, "92.5 %"}, {3 * time.Minute, 0.0125, "91.2 %"}} {
		if _, err := GoesOn(b.run, 0); err == nil || !strings.Contains(err.Error(), "--max-time") {
			t.Errorf("without a time: %v", err)
		}
		if _, err := GoesOn(b.run, 30*time.Second); err == nil || !strings.Contains(err.Error(), "give more") {
			t.Errorf("with less time: %v", err)
		}
		b.goOn(t, tt.total)
		if x := b.run.LastResumed(); !x.Extends || math.Abs(x.Alpha-tt.alpha) > 1e-12 || x.MaxTimeS != tt.total.Seconds() {
			t.Fatalf("%+v", x)
		}
		before := len(b.next)
		for !b.trial().Stop {
		}
		spent := 0.0
		for _, l := range b.next[before:] {
			spent += l.Alpha
		}
		near(t, "alpha spent", spent, tt.alpha, 1e-9)
		b.end(vocab.MaxTime)
		s := Summarize(b.run)
		wantCodes(t, s, codeResumed, Extended)
		if !slices.ContainsFunc(s.Warnings, func(w results.Warning) bool { return w.Code == Extended && strings.Contains(w.Text, tt.sure) }) {
			t.Errorf("no word of %s: %v", tt.sure, s.Warnings)
		}
	}
}

func TestNothingToGoOnFor(t *testing.T) {
	w := world.Quiet()
	for _, tt := range []struct {
		reason vocab.End
		looks  []results.Look
		want   string
	}{
		{vocab.Decided, nil, "every comparison had its verdict"},
		{vocab.Enough, nil, "max_bytes"},
		{vocab.Interrupted, []results.Look{{Trials: 9, Alpha: 0.02, Decided: true}}, "when it was interrupted every comparison had its verdict"},
		{vocab.Interrupted, []results.Look{{Trials: 9, Alpha: 0.02}}, ""},
		{vocab.FailedBy(errFull), nil, ""},
	} {
		run := w.Run(w.Design(0.01, time.Minute), 1, 9)
		run.End = &results.End{Reason: tt.reason, Looks: tt.looks}
		x, err := GoesOn(run, 0)
		if tt.want == "" && (err != nil || x.MaxTimeS != 60 || x.ElapsedS < 14 || x.ElapsedS > 15 || x.Extends || x.Alpha <= 0 || x.Alpha >= 0.05) {
			t.Errorf("%s: %+v, %v", tt.reason, x, err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

type errText string

func (e errText) Error() string { return string(e) }

const errFull = errText("no space left")

// The parts of a run that went on are taken together, unless they disagree; parts of two
// boots never are.
func TestParts(t *testing.T) {
	judge := func(shift float64, boot string) Summary {
		w := world.Quiet()
		run := w.Run(w.Design(0.01, time.Minute), 5, 10)
		w.Effects = []float64{shift}
		for _, trial := range w.Run(run.Header.Design, 6, 10).Trials {
			trial.Index, trial.Session, trial.Started = trial.Index+10, 1, trial.Started.Add(time.Hour)
			run.Trials = append(run.Trials, trial)
		}
		run.Resumed = []results.Resumption{{Trials: 10, After: vocab.CutOff, Alpha: 0.025, MaxTimeS: 60, BootID: boot,
			Stopped: run.Trials[9].Started, Started: run.Trials[10].Started}}
		return Summarize(run)
	}
	alike := judge(0, "boot-1")
	if s := alike.Comparisons[0].Sessions; s == nil || s.Unit || alike.Comparisons[0].Hi-alike.Comparisons[0].Lo > 0.04 {
		t.Errorf("parts that agree: %+v", alike.Comparisons[0])
	}
	wantCodes(t, alike, codeResumed)
	if alike.DurationS > 40 {
		t.Errorf("it took %v s, the pause counted", alike.DurationS)
	}
	apart := judge(-0.2, "boot-1")
	wantCodes(t, apart, codeResumed, codePartsDisagree)
	if c := apart.Comparisons[0]; !c.Sessions.Unit || c.Verdict != Inconclusive || c.Hi-c.Lo < 0.5 {
		t.Errorf("parts that disagree: %+v", c)
	}
	other := judge(0, "boot-2")
	if c := other.Comparisons[0]; !c.Sessions.Unit || c.Hi-c.Lo < alike.Comparisons[0].Hi-alike.Comparisons[0].Lo {
		t.Errorf("parts of two boots: %+v", c)
	}
	if partsOf(&results.Run{}) != record.Sessions {
		t.Error("a run that never went on")
	}
}
