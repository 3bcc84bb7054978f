package main

import (
	"fmt"
	"math"
	"strings"
)

// The promises: at most alpha of what is said is wrong, and what is twice the
// resolution is found in most runs.
const (
	alpha     = 0.05
	leastSeen = 0.90
)

// A tally counts what became of a world's judgements.
type tally struct {
	world *world
	n     int
	seen  [events]int
}

// The events in the order of the table's columns.
const (
	missed = iota
	falseDifference
	falseEquivalent
	passed
	found
	open
	stateShown
	stateMissed
	events
)

func (t *tally) add(s seen) {
	t.n++
	for i, is := range [events]bool{s.missed, s.falseDifference, s.falseEquivalent, s.passed, s.found, s.open, s.stateShown, s.stateMissed} {
		if is {
			t.seen[i]++
		}
	}
}

// applies says whether a column is about the world: gates are counted where the
// truth is at the threshold, intervals where there is one of them, equivalence
// where the truth is none.
func (t *tally) applies(event int) bool {
	w := t.world
	switch event {
	case missed:
		return w.comparisons == 1 && w.perSide == 0
	case falseEquivalent:
		return math.Abs(w.truth) >= w.margin()
	case passed:
		return w.gate
	case found:
		return w.power
	case stateShown, stateMissed:
		return w.states != nil && w.states.canary
	}
	return true
}

// bound is what an event's share may come to, three standard errors included: at
// most, or for what is to be found at least. Not ok: it is told and not held.
func (t *tally) bound(event int) (share float64, ok bool) {
	beyond := func(p float64) float64 { return 3 * math.Sqrt(p*(1-p)/float64(t.n)) }
	switch event {
	case open, stateShown:
		return 0, false
	case found:
		return leastSeen - beyond(leastSeen), true
	}
	return alpha + beyond(alpha), true
}

func (t *tally) holds(event int) bool {
	bound, ok := t.bound(event)
	// Of a state of its own an interval holds in every world where a canary sees it.
	ok = ok && (t.world.beyond == "" || event == stateMissed)
	share := float64(t.seen[event]) / float64(t.n)
	switch {
	case !ok || !t.applies(event):
		return true
	case event == found:
		return share >= bound
	}
	return share <= bound
}

func (t *tally) whole() bool {
	for event := range events {
		if !t.holds(event) {
			return false
		}
	}
	return true
}

// cell is a share, in bold where it is beyond its bound.
func (t *tally) cell(event int) string {
	if !t.applies(event) {
		return ""
	}
	text := percent(float64(t.seen[event]) / float64(t.n))
	if !t.holds(event) {
		text = "**" + text + "**"
	}
	return text
}

func percent(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// columns are the table's.
var columns = []string{"world", "trials", "truth", "interval misses", "false difference", "false `equivalent`", "gate passes", "found",
	"no verdict", "states shown", "a state's interval misses", "at most (found: at least)", "holds"}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func heading(columns ...string) string {
	return line(columns) + strings.Repeat("|---", len(columns)) + "|\n"
}

func yes(holds bool) string {
	if holds {
		return "yes"
	}
	return "**no**"
}

// kept says whether the world's promises are kept, or why there are none.
func (t *tally) kept() string {
	if t.world.beyond != "" && t.whole() {
		return "not promised: " + t.world.beyond
	}
	return yes(t.whole())
}

// row is a world's line of the table.
func (t *tally) row() string {
	truth := "0"
	if t.world.truth != 0 {
		truth = fmt.Sprintf("%+.2f %%", 100*t.world.shown(t.world.truth))
	}
	cells := []string{t.world.name, fmt.Sprint(t.world.trials), truth}
	for event := range events {
		cells = append(cells, t.cell(event))
	}
	most, _ := t.bound(missed)
	bounds := percent(most)
	if t.world.power {
		least, _ := t.bound(found)
		bounds += " (" + percent(least) + ")"
	}
	return line(append(cells, bounds, t.kept()))
}
