package stat

import (
	"math"
	"slices"
)

// A Part is what one of several conditions says of a centre, and its share in what
// is asked for. (Of what share a condition takes in the long run, a sample says
// little.)
type Part struct {
	Method
	Share float64
}

// A Hull is the interval of a mean of several centres with weights that nobody
// knows: it holds the intervals of all. Whatever the weights are, the mean is no
// larger than the largest centre; to lie above the hull, that one must lie above its
// own interval. So the hull misses no oftener than one of them does, and costs no
// share of alpha (intersection and union: Berger 1982, "Multiparameter hypothesis
// testing and acceptance sampling"). What each part is called by itself is one claim
// more per part, and for that they share alpha by Holm's method; the hull is of
// these intervals, so that what is shown fits together.
type Hull struct {
	parts []Part
	ps    []float64 // of each part; 1 where it cannot tell
	known bool      // all can tell
}

// NewHull is of one part at least.
func NewHull(parts []Part) Hull {
	h := Hull{parts: parts, known: true}
	for _, of := range parts {
		p, ok := of.P(0)
		if !ok {
			p, h.known = 1, false
		}
		h.ps = append(h.ps, p)
	}
	return h
}

// Name is of the whole: the parts have names of their own.
func (h Hull) Name() string { return "the hull of several intervals" }

// Shares are the parts' of alpha.
func (h Hull) Shares(alpha float64) []float64 { return Holm(h.ps, alpha) }

// Interval holds each part's at its share of alpha.
func (h Hull) Interval(alpha float64) Interval {
	all := Interval{Lo: math.Inf(1), Hi: math.Inf(-1)}
	for i, share := range h.Shares(alpha) {
		of := h.parts[i].Interval(share)
		all.Lo, all.Hi = min(all.Lo, of.Lo), max(all.Hi, of.Hi)
		for _, name := range of.By {
			if !slices.Contains(all.By, name) {
				all.By = append(all.By, name)
			}
		}
	}
	return all
}

// Centre is the mean of the parts' by their shares.
func (h Hull) Centre() float64 {
	centre, shares := 0.0, 0.0
	for _, of := range h.parts {
		centre += of.Share * of.Centre()
		shares += of.Share
	}
	return centre / shares
}

// P is that some part's centre is zero or of another sign than the others': that of
// the least sure, 1 where their signs differ. It costs no share of alpha either, so the
// interval, which does, may hold zero at an alpha that p is just below.
func (h Hull) P(least float64) (float64, bool) {
	if !h.known {
		return 0, false
	}
	up := 0
	for _, of := range h.parts {
		if of.Centre() > 0 {
			up++
		}
	}
	if up != 0 && up != len(h.parts) {
		return 1, true
	}
	return max(least, slices.Max(h.ps)), true
}

// SmallestDetectable is what would be seen in every part.
func (h Hull) SmallestDetectable(alpha float64) (float64, bool) {
	most := 0.0
	for i, share := range h.Shares(alpha) {
		d, ok := h.parts[i].SmallestDetectable(share)
		if !ok {
			return 0, false
		}
		most = max(most, d)
	}
	return most, true
}
