package trend

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/confounder"
	"netab/results"
)

// A Point is one run in a series.
type Point struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Kernel  string    `json:"kernel"`
	Commit  string    `json:"commit,omitempty"` // where the kernel's release carries one
	Boot    string    `json:"boot,omitempty"`
	Value   float64   `json:"value"` // in the metric's unit; a relative change where the series is one

	facts map[string]string
	state map[string]float64 // of the machine, as canaries told it; nil = not known, or several
	x     float64            // on the series' scale
}

// A Filter says which series are wanted. Empty lists mean all, an empty
// Metrics the judged ones.
type Filter struct {
	Scenarios, Arms, Metrics, Machines []string
	// Changes wants each arm's change against its baseline, not its level: it
	// is free of what moves both (the machine), and blind to it (the kernel).
	Changes bool

	judged map[string]float64 // metrics that count as judged beside those that were
}

// AllMetrics in Filter.Metrics means every one.
const AllMetrics = "all"

func (f Filter) wants(scenario string, m *machine, k results.SeriesKey) bool {
	has := func(list []string, x string) bool { return len(list) == 0 || slices.Contains(list, x) }
	_, judged := f.judged[k.Metric]
	metric := k.Judged || judged
	if len(f.Metrics) > 0 {
		metric = slices.Contains(f.Metrics, AllMetrics) || slices.Contains(f.Metrics, k.Metric)
	}
	return metric && f.Changes == (k.Against != "") && has(f.Scenarios, scenario) && has(f.Arms, k.Arm) &&
		(len(f.Machines) == 0 || slices.ContainsFunc(m.names, func(name string) bool { return has(f.Machines, name) }))
}

// identity is what makes two values points of one series.
type identity struct{ scenario, arm, against, metric, traffic, question, machine string }

// A column is one series before it is judged.
type column struct {
	identity
	scale
	host       string
	resolution float64 // of the newest run
	points     []Point
	silent     []Point           // runs in which nothing was received: they have no place on the scale
	missing    *results.Digest   // the newest run that has no figure of it
	older      int               // points whose records do not say which question they answer
	elsewhere  []Point           // runs in another state of the machine than the newest
	facts      map[string]string // of a run whose record does
}

// collect sorts the values of all runs, which are in order of time, into
// series.
func collect(runs []results.Digest, machines []*machine, filter Filter) []*column {
	l := newLineage(runs, machines)
	byID := map[identity]*column{}
	// Runs of one scenario in a row put their values into the same columns,
	// which are then looked up once.
	var targets []*column
	var lastScenario string
	var lastMachine *machine
	var lastKeys []results.SeriesKey
	for i := range runs {
		r := &runs[i]
		if r.Unused != "" {
			continue
		}
		m := machines[i].known()
		p := Point{Run: r.ID, Started: r.Started, Kernel: r.Facts[factKernel], Commit: commitOf(r.Facts[factKernel]), Boot: r.Boot, facts: r.Facts, state: r.State}
		if r.Scenario != lastScenario || m != lastMachine || !sameKeys(r.Series, lastKeys) {
			lastScenario, lastMachine, lastKeys = r.Scenario, m, r.Series
			targets = columnsOf(byID, l, r, filter, m)
		}
		for s, c := range targets {
			if c == nil || s >= len(r.Values) {
				continue
			}
			if r.Series[s].Missing {
				c.missing = r
				continue
			}
			x, ok := c.on(r.Values[s])
			if p.Value, p.x = r.Values[s], x; !ok {
				c.silent = append(c.silent, p)
				continue
			}
			c.points, c.resolution = append(c.points, p), r.Series[s].Resolution
			switch known := r.Series[s].Question != ""; {
			case known && c.facts == nil:
				c.facts = r.Facts
			case !known && c.question != "":
				c.older++
			}
		}
	}
	for _, c := range byID {
		c.stay()
	}
	maps.DeleteFunc(byID, func(_ identity, c *column) bool { return len(c.points)+len(c.silent) == 0 })
	columns := slices.SortedFunc(maps.Values(byID), func(a, b *column) int {
		return cmp.Or(cmp.Compare(a.scenario, b.scenario), cmp.Compare(a.host, b.host), cmp.Compare(a.machine, b.machine),
			cmp.Compare(a.arm, b.arm), cmp.Compare(a.metric, b.metric), cmp.Compare(a.traffic, b.traffic), cmp.Compare(a.against, b.against),
			a.began().Compare(b.began()), cmp.Compare(a.question, b.question))
	})
	nameQuestions(columns)
	return columns
}

// stay keeps the points of the state of the machine that the newest run was in:
// what another state does to a figure is no change of it.
func (c *column) stay() {
	if len(c.points) == 0 {
		return
	}
	now := c.points[len(c.points)-1].state
	in := func(p Point) bool { return analysis.SameState(now, p.state) }
	if !slices.ContainsFunc(c.points, func(p Point) bool { return !in(p) }) {
		return
	}
	all := c.points
	c.points = nil
	for _, p := range all {
		if in(p) {
			c.points = append(c.points, p)
		} else {
			c.elsewhere = append(c.elsewhere, p)
		}
	}
}

// A lineage says which question figures of older records are taken to answer,
// which say so in a few words only: that of the records before them which say the
// same words, else of those after them. A store is not cut in two where netab
// began to record descriptions.
type lineage struct {
	first map[identity]string
	last  map[identity]string // so far
}

func newLineage(runs []results.Digest, machines []*machine) lineage {
	l := lineage{map[identity]string{}, map[identity]string{}}
	var lastKeys []results.SeriesKey
	last := -1
	for i := range runs {
		r := &runs[i]
		if r.Unused != "" || last >= 0 && sameKeys(r.Series, lastKeys) && r.Scenario == runs[last].Scenario && machines[i] == machines[last] {
			continue
		}
		last, lastKeys = i, r.Series
		for _, key := range r.Series {
			if id := seriesOf(r, key, machines[i].known().key, ""); key.Question != "" && l.first[id] == "" {
				l.first[id] = key.Question
			}
		}
	}
	return l
}

func seriesOf(r *results.Digest, key results.SeriesKey, machine, question string) identity {
	return identity{r.Scenario, key.Arm, key.Against, key.Metric, key.Traffic, question, machine}
}

// of is the identity of a run's values; runs are asked for in order of time.
func (l lineage) of(r *results.Digest, key results.SeriesKey, machine string) identity {
	id := seriesOf(r, key, machine, "")
	question := key.Question
	if question == "" {
		question = cmp.Or(l.last[id], l.first[id])
	} else {
		l.last[id] = question
	}
	id.question = question
	return id
}

// nameQuestions adds to the words for an arm's traffic what else tells apart
// series that have the same words. Columns are sorted by them.
func nameQuestions(columns []*column) {
	for len(columns) > 0 {
		n := 1
		words := columns[0].identity
		for n < len(columns) {
			other := columns[n].identity
			if other.question = words.question; other != words {
				break
			}
			n++
		}
		var of []map[string]string
		for _, c := range columns[:n] {
			of = append(of, questionFacts(c.facts, c.arm))
		}
		for i, text := range distinctions(of) {
			columns[i].traffic += text
		}
		columns = columns[n:]
	}
}

// questionFacts are the facts of one arm by their paths ("traffic.direction").
func questionFacts(facts map[string]string, arm string) map[string]string {
	out := map[string]string{}
	for name, value := range facts {
		for _, part := range questionParts {
			if fact, ok := strings.CutPrefix(name, confounder.ArmFact(part, arm, "")); ok {
				out[part+"."+fact] = value
			}
		}
	}
	return out
}

// distinctions are what is said of each in which they differ.
func distinctions(of []map[string]string) []string {
	out := make([]string, len(of))
	names := map[string]bool{}
	for _, facts := range of {
		for name := range facts {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !slices.ContainsFunc(of, func(facts map[string]string) bool { return facts[name] != of[0][name] }) {
			continue
		}
		for i, facts := range of {
			out[i] += ", " + name + " " + cmp.Or(facts[name], "not set")
		}
	}
	return out
}

// columnsOf are the columns for a run's values, nil where one is not wanted.
func columnsOf(byID map[identity]*column, l lineage, r *results.Digest, filter Filter, m *machine) []*column {
	out := make([]*column, len(r.Series))
	for s, key := range r.Series {
		if !filter.wants(r.Scenario, m, key) {
			continue
		}
		id := l.of(r, key, m.key)
		if byID[id] == nil {
			byID[id] = &column{identity: id, host: m.label, scale: scaleOf(key.Metric, key.Against != "")}
		}
		out[s] = byID[id]
	}
	return out
}

// sameKeys: the index gives runs of one kind one and the same list.
func sameKeys(a, b []results.SeriesKey) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// A scale is where differences of a series mean the same everywhere.
type scale int

const (
	logarithm  scale = iota // levels that are ratios: a step of 5 % is as long at any level
	logChange               // relative changes: the logarithm of 1 + the change
	difference              // metrics that can be zero, as they are
)

func scaleOf(metric string, isChange bool) scale {
	switch m, known := analysis.LookupMetric(metric); {
	case known && m.Difference:
		return difference
	case isChange:
		return logChange
	}
	return logarithm
}

// on puts a value on the scale; not ok = it has no place there.
func (s scale) on(v float64) (x float64, ok bool) {
	switch s {
	case difference:
		return v, true
	case logChange:
		return math.Log1p(v), v > -1
	}
	return math.Log(v), v > 0
}

// off is the value that on made x of.
func (s scale) off(x float64) float64 {
	switch s {
	case difference:
		return x
	case logChange:
		return math.Expm1(min(x, 700))
	}
	return math.Exp(min(x, 700))
}

// change is a difference on the scale as people read it: relative, or in the
// metric's unit.
func (s scale) change(delta float64) float64 {
	if s == difference {
		return delta
	}
	return math.Expm1(min(delta, 700))
}

// margin is the resolution on the scale (analysis.Metric's margin).
func (s scale) margin(resolution float64) float64 {
	if s == difference {
		return resolution
	}
	return math.Log1p(resolution)
}

func (c *column) xs() []float64 {
	xs := make([]float64, len(c.points))
	for i, p := range c.points {
		xs[i] = p.x
	}
	return xs
}
