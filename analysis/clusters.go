package analysis

import (
	"math"
	"slices"
)

// A cluster is a range of values that lie close together, with nothing near it.
type cluster struct {
	lo, hi, mid float64 // of logarithms; mid is the median
	n           int
}

// clustersOf finds the clusters of positive values by their density on the log
// scale (DBSCAN in one dimension: Ester and others 1996): a value belongs where
// enough others are within reach of it, so that a few strays between two clusters
// neither join them nor make one. Clusters whose medians are less than apart
// from each other are one: what wanders is no state.
func clustersOf(values []float64, reach, apart float64) []cluster {
	logs := make([]float64, 0, len(values))
	for _, v := range values {
		if v > 0 && isFinite(v) {
			logs = append(logs, math.Log(v))
		}
	}
	slices.Sort(logs)
	dense := max(clusterLeast, len(logs)/50)
	var out []cluster
	var in []float64
	end := func() {
		if len(in) > 0 {
			out = append(out, cluster{lo: in[0], hi: in[len(in)-1], mid: median(in), n: len(in)})
		}
		in = nil
	}
	first, last := 0, 0 // of those within reach
	for _, x := range logs {
		for logs[first] < x-reach {
			first++
		}
		for last < len(logs) && logs[last] <= x+reach {
			last++
		}
		if last-first < dense {
			continue
		}
		if len(in) > 0 && x-in[len(in)-1] > reach {
			end()
		}
		in = append(in, x)
	}
	end()
	return apartOnly(out, apart)
}

// clusterLeast is the fewest values that make a cluster, where they are few.
const clusterLeast = 3

// apartOnly joins neighbours until all medians are far enough apart.
func apartOnly(cs []cluster, apart float64) []cluster {
	for i := 0; i+1 < len(cs); {
		a, b := cs[i], cs[i+1]
		if b.mid-a.mid >= apart {
			i++
			continue
		}
		n := a.n + b.n
		cs[i] = cluster{lo: a.lo, hi: b.hi, mid: (a.mid*float64(a.n) + b.mid*float64(b.n)) / float64(n), n: n}
		cs = slices.Delete(cs, i+1, i+2)
		i = max(0, i-1)
	}
	return cs
}

// clusterAt is which cluster a value belongs to; -1 = none.
func clusterAt(cs []cluster, value, reach float64) int {
	if !(value > 0) {
		return -1
	}
	x := math.Log(value)
	return slices.IndexFunc(cs, func(c cluster) bool { return c.lo-reach <= x && x <= c.hi+reach })
}
