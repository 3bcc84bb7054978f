package trend

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// An otava is the algorithm of Apache Otava as published (docs/MATH.md of that
// project; Fleming et al. 2023, "Hunter: Using Change Point Detection to Hunt
// for Performance Regressions"), written anew from that description: windows
// half a window apart; in each the split with the largest Q, of parts of one
// point and more, taken while Student's t test of its sides has a p of at most
// ten times the final one ("weak" change points); then the weakest is merged
// away until all have the final p. Like theirs, the test takes standard
// deviations over n, not n-1.
type otava struct {
	window       int
	maxP         float64
	minMagnitude float64
}

// asPublished are Otava's defaults but for the magnitude.
var asPublished = otava{window: 50, maxP: 0.001, minMagnitude: 0.01}

func (o otava) changePoints(xs []float64) []int {
	var weak []int
	for start := 0; start < len(xs); {
		end := min(start+o.window, len(xs))
		found := o.split(xs[start:end])
		last := 0
		for _, i := range found {
			weak = append(weak, start+i)
			last = start + i
		}
		start = max(last, start+o.window/2)
	}
	return o.merge(xs, sortedUnique(weak))
}

func (o otava) split(xs []float64) []int {
	var cps []int
	for {
		bounds := slices.Concat([]int{0}, cps, []int{len(xs)})
		at, lo, hi, best := 0, 0, 0, math.Inf(-1)
		for i := range len(bounds) - 1 {
			if bounds[i+1]-bounds[i] < 2 {
				continue
			}
			if t, q := largestQ(xs[bounds[i]:bounds[i+1]]); q > best {
				at, lo, hi, best = bounds[i]+t, bounds[i], bounds[i+1], q
			}
		}
		if at == 0 || studentP(xs[lo:at], xs[at:hi]) > 10*o.maxP {
			return cps
		}
		cps = sortedUnique(append(cps, at))
	}
}

// largestQ goes over all splits and ends, as the paper does, with sums of
// distances from a two-dimensional prefix sum: shared with nothing of ours.
func largestQ(xs []float64) (at int, q float64) {
	n := len(xs)
	prefix := make([][]float64, n+1)
	prefix[0] = make([]float64, n+1)
	for i := range n {
		prefix[i+1] = make([]float64, n+1)
		for j := range n {
			prefix[i+1][j+1] = prefix[i][j+1] + prefix[i+1][j] - prefix[i][j] + math.Abs(xs[i]-xs[j])
		}
	}
	block := func(a, b, c, d int) float64 { return prefix[b][d] - prefix[a][d] - prefix[b][c] + prefix[a][c] }
	q = math.Inf(-1)
	for t := 1; t < n; t++ {
		for k := t + 1; k <= n; k++ {
			m, l := float64(t), float64(k-t)
			v := 2 / (m + l) * block(0, t, t, k)
			if t > 1 {
				v -= l / (m + l) / (m - 1) * block(0, t, 0, t)
			}
			if k-t > 1 {
				v -= m / (m + l) / (l - 1) * block(t, k, t, k)
			}
			if v > q {
				at, q = t, v
			}
		}
	}
	return at, q
}

func studentP(a, b []float64) float64 {
	na, nb := float64(len(a)), float64(len(b))
	df := na + nb - 2
	if df <= 0 {
		return 1
	}
	over := func(xs []float64) (m, v float64) {
		m = mean(xs)
		for _, x := range xs {
			v += (x - m) * (x - m) / float64(len(xs))
		}
		return m, v
	}
	ma, va := over(a)
	mb, vb := over(b)
	pooled := ((na-1)*va + (nb-1)*vb) / df
	if pooled == 0 {
		if ma == mb {
			return 1
		}
		return 0
	}
	t := (ma - mb) / math.Sqrt(pooled*(1/na+1/nb))
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.Survival(math.Abs(t))
}

func (o otava) merge(xs []float64, cps []int) []int {
	for len(cps) > 0 {
		bounds := slices.Concat([]int{0}, cps, []int{len(xs)})
		worst, p := 0, -1.0
		least, magnitude := 0, math.Inf(1)
		for i := range cps {
			a, b := xs[bounds[i]:bounds[i+1]], xs[bounds[i+1]:bounds[i+2]]
			if q := studentP(a, b); q > p {
				worst, p = i, q
			}
			r := mean(b) / mean(a)
			if m := max(math.Abs(r-1), math.Abs(1/r-1)); m < magnitude {
				least, magnitude = i, m
			}
		}
		if p < o.maxP {
			if magnitude > o.minMagnitude {
				return cps
			}
			worst = least
		}
		cps = slices.Delete(cps, worst, worst+1)
	}
	return cps
}

// TestOtavaAgainstNetab runs both on the same series. docs/trend.md has the
// table that this logs, and why they differ.
func TestOtavaAgainstNetab(t *testing.T) {
	const repeats, n = 100, 120
	type count struct{ series, points, hits int } // series with any, change points, truths found
	d := newDivider()
	run := func(w world) (ours, theirs count) {
		for r := range uint64(repeats) {
			xs := w.series(r, n)
			levels := make([]float64, n)
			for i, x := range xs {
				levels[i] = 100 * math.Exp(x)
			}
			for _, c := range []struct {
				got []int
				to  *count
			}{{found(d, xs, w.name), &ours}, {asPublished.changePoints(levels), &theirs}} {
				c.to.points += len(c.got)
				c.to.hits += near(w.truth, c.got)
				if len(c.got) > 0 {
					c.to.series++
				}
			}
		}
		t.Logf("| %s | %d/%d | %d | %d/%d | %d |", w.name, ours.hits, len(w.truth)*repeats, ours.points, theirs.hits, len(w.truth)*repeats, theirs.points)
		return ours, theirs
	}
	for _, w := range []world{oneStep, several} {
		ours, theirs := run(w)
		if least := len(w.truth) * repeats * 95 / 100; ours.hits < least || theirs.hits < least {
			t.Errorf("%s: ours finds %d and Otava's %d of %d", w.name, ours.hits, theirs.hits, len(w.truth)*repeats)
		}
	}
	// Where nothing changes they differ: t at the best of fifty splits is no
	// longer t, and a level may be one night long.
	for _, w := range []world{white, heavy, twoModes, twoOutliers} {
		ours, theirs := run(w)
		if ours.series > repeats/20 {
			t.Errorf("%s: ours finds changes in %d of %d series", w.name, ours.series, repeats)
		}
		if theirs.points <= 2*ours.points {
			t.Errorf("%s: Otava's finds %d change points, ours %d: docs/trend.md says otherwise", w.name, theirs.points, ours.points)
		}
	}
}
