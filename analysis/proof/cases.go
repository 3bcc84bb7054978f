package proof

import (
	"math"
	"time"

	"netab/analysis/world"
)

// A Case is a world, and what is asked of a run in it.
type Case struct {
	Name  string // for --world
	Title string // what its noise is
	World world.World
	// Pattern says which arms have the effect under study: it is times 1 or 0.
	Pattern    []float64
	Resolution float64
	MaxTime    time.Duration
	// Lost says that the arm loses what no effect makes up for: it must be found
	// worse, whatever its effect.
	Lost bool
	// Boots compares as many boots of either side, of Trials trials each, by their
	// levels: the last arm has the effect, and whatever kills it, on the second.
	Boots, Trials int
	// Sessions is how often the question is asked, of World.SessionTrials each.
	Sessions int
	// Rest leaves arms out that have their verdicts at a look.
	Rest bool
	// Broken is the chance at each trial that the run is broken off there, and judged. It
	// goes on unless that decides it.
	Broken float64
	// Once says that the run is judged at its end only, as a run without looks is.
	Once bool
	// NoPower says why effects of twice the resolution are not always found,
	// and no effect not always called equivalent; "" = they must be.
	NoPower string
	// NoCoverage says why the interval may miss more often than promised; "" =
	// it must not. Verdicts are held to their bound all the same.
	NoCoverage string
	// Beyond says which assumption of the method is broken on purpose, to show
	// what that costs; no bound is claimed then.
	Beyond string
}

// Cases lists the worlds. Resolution is the finest of 1, 2, 3 and 5 % at which a
// minute affords what the bounds ask for: that twice as much is found, and that
// no effect is called equivalent.
func Cases() []Case {
	const minute = time.Minute
	quiet := world.Quiet()
	few := func(trials int) time.Duration {
		return time.Duration(trials)*quiet.TrialTime() + quiet.TrialTime()/2
	}
	fewArms := with(func(w *world.World) { w.Effects = make([]float64, 4); hidden(w, -0.075, 0.075) })
	return []Case{
		{Name: "white", Title: "white noise: slices 3 %", Resolution: 0.01, MaxTime: minute, World: quiet},
		{Name: "drift", Title: "the machine's rate drifts: a random walk of 2 % a slice", Resolution: 0.01, MaxTime: minute,
			World: with(func(w *world.World) { w.Drift = 0.02 })},
		{Name: "regimes", Title: "the machine jumps between two rates 15 % apart, about once in ten slices", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.Regime, w.RegimeSlices = 0.15, 10 })},
		{Name: "steps", Title: "the machine steps by 30 % in half of the trials, for good", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.Steps, w.StepSize = 0.5, 0.3 })},
		{Name: "autocorrelated", Title: "AR(1) 0.5 inside trials", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.AR = 0.5 })},
		{Name: "trials", Title: "trial effects of 2 %", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.Trial = 0.02 })},
		{Name: "outliers", Title: "5 % of trials are off by 20 %, either way", Resolution: 0.05, MaxTime: minute,
			World: with(func(w *world.World) { w.Outliers, w.OutlierSize = 0.05, 0.2 })},
		{Name: "log-normal", Title: "log-normal slices: rare ones far above the others", Resolution: 0.03, MaxTime: minute,
			World: with(func(w *world.World) { w.Heavy = true })},
		{Name: "heavy-tails", Title: "slices and trial effects (2 %) of Student's t with 3 degrees of freedom", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.Tail, w.Trial = 3, 0.02 })},
		{Name: "stalls", Title: "2 % of slices transfer nothing", Resolution: 0.05, MaxTime: minute,
			World: with(func(w *world.World) { w.Stalls = 0.02 })},
		{Name: "modes", Title: "two modes, 15 % apart, drawn once a trial", Resolution: 0.03, MaxTime: minute,
			NoPower: "the run ends when it can show the modes in place of their mean",
			World:   with(func(w *world.World) { w.Modes = []float64{-0.075, 0.075} })},
		{Name: "close-modes", Title: "two modes, 3 % apart, drawn once a trial", Resolution: 0.02, MaxTime: minute,
			NoPower: "the run may end when it can show the modes in place of their mean",
			World:   with(func(w *world.World) { w.Modes = []float64{-0.015, 0.015} })},
		{Name: "modes-short", Title: "two modes, 15 % apart, and 25 s", Resolution: 0.03, MaxTime: 25 * time.Second,
			NoPower: "the run ends when it can show the modes in place of their mean",
			World:   with(func(w *world.World) { w.Modes = []float64{-0.075, 0.075} })},
		{Name: "few", Title: "few trials: six, with trial effects of 2 %", Resolution: 0.03, MaxTime: few(6),
			NoPower: "six trials cannot show that nothing differs by 3 %",
			World:   with(func(w *world.World) { w.Trial = 0.02 })},
		{Name: "few-modes", Title: "few trials: seven, of two modes 15 % apart", Resolution: 0.03, MaxTime: few(7),
			NoPower: "seven trials cannot tell the mean of such modes",
			World:   with(func(w *world.World) { w.Modes = []float64{-0.075, 0.075} })},
		{Name: "too-few", Title: "too few trials: four, of two modes 15 % apart", Resolution: 0.03, MaxTime: few(4),
			NoPower:    "no verdict is given on fewer than six trials",
			NoCoverage: "all four trials draw the same mode once in eight runs, and nothing tells",
			World:      with(func(w *world.World) { w.Modes = []float64{-0.075, 0.075} })},
		{Name: "arms", Title: "five arms: each of four against one, trial effects of 1 %; any wrong verdict counts", Resolution: 0.03, MaxTime: 2 * minute,
			Pattern: []float64{1, 1, 1, 1},
			World:   with(func(w *world.World) { w.Effects, w.Trial = make([]float64, 4), 0.01 })},
		{Name: "some-arms", Title: "five arms, of which two have the effect and two have none", Resolution: 0.03, MaxTime: 2 * minute,
			Pattern: []float64{1, 0, 1, 0},
			World:   with(func(w *world.World) { w.Effects, w.Trial = make([]float64, 4), 0.01 })},
		{Name: "resting-arms", Title: "the same; arms that have their verdict are measured no more (--budget)", Resolution: 0.03, MaxTime: 2 * minute, Rest: true,
			Pattern: []float64{1, 0, 1, 0},
			World:   with(func(w *world.World) { w.Effects, w.Trial = make([]float64, 4), 0.01 })},
		{Name: "broken-off", Title: "trial effects of 2 %; the run is broken off at one trial in ten, and goes on unless it is decided there (--resume)", Resolution: 0.02, MaxTime: minute, Broken: 0.1,
			NoPower: "half of what is left of alpha is spent each time",
			World:   with(func(w *world.World) { w.Trial = 0.02 })},
		{Name: "everything", Title: "drift, AR(1) 0.5, trial effects of 2 % and outliers of 10 % together", Resolution: 0.03, MaxTime: minute,
			World: with(func(w *world.World) {
				w.Drift, w.AR, w.Trial, w.Outliers, w.OutlierSize = 0.02, 0.5, 0.02, 0.05, 0.1
			})},
		{Name: "arms-modes", Title: "five arms, four of them of two modes each, 15 % apart, that leave no trace", Resolution: 0.03, MaxTime: 90 * time.Second,
			Pattern: []float64{1, 1, 1, 1},
			NoPower: "the mean of such modes takes more trials",
			World:   with(func(w *world.World) { w.Effects = make([]float64, 4); hidden(w, -0.075, 0.075) })},
		{Name: "few-arms-modes", Title: "the same, and eight trials, the fewest that get a verdict there", Resolution: 0.03, MaxTime: fewArms.TrialTime()*8 + fewArms.TrialTime()/2,
			Pattern: []float64{1, 1, 1, 1},
			NoPower: "eight trials cannot tell the mean of such modes",
			World:   fewArms},
		{Name: "rare-slow", Title: "one trial in five is 8 % slower and leaves no trace; 18 trials, judged once", Resolution: 0.02, MaxTime: few(18), Once: true,
			NoPower: "18 trials cannot tell the mean of such modes",
			World:   with(func(w *world.World) { hidden(w, -0.08, 0, 0, 0, 0) })},
		{Name: "bursts", Title: "loss: nothing, but for bursts in one trial of ten", Resolution: 0.001, MaxTime: minute,
			NoPower: "rare bursts take hundreds of trials to be told apart",
			World:   with(func(w *world.World) { w.Bursts = 0.1 })},
		{Name: "bursts-short", Title: "the same, and 18 trials", Resolution: 0.001, MaxTime: few(18),
			NoPower:    "18 trials cannot show that there are no bursts",
			NoCoverage: "no burst falls into 18 trials in one run of seven; then no verdict is given",
			World:      with(func(w *world.World) { w.Bursts = 0.1 })},

		{Name: "dead-trials", Title: "either arm receives nothing in one trial of 20", Resolution: 0.02, MaxTime: minute,
			NoPower:    "an arm that failed oftener than its baseline has no verdict to pass by, nor is the mean of such trials known soon",
			NoCoverage: "what no trial of a run shows, no interval of it holds",
			World:      with(func(w *world.World) { w.Dead = []float64{0.05, 0.05} })},
		{Name: "dead-arm", Title: "an arm that receives nothing", Resolution: 0.02, MaxTime: minute, Lost: true,
			World: with(func(w *world.World) { w.Dead = []float64{0, 1} })},
		{Name: "half-dead", Title: "an arm that receives nothing in half of its trials", Resolution: 0.02, MaxTime: minute, Lost: true,
			NoCoverage: "which is wide, and of few trials of either kind",
			World:      with(func(w *world.World) { w.Dead = []float64{0, 0.5} })},
		{Name: "boots", Title: "six boots against six, each with a level of its own (2 %)", Resolution: 0.05, MaxTime: 2 * minute, Boots: 6, Trials: 6,
			NoPower: "six boots of either side find 10 % in most cases, and cannot show that nothing differs by 5 %",
			World:   with(func(w *world.World) { w.Boot = 0.02 })},
		{Name: "dead-boots", Title: "the same, and an arm that receives nothing in two boots of five", Resolution: 0.05, MaxTime: 2 * minute, Boots: 6, Trials: 6,
			NoPower:    "boots that differ so much do not tell their mean",
			NoCoverage: "which is wide, and of few boots of either kind",
			World:      with(func(w *world.World) { w.Boot, w.DeadBoots = 0.02, 0.4 })},
		{Name: "busy", Title: "other programs take CPUs in every third trial, and half of its rate", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.Busy, w.BusyBy = 1.0/3, 1.4 })},
		{Name: "busy-part", Title: "the same, but only one arm's part of the trial", Resolution: 0.02, MaxTime: minute,
			World: with(func(w *world.World) { w.Busy, w.BusyBy, w.BusyOne = 1.0/3, 1.4, true })},
		{Name: "busy-arm", Title: "trials look disturbed wherever the arm draws its slow mode, of two 15 % apart", Resolution: 0.03, MaxTime: minute,
			NoPower:    "trials that are set apart by what the arm does leave no verdict",
			NoCoverage: "the figures are of the other mode, and have no verdict",
			World:      with(func(w *world.World) { hidden(w, -0.075, 0.075); w.BusyMode = true })},
		{Name: "sessions", Title: "twelve sessions of three trials that scatter by 2 % beyond them", Resolution: 0.03, MaxTime: minute, Sessions: 12,
			World: with(func(w *world.World) { w.SessionTrials, w.Session = 3, 0.02 })},
		{Name: "sessions-slight", Title: "six sessions of six trials that scatter by 0.7 %, which their trials hide half of the time", Resolution: 0.02, MaxTime: minute, Sessions: 6,
			World: with(func(w *world.World) { w.SessionTrials, w.Session = 6, 0.007 })},
		{Name: "sessions-alike", Title: "six sessions of six trials that do not scatter", Resolution: 0.02, MaxTime: minute, Sessions: 6,
			World: with(func(w *world.World) { w.SessionTrials = 6 })},
		{Name: "sessions-states", Title: "six sessions of six trials, each in one of two states 15 % apart", Resolution: 0.03, MaxTime: minute, Sessions: 6,
			NoPower: "six draws cannot tell the mean of two such states",
			World:   with(func(w *world.World) { w.SessionTrials, w.SessionStates = 6, []float64{-0.075, 0.075} })},

		{Name: "one-state", Title: "white noise: slices 3 %; canaries tell that the machine has one state", Resolution: 0.01, MaxTime: minute,
			World: with(func(w *world.World) { w.Dwell, w.Canaries = 1000*time.Hour, true })},
		{Name: "hidden-1s", Title: "a hidden state of the machine, 15 % slower, changes every second on average; its canary is recorded", Resolution: 0.03, MaxTime: minute,
			World: states(time.Second, 0, true)},
		{Name: "hidden-10s", Title: "the same, every 10 s", Resolution: 0.03, MaxTime: minute,
			World: states(10*time.Second, 0, true)},
		{Name: "hidden-2min", Title: "the same, every two minutes", Resolution: 0.03, MaxTime: minute,
			World: states(2*time.Minute, 0, true)},
		{Name: "hidden-effect-1s", Title: "a hidden state in which the effect is 10 % lower, changes every second; its canary is recorded", Resolution: 0.03, MaxTime: minute,
			NoPower: "the answer is one for each state",
			World:   states(time.Second, -0.1, true)},
		{Name: "hidden-effect-10s", Title: "the same, every 10 s", Resolution: 0.03, MaxTime: minute,
			NoPower: "the answer is one for each state",
			World:   states(10*time.Second, -0.1, true)},
		{Name: "hidden-effect-2min", Title: "the same, every two minutes", Resolution: 0.03, MaxTime: minute,
			NoPower: "the answer is one for each state",
			World:   states(2*time.Minute, -0.1, true)},
		{Name: "unseen-10s", Title: "a hidden state without a canary, 15 % slower, changes every 10 s", Resolution: 0.03, MaxTime: minute,
			World: states(10*time.Second, 0, false)},

		{Name: "unseen-effect-1s", Title: "a hidden state without a canary, in which the effect is 10 % lower, changes every second", Resolution: 0.03, MaxTime: minute,
			Beyond: "what no canary sees makes neighbouring trials alike, and a little of it is too much where the resolution is fine",
			World:  states(time.Second, -0.1, false)},
		{Name: "unseen-effect-10s", Title: "the same, every 10 s", Resolution: 0.03, MaxTime: minute,
			Beyond: "a run of a minute sees what no canary tells a few times only, and its trials are not independent",
			World:  states(10*time.Second, -0.1, false)},
		{Name: "unseen-effect-2min", Title: "the same, every two minutes", Resolution: 0.03, MaxTime: minute,
			Beyond: "a run that ends before the state changes speaks of that state, and nothing tells: its verdict is one of its minute",
			World:  states(2*time.Minute, -0.1, false)},
		{Name: "skew", Title: "trial effects of 3 %, exponential: most trials a little faster than the mean, few much slower", Resolution: 0.02, MaxTime: minute,
			NoPower: "such trials do not show within a minute that nothing differs by 2 %",
			World:   with(func(w *world.World) { w.Trial, w.Skew = 0.03, true })},
		{Name: "trial-ar", Title: "trial effects of 3 %, each correlated by 0.5 with the one before", Resolution: 0.03, MaxTime: minute,
			NoPower: "37 such trials say as much as 12 independent ones",
			World:   with(func(w *world.World) { w.Trial, w.TrialAR = 0.03, 0.5 })},
		{Name: "trial-ar-strong", Title: "the same, correlated by 0.8; 37 trials, judged once", Resolution: 0.03, MaxTime: few(37), Once: true,
			Beyond: "37 such trials say as much as four independent ones; where that is seen no verdict is given, and where their correlation is underestimated the interval is too short",
			World:  with(func(w *world.World) { w.Trial, w.TrialAR = 0.03, 0.8 })},
		{Name: "states", Title: "two states of the machine, 10 % apart for the arm, each for three trials on average; 37 trials, judged once", Resolution: 0.03, MaxTime: few(37), Once: true,
			NoPower: "their mean takes more trials",
			World:   with(func(w *world.World) { hidden(w, -0.05, 0.05); w.ModeDwell = 3 })},
		{Name: "states-long", Title: "the same, each for ten trials", Resolution: 0.03, MaxTime: few(37), Once: true,
			Beyond: "where the state never changed, as in one run of 40, nothing tells; where it changed once or twice, the run shows both and not how often each is met",
			World:  with(func(w *world.World) { hidden(w, -0.05, 0.05); w.ModeDwell = 10 })},
		{Name: "states-early", Title: "the same, judged at every look", Resolution: 0.03, MaxTime: minute,
			Beyond: "eight trials are of one state in half of the runs, and agree: only what measures the state, or sessions spread over hours, can tell",
			World:  with(func(w *world.World) { hidden(w, -0.05, 0.05); w.ModeDwell = 10 })},
		{Name: "trial-ar-early", Title: "trial effects of 3 %, correlated by 0.8, judged at every look", Resolution: 0.03, MaxTime: minute,
			Beyond: "eight such trials say as much as one, and their correlation cannot be told from none",
			World:  with(func(w *world.World) { w.Trial, w.TrialAR = 0.03, 0.8 })},
		{Name: "rare-half", Title: "one trial in 20 is at half the rate and leaves no trace", Resolution: 0.02, MaxTime: minute,
			Beyond: "of 37 trials none is such in one run of seven, of 8 in two of three: the answer says how large a share may have gone unseen, and 59 trials are needed to see one in 20",
			World:  with(func(w *world.World) { hidden(w, append(make([]float64, 19), -math.Ln2)...) })},
		{Name: "rare-mode", Title: "a mode that is 20 % slower, drawn once in ten trials", Resolution: 0.03, MaxTime: minute,
			Beyond: "a run that ends after eight trials has not seen the rare mode in two cases of five, and cannot know of it; more trials (a finer --resolution) find it",
			World: with(func(w *world.World) {
				w.Modes = []float64{math.Log(0.8), 0, 0, 0, 0, 0, 0, 0, 0, 0}
			})},
	}
}

// with is the quiet world with something more in it.
func with(change func(*world.World)) world.World {
	w := world.Quiet()
	change(&w)
	return w
}

// states is the quiet world with two states of the machine.
func states(dwell time.Duration, effect float64, canaries bool) world.World {
	return with(func(w *world.World) { w.Far, w.FarEffect, w.Dwell, w.Canaries = -0.15, effect, dwell, canaries })
}

// hidden gives every arm after the baseline modes that leave no trace.
func hidden(w *world.World, modes ...float64) { w.Modes, w.EveryArm, w.Hidden = modes, true, true }

// pattern has an entry for each arm after the baseline.
func (c Case) pattern() []float64 {
	if c.Pattern == nil {
		return []float64{1}
	}
	return c.Pattern
}

// at is the case's world where the effect is so many resolutions, and the
// truth of each arm as a comparison shows it. Odd runs have it upwards, even
// ones downwards.
func (c Case) at(effect float64, seed uint64) (w world.World, truth []float64) {
	w = c.World
	shift := effect * math.Log1p(c.Resolution)
	if c.World.Bursts > 0 {
		shift = effect * c.Resolution
	}
	if seed&1 == 0 {
		shift = -shift
	}
	// The mean of the modes is what the effect is about.
	modes := w
	modes.Effects = make([]float64, len(c.pattern()))
	w.Effects = nil
	for i, p := range c.pattern() {
		w.Effects = append(w.Effects, p*shift-modes.Mean(i))
	}
	for i := range w.Effects {
		truth = append(truth, w.Truth(i))
	}
	return w, truth
}
