package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"netab/analysis/culprit"
	"netab/results"
)

// bisected is a record of tests of changes 0 to 4 with these costs, as a search asks for them.
func bisected(t *testing.T, costs map[int]float64, skipped ...int) *results.Bisection {
	t.Helper()
	b := &results.Bisection{Header: results.BisectionHeader{ID: "20261201-010203-udp-1a2b", Name: "udp-64", Mode: "time", Arm: "off", Metric: "goodput", Unit: "ns per bit of goodput", AtLeast: 0.001, Repo: "/src",
		Build: "make", Command: []string{"netab", "bisect", "udp-64"}}}
	for i, subject := range []string{"base", "udp: tidy", "udp: copy twice", "doc: say so", "tcp: tidy"} {
		b.Header.Changes = append(b.Header.Changes, results.Change{ID: strings.Repeat(string(rune('a'+i)), 40), Subject: subject, Author: "A <a@b>", Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Files: []string{"net/ipv4/udp.c"}, Weight: 1})
	}
	s := culprit.Empty(&b.Header)
	for n := 0; n < 200; n++ {
		c, ok := s.Next()
		if !ok {
			return b
		}
		e := results.BisectionEvent{Type: results.EventTest, Change: c, Cost: math.Log(costs[c] * (1 + 0.0001*float64(n%3)))}
		for _, i := range skipped {
			if c == i {
				e = results.BisectionEvent{Type: results.EventSkipped, Change: c, Text: "it does not build"}
			}
		}
		s.Heed(e)
		b.Events = append(b.Events, e)
	}
	t.Fatal("it does not end")
	return nil
}

func TestBisectionSays(t *testing.T) {
	flat := map[int]float64{0: 2, 1: 2, 2: 2, 3: 2, 4: 2}
	step := map[int]float64{0: 2, 1: 2, 2: 2.06, 3: 2.06, 4: 2.06}
	two := map[int]float64{0: 2, 1: 2.04, 2: 2.04, 3: 2.12, 4: 2.12}
	for name, tc := range map[string]struct {
		costs   map[int]float64
		skipped []int
		cut     int // events that are left off
		outcome culprit.Outcome
		says    []string
	}{
		"found":      {step, nil, 0, culprit.Found, []string{"cccccccccccc (udp: copy twice) made udp-64, arm off 3", "% dearer", "from end to end eeeeeeeeeeee is 3"}},
		"untestable": {step, []int{2}, 0, culprit.Found, []string{"one of the 2 commits after bbbbbbbbbbbb up to dddddddddddd (doc: say so)"}},
		"no change":  {flat, nil, 0, culprit.NoChange, []string{"No change: between aaaaaaaaaaaa and eeeeeeeeeeee there is none that could be told"}},
		"several":    {two, nil, 0, culprit.Several, []string{"The difference came in steps", "udp: tidy", "doc: say so"}},
		"not yet":    {step, nil, 3, "", []string{"No answer yet", "netab bisect --resume 20261201-010203-udp-1a2b"}},
		"a gain":     {map[int]float64{0: 2, 1: 2, 2: 1.9, 3: 1.9, 4: 1.9}, nil, 0, culprit.Found, []string{"% cheaper"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := bisected(t, tc.costs, tc.skipped...)
			b.Events = b.Events[:len(b.Events)-tc.cut]
			of := BisectionOf(b)
			outcome := culprit.Outcome("")
			if of.Answer != nil {
				outcome = of.Answer.Outcome
			}
			p := of.View()
			for _, want := range tc.says {
				if !strings.Contains(p.Answer, want) {
					t.Errorf("%q lacks %q", p.Answer, want)
				}
			}
			titles := ""
			for _, s := range p.Sections {
				titles += s.Title + "; "
			}
			if outcome != tc.outcome || (outcome == culprit.Found) != strings.Contains(titles, "For a mail") && outcome != culprit.Several || !strings.Contains(titles, "What was tested") || (len(tc.skipped) > 0) != strings.Contains(titles, "Not tested") {
				t.Errorf("%s, %s", outcome, titles)
			}
		})
	}
}
