package analysis

import (
	"netab/analysis/record"
	"netab/results"
)

// A view is what one trial recorded of one arm: of its main traffic, or of one
// that ran beside it.
type view struct {
	trial  *record.Trial
	in     *record.Arm
	arm    *results.Arm
	beside string
	copied bool // its latency is from a packet's arrival to the return of the call that received it
}

// views lists what the valid trials say of an arm, in order of time.
func views(r *record.Record, m Metric, arm int) []view {
	var vs []view
	for _, t := range r.Valid() {
		vs = append(vs, viewOf(r, t, m, arm))
	}
	return vs
}

func viewOf(r *record.Record, t *record.Trial, m Metric, arm int) view {
	v := view{trial: t, in: t.Arm(arm), arm: &results.Arm{}, beside: m.beside, copied: m.copied}
	if arm >= 0 && arm < len(r.Design.Arms) {
		v.arm = &r.Design.Arms[arm]
	}
	if m.beside != "" {
		of := besideArm(*v.arm, m.beside)
		v.arm = &of
	}
	return v
}

// seen is what the view's traffic did in a slice.
func (v view) seen(s *results.Slice) *results.Slice {
	if v.beside == "" {
		return s
	}
	return &results.Slice{Block: s.Block, Arm: s.Arm, CountedNS: s.CountedNS, Counts: s.Beside[v.beside]}
}

// latency is nil where none was recorded.
func (v view) latency() *results.Histogram {
	switch {
	case !v.copied:
		return v.in.Latency(v.beside)
	case v.in == nil || v.in.Seen == nil:
		return nil
	}
	return v.in.Seen.CopyDelay
}
