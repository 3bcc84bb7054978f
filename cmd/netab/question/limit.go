package question

import (
	"netab/results"
)

// A limit is how much every arm is to move before a run ends undecided, as far as it
// has come.
type limit struct {
	bytes, messages float64 // 0 = however much
	arms            []moved
	seen            int // trials
}

type moved struct{ bytes, messages float64 }

// limit is that of the scenario; nil if it has none.
func (q *Question) limit() *limit {
	l := &limit{bytes: float64(q.Measure.MaxBytes), messages: float64(q.Measure.MaxMessages), arms: make([]moved, len(q.Arms))}
	if l.bytes == 0 && l.messages == 0 {
		return nil
	}
	return l
}

// reached says whether each arm has moved as much as either limit says, in the counted
// parts of valid trials.
func (l *limit) reached(trials []results.Trial) bool {
	if l == nil {
		return false
	}
	for ; l.seen < len(trials); l.seen++ {
		if trials[l.seen].Invalid != "" {
			continue
		}
		for _, s := range trials[l.seen].Slices {
			if s.Arm < 0 || s.Arm >= len(l.arms) {
				continue
			}
			l.arms[s.Arm].bytes += float64(s.RxBytes)
			l.arms[s.Arm].messages += float64(max(s.RxMsgs, s.Transactions))
		}
	}
	all := func(enough func(moved) bool) bool {
		for _, m := range l.arms {
			if !enough(m) {
				return false
			}
		}
		return len(l.arms) > 0
	}
	return l.bytes > 0 && all(func(m moved) bool { return m.bytes >= l.bytes }) ||
		l.messages > 0 && all(func(m moved) bool { return m.messages >= l.messages })
}
