package analysis

import "netab/results"

// resolutionOf is the smallest change of a metric that matters: the metric's
// own threshold where the scenario gives one (gate:), else the run's
// resolution. The stop rule judges at it too, so that a run does not end
// before a finer threshold is decided.
func resolutionOf(d results.Design, metric string) float64 {
	if t, ok := d.Gate[metric]; ok {
		return finite(t)
	}
	return finite(d.Resolution)
}

// Threshold is resolutionOf for those who judge a metric over many runs.
func Threshold(d results.Design, metric string) float64 { return resolutionOf(d, metric) }
