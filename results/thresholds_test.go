package results

import (
	"maps"
	"slices"
	"testing"
)

func TestSetThresholds(t *testing.T) {
	named := []string{"goodput"}
	d := Design{Metrics: named, Gate: map[string]float64{"loss": 0.001}}
	before := maps.Clone(d.Gate)
	d.SetThresholds(nil)
	if !slices.Equal(d.Metrics, named) || !maps.Equal(d.Gate, before) {
		t.Errorf("none: %v, %v", d.Metrics, d.Gate)
	}
	of := d.Gate
	d.SetThresholds(map[string]float64{"goodput": 0.02, "cpu_sink": 0.1})
	if want := []string{"goodput", "cpu_sink", "loss"}; !slices.Equal(d.Metrics, want) {
		t.Errorf("judged: %v, want %v", d.Metrics, want)
	}
	if want := map[string]float64{"goodput": 0.02, "cpu_sink": 0.1, "loss": 0.001}; !maps.Equal(d.Gate, want) {
		t.Errorf("thresholds: %v, want %v", d.Gate, want)
	}
	if !maps.Equal(of, before) || len(named) != 1 {
		t.Errorf("what was given is changed: %v, %v", of, named)
	}
}
