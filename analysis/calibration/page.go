package calibration

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/escape"
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

// Sections are what there is to say, the first without a heading.
func (p *Page) Sections() []page.Section {
	m := p.Machine
	out := []page.Section{
		{Text: []string{promise}, Table: page.Table{
			{"what", ""},
			{"scenario", fmt.Sprintf("%s: %s", p.Scenario, traffic(p.Arm))},
			{"metric", p.Metric},
			{"machine", fmt.Sprintf("%s, %d CPUs, %s", m.CPUModel, m.CPUs, orElse(m.Virtualization, "virtualisation unknown"))},
			{"kernel", m.Kernel},
			{"measured", fmt.Sprintf("%s, %.0f min, %d runs of at most %g s at a resolution of %s; seed %d", p.Started.Format(time.DateOnly),
				p.Ended.Sub(p.Started).Minutes(), len(p.Runs), p.MaxTimeS, percent(p.Resolution), p.Seed) + p.spreadText()},
			{"netab", p.Netab.Version},
		}, Notes: p.notes()},
		{Title: "What was found", Text: []string{curve}, Terms: terms, Table: p.curve(), Notes: p.curveNotes()},
		{Title: "Where the scatter comes from", Text: []string{spreads}, Table: p.spreads(), Notes: p.spreadNotes()},
		{Title: "How long a question takes", Text: []string{questions}, Table: p.forecasts()},
	}
	if p.Contest != nil {
		out = append(out, page.Section{Title: "Slices against whole trials", Text: []string{contest}, Table: p.contest(), Notes: p.contestNotes()})
	}
	return out
}

// Markdown writes the page for docs/.
func (p *Page) Markdown(out io.Writer) error {
	return page.Markdown(out, p.Title(), "netab calibrate --markdown > docs/calibration.md", p.Sections())
}

// Text writes it for a terminal.
func (p *Page) Text(out io.Writer) error {
	if _, err := fmt.Fprintf(out, "%s\n\n", escape.Visible(p.Answer())); err != nil {
		return err
	}
	return page.Text(out, p.Sections())
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
	t := page.Table{{"slowed down by", "runs", "found lower", "found higher", "equivalent", "inconclusive", "intervals with the truth", "put there", "found (median)", "scatter of runs", "time: median", "9 of 10 within"}}
	for _, x := range p.Curve {
		t = append(t, []string{percent(x.Slowdown), fmt.Sprint(x.Runs), fmt.Sprint(x.Lower), fmt.Sprint(x.Higher), fmt.Sprint(x.Same), fmt.Sprint(x.Open),
			fmt.Sprintf("%d of %d", x.Covered, x.Runs), signed(x.Truth), signed(x.Change), percent(x.Scatter), secs(x.MedianS), secs(x.P90S)})
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
	row := func(name string, s Spread) []string {
		boot := "one boot only"
		if s.BootDF > 0 {
			boot = fmt.Sprintf("%s (%g df)", percent(s.Boot), s.BootDF)
		}
		block := percent(s.Block)
		if s.Block == 0 {
			block = "in the next"
		}
		return []string{name, block, percent(s.Trial), fmt.Sprintf("%s (%g df)", percent(s.Run), s.RunDF), boot}
	}
	return page.Table{{"of", "blocks within a trial", "trials within a run", "runs within a boot", "boots"},
		row("one trial's effect", p.Effects), row("one trial's level", p.Levels)}
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
	t := page.Table{{"resolution", "trials", "time"}}
	for _, resolution := range []float64{0.005, 0.01, 0.02, 0.03, 0.05} {
		d := design(p.Calibration)
		d.Resolution = resolution
		f := analysis.Predict(d, p.Effects.OneTrial(), seconds(TrialS(p.Calibration)))
		if f.Trials > 0 {
			t = append(t, []string{percent(resolution), fmt.Sprint(f.Trials), secs(f.Time.Seconds())})
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
	return page.Table{{"", "whole trials, Welch's t test", "slices"},
		{"unit", fmt.Sprintf("sample of %g s by fresh processes, %s with set-up", w.SampleS, secs(w.WallS)), fmt.Sprintf("trial of %s, both configurations in it", secs(TrialS(p.Calibration)))},
		{"scatter of a unit", fmt.Sprintf("%s (level, %g df)", percent(x.SampleSD), x.SampleDF), fmt.Sprintf("%s (effect, %g df)", percent(x.TrialSD), p.Effects.TrialDF)},
		{fmt.Sprintf("units to find %s, alpha 5 %%, power 90 %%", percent(math.Abs(x.Effect))), fmt.Sprintf("%d of each", x.Samples), fmt.Sprint(x.Trials)},
		{"wall time of that", secs(x.WallS), ours},
	}
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

func percent(x float64) string { return fmt.Sprintf("%.3g %%", 100*x) }
func signed(x float64) string  { return fmt.Sprintf("%+.2f %%", 100*x) }

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
