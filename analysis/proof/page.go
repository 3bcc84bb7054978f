package proof

import (
	"fmt"
	"slices"

	"netab/analysis/page"
	"netab/analysis/prose"
)

// Title is the heading of the page about a proof.
const Title = "What a verdict is worth"

// Sections are what there is to say, the first without a heading. What would be
// an empty table is left out.
func (p Proof) Sections() []page.Section {
	verdict := "Every world is within its bounds."
	if len(p.Broken()) > 0 {
		verdict = "Bounds are broken:"
	}
	all := []page.Section{
		{Explains: []string{promise, fmt.Sprintf(method, p.Repetitions)}, Terms: terms},
		{Title: "Verdicts", Text: []page.Para{{Text: p.bounds()}}, Table: p.verdicts(false),
			Remarks: append(append([]string{verdict}, p.Broken()...), p.remarks(unasked)...)},
		{Title: "Power", Explains: []string{power}, Table: p.byEffect(found, everyWorld)},
		{Title: "Modes", Explains: []string{mixtures}, Table: p.byEffect(modes, showsModes)},
		{Title: "How long", Explains: []string{howLong}, Table: p.byEffect(took, everyWorld)},
		{Title: "Where the method ends", Explains: []string{limits}, Table: p.verdicts(true),
			Remarks: p.remarks(func(r Result) []string { return []string{r.Beyond} })},
	}
	return slices.DeleteFunc(all, func(s page.Section) bool { return s.Title != "" && len(s.Table.Rows) == 0 })
}

// unasked says which bounds a world is not held to, and why.
func unasked(r Result) (out []string) {
	for _, bound := range []struct{ of, why string }{{"No bound of `equivalent` and found", r.NoPower}, {"No bound of coverage", r.NoCoverage}} {
		if bound.why != "" {
			out = append(out, bound.of+": "+bound.why)
		}
	}
	return out
}

// remarks are those on single worlds, each with its name.
func (p Proof) remarks(of func(Result) []string) (out []string) {
	for _, r := range p.Worlds {
		for _, text := range of(r) {
			if text != "" {
				out = append(out, r.Name+": "+text+".")
			}
		}
	}
	return out
}

// View is the proof as every format is written from it.
func (p Proof) View() *page.Page {
	return &page.Page{Title: Title, Answer: p.answer(), Made: "netab prove --markdown > docs/proof.md", Sections: p.Sections(), Data: p}
}

// answer is the page in a sentence.
func (p Proof) answer() string {
	if n := len(p.Broken()); n > 0 {
		return fmt.Sprintf("Not what was promised: %s broken.", prose.Counted(n, "bound"))
	}
	return fmt.Sprintf("Every world is within its bounds, in %s simulated runs of each world and effect.", prose.Grouped(int64(p.Repetitions)))
}

const (
	promise = "netab's word is: a false difference in at most 5 % of the runs, all looks included; an interval that holds the truth " +
		"in 95 % of them; effects that matter are found. This page holds it to that, on simulated machines whose truth is known. " +
		"`netab prove` makes it anew, with the same figures on every machine, because seeds are fixed; `netab prove --quick` takes seconds."
	method = "Every row is a world with its own noise. In each, and for each true effect, %d runs were made and judged as `netab run` does: " +
		"looks after 8 trials, then at 1.5 times as many each, and at the time limit. A trial takes 1.6 s (with five arms 3.9 s), and its white noise " +
		"makes a standard error of 1.3 %%, which is about what the default settings gave where docs/slices.md was measured. " +
		"Half of the effects are upwards, half downwards. All times are simulated wall time."
	power = "Effects found, by their size in units of the resolution. One of less than the resolution may be called " +
		"`equivalent` instead, which is right too, and one that is found is no error either: it is there."
	mixtures = "Where trials draw one of two modes, a run may end because it can show them in place of their mean: told apart by a recorded " +
		"covariate, each with its own verdict. Nothing is claimed of the mean then. Runs that ended so:"
	howLong = "Simulated wall time to the end of the run: the median, and in brackets what 90 % of the runs stay below. " +
		"A run that reaches its time limit was decided by its last look, or is undecided."
	limits = "Worlds that break what the method takes for granted, to show what that costs. No bound is claimed here."
)

var terms = []page.Term{
	{Name: "false difference", Text: "`improvement` or `regression` where nothing differs, or of the wrong sign, in any arm; the worst of all effects, ± its Monte-Carlo standard error."},
	{Name: "false equivalent", Text: "`equivalent`, or a gate that passes what is worse, although the effect is the resolution or more; the worst of all effects."},
	{Name: "coverage", Text: "printed intervals, each of the look at which its run stopped, that hold the truth; the worst of all effects."},
	{Name: "equivalent at 0", Text: "of runs without an effect, those that say so. A method that shrugs makes no errors either."},
	{Name: "found at 2×", Text: "effects of twice the resolution that are called by their right name before the time limit."},
}
