package calibration

import (
	"fmt"
	"math"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// A Page is a calibration with what follows from it.
type Page struct {
	*results.Calibration
	Curve   []Point
	Effects Spread
	Levels  Spread
	Contest *Contest // nil without whole trials
}

// NewPage computes everything.
func NewPage(c *results.Calibration) *Page {
	p := &Page{Calibration: c, Curve: Curve(c), Effects: Effects(c), Levels: Levels(c)}
	if x, ok := Compare(c, contestEffect, analysis.Looks(design(c), seconds(TrialS(c)))); ok {
		p.Contest = &x
	}
	return p
}

// contestEffect is the change for which slices are held against the classical
// procedure.
const contestEffect = -0.02

// design is that of a run with netab's own time limit.
func design(c *results.Calibration) results.Design {
	return results.Design{Confidence: c.Confidence, Resolution: c.Resolution, MaxTimeS: 60}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Title is the heading of the page.
func (p *Page) Title() string { return "How sure this machine is" }

// Answer is the page in a sentence.
func (p *Page) Answer() string {
	var parts []string
	for _, x := range p.Curve {
		if x.Slowdown == 0 {
			parts = append(parts, fmt.Sprintf("Of %s of the same against itself %d found a difference", prose.Counted(x.Runs, "run"), x.False()))
			continue
		}
		parts = append(parts, fmt.Sprintf("a slowdown of %s was found in %d of %d", percent(x.Slowdown), x.Lower, x.Runs))
	}
	return strings.Join(parts, "; ") + "."
}

// Broken says which slowdowns had more false verdicts than chance explains. How
// large a slowdown was found is not held to a bound: that is the traffic's too.
func (p *Page) Broken() (out []string) {
	for _, x := range p.Curve {
		if n := x.False(); n > MostFalse(x.Runs) {
			out = append(out, fmt.Sprintf("slowed down by %s: %d of %d verdicts are false, at most %d may be", percent(x.Slowdown), n, x.Runs, MostFalse(x.Runs)))
		}
	}
	return out
}

// View is the page as every format is written from it.
func (p *Page) View() *page.Page {
	return &page.Page{Title: p.Title(), Answer: p.Answer(), Made: "netab calibrate --markdown > docs/calibration.md", Sections: p.Sections(), Data: document{
		p.Calibration, p.Curve, p.Effects, p.Levels, p.Contest}}
}

// A document is a calibration with what follows from it, for programs.
type document struct {
	*results.Calibration
	Curve   []Point  `json:"curve"`
	Effects Spread   `json:"effects"`
	Levels  Spread   `json:"levels"`
	Contest *Contest `json:"contest,omitempty"`
}

// Sections are what there is to say, the first without a heading.
func (p *Page) Sections() []page.Section {
	out := []page.Section{
		{Explains: []string{promise}, Table: p.about(), Remarks: p.notes()},
		{Title: "What was found", Explains: []string{curve}, Terms: terms, Table: p.curve(), Remarks: p.curveNotes()},
		{Title: "Where the scatter comes from", Explains: []string{spreads}, Table: p.spreads(), Remarks: p.spreadNotes()},
		{Title: "How long a question takes", Explains: []string{questions}, Table: p.forecasts()},
	}
	if p.Contest != nil {
		out = append(out, page.Section{Title: "Slices against whole trials", Explains: []string{contest}, Table: p.contest(), Remarks: p.contestNotes()})
	}
	return out
}

// about says what was calibrated.
func (p *Page) about() page.Table {
	m := p.Machine
	t := page.Plain("what", "")
	t.Add("scenario", fmt.Sprintf("%s: %s", p.Scenario, traffic(p.Arm)))
	t.Add("metric", p.Metric)
	t.Add("machine", fmt.Sprintf("%s, %d CPUs, %s", m.CPUModel, m.CPUs, orElse(m.Virtualization, "virtualisation unknown")))
	t.Add("kernel", m.Kernel)
	t.Add("measured", fmt.Sprintf("%s, %.0f min, %d runs of at most %g s at a resolution of %s; seed %d", p.Started.Format(time.DateOnly),
		p.Ended.Sub(p.Started).Minutes(), len(p.Runs), p.MaxTimeS, percent(p.Resolution), p.Seed)+p.spreadText())
	t.Add("netab", p.Netab.Version)
	return t
}

func (p *Page) notes() (out []string) {
	others := 0
	for _, r := range p.Runs {
		for _, w := range r.Warnings {
			if w == NotTheSource {
				others++
			}
		}
	}
	if 2*others > len(p.Runs) && len(p.Curve) > 1 {
		out = append(out, fmt.Sprintf("In %d of %d runs the source was not what limited the rate: a slowdown of it shows less than what was put there, and the rows below say so.", others, len(p.Runs)))
	}
	return out
}

// NotTheSource is the warning of a run whose sources had time to spare.
const NotTheSource = "not-the-source"

func (p *Page) curve() page.Table {
	t := page.Plain("slowed down by", "runs", "found lower", "found higher", "equivalent", "inconclusive", "intervals with the truth", "put there", "found (median)", "scatter of runs", "time: median", "9 of 10 within")
	for _, x := range p.Curve {
		t.Row(share(x.Slowdown), number(x.Runs), number(x.Lower), number(x.Higher), number(x.Same), number(x.Open),
			page.ShareOf(fmt.Sprintf("%d of %d", x.Covered, x.Runs), float64(x.Covered)/float64(x.Runs)), page.ShareOf(signed(x.Truth), x.Truth), page.ShareOf(signed(x.Change), x.Change),
			share(x.Scatter), took(x.MedianS), took(x.P90S))
	}
	return t
}

func (p *Page) curveNotes() (out []string) {
	for _, x := range p.Curve {
		if n := x.False(); n > 0 {
			out = append(out, fmt.Sprintf("Slowed down by %s: %d of %d verdicts are false; %s by chance at 5 %%.", percent(x.Slowdown), n, x.Runs, chance(n, x.Runs)))
		}
	}
	return out
}

func (p *Page) spreads() page.Table {
	t := page.Plain("of", "blocks within a trial", "trials within a run", "runs within a boot", "boots")
	row := func(name string, s Spread) {
		boot := "one boot only"
		if s.BootDF > 0 {
			boot = fmt.Sprintf("%s (%g df)", percent(s.Boot), s.BootDF)
		}
		block := percent(s.Block)
		if s.Block == 0 {
			block = "in the next"
		}
		t.Add(name, block, percent(s.Trial), fmt.Sprintf("%s (%g df)", percent(s.Run), s.RunDF), boot)
	}
	row("one trial's effect", p.Effects)
	row("one trial's level", p.Levels)
	return t
}

func (p *Page) spreadNotes() []string {
	who := "Runs"
	if p.SpreadS > 0 {
		who = fmt.Sprintf("Sessions, spread over %v,", seconds(p.SpreadS))
	}
	note := fmt.Sprintf("%s scatter no more than their trials explain (p = %.2g): what a run says of an effect is as sure as its interval.", who, p.Effects.RunP)
	if p.Effects.RunP < 0.01 {
		note = fmt.Sprintf("%s scatter by %s beyond what their trials explain (p = %.2g): intervals are too short by that.", who, percent(p.Effects.Run), p.Effects.RunP)
	}
	notes := []string{note}
	if n := len(p.Runs) - len(undisturbed(p.Calibration)); n > 0 {
		notes = append(notes, fmt.Sprintf("Left out here, but not above: %d of %d runs in which CPU time was stolen or other programs ran.", n, len(p.Runs)))
	}
	return notes
}

func (p *Page) forecasts() page.Table {
	t := page.Plain("resolution", "trials", "time")
	for _, resolution := range []float64{0.005, 0.01, 0.02, 0.03, 0.05} {
		d := design(p.Calibration)
		d.Resolution = resolution
		f := analysis.Predict(d, p.Effects.OneTrial(), seconds(TrialS(p.Calibration)))
		if f.Trials > 0 {
			t.Row(share(resolution), number(f.Trials), took(f.Time.Seconds()))
		}
	}
	return t
}

func (p *Page) contest() page.Table {
	x, w := p.Contest, p.Samples
	ours := secs(x.OursS)
	if x.Trials == 0 {
		ours = "more than a minute"
	}
	t := page.Plain("", "whole trials, Welch's t test", "slices")
	t.Add("unit", fmt.Sprintf("sample of %g s by fresh processes, %s with set-up", w.SampleS, secs(w.WallS)), fmt.Sprintf("trial of %s, both configurations in it", secs(TrialS(p.Calibration))))
	t.Add("scatter of a unit", fmt.Sprintf("%s (level, %g df)", percent(x.SampleSD), x.SampleDF), fmt.Sprintf("%s (effect, %g df)", percent(x.TrialSD), p.Effects.TrialDF))
	t.Add(fmt.Sprintf("units to find %s, alpha 5 %%, power 90 %%", percent(math.Abs(x.Effect))), fmt.Sprintf("%d of each", x.Samples), fmt.Sprint(x.Trials))
	t.Add("wall time of that", secs(x.WallS), ours)
	return t
}

func (p *Page) contestNotes() (out []string) {
	x, w := p.Contest, p.Samples
	if x.Trials > 0 {
		out = append(out, fmt.Sprintf("To a verdict: %.3g times less time.", x.WallS/x.OursS))
	}
	out = append(out, fmt.Sprintf("At equal wall time the standard error by slices is %.2g times smaller; for an interval as short, whole trials measure %.3g times longer.", x.SERatio, x.SERatio*x.SERatio))
	if x.DifferenceSE > 0 {
		agree := "The two agree"
		if !x.Agree {
			agree = "THE TWO DISAGREE"
		}
		out = append(out, fmt.Sprintf("%s: of the slowdown by %s (truth of these samples %s) whole trials say %s (%s to %s), which is %s from what slices say of theirs, with a standard error of %s.",
			agree, percent(w.Slowdown), signed(w.Truth), signed(w.Change), signed(w.Lo), signed(w.Hi), signed(x.Difference), percent(x.DifferenceSE)))
	}
	return out
}

func traffic(a results.Arm) string {
	kind := string(a.Protocol)
	if a.Kind.Or() != vocab.Stream {
		kind += " " + string(a.Kind)
	}
	return fmt.Sprintf("%s over %s, %s, %s", kind, a.Topology, prose.Counted(a.Message, "byte"), prose.Counted(a.Flows, "flow"))
}

func percent(x float64) string { return prose.ShortPercent(x) }
func signed(x float64) string  { return fmt.Sprintf("%+.2f %%", 100*x) }

func share(x float64) page.Cell { return page.ShareOf(percent(x), x) }
func number(n int) page.Cell    { return page.NumberOf(fmt.Sprint(n), float64(n), "") }
func took(s float64) page.Cell  { return page.NumberOf(secs(s), s, "s") }

func secs(s float64) string {
	switch {
	case s >= 7200:
		return fmt.Sprintf("%.1f h", s/3600)
	case s >= 180:
		return fmt.Sprintf("%.0f min", s/60)
	case s >= 10:
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.2g s", s)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

const (
	promise = "One configuration was measured against itself, and against itself with its source slowed down by a known share, in many runs in random order. " +
		"So the truth of every run is known, on this machine and kernel and not on a simulated one (those are in docs/proof.md)."
	curve = "Each run was judged as `netab run` judges: looks after 8 trials, then at 1.5 times as many each, and at its time limit. " +
		"What was put there is the time that the source spun away, measured in the slices of the same run."
	spreads = "Standard deviations on the log scale, by analysis of variance of nested random effects over all runs, of effects less what was put there. " +
		"What a trial draws once (ports, hashes, placement in memory) no number of slices averages out; what a run or a boot draws once, no number of trials."
	questions = "Until a comparison of two arms has its verdict in 9 of 10 runs where nothing differs, at a confidence of 95 %; a difference of twice the resolution is found no later. " +
		"`netab run --dry-run` says this for a scenario."
	contest = "The classical procedure starts fresh processes for every sample, alternates the configurations, and tests the samples' means. " +
		"Its samples were measured here too, of the same two configurations; both times are computed from the scatter that was measured."
)

var terms = []page.Term{
	{Name: "found lower, higher", Text: "verdicts that the configuration became slower or faster. Without a slowdown either is false; with one, higher is."},
	{Name: "equivalent", Text: "the interval lies within the resolution. Of a slowdown by less than the resolution that is right."},
	{Name: "intervals with the truth", Text: "95 % are promised, each interval with its run's looks included."},
}

// spreadText says when the runs were measured, if not one after the other.
func (p *Page) spreadText() string {
	if p.SpreadS == 0 {
		return ""
	}
	return fmt.Sprintf("; at random times over %v", seconds(p.SpreadS))
}
