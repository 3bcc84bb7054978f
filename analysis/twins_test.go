package analysis

import (
	"fmt"
	"testing"

	"netab/results"
)

// TestTwins: within a kernel, arms of a matrix are compared with those that the same is
// asked of.
func TestTwins(t *testing.T) {
	arm := func(traffic, rps string) results.Arm {
		return results.Arm{Name: traffic + rps, Levels: []results.FactorLevel{{Factor: "traffic", Value: traffic}, {Factor: "rps", Value: rps}},
			Description: results.Description{"traffic.protocol": traffic, "knobs.device.sink.rps_cpus": rps}}
	}
	factors := []results.Factor{{Name: "traffic", Levels: []string{"tcp", "udp"}}, {Name: "rps", Levels: []string{"on", "off"}}}
	four := []results.Arm{arm("tcp", "on"), arm("tcp", "off"), arm("udp", "on"), arm("udp", "off")}
	for name, c := range map[string]struct {
		d    results.Design
		want string
	}{
		"matrix":       {results.Design{Factors: factors, Arms: four, Baseline: "tcpoff"}, "[[1 0] [3 2]]"},
		"no baseline":  {results.Design{Factors: factors, Arms: four}, "[[0 1] [2 3]]"},
		"no two alike": {results.Design{Factors: factors[:1], Arms: []results.Arm{four[0], four[2]}, Baseline: "udpon"}, "[[1 0]]"},
		"explicit":     {results.Design{Arms: four, Baseline: "udpon"}, "[[2 0 1 3]]"},
		"one without":  {results.Design{Factors: factors, Arms: four[:3], Baseline: "tcpon"}, "[[0 1]]"},
	} {
		if got := fmt.Sprint(twins(c.d)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
