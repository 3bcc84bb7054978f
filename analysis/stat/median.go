package stat

import "slices"

// Median sorts xs in place.
func Median(xs []float64) float64 {
	slices.Sort(xs)
	n := len(xs)
	return xs[(n-1)/2]/2 + xs[n/2]/2
}

// HodgesLehmann is the median of all pairwise means, each value paired with
// itself too: an estimate of the centre that outliers hardly move (Hodges and
// Lehmann 1963).
//
// Of very many, every so-manieth tells as much: the pairs of all would not fit
// into memory.
func HodgesLehmann(xs []float64) float64 {
	const most = 2000
	if len(xs) > most {
		some := make([]float64, most)
		for i := range some {
			some[i] = xs[i*len(xs)/most]
		}
		xs = some
	}
	return Median(walshAverages(xs))
}

// walshAverages are the means of all pairs, of each value with itself too.
func walshAverages(xs []float64) []float64 {
	walsh := make([]float64, 0, len(xs)*(len(xs)+1)/2)
	for i, x := range xs {
		for _, y := range xs[i:] {
			walsh = append(walsh, x/2+y/2)
		}
	}
	return walsh
}
