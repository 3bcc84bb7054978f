package analysis

import (
	"math"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// lossFreeRate is the highest rate whose loss stays within an arm's bound, from
// slices that were offered different rates.
//
// A slice either keeps within the bound or exceeds it. Loss near the limit is
// a matter of chance, so no single slice decides: the rate is where half the
// slices exceed (the goal exceed ratio of MLRsearch, draft-ietf-bmwg-mlrsearch).
// All that is assumed of the share that exceeds is that it does not fall as
// the rate rises; its estimate under that is isotonic regression, and it holds
// for rates chosen by whatever search.
type lossFreeRate struct{}

func (lossFreeRate) value(v view) float64 {
	rate, _ := threshold(ratings(v))
	return rate
}

func (lossFreeRate) effect(m Metric, a, b view) (effect, bool) { return plainEffect(m, a, b) }

func (lossFreeRate) level(m Metric, _ []view, xs []float64, alpha float64) Level {
	return plainLevel(m, xs, alpha)
}

// LossFreeRate is the estimate from the slices of one trial, for whoever chooses
// the rates of the next. The edge is -1 if even the lowest rate tried lost too
// much, 1 if not even the highest did.
func LossFreeRate(arms []results.Arm, t *results.Trial, arm int) (rate float64, edge int) {
	r := record.Of(results.Design{Arms: arms}, []results.Trial{*t})
	rate, at := threshold(ratings(viewOf(r, &r.Trials[0], Metric{}, arm)))
	switch at {
	case below:
		return rate, -1
	case above:
		return rate, 1
	}
	return rate, 0
}

// underWay is how many messages may be between the roles at the edges of a
// slice's counted part, as a share of those sent, and underWayLeast at the
// least: without a drop at the sink's socket, which is counted exactly, so much
// less received than sent is not yet loss. A flow that loses any elsewhere
// loses more than that at a rate only as much higher.
const (
	underWay      = 0.001
	underWayLeast = 64
)

// ratings are the slices of a search: whether each exceeds the bound (0 or 1), over the
// log of the rate that was really sent. A source that cannot send as much as it was
// asked to has not tried it.
func ratings(v view) []stat.Point {
	var rs []stat.Point
	bound := 0.0
	if v.arm.LossFree != nil {
		bound = *v.arm.LossFree
	}
	for _, s := range v.in.Counted {
		if !(s.Rate > 0) || s.TxMsgs <= 0 {
			continue
		}
		rate := min(s.Rate, float64(s.TxMsgs)/seconds(s.CountedNS))
		r := stat.Point{X: math.Log(rate), Weight: 1}
		if lostOf(v.arm, s) > bound*due(v.arm, s) {
			r.Y = 1
		}
		rs = append(rs, r)
	}
	return rs
}

// lostOf is how many messages of a slice were lost for certain.
func lostOf(arm *results.Arm, s *results.Slice) float64 {
	sent := due(arm, s)
	short := sent - float64(s.RxMsgs)
	if short <= max(underWay*sent, underWayLeast) {
		short = 0
	}
	return max(float64(s.Drops), short)
}

// An edge says that the rates tried did not enclose the one sought.
type edge int

const (
	inside edge = iota
	below       // even the lowest lost too much
	above       // not even the highest did
)

// threshold is the rate at which half the slices exceed, interpolated between
// the rates tried on a logarithmic scale; at an edge, the rate tried there.
// Without a slice it is NaN.
func threshold(rs []stat.Point) (rate float64, at edge) {
	fit := stat.Isotonic(rs)
	if len(fit) == 0 {
		return math.NaN(), inside
	}
	for i, r := range fit {
		switch {
		case r.Y < 0.5:
		case i == 0:
			return math.Exp(r.X), below
		default:
			low := fit[i-1]
			return math.Exp(low.X + (r.X-low.X)*(0.5-low.Y)/(r.Y-low.Y)), inside
		}
	}
	return math.Exp(fit[len(fit)-1].X), above
}
