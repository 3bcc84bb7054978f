package html

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/report/figure"
	"netab/analysis/report/sample"
	"netab/results"
)

// twoKernels is a comparison of runs of requests and responses on two kernels,
// the newer slower by a sixth, with as many boots of each.
func twoKernels(t *testing.T, boots int) Input {
	t.Helper()
	in := Input{}
	var groups []analysis.RunGroup
	for side, kernel := range []string{"6.18.2", "6.19.0"} {
		g := analysis.RunGroup{Label: kernel}
		for boot := range boots {
			run := sample.RequestsOf(uint64(10*side + boot + 1))
			h := &run.Header
			h.ID, h.Machine.Kernel, h.Machine.BootID = fmt.Sprintf("k%d-%d", side, boot), kernel, fmt.Sprintf("boot-%d-%d", side, boot)
			for i := range run.Trials {
				for arm := range run.Trials[i].Arms {
					slower := &results.Histogram{}
					for bucket, n := range run.Trials[i].Arms[arm].Latency.Counts {
						if n > 0 {
							at := 20*side + 3*boot + i%3 // about 0.6 % each
							slower.Counts[min(bucket+at, results.HistogramBuckets-1)] += n
						}
					}
					run.Trials[i].Arms[arm].Latency = slower
				}
			}
			g.Runs, in.Runs = append(g.Runs, run), append(in.Runs, run)
			in.Summaries = append(in.Summaries, analysis.Summarize(run))
		}
		groups = append(groups, g)
	}
	s := analysis.CompareGroups(groups, analysis.CompareOptions{Declared: []string{"kernel", "kernel build"}})
	in.Compare = &s
	return in
}

func TestBeforeAndAfter(t *testing.T) {
	in := twoKernels(t, 4)
	charts, err := beforeAfter(*in.Compare, in.Runs)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, c := range charts {
		titles = append(titles, c.Title)
		if strings.Count(c.Note, ". ") > 0 || !strings.HasSuffix(c.Note, ".") {
			t.Errorf("%s: the caption is not one sentence: %s", c.Title, c.Note)
		}
	}
	want := []string{"Transaction rate, before and after", "p99 latency, before and after", "Latency by percentile: off", "Latency by percentile: poll"}
	if strings.Join(titles, "|") != strings.Join(want, "|") {
		t.Fatalf("charts are %q", titles)
	}
	levels, curves := string(charts[1].Options), string(charts[2].Options)
	for _, want := range []string{"boot boot-0-3, trial 11: ", "boot boot-1-0: mean ", `"data":["6.18.2","6.19.0"]`, `"data":["off","","poll",""]`, "@lanes", "@ticks"} {
		if !strings.Contains(levels, want) {
			t.Errorf("the levels lack %q", want)
		}
	}
	// 2 arms, 2 sides, 4 boots of 12 trials; and one tick a boot.
	if n := strings.Count(levels, ", trial "); n != 2*2*4*12 {
		t.Errorf("%d dots", n)
	}
	if n := strings.Count(levels, ": mean "); n != 2*2*4 {
		t.Errorf("%d ticks", n)
	}
	// All transactions of four runs of 12 trials of 3000.
	if want := "largest of " + prose.Grouped(4*12*3000); strings.Count(curves, want) != 2 {
		t.Errorf("the curves are not of %s transactions each", prose.Grouped(4*12*3000))
	}
	if !strings.Contains(charts[1].Note, "one boot with a tick") {
		t.Errorf("the caption does not say what the rows are: %s", charts[1].Note)
	}
	var page bytes.Buffer
	if err := writeRuns(&page, in, fakeECharts); err != nil {
		t.Fatal(err)
	}
	before, _, drawn := strings.Cut(page.String(), "<h2>Before and after</h2>")
	if !drawn || !strings.Contains(before, "<h2>What else differs between the runs</h2>") {
		t.Error("what else differs does not stand before the charts")
	}
}

// TestSidesOfOneRun: a run against itself, sides without an arm, many arms.
func TestSidesOfOneRun(t *testing.T) {
	run := sample.TCPWorld().Run()
	s := analysis.Compare(run, run)
	sides := sidesOf(s, []*results.Run{run, run})
	if len(sides) != 2 || len(sides[0].runs) != 1 || len(sides[1].runs) != 1 {
		t.Fatalf("sides are %+v", sides)
	}
	c, ok, err := sidesChart("x", s, figure.Goodput, sides)
	if err != nil || !ok || strings.Contains(string(c.Options), ": mean ") || !strings.Contains(c.Note, "a box holds") {
		t.Errorf("%v %v, %s", ok, err, c.Note)
	}
	if _, ok, err := sidesChart("x", s, figure.LatencyP99, sides); ok || err != nil {
		t.Errorf("a latency that nobody measured is drawn (%v)", err)
	}
	if h := (side{records: []*record.Record{record.Of(run.Header.Design, run.Trials)}}).latency("nowhere", ""); h != nil {
		t.Error("an arm that is not there has a latency")
	}
	w := sample.MatrixWorld()
	a := w.Run()
	w.Seed++
	b := w.Run()
	b.Header.ID += "-b"
	s = analysis.Compare(a, b)
	for range 2 { // 10 arms, then 20
		for _, c := range s.Comparisons[:len(s.Comparisons):len(s.Comparisons)] {
			c.Arm += "+"
			s.Comparisons = append(s.Comparisons, c)
		}
	}
	c, ok, err = sidesChart("x", s, figure.Goodput, sidesOf(s, []*results.Run{a, b}))
	if err != nil || !ok || !strings.Contains(c.Note, "are not drawn.") {
		t.Errorf("%v %v: %s", ok, err, c.Note)
	}
}
