package analysis

import (
	"math"

	gonum "gonum.org/v1/gonum/stat"

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
	Slices     int // that counted
	Silent     int // of them, those in which nothing was received
}

// Known says whether there is a rate to speak of: no data is not a quiet machine.
// A spread of fewer slices than fewestSlices may be anything.
func (w Wander) Known() bool { return w.Mean > 0 && w.Slices-w.Silent >= fewestSlices }

const fewestSlices = 10

// WanderOf is the wander of one arm's goodput; without two slices, or anything
// received, no more than their numbers.
func WanderOf(slices []results.Slice, arm int) Wander {
	var rates []float64
	var out Wander
	for _, s := range slices {
		if s.Arm == arm && s.Invalid == "" && s.CountedNS > 0 {
			rates = append(rates, 8e9*float64(s.RxBytes)/float64(s.CountedNS))
			out.Slices++
			if s.RxBytes == 0 {
				out.Silent++
			}
		}
	}
	if len(rates) < 2 || out.Silent == out.Slices {
		return out
	}
	mean, sd := gonum.MeanStdDev(rates, nil)
	var square float64
	for i := 1; i < len(rates); i++ {
		d := rates[i] - rates[i-1]
		square += d * d
	}
	adjacent := math.Sqrt(square / float64(len(rates)-1) / 2)
	out.Mean, out.CV, out.AdjacentCV = mean, sd/mean, adjacent/mean
	return out
}
