package report

import (
	"fmt"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report/figure"
)

// InteractionTexts are the interactions that are more than chance.
func InteractionTexts(s analysis.Summary) []string {
	var out []string
	if s.Sweep != nil {
		for _, i := range s.Sweep.Interactions {
			if i.Shown {
				out = append(out, prose.Capital(i.Text)+".")
			}
		}
	}
	for _, c := range s.Interactions {
		if c.Withheld != "" || c.Lo <= 0 && c.Hi >= 0 {
			continue
		}
		sc := figure.ChangeScale([]analysis.Comparison{c}, figure.InfoOf(c.Metric).ScaleFor(figure.Levels(s.Arms, c.Metric)))
		out = append(out, fmt.Sprintf("What %s does against %s is not the same in %s as in %s: its effect on %s differs by %s %s (%s).",
			c.Arm, c.Baseline, c.ArmRun, c.BaselineRun, prose.Lower(figure.InfoOf(c.Metric).Title), sc.Signed(c.Change), sc.Unit, figure.Interval(sc, c.Lo, c.Hi)))
	}
	return out
}
