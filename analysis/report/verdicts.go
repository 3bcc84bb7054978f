package report

import (
	"fmt"
	"sort"
	"strings"

	"netab/analysis"
	"netab/analysis/report/figure"
	"netab/results"
)

// A VerdictTable is the table that every format shows: one row an arm, about
// one metric. Every column has one unit and one number of decimals.
type VerdictTable struct {
	Headline  figure.Info
	Names     string       // heading of the arm column: "arm", or the factors
	Level     figure.Scale // of the headline metric
	Change    figure.Scale
	Side      []SideColumn
	Rows      []VerdictRow
	Compares  bool // any row has a comparison
	Baselines int  // different baselines
}

// A SideColumn is a metric beside the headline.
type SideColumn struct {
	figure.Info
	figure.Scale
	group string // what stands above source and sink
	role  string
}

// A VerdictRow is one arm, or one arm of one run.
type VerdictRow struct {
	Arm      analysis.ArmSummary
	Name     string
	Baseline bool
	Level    *analysis.Level
	Change   *analysis.Comparison
	Side     []*analysis.Level // as VerdictTable.Side, nil where there is none
}

// NewVerdictTable arranges a summary around its headline metric.
func NewVerdictTable(s analysis.Summary) VerdictTable { return VerdictTableOf(s, HeadlineOf(s)) }

// VerdictTableOf arranges a summary around a metric.
func VerdictTableOf(s analysis.Summary, metric string) VerdictTable {
	t := VerdictTable{Headline: figure.InfoOf(metric), Names: armHeading(s.Arms)}
	t.Level = t.Headline.ScaleFor(figure.Levels(s.Arms, metric))
	t.Change = figure.ChangeScale(ComparisonsOf(s, metric), t.Level)
	t.Side = sideColumns(s.Arms, metric)
	for _, arm := range s.Arms {
		t.Rows = append(t.Rows, t.row(arm))
	}
	for i, c := range s.Comparisons {
		base, arm := rowsOf(s.Arms, c)
		if c.Metric != metric || base < 0 || arm < 0 {
			continue
		}
		t.Compares = true
		t.Rows[arm].Change, t.Rows[base].Baseline = &s.Comparisons[i], true
	}
	if len(s.Arms) > 0 && s.Arms[0].Run != "" {
		sideBySide(t.Rows)
		return t // which is compared with which is plain from the pairs
	}
	t.Baselines = len(BaselineNames(s))
	return t
}

func (t VerdictTable) row(arm analysis.ArmSummary) VerdictRow {
	r := VerdictRow{Arm: arm, Name: ArmLabel(arm)}
	if l, ok := arm.Metrics[t.Headline.Name]; ok {
		r.Level = &l
	}
	for _, col := range t.Side {
		l, ok := arm.Metrics[col.Name]
		if !ok {
			r.Side = append(r.Side, nil)
			continue
		}
		r.Side = append(r.Side, &l)
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
func sideBySide(rows []VerdictRow) {
	first := map[string]int{}
	for _, r := range rows {
		if _, ok := first[r.Arm.Name]; !ok {
			first[r.Arm.Name] = len(first)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return first[rows[i].Arm.Name] < first[rows[j].Arm.Name] })
}

// sideColumns are the columns beside the headline: packets where loss says
// that datagrams were counted, transactions and their latency where there are
// any, the CPUs of the roles, and what a byte, a packet or a transaction costs
// each of them.
func sideColumns(arms []analysis.ArmSummary, headline string) []SideColumn {
	var cols []SideColumn
	for _, c := range wantedColumns(arms) {
		ls := figure.Levels(arms, c.Name)
		if c.Name == headline || len(ls) == 0 {
			continue
		}
		c.Scale = c.ScaleFor(ls)
		if c.Quantity == analysis.Share { // a CPU share to a tenth says more than anyone can use
			c.Decimals = min(c.Decimals, 1)
		}
		if c.Quantity == analysis.Latency {
			c.group += " " + c.Unit
		}
		cols = append(cols, c)
	}
	return cols
}

func wantedColumns(arms []analysis.ArmSummary) []SideColumn {
	datagrams, transacting := len(figure.Levels(arms, figure.Loss)) > 0, len(figure.Levels(arms, figure.TransactionRate))
	var wanted []SideColumn
	add := func(group, role, metric string) {
		wanted = append(wanted, SideColumn{Info: figure.InfoOf(metric), group: group, role: role})
	}
	if transacting < len(arms) {
		add("", "", figure.Goodput)
	}
	if transacting > 0 {
		add("", "", figure.TransactionRate)
		add("latency", "p50", figure.LatencyP50)
		add("latency", "p99", figure.LatencyP99)
		add("latency", "p99.9", figure.LatencyP999)
		add("latency", "max", figure.LatencyMax)
	}
	if datagrams {
		add("", "", figure.PacketRate)
		add("", "", figure.Loss)
	}
	add("CPU", "source", figure.CPUSource)
	add("CPU", "sink", figure.CPUSink)
	switch {
	case transacting == len(arms):
		add("ns/transaction", "source", figure.NSTransSource)
		add("ns/transaction", "sink", figure.NSTransSink)
	case datagrams:
		add("ns/packet", "source", figure.NSPacketSource)
		add("ns/packet", "sink", figure.NSPacketSink)
	default:
		add("ns/byte", "source", figure.NSByteSource)
		add("ns/byte", "sink", figure.NSByteSink)
	}
	return wanted
}

// ComparisonsOf are those of a metric that say something.
func ComparisonsOf(s analysis.Summary, metric string) []analysis.Comparison {
	var cs []analysis.Comparison
	for _, c := range s.Comparisons {
		if c.Metric == metric && !c.Untold() {
			cs = append(cs, c)
		}
	}
	return cs
}

// OtherJudged are the comparisons that take part in the verdict beside those
// of the headline metric.
func OtherJudged(s analysis.Summary) []analysis.Comparison {
	headline := HeadlineOf(s)
	var cs []analysis.Comparison
	for _, c := range s.Comparisons {
		if _, _, apart := figure.Beside(c.Metric); apart {
			continue // has a table of its own
		}
		if c.Judged && c.Metric != headline {
			cs = append(cs, c)
		}
	}
	return cs
}

// BaselineNames are the arms that others are compared with.
func BaselineNames(s analysis.Summary) map[string]bool {
	names := map[string]bool{}
	for _, c := range s.Comparisons {
		names[c.Baseline] = true
	}
	return names
}

// ArmLabel is an arm's name; an arm of a matrix is named by its levels alone,
// because the factors stand in the heading.
func ArmLabel(a analysis.ArmSummary) string {
	name := a.Name
	if len(a.Levels) > 0 {
		name = levelValues(a.Levels)
	}
	if a.Run != "" {
		name += " @ " + a.Run
	}
	return name
}

func levelValues(ls []results.FactorLevel) string {
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

// VerdictWords is a verdict as it is written in a table.
func VerdictWords(c *analysis.Comparison) string {
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

// Interval writes both ends in the unit of the change column; one trial alone
// has none.
func (v VerdictTable) Interval(c *analysis.Comparison) string {
	if c.N < 2 || c.Untold() || c.P == nil && c.Lo == c.Hi { // as of one boot against one
		return ""
	}
	return figure.Interval(v.Change, c.Lo, c.Hi)
}

// ChangeText is empty where nothing can be said of the change.
func (v VerdictTable) ChangeText(c *analysis.Comparison) string {
	if c.Untold() {
		return ""
	}
	return v.Change.Signed(c.Change)
}

// OtherText is a comparison beside the headline's, but for its verdict.
func OtherText(s analysis.Summary, c *analysis.Comparison) string {
	if c.Untold() {
		return c.Withheld
	}
	sc := figure.ChangeScale([]analysis.Comparison{*c}, figure.InfoOf(c.Metric).ScaleFor(figure.Levels(s.Arms, c.Metric)))
	return fmt.Sprintf("%s %s (%s)", sc.Signed(c.Change), sc.Unit, figure.Interval(sc, c.Lo, c.Hi))
}

// Shown brings a change into the unit of the change column.
func (v VerdictTable) Shown(x float64) float64 { return x / v.Change.Div }

// Half is the half-width of a level's interval.
func (v VerdictTable) Half(l *analysis.Level) string {
	if l.N < 2 {
		return ""
	}
	return v.Level.Text(figure.HalfWidth(*l))
}

// ArmIndex is the place of the first arm of a name: arms of the same name in
// several runs share their colour.
func ArmIndex(arms []analysis.ArmSummary, name string) int {
	for i, a := range arms {
		if a.Name == name {
			return i
		}
	}
	return 0
}

// HeadlineOf is the metric that the verdict table is about: the first that is
// judged, else what there is.
func HeadlineOf(s analysis.Summary) string {
	for _, c := range s.Comparisons {
		if c.Judged {
			return c.Metric
		}
	}
	for _, name := range s.Metrics {
		if len(figure.Levels(s.Arms, name)) > 0 {
			return name
		}
	}
	if len(s.Comparisons) > 0 {
		return s.Comparisons[0].Metric
	}
	if names := figure.MetricNames(s.Arms); len(names) > 0 && len(figure.Levels(s.Arms, figure.DefaultHeadline)) == 0 {
		return names[0]
	}
	return figure.DefaultHeadline
}
