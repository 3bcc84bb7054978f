package analysis

import (
	"slices"
	"time"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// A Stop is the rule that ends a run: at each look of its schedule it judges
// the trials so far, and ends the run when every judged comparison has an
// answer, or, in a run of one arm, when every judged level is known to the
// asked width.
//
// An answer is a verdict other than inconclusive, or a mixture: a comparison
// whose trials fall into modes that a recorded covariate explains, each mode
// with a verdict of its own. The mean of such modes says how often each was
// drawn, which no user asks and no time limit settles, so it must not hold the
// run to its time limit. Nothing is claimed for it: its verdict stays
// inconclusive and the modes are shown in its place.
//
// A verdict alone is no answer yet where the trials disagree and nothing
// explains it: "27 % lower, by something between 0 and 47 %" is often four modes
// of which eight trials have drawn too few each. Such a run goes on for a while.
type Stop struct {
	design results.Design
	seed   uint64
	sched  stat.Schedule
	looks  []results.Look
	parts  record.Parts // what sessions are
	fixed  map[int][]Comparison
	// OnlyLooks leaves Comparisons and Levels out between looks, where nobody is
	// shown them: they are most of the work.
	OnlyLooks bool
}

// NewStop makes the rule for one run. The seed is the run's.
func NewStop(design results.Design, seed uint64) *Stop {
	return &Stop{design: design, seed: seed, sched: newSchedule(design)}
}

// A Decision is what the rule thinks of the run so far.
type Decision struct {
	Look      bool         // this was a look: Record belongs in results.End.Looks
	Stop      bool         // end the run
	Converged bool         // because it is decided, not because time is up
	Record    results.Look // valid with Look
	// Comparisons that are judged, or the judged levels in a run of one arm, for
	// progress. Between looks their intervals are at the plain confidence,
	// not corrected for looking: to be shown, not to be acted upon.
	Comparisons []Comparison
	Levels      []ArmSummary
	// States of the machine so far, as of Summary.
	States []State
	// MostTrials is how many trials the time limit allows, as estimated at
	// the first look; 0 = not known yet.
	MostTrials int
}

// Look judges the trials so far. It is to be called after every trial, with
// the time since the run began; last says that no further trial fits (or that
// the run is ending for another reason), and makes this the deadline's look.
func (s *Stop) Look(trials []results.Trial, elapsed time.Duration, last bool) Decision {
	return s.look(trials, elapsed, outlookOf(last || s.sched.Over(countValid(trials), elapsed)))
}

// Break judges the trials of a run that ends before its time, and may be resumed.
func (s *Stop) Break(trials []results.Trial, elapsed time.Duration) Decision {
	return s.look(trials, elapsed, brokenOff)
}

func (s *Stop) look(trials []results.Trial, elapsed time.Duration, end outlook) Decision {
	sifted := sift(s.design, trials)
	n, last := sifted.quiet(), end != goingOn
	var d Decision
	d.Record, d.Look = lookAt(&s.sched, n, elapsed, end)
	d.MostTrials = s.sched.Most()
	if s.OnlyLooks && !d.Look && !last {
		return d
	}
	alpha := s.sched.Alpha
	if d.Look {
		alpha = d.Record.Alpha
	}
	all := record.Of(s.design, sifted.all)
	all.Parts = s.parts
	j := judging{design: s.design, rec: sifted.of(all), seed: s.seed, alpha: alpha, looks: len(s.looks) + 1, states: statesOf(sifted.judged), fixed: s.fixed}
	d.States = j.states.shown()
	d.Comparisons = j.progress()
	j.besides(d.Comparisons, sifted, all)
	if len(s.design.Arms) == 1 {
		d.Levels = j.judgedLevels()
		sifted.unsettle(d.Levels)
	}
	if d.Look {
		d.Converged = settled(s.design, d.Comparisons, d.Levels) && (last || !slices.ContainsFunc(d.Comparisons, puzzles))
		d.Record.Decided = d.Converged
		if !d.Converged && end == goingOn && s.design.RestDecided {
			d.Record.Rested = j.decided(d.Comparisons)
			s.fixed = fix(s.fixed, s.design, d.Record.Rested, d.Comparisons, n)
		}
		s.looks = append(s.looks, d.Record)
	}
	d.Stop = d.Converged || last
	return d
}

// Looks are those taken so far, for results.End.
func (s *Stop) Looks() []results.Look { return s.looks }

// settled says whether nothing is left to find out.
func settled(design results.Design, cs []Comparison, arms []ArmSummary) bool {
	if len(design.Arms) > 1 {
		some := false
		for _, c := range cs {
			if !c.Judged {
				continue
			}
			if c.Verdict == Inconclusive && !c.Mixture {
				return false
			}
			some = true
		}
		return some
	}
	some := false
	for _, a := range arms {
		for _, name := range judgedMetrics(design) {
			l, ok := a.Metrics[name]
			if !ok || !l.Converged {
				return false
			}
			some = true
		}
	}
	return some
}

// trialsToExplain are enough to tell four modes apart, or to give up.
const trialsToExplain = 16

// puzzles says whether trials disagree by more than the user cares about, and
// more of them may tell why.
func puzzles(c Comparison) bool {
	return c.Judged && c.N < trialsToExplain && (c.Modes == nil || c.Modes.ByState()) && c.HetP != nil && *c.HetP <= hetAlpha && *c.BetweenSD > c.Resolution
}

func countValid(trials []results.Trial) int {
	n := 0
	for i := range trials {
		if trials[i].Invalid == "" {
			n++
		}
	}
	return n
}
