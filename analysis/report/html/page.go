package html

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/analysis/why"
	"netab/results"
)

// A frame is what every page has.
type frame struct {
	Title   string
	Policy  string
	Style   template.CSS
	ECharts template.JS
	Script  template.JS

	ChartVersion, Licenses string // of what draws the charts
}

// A runsPage is the report of runs, ready for the template.
type runsPage struct {
	frame
	Compare  *comparison
	Sections []section
	Several  bool
}

// A comparison is the runs judged against each other.
type comparison struct {
	Head headView
	verdictView
	Sides        []analysis.Side
	Forced       string
	Checks       []gate.Check // each verdict in plain words, how sure, and its method
	Interactions []string
	Effects      []chart
	Levels       []chart // before and after
	Why          []whyView
	Backs        *backView // of one run only
	Campaign     *campaignView
}

// A section is one run.
type section struct {
	ID   string
	Head headView
	verdictView
	Effects       []chart // forest, sweep, heat map
	Rates         []chart // achieved and lost over offered, the search for a loss-free rate
	Latency       []chart
	Slices        []chart
	Spread        []chart
	CPU           []chart
	Ledger        *ledgerView
	LedgerC       []chart
	CPUs          cpuTable
	Settings      settingsView
	Machine       []fact
	OtherMachines []otherMachine // machines of a path that has its sides on several
	Lists         []fact         // long ones of the machine
	Run           []fact
	Repeat        repeatView
	Stats         []statsRow
	Looks         []results.Look
	Levels        levelsTable
	Limits        []fact // which role was the limit, by arm
	Why           []whyView
	Backs         *backView
	Watched       *watchedView
	Events        []report.EventRow

	Interactions []string
}

// A fact is a name and a value.
type fact struct{ Name, Value string }

func newPage(in Input) (*runsPage, error) {
	campaign := in.Compare != nil && in.Compare.Campaign != nil
	p := &runsPage{Several: len(in.Runs) > 1 && !campaign}
	for i, run := range in.Runs {
		if campaign {
			break // its boots are drawn together; each by itself is a report of its own
		}
		s, err := newSection(fmt.Sprintf("r%d", i+1), run, in.Summaries[i])
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, s)
	}
	if len(p.Sections) > 0 {
		p.Title = "netab: " + p.Sections[0].Head.Question
	}
	if p.Several {
		p.Title = fmt.Sprintf("netab: %s", prose.Counted(len(in.Runs), "run"))
	}
	if in.Compare != nil {
		c, err := newComparison(*in.Compare, in.Runs)
		if err != nil {
			return nil, err
		}
		p.Compare, p.Title = c, "netab: "+c.Head.Question
	}
	return p, nil
}

func newComparison(s analysis.Summary, runs []*results.Run) (*comparison, error) {
	v := report.NewVerdictTable(s)
	c := &comparison{Head: newHead(s), verdictView: newVerdictView(s, v), Sides: s.Sides, Forced: strings.Join(s.Forced, ", "),
		Checks: gate.New(s, nil, time.Time{}).Checks, Interactions: report.InteractionTexts(s)}
	for i, metric := range comparedMetrics(s) {
		id := "cmp-forest"
		if i > 0 {
			id += fmt.Sprint(i)
		}
		forest, err := forestChart(id, s, report.VerdictTableOf(s, metric))
		if err != nil {
			return nil, err
		}
		forest.Title = figure.InfoOf(metric).Title
		c.Effects = append(c.Effects, forest)
	}
	heats, err := sweepHeats(func(name string) string { return "cmp-" + name }, s.Sweep)
	if err != nil {
		return nil, err
	}
	c.Effects = append(c.Effects, heats...)
	all, ok, err := metricsForest("cmp-metrics", s)
	if ok {
		c.Effects = append(c.Effects, all)
	}
	if err != nil {
		return nil, err
	}
	if c.Levels, err = beforeAfter(s, runs); err != nil {
		return nil, err
	}
	if c.Campaign, err = newCampaignView(s, runs); err != nil {
		return nil, err
	}
	c.Why, err = newWhyViews("cmp", s, func(e *why.Explanation, most int) []why.Flame { return flamesBetween(s.Sides, runs, e, most) })
	c.link(c.Why)
	return c, err
}

// comparedMetrics are the judged ones that were compared; where none is
// judged, the headline.
func comparedMetrics(s analysis.Summary) []string {
	var out []string
	for _, c := range s.Comparisons {
		if c.Judged && !slices.Contains(out, c.Metric) {
			out = append(out, c.Metric)
		}
	}
	if len(out) == 0 && report.NewVerdictTable(s).Compares {
		out = append(out, report.HeadlineOf(s))
	}
	return out
}

func newSection(id string, run *results.Run, s analysis.Summary) (section, error) {
	v := report.NewVerdictTable(s)
	d := readRun(run, v.Headline.Name)
	sec := section{ID: id, Head: newHead(s), verdictView: newVerdictView(s, v), Ledger: newLedger(d),
		CPUs: newCPUTable(run), Settings: newSettings(run), Machine: machineFacts(run.Header.Machine), Lists: machineLists(run.Header.Machine), OtherMachines: otherMachines(run, s), Run: runFacts(run, s),
		Repeat: newRepeat(run), Stats: statsRows(s), Levels: newLevelsTable(s), Events: report.EventRows(s), Interactions: report.InteractionTexts(s)}
	for i := range sec.Rows {
		if !sec.Rows[i].Baseline {
			sec.Rows[i].Command = armCommand(run, v.Rows[i].Arm.Name)
		}
	}
	var err error
	sec.Why, err = newWhyViews(id, s, func(e *why.Explanation, most int) []why.Flame { return analysis.FlamesOf(run, &s, e, most) })
	if err != nil {
		return sec, err
	}
	sec.Backs, sec.Watched = newBackView(run), newWatchedView(s)
	sec.link(sec.Why)
	sec.Head.Context = contextLine(run)
	for _, a := range s.Arms {
		if a.Limit != nil {
			sec.Limits = append(sec.Limits, fact{report.ArmLabel(a), a.Limit.Text})
		}
	}
	if run.End != nil {
		sec.Looks = run.End.Looks
	}
	return sec, sec.draw(run, s, v, d)
}

// draw makes the charts that the run has data for.
func (sec *section) draw(run *results.Run, s analysis.Summary, v report.VerdictTable, d runData) error {
	var firstErr error
	add := func(list *[]chart, c chart, err error) {
		if err != nil && firstErr == nil {
			firstErr = err
		}
		*list = append(*list, c)
	}
	id := func(name string) string { return sec.ID + "-" + name }
	if v.Compares {
		c, err := forestChart(id("forest"), s, v)
		add(&sec.Effects, c, err)
	}
	rates, err := ladderCharts(id, d)
	if sec.Rates = rates; err != nil {
		return err
	}
	if c, ok, err := sweepChart(id("sweep"), run.Header.Design, s, v); ok && rates == nil { // a ladder says more
		add(&sec.Effects, c, err)
	}
	if c, ok, err := heatChart(id("heat"), run.Header.Design, v); ok {
		add(&sec.Effects, c, err)
	}
	heats, err := sweepHeats(id, s.Sweep)
	if err != nil {
		return err
	}
	sec.Effects = append(sec.Effects, heats...)
	if c, ok, err := searchChart(id("search"), d, s); ok {
		add(&sec.Rates, c, err)
	}
	if c, ok, err := latencyChart(id("percentiles"), d); ok {
		add(&sec.Latency, c, err)
	}
	if len(d.points) > 0 && v.Headline.Name != figure.LossFreeRate { // what was offered is no drift
		c, err := slicesChart(id("slices"), d)
		add(&sec.Slices, c, err)
		if d.baseline >= 0 && len(d.arms) > 1 {
			c, err = pairsChart(id("pairs"), id("slices"), d)
			add(&sec.Slices, c, err)
		}
		strips, err := stateStrips(id, id("slices"), d, s.States)
		if err != nil {
			return err
		}
		sec.Slices = append(sec.Slices, strips...)
		c, err = levelsChart(id("levels"), d)
		add(&sec.Spread, c, err)
	}
	if hasTrialEffects(s, v) {
		c, err := trialsChart(id("trials"), s, v)
		add(&sec.Spread, c, err)
	}
	if len(figure.Levels(s.Arms, figure.CPUSource))+len(figure.Levels(s.Arms, figure.CPUSink)) > 0 {
		c, err := rolesChart(id("roles"), s.Arms)
		add(&sec.CPU, c, err)
	}
	if len(sec.CPUs.loads) > 0 {
		c, err := busyChart(id("busy"), sec.CPUs.loads)
		add(&sec.CPU, c, err)
	}
	if sec.Ledger != nil {
		c, err := ledgerChart(id("ledger"), sec.Ledger)
		add(&sec.LedgerC, c, err)
	}
	return firstErr
}

func hasTrialEffects(s analysis.Summary, v report.VerdictTable) bool {
	for _, c := range report.ComparisonsOf(s, v.Headline.Name) {
		if len(c.TrialEffects) > 0 {
			return true
		}
	}
	return false
}
