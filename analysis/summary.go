// Package analysis judges runs: pure functions from records to effects,
// intervals and verdicts. It measures nothing, reads no clock and no file, so
// an old run can be judged anywhere, and the same run gives the same Summary.
//
// The statistics are those of docs/statistics.md: within a trial, an arm's
// totals over blocks are compared with the baseline's (drift cancels); over
// trials, a t interval on the trial effects (what a flow freezes is drawn
// again each time); the interval alone decides the verdict.
package analysis

import (
	"cmp"

	"netab/analysis/confounder"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// SchemaSummary names the JSON form of Summary.
const SchemaSummary = "netab/summary/1"

// A Verdict is what an interval says about a change.
type Verdict string

// The four verdicts. Equivalent means shown to be smaller than the resolution;
// a change that is merely not significant is Inconclusive.
const (
	Improvement  Verdict = "improvement"
	Regression   Verdict = "regression"
	Equivalent   Verdict = "equivalent"
	Inconclusive Verdict = "inconclusive"
)

// A Summary is a run judged: everything the terminal, the HTML report and
// --json show. All numbers are finite; what cannot be computed is nil or
// absent.
type Summary struct {
	Schema      string            `json:"schema"`
	Scenario    string            `json:"scenario"`
	Question    string            `json:"question"`
	Answer      string            `json:"answer"` // one sentence in plain words
	Run         string            `json:"run"`
	Seed        uint64            `json:"seed"`
	Kernel      string            `json:"kernel"`
	DurationS   float64           `json:"duration_s"` // first trial's start to last trial's end
	MeasuredS   float64           `json:"measured_s"` // counted parts of slices
	Grain       vocab.Grain       `json:"grain"`
	TooFewQuiet bool              `json:"too_few_undisturbed,omitempty"` // so the figures are of the disturbed ones too, and there is no verdict
	Trials      int               `json:"trials"`                        // valid ones, those that the figures are of
	Invalid     int               `json:"invalid_trials"`
	Disturbed   int               `json:"disturbed_trials,omitempty"` // valid ones that others disturbed: left out, unless too few are left
	Converged   bool              `json:"converged"`                  // every judged comparison (or level) has its verdict (or width)
	Confidence  float64           `json:"confidence"`
	Resolution  float64           `json:"resolution"`
	Ended       vocab.End         `json:"ended"`
	Metrics     []string          `json:"metrics"` // judged ones, the headline first
	Arms        []ArmSummary      `json:"arms"`
	Comparisons []Comparison      `json:"comparisons"`
	Warnings    []results.Warning `json:"warnings"`
	Confounders []Confounder      `json:"confounders"`
	Sweep       *Sweep            `json:"sweep,omitempty"` // of a matrix of two factors or more
	// Others are the machines beside the first, where a path has its sides on several.
	Others []OtherMachine `json:"other_machines,omitempty"`
	// Advice is what could be done about the machine.
	Advice []Advice `json:"advice,omitempty"`
	// Explanations say where the time is that makes the difference, of runs with explain
	// trials.
	Explanations []why.Explanation `json:"explanations,omitempty"`
	// Drops, Scheduling and Locks are what trials of events told of the arms; Watching
	// says how those trials were. Nil = there were none.
	Drops      []why.Drop       `json:"drops,omitempty"`
	Scheduling []why.Scheduling `json:"scheduling,omitempty"`
	Locks      []why.Lock       `json:"locks,omitempty"`
	Counted    []why.Counted    `json:"hardware,omitempty"`
	Watching   *why.Watching    `json:"watching,omitempty"`
	// History is what earlier runs of the store say; nil = there are none, or nobody
	// asked.
	History *History `json:"history,omitempty"`
	// States that the machine was in while the slices ran, the most frequent first.
	States []State `json:"states,omitempty"`
	// Of runs against runs: the sides, the first being what the others are
	// compared with, and whether the arms' effects differ between them.
	Sides        []Side       `json:"sides,omitempty"`
	Interactions []Comparison `json:"interactions,omitempty"`
	// Campaign is what a campaign has beyond runs against runs; its kernels are the sides.
	Campaign *Campaign `json:"campaign,omitempty"`
	Forced   []string  `json:"forced,omitempty"` // confounders that block, and were overridden: the verdicts are not to be trusted
}

// An ArmSummary is the levels of one arm.
type ArmSummary struct {
	Name    string                `json:"name"`
	Levels  []results.FactorLevel `json:"levels,omitempty"`
	Run     string                `json:"run,omitempty"` // only where arms of several runs stand together
	Metrics map[string]Level      `json:"metrics"`
	Modes   *LevelModes           `json:"level_modes,omitempty"` // of the headline metric
	Limit   *Limit                `json:"limit,omitempty"`
	Events  []Event               `json:"events,omitempty"`
	Failed  int                   `json:"failed_trials,omitempty"` // in which it moved nothing, or broke
}

// A Limit says which role was as busy as it can be, and so what the arm's
// rate measures.
type Limit struct {
	Role string `json:"role"` // source, sink, both, neither, rate (what was offered)
	Text string `json:"text"`
}

// An Event is something that happened to a role's ends beside sending and
// receiving, summed over the valid trials, settle parts included.
type Event struct {
	Of      string `json:"of,omitempty"` // traffic beside the main one, by name
	Role    string `json:"role"`
	Name    string `json:"name"`
	Count   int64  `json:"count"`
	Meaning string `json:"meaning,omitempty"`
}

// A Level is the mean of a metric over trials with its interval. With N below
// 2 there is no interval, and Lo and Hi repeat the mean.
type Level struct {
	Unit      string  `json:"unit"`
	Mean      float64 `json:"mean"`
	Lo        float64 `json:"lo"`
	Hi        float64 `json:"hi"`
	N         int     `json:"n"` // trials
	CV        float64 `json:"cv"`
	Converged bool    `json:"converged"` // relative half-width at or below the asked width
}

// A Comparison is the effect of one arm against its baseline on one metric.
// Change, Lo and Hi are relative (0.07 = +7 %) or, for metrics that can be
// zero (Difference true), differences in the metric's unit. With N below 2
// there is no interval: Lo and Hi repeat the change.
type Comparison struct {
	Baseline    string   `json:"baseline"`
	Arm         string   `json:"arm"`
	Metric      string   `json:"metric"`
	Unit        string   `json:"unit"`                   // of the metric's level
	BaselineRun string   `json:"baseline_run,omitempty"` // run ids, only where arms of several runs are compared
	ArmRun      string   `json:"arm_run,omitempty"`
	Judged      bool     `json:"judged"` // takes part in the stop rule and the gate
	Difference  bool     `json:"difference,omitempty"`
	Change      float64  `json:"change"`
	Lo          float64  `json:"lo"`
	Hi          float64  `json:"hi"`
	Resolution  float64  `json:"resolution"`       // that the verdict was made at: the run's, or the metric's own (gate:)
	P           *float64 `json:"p"`                // of the interval's tests, the largest (SetBy); nil where it cannot be computed
	SetBy       []string `json:"set_by,omitempty"` // what set the interval's ends, the lower one's first
	PSign       *float64 `json:"p_sign"`           // sign-flip permutation over trials
	Verdict     Verdict  `json:"verdict"`
	// Mixture: the mean has no verdict, but its trials fall into modes that a
	// covariate explains and each mode has one. More trials would only tell
	// how often each mode is drawn, so the run need not go on for this.
	Mixture            bool     `json:"mixture,omitempty"`
	Robust             *float64 `json:"robust"`              // Hodges-Lehmann
	SmallestDetectable *float64 `json:"smallest_detectable"` // relative; at this n, alpha and 90 % power
	N                  int      `json:"n"`                   // trials, or Units
	DF                 float64  `json:"df"`
	Alpha              float64  `json:"alpha"` // of the interval printed: 1-alpha
	Looks              int      `json:"looks"`
	// Of runs against runs: what was drawn independently ("trial", "run",
	// "boot"), how many of N are the baseline's, and the exact permutation p.
	Units        string   `json:"units,omitempty"`
	NBaseline    int      `json:"n_baseline,omitempty"`
	PPermutation *float64 `json:"p_permutation,omitempty"`
	// Paired: each of the N boots has runs of both sides, and gives one
	// difference; NBaseline is 0 then, and PSign in place of PPermutation.
	Paired bool `json:"paired,omitempty"`
	// RestedAfter so many trials the arm had its verdicts and was measured no more; 0 = it
	// was measured to the end.
	RestedAfter int `json:"rested_after,omitempty"`
	// Failures of the two arms, where there were any. N counts trials that have an
	// effect: with 0 there are no figures, only what this says.
	Failures *Failures `json:"failures,omitempty"`
	// UnseenShare is how large a share of trials may be of a kind that none of these
	// is, at the run's confidence; only within a run.
	UnseenShare *float64 `json:"unseen_share,omitempty"`
	// Dependence of neighbouring trials, where it is beyond chance.
	Dependence *Dependence `json:"dependence,omitempty"`
	// AllTrials is what the disturbed trials, which the figures leave out, would
	// make of them.
	AllTrials *Estimate `json:"all_trials,omitempty"`
	// Withheld says why no verdict is given although there is an interval. Without
	// a P too there is none: Change, Lo and Hi are 0 and mean nothing (Untold).
	Withheld string `json:"withheld,omitempty"`
	// Calibrated: the spread of units was known beforehand, KnownSD on the log
	// scale.
	Calibrated bool    `json:"calibrated,omitempty"`
	KnownSD    float64 `json:"known_sd,omitempty"`

	// BootsForChange is about how many boots of each kernel would tell a change as large
	// as the one that was seen, BootsForResolution one of the resolution, going by how
	// the boots scatter; 0 = it has a verdict, or nothing is known. Of campaigns only.
	BootsForChange     int `json:"boots_for_change,omitempty"`
	BootsForResolution int `json:"boots_for_resolution,omitempty"`
	// TrialsShare is how much of the variance of boots the trials within one make: boots
	// that measure longer lessen it, as more of them do. Neighbouring trials are alike, so it
	// is more rather than less. 0 = it has a verdict, or nothing is known. Of campaigns only.
	TrialsShare float64 `json:"trials_share,omitempty"`

	// Sessions of a run that was spread over several; nil = one.
	Sessions *SessionSpread `json:"sessions,omitempty"`

	WithinSE     *float64      `json:"within_se"`       // typical jackknife standard error of one trial's effect (log)
	BetweenSD    *float64      `json:"between_sd"`      // spread of trial effects beyond their own error (log)
	HetP         *float64      `json:"heterogeneity_p"` // Cochran's Q
	Modes        *Modes        `json:"modes,omitempty"`
	TrialEffects []TrialEffect `json:"trial_effects,omitempty"` // for the forest plot
}

// Untold says that the trials say nothing of the metric that could be shown,
// for the reason that Withheld gives.
func (c *Comparison) Untold() bool {
	return c.P == nil && c.Withheld != "" && c.Change == 0 && c.Lo == 0 && c.Hi == 0
}

// Drawn is what was drawn independently: within a run, the trial.
func (c *Comparison) Drawn() string { return cmp.Or(c.Units, unitTrial) }

// Uninterleaved says whether trials of several runs are taken together, as if they
// were of one.
func (c *Comparison) Uninterleaved() bool { return c.ArmRun != "" && c.Units == unitTrial }

// A TrialEffect is one trial's x_i as a relative change. A trial that was in
// several states of the machine has one for each.
type TrialEffect struct {
	Trial  int     `json:"trial"`
	Change float64 `json:"change"`
	SE     float64 `json:"se"`              // on the scale of the effect (log, or difference), jackknife over blocks; 0 = unknown
	State  string  `json:"state,omitempty"` // of the machine, where the effect is of the trial's part in it
}

// Modes says that trials fall into groups that their own error does not
// explain, and which recorded covariate tells the groups apart, if one does.
type Modes struct {
	// Kind is "state" where the groups are states of the machine: their figures are
	// then of blocks, not of whole trials. "" = modes that a trial draws.
	Kind      string `json:"kind,omitempty"`
	Groups    []Mode `json:"groups"`
	Covariate string `json:"covariate,omitempty"` // "softirq CPU of the sink's socket"
	Text      string `json:"text"`
}

// A Mode is one such group of two trials or more. Change is against the baseline.
// Lo and Hi are its interval; the trials of all modes together estimate the error
// within a mode.
type Mode struct {
	Label   string  `json:"label,omitempty"` // value of the covariate: "softirq on CPU 0"
	Share   float64 `json:"share"`
	Change  float64 `json:"change"` // as Comparison.Change
	Lo      float64 `json:"lo"`
	Hi      float64 `json:"hi"`
	Verdict Verdict `json:"verdict,omitempty"` // of the mode, as if it stood alone; "" = too little was seen of a rare state, which the figures leave out
	Trials  []int   `json:"trials"`
	// Canaries of a state, their medians, by name ("distance_ns").
	Canaries map[string]float64 `json:"canaries,omitempty"`
}

// A State is one that canaries tell from others ("near", "far"). Share is that of
// the counted slices.
type State struct {
	Name     string             `json:"name"`
	Share    float64            `json:"share"`
	Canaries map[string]float64 `json:"canaries"` // medians, by name ("distance_ns")
}

// A Confounder is something that differs between the runs compared besides
// what was meant to differ.
type Confounder = confounder.Confounder
