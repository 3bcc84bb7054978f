package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/gate"
	"netab/analysis/page"
	"netab/analysis/proof"
	"netab/analysis/report/export"
	"netab/analysis/report/figure"
	"netab/analysis/report/sample"
	"netab/analysis/trend"
	"netab/results"
)

// TestEveryViewInEveryFormat: a view that is made into a page is written in every
// format, those of outcomes alone excepted where it has none.
func TestEveryViewInEveryFormat(t *testing.T) {
	later := sample.TCPWorld()
	later.Seed, later.Rate = 8, 40e9
	comparison := analysis.Compare(sample.TCPWorld().Run(), later.Run())
	judged := map[string]bool{"gate": true, "campaign's gate": true, "trend": true}
	for view, p := range map[string]*page.Page{
		"run": Summary(sample.Troubled()), "comparison": Summary(comparison), "gate": Gate(gate.New(comparison, nil, sample.GateDay)),
		"campaign": Summary(analysis.JudgeCampaign(sample.Kernels(2), analysis.CompareOptions{})), "campaign's gate": Gate(gate.New(analysis.JudgeCampaign(sample.Kernels(2), analysis.CompareOptions{}), nil, sample.GateDay)),
		"trend":       Trend(trend.Analyze(sample.Nights(), trend.Options{})),
		"calibration": calibration.NewPage(&results.Calibration{Scenario: "slowdown"}).View(),
		"proof":       proof.Proof{Worlds: []proof.Result{{Name: "white"}}}.View(),
	} {
		for _, name := range export.Names() {
			write, _ := export.Named(name)
			var b bytes.Buffer
			err := write(&b, p, export.Options{})
			needs := name == "chat" || name == "junit"
			if (err == nil) != (!needs || judged[view]) || err == nil && b.Len() == 0 {
				t.Errorf("%s of a %s: %v, %d bytes", name, view, err, b.Len())
			}
		}
	}
}

// TestCellsHaveValues: behind a figure as people read it is the record's own.
func TestCellsHaveValues(t *testing.T) {
	s := sample.Troubled()
	table := NewVerdictTable(s).table()
	c := s.Comparisons[0]
	level := s.Arms[1].Metrics[figure.Goodput]
	for i, want := range []page.Cell{
		page.Text("sink"), page.NumberOf("43.5", level.Mean, "bit/s"), page.NumberOf("1.2", figure.HalfWidth(level), "bit/s"),
		page.ShareOf("+8.2", c.Change), page.IntervalOf("+6.6 to +9.8", c.Lo, c.Hi, ""), page.VerdictOf("▲ improvement", analysis.Improvement),
	} {
		if got := table.Rows[1][i]; got != want {
			t.Errorf("%s %s: %+v, want %+v", table.Columns[i].Group, table.Columns[i].Head, got, want)
		}
	}
}

// TestManyOptions: what two kernels were built with fills no terminal.
func TestManyOptions(t *testing.T) {
	c := sample.Kernels(1)
	for i := range 30 {
		c.Header.Kernels[0].Config[fmt.Sprint("CONFIG_RCU_", i)] = "y"
	}
	text := terminalText(t, analysis.JudgeCampaign(c, analysis.CompareOptions{}), export.Options{})
	if n := strings.Count(text, "CONFIG_"); n != shownOptions || !strings.Contains(text, "12 options more: in the HTML report and the JSON") {
		t.Errorf("%d options in\n%s", n, text)
	}
}
