package html

import (
	"fmt"
	"sort"
	"strings"

	"netab/analysis/prose"
	"netab/results"
)

// A ledgerView is where every datagram of each arm went.
type ledgerView struct {
	Places []string
	Rows   []ledgerRow
}

// A ledgerRow is one arm over all valid trials.
type ledgerRow struct {
	Arm         string
	index       int
	Sent        int64
	Received    int64
	Dropped     []int64 // as ledgerView.Places
	Unexplained int64
}

// Share writes a count as a share of what was sent.
func (r ledgerRow) Share(n int64) string {
	if r.Sent <= 0 {
		return ""
	}
	return prose.Short(100*float64(n)/float64(r.Sent)) + " %"
}

// Balanced says whether all that was sent is accounted for, to one in a
// thousand.
func (r ledgerRow) Balanced() bool {
	u := r.Unexplained
	if u < 0 {
		u = -u
	}
	return float64(u) <= 0.001*float64(r.Sent)
}

// newLedger adds the arms' ledgers up; nil where no arm has one.
func newLedger(d runData) *ledgerView {
	type sums struct {
		results.Ledger
		seen bool
	}
	arms := make([]sums, len(d.arms))
	places := map[string]bool{}
	for _, t := range d.rec.Valid() {
		for arm := range arms {
			a, s := t.Arm(arm).Seen, &arms[arm]
			if a == nil || !a.Ledger.Valid {
				continue
			}
			if s.Dropped == nil {
				s.Dropped = map[string]int64{}
			}
			s.seen = true
			s.Sent += a.Ledger.Sent
			s.Received += a.Ledger.Received
			s.Unexplained += a.Ledger.Unexplained
			for place, n := range a.Ledger.Dropped {
				s.Dropped[place] += n
				places[place] = true
			}
		}
	}
	v := &ledgerView{}
	for place := range places {
		v.Places = append(v.Places, place)
	}
	sort.Strings(v.Places)
	for i, s := range arms {
		if !s.seen {
			continue
		}
		r := ledgerRow{Arm: d.arms[i], index: i, Sent: s.Sent, Received: s.Received, Unexplained: s.Unexplained}
		for _, place := range v.Places {
			r.Dropped = append(r.Dropped, s.Dropped[place])
		}
		v.Rows = append(v.Rows, r)
	}
	if len(v.Rows) == 0 {
		return nil
	}
	return v
}

// ledgerChart shows what did not arrive, by the place where it was lost.
func ledgerChart(id string, v *ledgerView) (chart, error) {
	names := make([]string, len(v.Rows))
	alt := make([]string, len(v.Rows))
	for i, r := range v.Rows {
		names[i] = r.Arm
		alt[i] = fmt.Sprintf("%s: %s of %s received", r.Arm, prose.Grouped(r.Received), prose.Grouped(r.Sent))
	}
	p := newPlot(valueX("Not received (% of datagrams sent)"), categoryY("", names))
	p.XAxisList[0].Scale = nil
	legend := append(append([]string(nil), v.Places...), "unexplained")
	for i, place := range legend {
		values := make([]any, 0, len(v.Rows))
		for _, r := range v.Rows {
			n := r.Unexplained
			if i < len(v.Places) {
				n = r.Dropped[i]
			}
			values = append(values, shareOf(n, r.Sent))
		}
		color := armColor(i + 1)
		if i == len(v.Places) {
			color = "--muted"
		}
		p.series(bar(place, color, values))
	}
	p.legend(legend)
	return p.finish(chart{ID: id, Title: "Where datagrams were lost", Height: max(120+36*len(names), 200), Wide: true,
		Alt: "Datagrams not received, by place. " + strings.Join(alt, "; ") + "."})
}

func shareOf(n, of int64) float64 {
	if of <= 0 {
		return 0
	}
	return round(100*float64(n)/float64(of), 1e5)
}
