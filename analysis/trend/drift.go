package trend

import "math"

// fewestStairs is the least number of change points that can be a slope.
const fewestStairs = 3

// drifts says from which change point to which the series slopes rather than
// steps: change points in a row, all in one direction, whose levels together
// are better told by one straight line, by Schwarz's criterion (BIC; Yao 1988
// for counting change points with it). The search, which knows only steps,
// cuts a slope into stairs. Two steps are not taken for a slope: a line fits
// them too easily where levels are short.
func drifts(xs []float64, bs []boundary) (first, last int, ok bool) {
	for i := 0; i < len(bs); {
		j := i
		for j+1 < len(bs) && (bs[j+1].delta > 0) == (bs[i].delta > 0) {
			j++
		}
		if j >= i+fewestStairs-1 && straighter(xs, bs, i, j) && (!ok || j-i > last-first) {
			first, last, ok = i, j, true
		}
		i = j + 1
	}
	return first, last, ok
}

// straighter compares both stories over all levels that the change points i
// to j touch.
func straighter(xs []float64, bs []boundary, i, j int) bool {
	from, to := 0, len(xs)
	if i > 0 {
		from = bs[i-1].at
	}
	if j+1 < len(bs) {
		to = bs[j+1].at
	}
	steps, start := 0.0, from
	for k := i; k <= j+1; k++ {
		end := to
		if k <= j {
			end = bs[k].at
		}
		m := mean(xs[start:end])
		for _, x := range xs[start:end] {
			steps += (x - m) * (x - m)
		}
		start = end
	}
	// k steps have k+1 levels and k places, a line has two parameters.
	n, k := float64(to-from), float64(j-i+1)
	bic := func(squares, parameters float64) float64 {
		return n*math.Log(squares/n) + parameters*math.Log(n)
	}
	return bic(aroundLine(xs[from:to]), 2) <= bic(steps, 2*k+1)
}

// aroundLine is the sum of squares around the least-squares line.
func aroundLine(xs []float64) float64 {
	n := float64(len(xs))
	mt, mx := (n-1)/2, mean(xs)
	var tt, tx, xx float64
	for i, x := range xs {
		t := float64(i) - mt
		tt, tx, xx = tt+t*t, tx+t*(x-mx), xx+(x-mx)*(x-mx)
	}
	if tt == 0 {
		return xx
	}
	return xx - tx*tx/tt
}
