package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/analysis"
	"netab/analysis/report/export"
	"netab/results/crew"
)

// The study of every day: what `netab prove --quick` says must hold.
func TestQuick(t *testing.T) {
	p, err := Study(context.Background(), Quick())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Broken() {
		t.Error(b)
	}
	if len(p.Worlds) != len(Cases()) {
		t.Errorf("%d worlds, want %d", len(p.Worlds), len(Cases()))
	}
	for _, r := range p.Worlds {
		for _, e := range r.Effects {
			if e.Seconds <= 0 || e.Seconds > e.Seconds90 || e.Seconds90 > r.MaxTimeS || e.Trials < 2 {
				t.Errorf("%s: times %+v at a limit of %v s", r.Name, e, r.MaxTimeS)
			}
		}
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
}

func pick(t *testing.T, names ...string) []Case {
	t.Helper()
	var out []Case
	for _, c := range Cases() {
		if slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	if len(out) != len(names) {
		t.Fatalf("found %d of %v", len(out), names)
	}
	return out
}

// Neither the number of workers nor the company of other worlds changes a figure.
func TestReproducible(t *testing.T) {
	study := func(workers int, names ...string) []Result {
		p, err := Study(context.Background(), Options{Cases: pick(t, names...), Repetitions: chunk + 5, Effects: []float64{0, 0.5}, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return p.Worlds
	}
	all := study(1, "white", "few-modes", "rare-mode")
	if diff := cmp.Diff(all, study(3, "white", "few-modes", "rare-mode")); diff != "" {
		t.Errorf("one worker and three differ:\n%s", diff)
	}
	if diff := cmp.Diff(all[1:2], study(2, "few-modes")); diff != "" {
		t.Errorf("alone and among others differ:\n%s", diff)
	}
}

// Runs of one world are not all the same, nor are those of two effects.
func TestSeedsDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	up := 0
	for _, effect := range []float64{0, 0.5, 1} {
		for i := range 500 {
			s := seed("white", effect, i)
			seen[s] = true
			up += int(s & 1)
		}
	}
	if len(seen) != 1500 || up < 650 || up > 850 {
		t.Errorf("%d seeds of 1500, %d with an effect upwards", len(seen), up)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	cancel(why)
	if _, err := Study(ctx, Quick()); !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
}

// TestPanicking: a fault in a worker is the caller's, and so has one line and netab's
// exit code, not a trace of Go's.
func TestPanicking(t *testing.T) {
	err := crew.Caught(func() error {
		_, err := Study(context.Background(), Options{Cases: pick(t, "white"), Repetitions: 2, Effects: []float64{0}, Progress: func(int, int) { panic("in a worker") }})
		return err
	})
	if _, ok := errors.AsType[*crew.Panic](err); !ok {
		t.Errorf("%v instead of the worker's panic", err)
	}
}

func TestJudge(t *testing.T) {
	arm := func(v analysis.Verdict, lo, hi float64) analysis.Comparison {
		return analysis.Comparison{Verdict: v, Lo: lo, Hi: hi}
	}
	two, p := Case{Pattern: []float64{1, 0}}, 0.5
	for _, tt := range []struct {
		name   string
		c      Case
		effect float64
		truth  []float64
		said   []analysis.Comparison
		want   outcome
	}{
		{"nothing, and said so", Case{}, 0, []float64{0}, []analysis.Comparison{arm(analysis.Equivalent, -1, 1)}, outcome{equal: true, covered: 1}},
		{"nothing, called better", Case{}, 0, []float64{0}, []analysis.Comparison{arm(analysis.Improvement, 1, 2)}, outcome{wrong: true}},
		{"better, found", Case{}, 2, []float64{2}, []analysis.Comparison{arm(analysis.Improvement, 1, 3)}, outcome{found: true, covered: 1}},
		{"worse, found", Case{}, 2, []float64{-2}, []analysis.Comparison{arm(analysis.Regression, -3, -1)}, outcome{found: true, covered: 1}},
		{"worse, called better", Case{}, 2, []float64{-2}, []analysis.Comparison{arm(analysis.Improvement, 1, 3)}, outcome{wrong: true, falseEqual: true}},
		{"worse, passes a gate", Case{}, 2, []float64{-2}, []analysis.Comparison{{Metric: "goodput", P: &p, Verdict: analysis.Inconclusive, Lo: -0.001, Hi: 3, Resolution: 0.01}}, outcome{falseEqual: true}},
		{"better, passes a gate", Case{}, 2, []float64{2}, []analysis.Comparison{{Metric: "goodput", P: &p, Verdict: analysis.Inconclusive, Lo: -0.001, Hi: 3, Resolution: 0.01}}, outcome{covered: 1}},
		{"large, called equivalent", Case{}, 1, []float64{2}, []analysis.Comparison{arm(analysis.Equivalent, -1, 1)}, outcome{falseEqual: true, equal: true}},
		{"small, called equivalent", Case{}, 0.5, []float64{0.5}, []analysis.Comparison{arm(analysis.Equivalent, -1, 1)}, outcome{equal: true, covered: 1}},
		{"modes", Case{}, 0, []float64{0}, []analysis.Comparison{{Verdict: analysis.Inconclusive, Lo: -1, Hi: 1, Mixture: true, Modes: &analysis.Modes{}}}, outcome{explained: true, covered: 1}},
		{"one of two, found", two, 2, []float64{2, 0}, []analysis.Comparison{arm(analysis.Improvement, 1, 3), arm(analysis.Inconclusive, -1, 1)}, outcome{found: true, covered: 2}},
		{"both called better", two, 2, []float64{2, 0}, []analysis.Comparison{arm(analysis.Improvement, 1, 3), arm(analysis.Improvement, 1, 2)}, outcome{found: true, wrong: true, covered: 1}},
		{"the other called equivalent", two, 2, []float64{2, 0}, []analysis.Comparison{arm(analysis.Inconclusive, -1, 3), arm(analysis.Equivalent, -1, 1)}, outcome{covered: 2}},
	} {
		tt.want.trials, tt.want.seconds, tt.want.decided = 9, 3, true
		got := tt.c.judge(tt.effect, tt.truth, analysis.Decision{Converged: true, Comparisons: tt.said}, 9, 3*time.Second)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// Each bound must be able to break, and only where it is asked for.
func TestBroken(t *testing.T) {
	good := func(effect float64) Effect {
		return Effect{Effect: effect, Different: 0.064, FalseEquivalent: 0.064, Covered: 0.93, Found: 0.9, Equivalent: 0.8}
	}
	with := func(effect float64, change func(*Effect)) []Effect {
		e := good(effect)
		change(&e)
		return []Effect{good(0), e}
	}
	for _, tt := range []struct {
		name string
		c    Case
		runs int
		e    []Effect
		want string
	}{
		{"good", Case{}, 2000, []Effect{good(0), good(2)}, ""},
		{"false differences", Case{}, 2000, with(1, func(e *Effect) { e.Different = 0.065 }), "false differences 6.50 %"},
		{"false differences of fewer runs", Case{}, 100, with(1, func(e *Effect) { e.Different = 0.11 }), ""},
		{"false equivalents", Case{}, 2000, with(3, func(e *Effect) { e.FalseEquivalent = 0.065 }), "`equivalent` 6.50 %"},
		{"misses", Case{}, 2000, with(0.5, func(e *Effect) { e.Covered = 0.929 }), "coverage 92.90 %"},
		{"misses of fewer runs", Case{}, 1999, with(0.5, func(e *Effect) { e.Covered = 0.929 }), ""},
		{"misses, allowed", Case{NoCoverage: "why"}, 2000, with(0.5, func(e *Effect) { e.Covered = 0.1 }), ""},
		{"allowed misses excuse no verdict", Case{NoCoverage: "why"}, 2000, with(0, func(e *Effect) { e.Different = 0.1 }), "false differences"},
		{"blind", Case{}, 2000, with(2, func(e *Effect) { e.Found = 0.899 }), "found 89.90 %"},
		{"blind to less", Case{}, 2000, with(1.5, func(e *Effect) { e.Found = 0.5 }), ""},
		{"blind, allowed", Case{NoPower: "why"}, 2000, with(2, func(e *Effect) { e.Found = 0 }), ""},
		{"shrugs", Case{}, 2000, with(0, func(e *Effect) { e.Equivalent = 0.79 }), "`equivalent` 79.00 %"},
		{"beyond", Case{Beyond: "why"}, 2000, with(0, func(e *Effect) { *e = Effect{Different: 1, FalseEquivalent: 1} }), ""},
	} {
		got := strings.Join(tt.c.broken(Result{Effects: tt.e}, tt.runs), "; ")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The page in the docs is of these worlds, and of the full study.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/proof.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	const remake = "; make it anew: netab prove --markdown > docs/proof.md"
	for _, r := range (Proof{Worlds: resultsOf(Cases()), Repetitions: FullRepetitions}).verdicts(false).Rows {
		if row := fmt.Sprintf("| %s | %s | %s | %s |", r[0].Text, r[1].Text, r[2].Text, r[3].Text); !strings.Contains(text, row) {
			t.Errorf("docs/proof.md lacks %s%s", row, remake)
		}
	}
	for _, want := range []string{"Every world is within its bounds", (Proof{Repetitions: FullRepetitions}).bounds(), "2000 runs were made"} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/proof.md lacks %q%s", want, remake)
		}
	}
}

func resultsOf(cases []Case) []Result {
	var out []Result
	for _, c := range cases {
		out = append(out, newResult(c, Options{Repetitions: 1, Effects: []float64{0}}, [][]outcome{{{}}}))
	}
	return out
}

func TestPrinted(t *testing.T) {
	p, err := Study(context.Background(), Options{Cases: pick(t, "few", "too-few", "rare-mode"), Repetitions: 40, Effects: []float64{0, 2}})
	if err != nil {
		t.Fatal(err)
	}
	p.Worlds[0].Broken = append(p.Worlds[0].Broken, "made up")
	var text, page strings.Builder
	if err := errors.Join(export.Text(&text, p.View(), export.Options{}), export.Markdown(&page, p.View(), export.Options{})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Not what was promised: 1 bound broken.\n", "Bounds are broken:\n  few: made up\n", "\n  too-few ", "\n  rare-mode ", "(5 % and three standard errors of a share of 40 runs)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	for _, want := range []string{"- few: made up", "| too-few | too few trials", "- too-few: No bound of coverage: all four", "- rare-mode: a run that ends"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, &page)
		}
	}
	if strings.Contains(page.String(), "%!") || strings.Contains(page.String(), "within its bounds") {
		t.Errorf("the page is wrong:\n%s", &page)
	}
}

// A run is judged by the states that it speaks of.
func TestByState(t *testing.T) {
	w := states(time.Second, -0.1, true)
	w.Effects = []float64{0.05} // near 5 % more, far 5 % less
	near, far := map[string]float64{"distance_ns": 75}, map[string]float64{"distance_ns": 340}
	better, worse := analysis.Comparison{Verdict: analysis.Improvement, Lo: 0.04, Hi: 0.06}, analysis.Comparison{Verdict: analysis.Regression, Lo: -0.06, Hi: -0.04}
	modes := func(of ...analysis.Mode) analysis.Comparison {
		return analysis.Comparison{Verdict: analysis.Inconclusive, Mixture: true, Lo: -0.06, Hi: 0.06, Modes: &analysis.Modes{Kind: analysis.KindState, Groups: of}}
	}
	mode := func(c analysis.Comparison, canaries map[string]float64) analysis.Mode {
		return analysis.Mode{Canaries: canaries, Verdict: c.Verdict, Lo: c.Lo, Hi: c.Hi}
	}
	leftOut := modes(mode(better, near), analysis.Mode{Canaries: far})
	leftOut.Verdict, leftOut.Lo, leftOut.Hi = better.Verdict, better.Lo, better.Hi
	for _, tt := range []struct {
		name         string
		said         analysis.Comparison
		states       []analysis.State
		wrong, found bool
		covered      int
	}{
		{"near, of near", better, []analysis.State{{Canaries: near}}, false, true, 1},
		{"near, of far", better, []analysis.State{{Canaries: far}}, true, false, 0},
		{"each its own", modes(mode(better, near), mode(worse, far)), nil, false, false, 1},
		{"each the other's", modes(mode(worse, near), mode(better, far)), nil, true, false, 1},
		{"far left out", leftOut, nil, false, true, 1},
	} {
		d := analysis.Decision{States: tt.states, Comparisons: []analysis.Comparison{tt.said}}
		c := Case{World: w, Resolution: 0.01}
		o := c.judge(0, []float64{0}, d, 0, 0)
		o.byState(c, w, 0, d)
		if o.wrong != tt.wrong || o.found != tt.found || o.covered != tt.covered {
			t.Errorf("%s: %+v", tt.name, o)
		}
	}
}
