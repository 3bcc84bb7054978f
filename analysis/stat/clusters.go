package stat

import (
	"math"
	"slices"
)

// A Cluster is a range of values that lie close together, with nothing near it.
type Cluster struct {
	Lo, Hi, Mid float64 // of logarithms; Mid is the median
	N           int
}

// Clusters finds the clusters of positive values by their density on the log
// scale (DBSCAN in one dimension: Ester and others 1996): a value belongs where
// enough others are within reach of it, so that a few strays between two clusters
// neither join them nor make one. Clusters whose medians are less than apart
// from each other are one: what wanders is no state.
func Clusters(values []float64, reach, apart float64) []Cluster {
	logs := make([]float64, 0, len(values))
	for _, v := range values {
		if v > 0 && IsFinite(v) {
			logs = append(logs, math.Log(v))
		}
	}
	slices.Sort(logs)
	dense := max(clusterLeast, len(logs)/50)
	var out []Cluster
	var in []float64
	end := func() {
		if len(in) > 0 {
			out = append(out, Cluster{Lo: in[0], Hi: in[len(in)-1], Mid: Median(in), N: len(in)})
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
func apartOnly(cs []Cluster, apart float64) []Cluster {
	for i := 0; i+1 < len(cs); {
		a, b := cs[i], cs[i+1]
		if b.Mid-a.Mid >= apart {
			i++
			continue
		}
		n := a.N + b.N
		cs[i] = Cluster{Lo: a.Lo, Hi: b.Hi, Mid: (a.Mid*float64(a.N) + b.Mid*float64(b.N)) / float64(n), N: n}
		cs = slices.Delete(cs, i+1, i+2)
		i = max(0, i-1)
	}
	return cs
}

// ClusterAt is which cluster a value belongs to; -1 = none.
func ClusterAt(cs []Cluster, value, reach float64) int {
	if !(value > 0) {
		return -1
	}
	x := math.Log(value)
	return slices.IndexFunc(cs, func(c Cluster) bool { return c.Lo-reach <= x && x <= c.Hi+reach })
}
