package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// An Estimate is what somebody found, with its standard error.
type Estimate struct{ X, SE, DF float64 }

// Surely says whether it is of one sign, at 95 %.
func (e Estimate) Surely() bool { return math.Abs(e.X) > Critical(0.05, e.DF)*e.SE }

// Against is Welch's t test of two estimates being of the same.
func (e Estimate) Against(o Estimate) float64 {
	va, vb := e.SE*e.SE, o.SE*o.SE
	df := (va + vb) * (va + vb) / (va*va/e.DF + vb*vb/o.DF)
	return TTest(e.X-o.X, math.Sqrt(va+vb), df)
}

// Together is what several estimates say of what they are drawn from.
type Together struct {
	Mean, Lo, Hi float64 // at 95 %
	SD           float64 // of what each is of, beyond their own errors
	P            float64 // of so much without any (Cochran's Q)
}

// Pool is the random-effects estimate of DerSimonian and Laird (1986,
// "Meta-analysis in clinical trials") with the interval of Hartung and Knapp
// (2001, "A refined method for the meta-analysis of controlled clinical trials
// with binary outcome"), which knows how few they are; it is never narrower
// than without scatter (Röver, Knapp and Friede 2015).
func Pool(es []Estimate) (t Together) {
	weigh := func(tau2 float64) (mean, q, sum, squares float64) {
		for _, e := range es {
			w := 1 / (e.SE*e.SE + tau2)
			sum, squares, mean = sum+w, squares+w*w, mean+w*e.X
		}
		mean /= sum
		for _, e := range es {
			q += (e.X - mean) * (e.X - mean) / (e.SE*e.SE + tau2)
		}
		return mean, q, sum, squares
	}
	df := float64(len(es) - 1)
	_, q, sum, squares := weigh(0)
	tau2 := max(0, (q-df)/(sum-squares/sum))
	t.SD, t.P = math.Sqrt(tau2), distuv.ChiSquared{K: df}.Survival(q)
	mean, q, sum, _ := weigh(tau2)
	h := Critical(0.05, df) * math.Sqrt(max(1, q/df)/sum)
	t.Mean, t.Lo, t.Hi = mean, mean-h, mean+h
	return t
}
