package analysis

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"netab/results"
)

// A Wander says how a rate moves from slice to slice: how noisy a machine is.
type Wander struct {
	Mean float64 // bit/s
	CV   float64 // coefficient of variation of the slices
	// AdjacentCV is what it would be if only neighbouring slices were
	// compared: the standard deviation of their differences, divided by sqrt(2)
	// and the mean. Much below CV, the rate drifts; as large, it is noise.
	AdjacentCV float64
}

// WanderOf is the wander of one arm's goodput; zero without two slices.
func WanderOf(slices []results.Slice, arm int) Wander {
	var rates []float64
	for _, s := range slices {
		if s.Arm == arm && s.Invalid == "" && s.CountedNS > 0 {
			rates = append(rates, 8e9*float64(s.RxBytes)/float64(s.CountedNS))
		}
	}
	if len(rates) < 2 {
		return Wander{}
	}
	mean, sd := stat.MeanStdDev(rates, nil)
	var square float64
	for i := 1; i < len(rates); i++ {
		d := rates[i] - rates[i-1]
		square += d * d
	}
	if mean <= 0 {
		return Wander{}
	}
	adjacent := math.Sqrt(square / float64(len(rates)-1) / 2)
	return Wander{Mean: mean, CV: sd / mean, AdjacentCV: adjacent / mean}
}
