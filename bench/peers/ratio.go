package main

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// total sums the counted parts of a trial: the rate of each contender in units
// per ns. A block that one contender spoiled is left out for all, so that they
// stay paired.
func total(outcomes []outcome) (rates []float64, spoiled int, err error) {
	units, ns := make([]int64, len(outcomes)), make([]int64, len(outcomes))
	for block := range outcomes[0].counts {
		late := false
		for _, o := range outcomes {
			late = late || o.counts[block].late
		}
		if late {
			spoiled++
			continue
		}
		for i, o := range outcomes {
			units[i] += o.counts[block].units
			ns[i] += o.counts[block].ns
		}
	}
	if spoiled == len(outcomes[0].counts) {
		return nil, spoiled, errors.New("a trial with no block that counts: other load on this machine? longer --slice, --settle and --gap bear more of it")
	}
	for i := range outcomes {
		if units[i] <= 0 {
			return nil, spoiled, fmt.Errorf("contender %d received nothing in all of a trial", i+1)
		}
		rates = append(rates, float64(units[i])/float64(ns[i]))
	}
	return rates, spoiled, nil
}

// means are the contenders' mean rates over trials.
func means(trials [][]float64) []float64 {
	m := make([]float64, len(trials[0]))
	for _, t := range trials {
		for i := range m {
			m[i] += t[i] / float64(len(trials))
		}
	}
	return m
}

// A ratio is the geometric mean of one ratio a trial, with its interval.
type ratio struct {
	mean, lo, hi float64
	n            int
}

// ratioOf is Student's t interval, at 95 %, on the logs of ratios.
func ratioOf(ratios []float64) ratio {
	logs := make([]float64, len(ratios))
	for i, r := range ratios {
		logs[i] = math.Log(r)
	}
	mean, sd := stat.MeanStdDev(logs, nil)
	n := float64(len(logs))
	half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * stat.StdErr(sd, n)
	return ratio{math.Exp(mean), math.Exp(mean - half), math.Exp(mean + half), len(logs)}
}

// between is the ratio of two contenders.
func between(trials [][]float64, over, under int) ratio {
	ratios := make([]float64, len(trials))
	for i, t := range trials {
		ratios[i] = t[over] / t[under]
	}
	return ratioOf(ratios)
}

// fastest is which of some contenders is the fastest over all trials. That of
// each trial would be the maximum of noisy figures, which is larger than any
// truth.
func fastest(trials [][]float64, of []int) int {
	m, best := means(trials), of[0]
	for _, i := range of {
		if m[i] > m[best] {
			best = i
		}
	}
	return best
}
