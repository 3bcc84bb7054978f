package page

import "netab/analysis/gate"

// A Judged is what a CI system, a chat or a person acts on.
type Judged struct {
	Of       string // what was judged
	Outcome  gate.Outcome
	Sentence string
	Suite    string // the name under which a CI system keeps it
	Took     string // seconds
	Facts    []Term
	Cases    []Check // at least one, for an empty list reads as a pass
}

// A Check is one thing that passes or does not.
type Check struct {
	Class, Name string // the same from night to night, so that a CI system can follow it
	Outcome     gate.Outcome
	Arm, Metric string
	Plain       string // in plain words
	Sure        string // how sure that is
	Method      string // for those who know statistics
	Known       *Known // why it may pass all the same
	Whole       bool   // of everything: it has nothing to say but Plain
}

// A Known is the acknowledgement of a regression.
type Known struct{ Until, Reason string }

// An Issue is what became of an acknowledgement.
type Issue struct {
	State, Of, Text string
	Used            bool
}
