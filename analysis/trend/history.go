package trend

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/results"
	"netab/results/crew"
	"netab/results/vocab"
)

var (
	codeStatesDiffer = vocab.Warns("states-differ")
	codeOlderRecords = vocab.Warns("older-records")
	codeCPUUnknown   = vocab.Warns("cpu-unknown")
)

// SchemaTrend names the JSON form of History.
const SchemaTrend = "netab/trend/1"

// Options of Analyze.
type Options struct {
	Filter
	// Resolution is the smallest change that matters; 0 = what the newest run
	// of each series asked for, its scenario's thresholds (gate:) included.
	Resolution float64
	// Thresholds go before both, by metric, and make a metric judged.
	Thresholds map[string]float64
	Known      []Known   // regressions that may pass
	Now        time.Time // that acknowledgements are held against
	// Emulated lets series of emulated CPUs pass, which are not hardware time.
	Emulated bool
	// Recent is how many points a change stays news: what the gate looks at.
	// 0 = DefaultRecent.
	Recent int
}

// DefaultRecent is about a week of nights.
const DefaultRecent = 7

// A History is all series judged.
type History struct {
	Schema string   `json:"schema"`
	Runs   int      `json:"runs"` // in the store
	Recent int      `json:"recent"`
	Unused []Unused `json:"unused"`
	Series []Series `json:"series"`
	Answer string   `json:"answer"`
	// Outcome is the worst of the series', as of a gate.
	Outcome gate.Outcome `json:"outcome"`
	Issues  []Issue      `json:"known_issues"`
}

// An Unused run is no point of any series.
type Unused struct {
	Run string `json:"run"`
	Why string `json:"why"`
}

// A Series is the history of one figure.
type Series struct {
	Scenario   string             `json:"scenario"`
	Arm        string             `json:"arm"`
	Against    string             `json:"against,omitempty"` // values are changes against this arm
	Metric     string             `json:"metric"`
	Unit       string             `json:"unit"`
	Machine    string             `json:"machine"`
	Traffic    string             `json:"traffic,omitempty"`
	Difference bool               `json:"difference,omitempty"` // changes are differences, not ratios
	Better     analysis.Direction `json:"-"`
	Resolution float64            `json:"resolution"`
	Points     []Point            `json:"points"`
	Segments   []Segment          `json:"segments"`
	Changes    []ChangePoint      `json:"changes"`
	Tail       Tail               `json:"tail"`
	// State is the tail's, or Changed where a change point is recent.
	State State `json:"state"`
	// Verdict of the newest change or suspicion, where State tells of one.
	Verdict analysis.Verdict `json:"verdict,omitempty"`
	// Outcome is what State and Verdict come to for a gate.
	Outcome  gate.Outcome      `json:"outcome"`
	Issue    *gate.KnownIssue  `json:"known_issue,omitempty"` // that lets it pass
	Drift    *Drift            `json:"drift,omitempty"`
	Slide    *Slide            `json:"slide,omitempty"` // of the present level away from its own beginning
	Lag1     float64           `json:"lag1"`            // correlation of neighbouring points within levels
	Text     string            `json:"text"`
	Warnings []results.Warning `json:"warnings"`
	// Newer is a run that was begun after the newest point and is none: it was cut
	// off, it failed, or it cannot be read.
	Newer *Unused `json:"newer_run,omitempty"`
	// Silent are the runs in which nothing was received; they are no points.
	Silent []Silent `json:"silent_runs,omitempty"`
	// Emulated says what computed the CPUs of its newest run; "" = hardware. It passes
	// no gate by itself.
	Emulated string `json:"emulated,omitempty"`

	worse float64 // by how much the series became worse of late
}

// A Segment is a stretch of points on one level.
type Segment struct {
	From  int     `json:"from"` // index of its first point
	To    int     `json:"to"`   // index after its last point
	Level float64 `json:"level"`
}

// A ChangePoint is where a new level begins.
type ChangePoint struct {
	Index   int              `json:"index"` // of the new level's first point
	Run     string           `json:"run"`
	Started time.Time        `json:"started"`
	Before  string           `json:"kernel_before"`
	After   string           `json:"kernel_after"`
	From    float64          `json:"level_before"`
	To      float64          `json:"level_after"`
	Change  float64          `json:"change"` // relative, or in the unit where Difference
	Lo      float64          `json:"lo"`     // Welch's interval at 95 %, a window of either level
	Hi      float64          `json:"hi"`
	P       float64          `json:"p"`
	Verdict analysis.Verdict `json:"verdict"`
	Recent  bool             `json:"recent"`          // first found within the newest Options.Recent runs
	Found   string           `json:"found,omitempty"` // the run with which it first was, where recent
	// Differs is what else is not as it was in the run before, kernel first.
	Differs []analysis.Confounder `json:"differs"`
	// OneBoot: the change falls on a reboot and rests on one boot on a side, so
	// that it may be the boot's and not the kernel's.
	OneBoot bool `json:"one_boot,omitempty"`
}

// A Drift is a slope that the change points From to To cut into stairs.
type Drift struct {
	From   int     `json:"from"` // positions in Changes
	To     int     `json:"to"`
	Change float64 `json:"change"` // all of them together
}

// Analyze judges all series of a store's runs.
func Analyze(runs []results.Digest, opts Options) History {
	h := History{Schema: SchemaTrend, Runs: len(runs), Recent: cmp.Or(opts.Recent, DefaultRecent), Unused: []Unused{}, Series: []Series{}, Issues: []Issue{}}
	for _, r := range runs {
		if r.Unused != "" {
			h.Unused = append(h.Unused, Unused{r.ID, r.Unused})
		}
	}
	filter := opts.Filter
	filter.judged = opts.Thresholds
	machines := machinesOf(runs)
	columns := collect(runs, machines, filter)
	late := findNewer(runs, machines)
	nameMachines(columns)
	h.Series = slices.Grow(h.Series, len(columns))[:len(columns)]
	crew.Share(0, len(columns), func(next func() (int, bool)) {
		d := newDivider()
		for i, ok := next(); ok; i, ok = next() {
			c := columns[i]
			c.resolution = cmp.Or(opts.Thresholds[c.metric], opts.Resolution, c.resolution)
			h.Series[i] = c.judge(d, h.Recent)
			h.Series[i].goOn(late.after(c))
		}
	})
	h.decide(opts)
	h.Answer = h.answer()
	return h
}

func (c *column) seedName() string {
	return strings.Join([]string{c.scenario, c.arm, c.against, c.metric, c.traffic, c.machine}, "\x00")
}

func (c *column) judge(d *divider, recent int) Series {
	s := Series{Scenario: c.scenario, Arm: c.arm, Against: c.against, Metric: c.metric, Machine: c.host, Traffic: c.traffic,
		Difference: c.scale == difference, Resolution: c.resolution, Points: c.points, Changes: []ChangePoint{}, Warnings: []results.Warning{}}
	if m, ok := analysis.LookupMetric(c.metric); ok {
		s.Unit, s.Better = m.Unit, m.Better
	}
	if len(c.points) == 0 {
		s.Points, s.Segments, s.Tail = []Point{}, []Segment{}, Tail{State: TooShort}
		s.hush(c)
		return s
	}
	now := c.read(d, len(c.points))
	xs, bs := now.xs, now.bs
	s.Segments = c.segments(xs, bs)
	for i, found := range c.news(d, now, recent) {
		s.Changes = append(s.Changes, c.changePoint(now, i, found))
	}
	start := 0
	if len(bs) > 0 {
		start = bs[len(bs)-1].at
	}
	s.Slide = c.slide(now, start, recent)
	t := judgeTail(xs[start:], certain(xs), c.margin(c.resolution))
	s.Tail = Tail{State: t.state, Points: t.points, Base: t.base, Level: c.off(t.level), Lo: finite(c.off(t.lo)), Hi: finite(c.off(t.hi)), Change: c.change(t.delta)}
	if t.state == TooShort {
		s.Tail = Tail{State: TooShort}
	}
	s.conclude()
	if i, j, ok := drifts(xs, bs); ok {
		before, _ := sides(xs, bs, i)
		_, after := sides(xs, bs, j)
		rise := mean(after) - mean(before)
		s.Drift = &Drift{From: i, To: j, Change: c.change(rise)}
	}
	s.Lag1 = likeness(xs)
	s.warn()
	if n := len(c.elsewhere); n > 0 {
		s.Warnings = append(s.Warnings, results.Warning{Code: codeStatesDiffer, Text: fmt.Sprintf(
			"%d of %d runs were in another state of the machine than the newest (%s, not %s) and are left out",
			n, n+len(c.points), analysis.StateText(c.elsewhere[n-1].state), analysis.StateText(c.points[len(c.points)-1].state))})
	}
	if c.older > 0 {
		s.Warnings = append(s.Warnings, results.Warning{Code: codeOlderRecords, Text: fmt.Sprintf(
			"the records of %d of %d runs do not say all of what the arm was; they are taken for runs of this series because protocol, sizes, flows, rate and topology are the same",
			c.older, len(c.points))})
	}
	if s.Emulated = c.points[len(c.points)-1].facts[factEmulated]; s.Emulated != "" {
		s.Warnings = append(s.Warnings, results.Warning{Code: analysis.NotHardware, Text: analysis.NotHardwareText})
	}
	if !c.cpuKnown() {
		s.Warnings = append(s.Warnings, results.Warning{Code: codeCPUUnknown,
			Text: "the CPU model of these runs is not known, so another CPU would read as a change of the figure"})
	}
	s.Text = s.sentence()
	s.hush(c)
	return s
}

// goOn adds a run that goes beyond the points.
func (s *Series) goOn(u *Unused) {
	if s.Newer = u; u != nil {
		s.Text += " " + u.sentence()
	}
}

// conclude makes the state of the series: what the newest points say goes
// before what is a few nights old.
func (s *Series) conclude() {
	s.State = s.Tail.State
	switch {
	case s.State == Suspect || s.State == Changed:
		s.Verdict = verdict(s.Tail.Change, s.Better)
	case s.News() != nil:
		s.State, s.Verdict = Changed, s.News().Verdict
	case s.Slide != nil:
		s.State, s.Verdict = Changed, s.Slide.Verdict
	}
}

// Shift is the change that State tells of, as in a ChangePoint; 0 where it tells of
// none.
func (s *Series) Shift() float64 {
	switch {
	case s.Tail.State == Suspect || s.Tail.State == Changed:
		return s.Tail.Change
	case s.State != Changed:
		return 0
	case s.News() != nil:
		return s.News().Change
	}
	return s.Slide.Change
}

// News is the newest change point that is news, nil without.
func (s *Series) News() *ChangePoint {
	for i := len(s.Changes) - 1; i >= 0; i-- {
		if s.Changes[i].Recent {
			return &s.Changes[i]
		}
	}
	return nil
}

func (c *column) segments(xs []float64, bs []boundary) []Segment {
	out := []Segment{}
	from := 0
	for i := range len(bs) + 1 {
		to := len(xs)
		if i < len(bs) {
			to = bs[i].at
		}
		out = append(out, Segment{From: from, To: to, Level: c.off(mean(xs[from:to]))})
		from = to
	}
	return out
}

func (c *column) changePoint(now reading, i, found int) ChangePoint {
	b := now.bs[i]
	before, after := sides(now.xs, now.bs, i)
	lo, hi := welch(before, after, 0.05)
	lo, hi = b.delta-(b.delta-lo)*wider(now.alike), b.delta+(hi-b.delta)*wider(now.alike)
	first, last := &c.points[b.at], &c.points[b.at-1]
	ch := ChangePoint{Index: b.at, Run: first.Run, Started: first.Started, Before: last.Kernel, After: first.Kernel,
		From: c.off(mean(before)), To: c.off(mean(after)), Change: c.change(b.delta), Lo: c.change(lo), Hi: c.change(hi), P: b.p,
		Recent: found > 0, Differs: differs(last.facts, first.facts)}
	if found > 0 {
		ch.Found = c.points[found-1].Run
	}
	if m, ok := analysis.LookupMetric(c.metric); ok {
		ch.Verdict = verdict(b.delta, m.Better)
	}
	sideBefore, sideAfter := c.points[b.at-len(before):b.at], c.points[b.at:b.at+len(after)]
	ch.OneBoot = last.Boot != "" && first.Boot != "" && last.Boot != first.Boot && (boots(sideBefore) == 1 || boots(sideAfter) == 1)
	return ch
}

func boots(ps []Point) int {
	seen := map[string]bool{}
	for _, p := range ps {
		seen[p.Boot] = true
	}
	return len(seen)
}

// differs lists facts that are not the same in two runs, the kernel first. Where
// only one of them says what its arms were, what that is is no difference.
func differs(a, b map[string]string) []analysis.Confounder {
	out := []analysis.Confounder{}
	names := map[string]bool{}
	maps.Insert(names, func(yield func(string, bool) bool) {
		for _, f := range []map[string]string{a, b} {
			for k := range f {
				if !yield(k, true) {
					return
				}
			}
		}
	})
	comparable := a[factDescribed] == b[factDescribed]
	for _, k := range slices.Sorted(maps.Keys(names)) {
		// Records before 2026-12 do not tell which machine they are of.
		added := (k == factName || k == factMachineID || k == factBoard) && (a[k] == "" || b[k] == "")
		if a[k] != b[k] && !added && (comparable || !ofArm(k)) {
			out = append(out, analysis.Confounder{Name: k, A: a[k], B: b[k]})
		}
	}
	slices.SortStableFunc(out, func(x, y analysis.Confounder) int { return cmp.Compare(order(x.Name), order(y.Name)) })
	return out
}

// ofArm says whether a fact is of what an arm was.
func ofArm(name string) bool {
	return slices.ContainsFunc(questionParts, func(part string) bool { return strings.HasPrefix(name, part+" of ") })
}

func order(name string) int {
	switch name {
	case factKernel:
		return 0
	case factBuild:
		return 1
	case factHost: // it is the same machine
		return 3
	}
	return 2
}

func verdict(delta float64, better analysis.Direction) analysis.Verdict {
	if (delta > 0) == (better == analysis.Higher) {
		return analysis.Improvement
	}
	return analysis.Regression
}

// warn says what a reader of the changes should know.
func (s *Series) warn() {
	add := func(code vocab.Code, format string, args ...any) {
		s.Warnings = append(s.Warnings, results.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	if s.Lag1 > max(0.2, 2.58*likenessSE(len(s.Points))) {
		add("autocorrelated", "neighbouring runs are alike (lag-1 correlation %.2f): the level wanders. That is taken out before changes are searched for, so that small ones take longer to be told", s.Lag1)
	}
	if s.Drift != nil {
		add("drift", "from run %s to run %s the series slopes rather than steps (%s in all): the change points between are stairs that the search cut into a slope, so none of them has a culprit of its own",
			s.Points[s.Changes[s.Drift.From].Index].Run, s.Points[s.Changes[s.Drift.To].Index].Run, Percent(s.Drift.Change, s.Difference))
	}
	if i := slices.IndexFunc(s.Changes, func(c ChangePoint) bool { return c.OneBoot }); i >= 0 {
		add("one-boot", "the change at run %s falls on a reboot and one of its sides is a single boot, which may have a level of its own: boot again and measure", s.Changes[i].Run)
	}
}

func finite(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return max(-math.MaxFloat64, min(x, math.MaxFloat64))
}
