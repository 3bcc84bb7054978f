package culprit

import (
	"math"
	"slices"
	"sync"

	"netab/analysis/stat"
)

// noise is the scatter of tests of one change, from all that have several, and its
// degrees of freedom.
func (s *Search) noise() (sd, df float64) {
	ss := 0.0
	for _, xs := range s.values {
		if of := stat.NewSample(xs); of.N > 1 {
			ss += of.SD * of.SD * of.DF()
			df += of.DF()
		}
	}
	if df > 0 {
		sd = math.Sqrt(ss / df)
	} else {
		sd = s.opts.Scatter
	}
	return max(sd, s.opts.Floor), max(df, 1)
}

// apart is the difference of two sets of tests, by the scatter of all.
func (s *Search) apart(a, b []float64) (d, se, df float64) {
	sd, df := s.noise()
	return stat.NewSample(b).Mean - stat.NewSample(a).Mean, sd * math.Sqrt(1/float64(len(a))+1/float64(len(b))), df
}

func (s *Search) difference(lo, hi int) (d, se, df float64) {
	return s.apart(s.values[s.same(lo)], s.values[s.same(hi)])
}

func (s *Search) differ(lo, hi int, alpha float64) bool {
	d, se, df := s.difference(lo, hi)
	return math.Abs(d) > s.opts.Floor && stat.TTest(d, se, df) <= alpha
}

// levels are the sums of all tests before each change of a span and with it.
type levels struct{ n, sum []float64 } // of the tests of the changes lo to lo+i

func (s *Search) levels(sp *span) levels {
	l := levels{make([]float64, sp.hi-sp.lo+1), make([]float64, sp.hi-sp.lo+1)}
	seen := map[int]bool{}
	var n, sum float64
	for i := sp.lo; i <= sp.hi; i++ {
		if as := s.same(i); !seen[as] {
			seen[as] = true
			for _, x := range s.values[as] {
				n, sum = n+1, sum+x
			}
		}
		l.n[i-sp.lo], l.sum[i-sp.lo] = n, sum
	}
	return l
}

// posterior is how likely the change lies in each stretch between neighbours that can
// be tested. Before any test it is as the weights say; what the tests add is how well
// two levels, one before and one from there on, fit them: with a flat prior on their
// mean and a normal one on their difference, as wide as the ends are apart, the
// likelihood against no change is that of their difference d with its variance v,
// N(d; 0, v+τ²) / N(d; 0, v). odds are of any change against none; apart is how far the
// levels lie apart, in deviations of a test.
func (s *Search) posterior(sp *span) (stretches []suspect, p []float64, apart, odds float64) {
	sd, df := s.noise()
	if df > 2 {
		sd *= math.Sqrt(df / (df - 2)) // as wide as t, while the scatter is little known
	}
	whole, _, _ := s.difference(sp.lo, sp.hi)
	tau := max(math.Abs(whole), s.opts.AtLeast)
	l, alike := s.levels(sp), s.alike(sp)
	n, sum := l.n[len(l.n)-1], l.sum[len(l.sum)-1]
	var ds, logs []float64
	weights := 0.0
	before, weight := sp.lo, 0.0
	for i := sp.lo + 1; i <= sp.hi; i++ {
		weight += s.weight(i)
		if s.skipped[i] {
			continue
		}
		of, w := suspect{before, i}, weight
		before, weight = i, 0
		na, suma := l.n[of.before-sp.lo], l.sum[of.before-sp.lo]
		nb := n - na
		if w == 0 || nb == 0 || slices.ContainsFunc(alike, func(a suspect) bool { return a.before <= of.before && of.at <= a.at }) {
			continue
		}
		weights += w
		v := sd * sd * (1/na + 1/nb)
		d := (sum-suma)/nb - suma/na
		if d*whole < 0 {
			continue // against the direction of the whole
		}
		stretches, ds = append(stretches, of), append(ds, math.Abs(d))
		logs = append(logs, math.Log(w)-math.Log1p(tau*tau/v)/2+d*d/2*(1/v-1/(v+tau*tau)))
	}
	p, total := normalized(logs)
	for i := range p {
		apart += p[i] * ds[i] / sd
	}
	return stretches, p, apart, total / max(weights, 1e-300)
}

// alike are the stretches between changes with the same code: none of what lies
// between is to blame.
func (s *Search) alike(sp *span) []suspect {
	first := map[string]int{}
	var out []suspect
	for i := sp.lo; i <= sp.hi; i++ {
		code := s.code[i]
		if code == "" {
			continue
		}
		if at, ok := first[code]; ok {
			out = append(out, suspect{at, i})
		} else {
			first[code] = i
		}
	}
	return out
}

func (s *Search) weight(change int) float64 {
	if change < len(s.opts.Weights) {
		return max(0, s.opts.Weights[change])
	}
	return 1
}

// normalized are probabilities of logarithms of what is proportional to them, and the
// sum of that.
func normalized(logs []float64) (p []float64, sum float64) {
	if len(logs) == 0 {
		return nil, 0
	}
	top := slices.Max(logs)
	p = make([]float64, len(logs))
	for i, l := range logs {
		p[i] = math.Exp(l - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p, sum * math.Exp(min(top, 700))
}

// informative is the change of which a test says most, for what it costs, about where
// the change is: the mutual information of its outcome, a normal value about one level
// or the other, and of which it is.
func (s *Search) informative(sp *span, stretches []suspect, p []float64, apart float64) int {
	bits := bitsOf(apart)
	best, most := sp.hi, -1.0
	below, at := 0.0, 0
	for i := sp.lo; i <= sp.hi; i++ {
		for at < len(stretches) && stretches[at].at <= i {
			below, at = below+p[at], at+1
		}
		if s.skipped[i] {
			continue
		}
		gain := bits.of(below)
		if len(s.values[s.same(i)]) == 0 {
			gain /= 1 + s.opts.Build
		}
		if gain > most {
			best, most = i, gain
		}
	}
	return best
}

// bits is the information in one test, by the probability that it is of the higher
// level.
type bits [65]float64

// bitsOf are those of levels so many deviations apart, to a tenth of one: finer makes
// no other choice.
func bitsOf(apart float64) *bits { return table[int(math.Round(10*min(max(apart, 0.1), mostApart)))]() }

const mostApart = 12 // where one test tells all

var table = func() (out [10*mostApart + 1]func() *bits) {
	for i := range out {
		out[i] = sync.OnceValue(func() *bits { return newBits(float64(i) / 10) })
	}
	return out
}()

func newBits(apart float64) *bits {
	var b bits
	const steps = 200
	for k := range b {
		q := float64(k) / float64(len(b)-1)
		// The mean of log2(f(x | level) / f(x)), by the trapezium rule over both levels
		// and five of their deviations.
		lo, hi := -5.0, apart+5
		h := (hi - lo) / steps
		for i := range steps + 1 {
			x := lo + float64(i)*h
			f0, f1 := normal(x), normal(x-apart)
			f := (1-q)*f0 + q*f1
			if q < 1 && f0 > 0 {
				b[k] += h * (1 - q) * f0 * math.Log2(f0/f)
			}
			if q > 0 && f1 > 0 {
				b[k] += h * q * f1 * math.Log2(f1/f)
			}
		}
	}
	return &b
}

func (b *bits) of(q float64) float64 {
	x := min(max(q, 0), 1) * float64(len(b)-1)
	i := min(int(x), len(b)-2)
	return b[i] + (x-float64(i))*(b[i+1]-b[i])
}

func normal(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

// Left is how many tests more it may take until there is an answer, and how many changes
// that are not made yet they are of. A search goes on until what is not known of the place,
// in bits, is paid for by what a test tells.
func (s *Search) Left() (tests, builds int, ok bool) {
	sp := s.span()
	if sp == nil {
		return 0, 0, false
	}
	fresh := 2 * freshLooks[0].tests
	switch sp.phase {
	case search:
	case confirm:
		return max(1, fresh-len(sp.fresh[sp.at.before])-len(sp.fresh[sp.at.at])), 0, true
	default:
		return 0, 0, false
	}
	_, p, apart, _ := s.posterior(sp)
	h := 0.0
	for _, q := range p {
		if q > 0 {
			h -= q * math.Log2(q)
		}
	}
	tests = int(math.Ceil(h / max(bitsOf(apart).of(0.5), 0.01)))
	return tests + fresh, min(tests, int(math.Ceil(h))), true
}
