package html

import (
	"fmt"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/sample"
	"netab/results"
)

// The page of a comparison says who is compared, each verdict in plain words,
// and draws each judged metric and all of them.
func TestComparisonPage(t *testing.T) {
	var runs []*results.Run
	in := Input{}
	for i, kernel := range []string{"6.18", "6.18", "6.19", "6.20", "6.19"} {
		w := sample.UDPWorld()
		w.Seed, w.Trials, w.Blocks = uint64(40+i), 6, 4
		run := w.Run()
		run.Header.ID, run.Header.Machine.Kernel, run.Header.Machine.BootID = fmt.Sprint("run", i), kernel, fmt.Sprint("boot", i)
		if i == 3 {
			run.Header.Machine.CPUModel = "Another CPU"
		}
		runs = append(runs, run)
		in.Runs, in.Summaries = append(in.Runs, run), append(in.Summaries, analysis.Summarize(run))
	}
	groups, _ := analysis.GroupRuns(runs)
	s := analysis.CompareGroups(groups, analysis.CompareOptions{Declared: []string{"kernel"}, Force: true})
	in.Compare = &s
	text := pageText(t, in)
	for _, want := range []string{"Who is compared with whom", "In plain words", "cannot be told", "Goodput with off in 6.20", `data-chart="cmp-forest"`, `data-chart="cmp-metrics"`,
		"<strong>Forced</strong> These runs are not comparable (cpu model", "off @ 6.19", "off @ 6.20"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestSweepCharts(t *testing.T) {
	w := sample.MatrixWorld()
	w.Trials = 6
	in := inputOf(w)
	in.Summaries[0] = analysis.Summarize(in.Runs[0])
	text := pageText(t, in)
	for _, want := range []string{`data-chart="r1-factor0"`, `data-chart="r1-factor1"`, "What rps does to goodput (%)", "rps=sink against off, message=64: +"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
