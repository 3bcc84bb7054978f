package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Units of what contenders count.
const (
	bytesUnit    = "bytes"
	transactions = "transactions"
)

// A comparison is a line: the fastest of ours against the fastest of peers.
type comparison struct {
	name        string
	ours, peers []string
	wanted      wanted
}

// A limit is a line for something of netab that must stay below a bound in
// every trial; its ratio is the figure over the bound.
type limit struct {
	name, of string
	most     float64
	unit     string
	value    func(outcome) float64
	messages bool // say how many messages were received meanwhile
}

// wanted is where a ratio should lie; the zero value asks for nothing.
type wanted struct{ lo, hi float64 }

func atLeast(r float64) wanted { return wanted{r, math.Inf(1)} }
func atMost(r float64) wanted  { return wanted{0, r} }

// within is a relative deviation of so much either way.
func within(d float64) wanted { return wanted{1 - d, 1 + d} }

func (w wanted) String() string {
	switch {
	case w == wanted{}:
		return "-"
	case math.IsInf(w.hi, 1):
		return fmt.Sprintf(">=%g", w.lo)
	case w.lo == 0:
		return fmt.Sprintf("<=%g", w.hi)
	}
	return fmt.Sprintf("%g..%g", w.lo, w.hi)
}

// mark says of an interval whether it lies where it should.
func (w wanted) mark(r ratio) string {
	switch {
	case w == wanted{}:
		return "-"
	case r.lo >= w.lo && r.hi <= w.hi:
		return "met"
	case r.hi < w.lo || r.lo > w.hi:
		return "MISSED"
	}
	return "unclear"
}

// A result is a line measured, or the reason why it is not.
type result struct {
	name   string
	ratio  ratio
	wanted wanted
	mark   string
	note   string
}

const heading = "# name                     ratio      lo      hi   n  wanted        is       of\n"

func (r result) print(w io.Writer) {
	if r.ratio.n == 0 {
		fmt.Fprintf(w, "%-24s %7s %7s %7s %3d  %-12s  %-7s  %s\n", r.name, "-", "-", "-", 0, r.wanted, "-", r.note)
		return
	}
	fmt.Fprintf(w, "%-24s %7.3f %7.3f %7.3f %3d  %-12s  %-7s  %s\n",
		r.name, r.ratio.mean, r.ratio.lo, r.ratio.hi, r.ratio.n, r.wanted, r.mark, r.note)
}

// find is where the contenders of such names are, those that are there.
func find(contenders []entrant, names []string) (at []int) {
	for i, e := range contenders {
		if slices.Contains(names, e.name) {
			at = append(at, i)
		}
	}
	return at
}

// withoutMissing leaves out what is not installed, and what nothing is printed
// of without it.
func (m match) withoutMissing() match {
	there := slices.DeleteFunc(slices.Clone(m.contenders), func(e entrant) bool { return e.missing != "" })
	m.ratios = slices.DeleteFunc(slices.Clone(m.ratios), func(c comparison) bool {
		return len(find(there, c.ours)) == 0 || len(find(there, c.peers)) == 0
	})
	return m.needing(there)
}

// needing keeps those of the contenders that a line is about.
func (m match) needing(contenders []entrant) match {
	var names []string
	for _, c := range m.ratios {
		names = append(append(names, c.ours...), c.peers...)
	}
	for _, l := range m.limits {
		names = append(names, l.of)
	}
	m.contenders = nil
	for _, i := range find(contenders, names) {
		m.contenders = append(m.contenders, contenders[i])
	}
	return m
}

// only keeps the lines whose names are wanted, and whom they need.
func (m match) only(name func(string) bool) match {
	m.ratios = slices.DeleteFunc(slices.Clone(m.ratios), func(c comparison) bool { return !name(c.name) })
	m.limits = slices.DeleteFunc(slices.Clone(m.limits), func(l limit) bool { return !name(l.name) })
	return m.needing(m.contenders)
}

// judge makes the lines of all trials; contenders are those that took part.
func (m match) judge(contenders []entrant, trials [][]outcome, rates [][]float64) (out []result) {
	for _, c := range m.ratios {
		r := result{name: c.name, wanted: c.wanted}
		ours, peers := find(contenders, c.ours), find(contenders, c.peers)
		if len(ours) == 0 || len(peers) == 0 {
			r.note = m.missing(append(slices.Clone(c.ours), c.peers...))
		} else {
			over, under := fastest(rates, ours), fastest(rates, peers)
			r.ratio = between(rates, over, under)
			r.mark = c.wanted.mark(r.ratio)
			r.note = contenders[over].name + " / " + contenders[under].name
		}
		out = append(out, r)
	}
	for _, l := range m.limits {
		out = append(out, l.judge(find(contenders, []string{l.of})[0], trials))
	}
	return out
}

// missing says what those of the names lack that are not here.
func (m match) missing(names []string) string {
	var reasons []string
	for _, i := range find(m.contenders, names) {
		if why := m.contenders[i].missing; why != "" && !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	return strings.Join(reasons, "; ")
}

// judge is the mean over trials, with the least and the most instead of an
// interval: the bound holds for each.
func (l limit) judge(of int, trials [][]outcome) result {
	var values []float64
	sum, messages := 0.0, int64(math.MaxInt64)
	for _, t := range trials {
		messages = min(messages, t[of].messages)
		v := l.value(t[of]) / l.most
		values, sum = append(values, v), sum+v
	}
	r := ratio{sum / float64(len(values)), slices.Min(values), slices.Max(values), len(values)}
	mark := "met"
	if r.hi > 1 {
		mark = "MISSED"
	}
	note := fmt.Sprintf("at most %.4g of %g %s (%s)", r.hi*l.most, l.most, l.unit, l.of)
	if l.messages {
		note += fmt.Sprintf(", %d messages or more", messages)
	}
	return result{name: l.name, ratio: r, wanted: atMost(1), mark: mark, note: note}
}
