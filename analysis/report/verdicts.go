package report

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"netab/analysis"
	"netab/results"
)

// A verdictTable is the table that every format shows: one row an arm, about
// one metric. Every column has one unit and one number of decimals.
type verdictTable struct {
	headline  metricInfo
	names     string // heading of the arm column: "arm", or the factors
	level     scale  // of the headline metric
	change    scale
	side      []sideColumn
	rows      []verdictRow
	compares  bool // any row has a comparison
	baselines int  // different baselines
}

// A sideColumn is a metric beside the headline.
type sideColumn struct {
	metricInfo
	scale
	group string // what stands above source and sink
	role  string
}

// A verdictRow is one arm, or one arm of one run.
type verdictRow struct {
	arm      analysis.ArmSummary
	name     string
	baseline bool
	level    *analysis.Level
	change   *analysis.Comparison
	side     []*analysis.Level // as verdictTable.side, nil where there is none
}

// newVerdictTable arranges a summary around its headline metric.
func newVerdictTable(s analysis.Summary) verdictTable { return verdictTableOf(s, headlineOf(s)) }

func verdictTableOf(s analysis.Summary, metric string) verdictTable {
	t := verdictTable{headline: infoOf(metric), names: armHeading(s.Arms)}
	t.level = t.headline.scaleFor(levels(s.Arms, metric))
	t.change = changeScale(comparisonsOf(s, metric), t.level)
	t.side = sideColumns(s.Arms, metric)
	for _, arm := range s.Arms {
		t.rows = append(t.rows, t.row(arm))
	}
	for i, c := range s.Comparisons {
		base, arm := rowsOf(s.Arms, c)
		if c.Metric != metric || base < 0 || arm < 0 {
			continue
		}
		t.compares = true
		t.rows[arm].change, t.rows[base].baseline = &s.Comparisons[i], true
	}
	if len(s.Arms) > 0 && s.Arms[0].Run != "" {
		sideBySide(t.rows)
		return t // which is compared with which is plain from the pairs
	}
	t.baselines = len(baselineNames(s))
	return t
}

func (t verdictTable) row(arm analysis.ArmSummary) verdictRow {
	r := verdictRow{arm: arm, name: armLabel(arm)}
	if l, ok := arm.Metrics[t.headline.name]; ok {
		r.level = &l
	}
	for _, col := range t.side {
		l, ok := arm.Metrics[col.name]
		if !ok {
			r.side = append(r.side, nil)
			continue
		}
		r.side = append(r.side, &l)
	}
	return r
}

// rowsOf finds the two arms that a comparison is of, -1 where one is missing.
// Where a run is compared with itself, the first entry is the baseline.
func rowsOf(arms []analysis.ArmSummary, c analysis.Comparison) (base, arm int) {
	base, arm = -1, -1
	for i, a := range arms {
		if base < 0 && a.Name == c.Baseline && a.Run == c.BaselineRun {
			base = i
		}
		if a.Name == c.Arm && a.Run == c.ArmRun {
			arm = i
		}
	}
	return base, arm
}

// sideBySide brings arms of the same name together, whichever run they are of.
func sideBySide(rows []verdictRow) {
	first := map[string]int{}
	for _, r := range rows {
		if _, ok := first[r.arm.Name]; !ok {
			first[r.arm.Name] = len(first)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return first[rows[i].arm.Name] < first[rows[j].arm.Name] })
}

// sideColumns are the columns beside the headline: packets where loss says
// that datagrams were counted, transactions and their latency where there are
// any, the CPUs of the roles, and what a byte, a packet or a transaction costs
// each of them.
func sideColumns(arms []analysis.ArmSummary, headline string) []sideColumn {
	var cols []sideColumn
	for _, c := range wantedColumns(arms) {
		ls := levels(arms, c.name)
		if c.name == headline || len(ls) == 0 {
			continue
		}
		c.scale = c.scaleFor(ls)
		if c.quantity == share { // a CPU share to a tenth says more than anyone can use
			c.decimals = min(c.decimals, 1)
		}
		if c.quantity == latency {
			c.group += " " + c.unit
		}
		cols = append(cols, c)
	}
	return cols
}

func wantedColumns(arms []analysis.ArmSummary) []sideColumn {
	datagrams, transacting := len(levels(arms, loss)) > 0, len(levels(arms, transactionRate))
	var wanted []sideColumn
	add := func(group, role, metric string) {
		wanted = append(wanted, sideColumn{metricInfo: infoOf(metric), group: group, role: role})
	}
	if transacting < len(arms) {
		add("", "", goodput)
	}
	if transacting > 0 {
		add("", "", transactionRate)
		add("latency", "p50", latencyP50)
		add("latency", "p99", latencyP99)
		add("latency", "p99.9", latencyP999)
		add("latency", "max", latencyMax)
	}
	if datagrams {
		add("", "", packetRate)
		add("", "", loss)
	}
	add("CPU", "source", cpuSource)
	add("CPU", "sink", cpuSink)
	switch {
	case transacting == len(arms):
		add("ns/transaction", "source", nsTransSource)
		add("ns/transaction", "sink", nsTransSink)
	case datagrams:
		add("ns/packet", "source", nsPacketSource)
		add("ns/packet", "sink", nsPacketSink)
	default:
		add("ns/byte", "source", nsByteSource)
		add("ns/byte", "sink", nsByteSink)
	}
	return wanted
}

// changeScale is that of the change column: percents, or for differences the
// scale of the metric itself.
func changeScale(cs []analysis.Comparison, level scale) scale {
	s := scale{div: 0.01, unit: "%"}
	var halves, tops []float64
	for _, c := range cs {
		if c.Difference {
			s = level
			if s.unit == "%" {
				s.unit = "points"
			}
		}
		halves = append(halves, (c.Hi-c.Lo)/2)
		tops = append(tops, max(math.Abs(c.Change), (c.Hi-c.Lo)/2))
	}
	s.decimals = 1
	if s.wide = largest(tops)/s.div >= 1000; s.wide { // factors, not percents, are compared
		s.decimals = 1
		return s
	}
	if h := smallest(halves); h > 0 {
		s.decimals = min(max(1-floorLog10(roundTo2(h/s.div)), 0), 2)
	}
	return s
}

// comparisonsOf are those of a metric that say something.
func comparisonsOf(s analysis.Summary, metric string) []analysis.Comparison {
	var cs []analysis.Comparison
	for _, c := range s.Comparisons {
		if c.Metric == metric && !c.Untold() {
			cs = append(cs, c)
		}
	}
	return cs
}

// otherJudged are the comparisons that take part in the verdict beside those
// of the headline metric.
func otherJudged(s analysis.Summary) []analysis.Comparison {
	headline := headlineOf(s)
	var cs []analysis.Comparison
	for _, c := range s.Comparisons {
		if _, _, apart := beside(c.Metric); apart {
			continue // has a table of its own
		}
		if c.Judged && c.Metric != headline {
			cs = append(cs, c)
		}
	}
	return cs
}

func baselineNames(s analysis.Summary) map[string]bool {
	names := map[string]bool{}
	for _, c := range s.Comparisons {
		names[c.Baseline] = true
	}
	return names
}

// armLabel is an arm's name; an arm of a matrix is named by its levels alone,
// because the factors stand in the heading.
func armLabel(a analysis.ArmSummary) string {
	name := a.Name
	if len(a.Levels) > 0 {
		name = levelValues(a.Levels)
	}
	if a.Run != "" {
		name += " @ " + a.Run
	}
	return name
}

func levelValues(ls []results.Level) string {
	var values []string
	for _, l := range ls {
		values = append(values, l.Value)
	}
	return strings.Join(values, ", ")
}

func armHeading(arms []analysis.ArmSummary) string {
	if len(arms) == 0 || len(arms[0].Levels) == 0 {
		return "Arm"
	}
	var factors []string
	for _, l := range arms[0].Levels {
		factors = append(factors, l.Factor)
	}
	return strings.Join(factors, ", ")
}

// verdictWords is a verdict as it is written in a table.
func verdictWords(c *analysis.Comparison) string {
	// The verdict is of the mean over all draws; where modes are known, no single
	// flow has it.
	switch {
	case c.Modes != nil && c.Modes.Kind == analysis.KindState:
		return string(c.Verdict) + " (by state)"
	case c.Modes != nil:
		return string(c.Verdict) + " (modes)"
	}
	return string(c.Verdict)
}

// interval writes both ends in the unit of the change column; one trial alone
// has none.
func (v verdictTable) interval(c *analysis.Comparison) string {
	if c.N < 2 || c.Untold() {
		return ""
	}
	return interval(v.change, c.Lo, c.Hi)
}

// changeText is empty where nothing can be said of the change.
func (v verdictTable) changeText(c *analysis.Comparison) string {
	if c.Untold() {
		return ""
	}
	return v.change.signed(c.Change)
}

// otherText is a comparison beside the headline's, but for its verdict.
func otherText(s analysis.Summary, c *analysis.Comparison) string {
	if c.Untold() {
		return c.Withheld
	}
	sc := changeScale([]analysis.Comparison{*c}, infoOf(c.Metric).scaleFor(levels(s.Arms, c.Metric)))
	return fmt.Sprintf("%s %s (%s)", sc.signed(c.Change), sc.unit, interval(sc, c.Lo, c.Hi))
}

// half is the half-width of a level's interval.
func (v verdictTable) half(l *analysis.Level) string {
	if l.N < 2 {
		return ""
	}
	return v.level.format(halfWidth(*l))
}

func interval(s scale, lo, hi float64) string {
	return trimBlanks(s.signed(lo)) + " to " + s.signed(hi)
}
