// Package plan says what a run would do: how arms are set up and what tells them
// apart, what of the machine is changed, when it would end, and whether it can come to
// a verdict by then. It lies below cmd, because it puts side by side what package
// runner plans and what package analysis foretells.
//
// A plan is printed line by line, and no page.Page: a page is judged figures in
// sections that are wrapped to a terminal, and these lines are read as a log, by
// people and by scripts.
package plan

import (
	"fmt"
	"time"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/runner"
)

// A Plan is what is shown of a run before it is made; its JSON is for programs.
type Plan struct {
	*runner.Preview
	Differs  []results.Difference `json:"differs"`            // between the arms, values in their order
	Forecast *analysis.Forecast   `json:"forecast,omitempty"` // by the calibration of this machine
	Fit      int                  `json:"trials_within_max_time"`
	Needed   int                  `json:"trials_needed"`               // for any verdict
	Starts   []time.Duration      `json:"session_starts_ns,omitempty"` // from the first's

	question   *question.Question
	design     results.Design
	maxTime    time.Duration
	seed       uint64
	calibrated []string // scenarios, by which it is foretold
}

// New is the plan of a question: what it asked the runner for, and what the runner
// made of it.
func New(q *question.Question, o runner.Options, made *runner.Preview) *Plan {
	p := &Plan{Preview: made, Needed: analysis.FewestTrials(o.Header.Design), Starts: o.Starts,
		question: q, design: o.Header.Design, maxTime: o.MaxTime, seed: o.Seed}
	p.Fit = max(1, int(o.MaxTime/made.Each())) // the first is measured whatever it takes
	var arms []results.Description
	for _, a := range p.design.Arms {
		arms = append(arms, a.Description)
	}
	p.Differs = results.Differences(arms...)
	return p
}

// TooShort says that no verdict can come of a run, and how long it would need;
// "" where one can.
func (p *Plan) TooShort() string {
	if p.Fit >= p.Needed {
		return ""
	}
	without := "no verdict"
	if len(p.design.Arms) < 2 {
		without = "no interval"
	}
	enough := (time.Duration(p.Needed)*p.Each() + time.Second - 1).Truncate(time.Second)
	return fmt.Sprintf("%s can come of this run: its time limit of %v has room for about %s of %v, and %d are needed; give it --max-time %v",
		without, p.maxTime, prose.Counted(p.Fit, "trial"), p.Each().Round(10*time.Millisecond), p.Needed, enough)
}
