package analysis

import "netab/analysis/stat"

// How the interval of a comparison is made is chosen here, by what its trials show.
//
// Trials that scatter by their own error alone are close to normal, because
// each is a mean over many slices, and keep Student's t. Trials that scatter beyond
// it draw something once and keep it, and how that is distributed nobody knows: it
// may be one of two modes, which are symmetric (Wilcoxon's signed ranks), or a rare
// one (Stringer's bounds). Trials share the machine too: where they scatter, neighbours
// may be alike.
//
// Where most trials show nothing at all, as of loss, not even their scatter tells that
// there is something to be seen; then claims of no change wait for trials enough to
// see what happens in one of ten (unseen).

const (
	// rankTrials is the most trials whose mean is doubted to be normal for their
	// distribution alone: beyond it the mean of two modes is normal enough.
	rankTrials = 50
	// orderTrials are the fewest whose order is looked at.
	orderTrials = 4
	// sharedAlpha is the level at which trials differ by enough for neighbours to
	// share it. It is far above hetAlpha, because with few trials Q seldom sees what is there.
	sharedAlpha = 0.4
	// hetAlpha is the level at which trials are said to disagree.
	hetAlpha = 0.01
)

// choose is of everything that was weighed.
func (e evidence) choose() stat.Method {
	switch {
	case e.within != nil:
		return e.hull()
	case e.units != nil:
		return stat.Over{Sample: e.units.sample, Units: e.units.method, Parts: e.ofTrials()}
	}
	return e.ofTrials()
}

// ofTrials is of the trials as they are.
func (e evidence) ofTrials() stat.Method {
	if e.whole != nil {
		return *e.whole
	}
	xs := values(e.effects)
	var doubts []stat.Method
	if e.odd() && len(xs) <= rankTrials {
		doubts = append(doubts, stat.NewSignedRank(xs))
	}
	if e.odd() {
		doubts = append(doubts, stat.NewStringer(xs))
	}
	if e.mayShare() && !e.apart && !e.overview {
		doubts = append(doubts, stat.NewAutoregression(xs))
	}
	return stat.Widen(e.sample, doubts...)
}

// odd says whether trials may be anything but normal.
func (e evidence) odd() bool {
	return !e.overview && (e.disagree() || e.metric.per > 0) && e.sample.N >= 2 && e.sample.SD > 0
}

// mayShare says whether neighbouring trials may be alike. Trials that agree to within
// their own errors share nothing that matters.
func (e evidence) mayShare() bool {
	return e.differ(sharedAlpha) && e.sample.N >= orderTrials && e.sample.SD > 0
}
