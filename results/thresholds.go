package results

import (
	"maps"
	"slices"
)

// SetThresholds lays thresholds over those that the design has; a metric that has one
// is judged.
func (d *Design) SetThresholds(thresholds map[string]float64) {
	if len(thresholds) == 0 {
		return
	}
	all := maps.Clone(d.Gate)
	if all == nil {
		all = map[string]float64{}
	}
	maps.Copy(all, thresholds)
	d.Gate, d.Metrics = all, slices.Clone(d.Metrics)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(d.Metrics, name) {
			d.Metrics = append(d.Metrics, name)
		}
	}
}
