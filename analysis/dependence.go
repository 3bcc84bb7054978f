package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"

	"netab/analysis/stat"

	"netab/analysis/prose"
)

// Trials share no process, socket or namespace, and are taken as independent.
// But they share the machine: where its state lasts for longer than a trial,
// neighbours are alike. That widens their interval (stat.Autoregression); what is here
// says so, and how much they are worth.

// dependentAlpha is the level at which trials are said to depend on each other.
const dependentAlpha = 0.02

// A Dependence says that neighbouring trials are alike beyond chance.
type Dependence struct {
	Lag1  float64 `json:"lag1"`         // correlation of neighbours, corrected for its bias
	P     float64 `json:"p"`            // one-sided, by permutation
	Worth float64 `json:"worth_trials"` // so many independent trials say as much
}

// dependenceOf is nil if the order of values may be one of chance, or they are too few
// to tell.
func dependenceOf(xs []float64, rng *rand.Rand) *Dependence {
	if len(xs) < flagTrials {
		return nil
	}
	l, ok := stat.Neighbours(xs, dependentAlpha, rng)
	if !ok {
		return nil
	}
	d := Dependence(l)
	return &d
}

// tooAlike says why trials that depend on each other are too few for a verdict, ""
// where they are not.
func (d *Dependence) tooAlike(n, fewest int) string {
	if d == nil || d.Worth >= float64(fewest) {
		return ""
	}
	return fmt.Sprintf("neighbouring trials are alike (correlation %.2f, p = %.2g), so %d say no more than %s independent %s, and a verdict needs %d: that takes about %d trials, or sessions spread over hours",
		d.Lag1, d.P, n, prose.Count(int(d.Worth)), prose.Plural(int(d.Worth), "one"), fewest, int(math.Ceil(float64(fewest*n)/d.Worth)))
}

// warning is said of trials that depend on each other.
func (d *Dependence) warning(what string) string {
	return fmt.Sprintf("%s: neighbouring trials are not independent (correlation %.2f, p = %.2g by permutation): they say about as much as %s independent %s",
		what, d.Lag1, d.P, prose.Count(int(d.Worth)), prose.Plural(int(d.Worth), "one"))
}
