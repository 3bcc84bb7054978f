package html

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/figure"
	"netab/analysis/report/sample"
	"netab/results"
)

func judgedInput(run *results.Run) Input {
	return Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{analysis.Summarize(run)}}
}

func TestPercentile(t *testing.T) {
	for q, want := range map[float64]string{0: "0", 0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.99937: "99.937", 0.9999999: "99.99999", 1: "100"} {
		if got := percentile(q); got != want {
			t.Errorf("%v is p%s, want p%s", q, got, want)
		}
	}
}

// TestLatencyRows: percentiles rise with rarity, and the line ends at the longest.
func TestLatencyRows(t *testing.T) {
	h := &results.Histogram{}
	for i := range int64(1000) {
		h.Add(1000 * (i + 1))
	}
	rows := latencyRows("a", h)
	last := row{0.0, 0.0}
	for _, r := range rows {
		if r[0].(float64) <= last[0].(float64) || r[1].(float64) < last[1].(float64) {
			t.Errorf("%v stands after %v", r, last)
		}
		last = r
	}
	if last[0] != 1000.0 || math.Abs(last[1].(float64)-1000) > 8 || !strings.Contains(last[2].(string), "largest of 1\u202f000: 10") {
		t.Errorf("the line ends at %v", last)
	}
	// One in 1000/ln(40) is as rare as a thousand can show.
	if n := len(rows); rows[n-2][0].(float64) > 272 || rows[n-2][0].(float64) < 200 {
		t.Errorf("before the longest of a thousand stands one in %v", rows[n-2][0])
	}
	if one := latencyRows("a", func() *results.Histogram { h := &results.Histogram{}; h.Add(0); return h }()); len(one) != 1 || one[0][1].(float64) <= 0 {
		t.Errorf("one transaction without time gives %v", one)
	}
}

func TestLadder(t *testing.T) {
	run := sample.Ladder()
	ls := ladders(readRun(run, figure.PacketRate))
	if len(ls) != 1 || len(ls[0].steps) != 6 {
		t.Fatalf("ladders are %+v", ls)
	}
	for i, s := range ls[0].steps {
		want := min(s.offered, 400e3)
		if s.offered != float64(i+1)*100e3 || math.Abs(s.achieved-want) > 0.01*want || math.Abs(s.missed-(1-want/s.offered)) > 0.01 {
			t.Errorf("step %+v, want %v achieved", s, want)
		}
	}
	run.Header.Design.Arms = run.Header.Design.Arms[:2]
	if ls := ladders(readRun(run, figure.PacketRate)); ls != nil {
		t.Errorf("two rates make the ladder %+v", ls)
	}
}

// TestTrafficPages: what a kind of traffic is about stands on its page.
func TestTrafficPages(t *testing.T) {
	for _, c := range []struct {
		name string
		run  *results.Run
		want []string
		not  []string
	}{
		{"rr", sample.Requests(), []string{`data-chart="r1-percentiles"`, "Traffic beside", "k/s", "p99 latency", "What else happened", "zerocopy copied", "they wait for each other"}, []string{`data-chart="r1-achieved"`, "kpps"}},
		{"ladder", sample.Ladder(), []string{`data-chart="r1-achieved"`, `data-chart="r1-ladder-loss"`, "the offered rate was the limit: achieved 100 k of 100 k messages/s"}, []string{`data-chart="r1-percentiles"`}},
		{"search", sample.Search(), []string{`data-chart="r1-search"`, "Loss-free rate", "UDP loss-free rate over loopback is"}, []string{`data-chart="r1-slices"`}},
	} {
		text := pageText(t, judgedInput(c.run))
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not on the page", c.name, want)
			}
		}
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if ids[m[1]]++; ids[m[1]] > 1 {
				t.Errorf("%s: two elements are called %s", c.name, m[1])
			}
		}
		for _, not := range append(c.not, "NaN", "%!") {
			if strings.Contains(text, not) {
				t.Errorf("%s: %q is on the page", c.name, not)
			}
		}
	}
}
