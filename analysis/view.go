package analysis

import "netab/results"

// A view is what one trial recorded of one arm: of its main traffic, or of one
// that ran beside it.
type view struct {
	trial  *results.Trial
	at     int // position of the trial in the run
	index  int // of the arm
	arm    results.Arm
	beside string
}

// views lists what the valid trials say of an arm, in order of time.
func views(d results.Design, trials []results.Trial, m Metric, arm int) []view {
	var vs []view
	for i := range trials {
		if trials[i].Invalid == "" {
			vs = append(vs, viewOf(d, &trials[i], i, m, arm))
		}
	}
	return vs
}

func viewOf(d results.Design, t *results.Trial, at int, m Metric, arm int) view {
	v := view{trial: t, at: at, index: arm, beside: m.beside}
	if arm >= 0 && arm < len(d.Arms) {
		v.arm = d.Arms[arm]
	}
	if m.beside != "" {
		v.arm = besideArm(v.arm, m.beside)
	}
	return v
}

// of says whether a slice is one of the view's that count.
func (v view) of(s *results.Slice) bool { return s.Arm == v.index && counted(s) }

// seen is what the view's traffic did in a slice.
func (v view) seen(s *results.Slice) *results.Slice {
	if v.beside == "" {
		return s
	}
	return &results.Slice{Block: s.Block, Arm: s.Arm, CountedNS: s.CountedNS, Counts: s.Beside[v.beside]}
}

// latency is nil where none was recorded.
func (v view) latency() *results.Histogram {
	at := armTrial(v.trial, v.index)
	switch {
	case at == nil:
		return nil
	case v.beside != "":
		return at.Beside[v.beside].Latency
	default:
		return at.Latency
	}
}

func counted(s *results.Slice) bool { return s.Invalid == "" && s.CountedNS > 0 }
