package analysis

import (
	"fmt"
	"strings"

	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeNoisyTrials    = vocab.Warns("noisy-trials")
	codeOutliers       = vocab.Warns("outliers")
	codeTrend          = vocab.Warns("trend")
	codeAutocorrelated = vocab.Warns("autocorrelated")
)

// flagTrials is the fewest trials on which order is tested.
const flagTrials = 8

// flags says where a series of trial values is not what a t interval assumes:
// independent draws of one spread. Nothing is dropped for it.
//
// depend is what their order says.
func flags(what string, effects []effect, depend *Dependence) []results.Warning {
	var ws []results.Warning
	xs := values(effects)
	if n := len(effects) - len(quiet(effects)); n > 0 {
		ws = append(ws, results.Warning{Code: codeNoisyTrials, Text: fmt.Sprintf(
			"%s: %d of %d trials were over %d times as noisy inside as the usual one, which widens the interval (all are kept): look for load that comes and goes", what, n, len(effects), stat.NoisyTimes)})
	}
	if odd := stat.Outliers(xs); len(odd) > 0 {
		var names []string
		for _, i := range odd {
			names = append(names, fmt.Sprint(effects[i].trial))
		}
		ws = append(ws, results.Warning{Code: codeOutliers, Text: fmt.Sprintf(
			"%s: far from the others (kept all the same): trial %s", what, strings.Join(names, ", "))})
	}
	if len(xs) < flagTrials {
		return ws
	}
	if tau, p := stat.Kendall(xs); p < 0.01 {
		ws = append(ws, results.Warning{Code: codeTrend, Text: fmt.Sprintf(
			"%s: drifts over the trials (Kendall's tau %+.2f, p = %.2g): the interval may be too narrow; let the machine warm up or run longer", what, tau, p)})
	}
	if depend != nil {
		ws = append(ws, results.Warning{Code: codeAutocorrelated, Text: depend.warning(what)})
	}
	return ws
}

// flagLevel are those of an arm's levels, which no other arm's take drift from.
func flagLevel(metric, arm string, levels []effect, seed uint64) []results.Warning {
	ws := flags(metric+" of "+arm, levels, dependenceOf(values(levels), stat.Seeded(seed, "order", arm, metric)))
	for i := range ws {
		if ws[i].Code == "autocorrelated" {
			ws[i].Text += ", and the level's interval takes them for independent"
		}
	}
	return ws
}
