package trend

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
	"netab/analysis/stat"
)

// mean is exact where points are equal: a sum of equal logarithms is off by
// rounding, and then no point would lie on its own level.
func mean(xs []float64) float64 {
	if len(xs) > 0 && stat.Flat(xs) {
		return xs[0]
	}
	return gonum.Mean(xs, nil)
}

// meanSD is mean and sample standard deviation, 0 for a single point and for
// points that are equal but for rounding.
func meanSD(xs []float64) (m, sd float64) {
	if len(xs) < 2 || stat.Flat(xs) {
		return mean(xs), 0
	}
	return gonum.MeanStdDev(xs, nil)
}

func sortedUnique(xs []int) []int {
	slices.Sort(xs)
	return slices.Compact(xs)
}

// seeded is a source of random numbers that depends on the series' name and
// the place alone: the same history gives the same answer on every machine,
// and one more series changes none of the others.
func seeded(name string, place int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), uint64(place)))
}

// welch is the interval of the difference of two means at 1-alpha; df are
// Satterthwaite's (Welch 1947).
func welch(a, b []float64, alpha float64) (lo, hi float64) {
	ma, sa := meanSD(a)
	mb, sb := meanSD(b)
	va, vb := sa*sa/float64(len(a)), sb*sb/float64(len(b))
	d := mb - ma
	if va+vb == 0 || len(a) < 2 || len(b) < 2 {
		return d, d
	}
	df := (va + vb) * (va + vb) / (va*va/float64(len(a)-1) + vb*vb/float64(len(b)-1))
	h := stat.Critical(alpha, df) * math.Sqrt(va+vb)
	return d - h, d + h
}
