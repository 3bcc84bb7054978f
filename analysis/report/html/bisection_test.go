package html

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"netab/analysis/culprit"
	"netab/analysis/report"
	"netab/results"
)

// TestBisection: the page opens with the commit, and draws the step; what strangers
// wrote into commits is text.
func TestBisection(t *testing.T) {
	b := &results.Bisection{Header: results.BisectionHeader{ID: "x", Name: "udp", Mode: "time", Unit: "ns per bit of goodput", AtLeast: 0.001, Repo: "/src", Changes: []results.Change{
		{ID: strings.Repeat("a", 40), Subject: "base"}, {ID: strings.Repeat("b", 40), Subject: "udp: <script>alert(1)</script>", Weight: 1}}}}
	s := culprit.Empty(&b.Header)
	for {
		c, ok := s.Next()
		if !ok {
			break
		}
		e := results.BisectionEvent{Type: results.EventTest, Change: c, Cost: math.Log(100 + 3*float64(c))}
		s.Heed(e)
		b.Events = append(b.Events, e)
	}
	var out bytes.Buffer
	if err := Bisection(&out, report.BisectionOf(b)); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	if strings.Contains(page, "<script>alert(1)") {
		t.Error("a commit's subject became code")
	}
	for _, want := range []string{"Commit bbbbbbbbbbbb", "Cost by change", "For a mail", "What was tested"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}
