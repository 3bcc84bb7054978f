package html

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/results"
)

// A campaignView is what the page of a campaign has beside the comparison of its
// kernels.
type campaignView struct {
	ID       string
	Kernels  []analysis.KernelSide
	Failed   []failedView
	Options  []analysis.KernelOption
	Within   []withinView
	Effects  []chart // of the arms within each kernel
	Needed   []string
	Machine  []fact
	Warnings []results.Warning // that are not above
}

// ManyOptions says whether they are folded away.
func (v *campaignView) ManyOptions() bool { return len(v.Options) > 20 }

// A failedView is a boot that failed, with what was left of its console.
type failedView struct{ What, Console string }

// A withinView is a table of what arms do within each kernel.
type withinView struct {
	Title, Unit string
	Rows        []withinRow
}

type withinRow struct {
	Arm, Swatch, Kernel    string
	Change, Interval       string
	Boots                  int
	Verdict, Symbol, Words string
}

// newCampaignView is nil where the runs are of no campaign.
func newCampaignView(s analysis.Summary, runs []*results.Run) (*campaignView, error) {
	c := s.Campaign
	if c == nil {
		return nil, nil
	}
	v := &campaignView{ID: c.ID, Kernels: c.Kernels, Options: slices.Clone(c.Config), Needed: report.BootsNeeded(s), Machine: guestFacts(c, runs), Warnings: newHead(s).Warnings}
	for i := range v.Options {
		values := make([]string, len(v.Options[i].Values))
		for k, value := range v.Options[i].Values {
			values[k] = report.OptionText(value)
		}
		v.Options[i].Values = values
	}
	for _, b := range c.Failed {
		v.Failed = append(v.Failed, failedView{prose.Capital(report.FailedText(b)), strings.Join(b.Console, "\n")})
	}
	within := report.Within(s)
	for i, t := range report.EffectTables(s) {
		view := withinView{Title: t.Title(), Unit: t.Change.Unit}
		for k := range t.Effects {
			e := &t.Effects[k]
			view.Rows = append(view.Rows, withinRow{e.Arm, armColor(report.ArmIndex(s.Arms, e.Arm)), e.ArmRun, t.Change.Signed(e.Change), t.Interval(e), e.N,
				string(e.Verdict), page.VerdictSymbol(e.Verdict), report.VerdictWords(e)})
		}
		v.Within = append(v.Within, view)
		within.Comparisons = t.Effects
		forest, err := forestChart(fmt.Sprintf("cmp-within%d", i), within, report.VerdictTableOf(within, t.Headline.Name))
		if err != nil {
			return nil, err
		}
		forest.Title = t.Title()
		v.Effects = append(v.Effects, forest)
	}
	return v, nil
}

// guestFacts are the machine that the kernels were booted on, as the first run and the
// campaign tell.
func guestFacts(c *analysis.Campaign, runs []*results.Run) []fact {
	var out []fact
	if g := c.Guest; g != nil {
		accel := map[string]string{results.Emulated: "none: the CPUs are emulated (TCG)", "kvm": "KVM"}[g.Accel]
		out = append(out, fact{"Guest", strings.TrimSpace("QEMU " + g.QEMU)}, fact{"Acceleration", accel}, fact{"CPU model", g.CPUModel})
		if c.Together > 0 {
			out = append(out, fact{"Boots", fmt.Sprintf("up to %d at once, in turns of %d ms", c.Together, g.TurnMS)})
		}
	}
	if len(runs) > 0 {
		for _, f := range machineFacts(runs[0].Header.Machine) {
			switch f.Name {
			case "Kernel", "Kernel command line", "Boot", "Host": // another for each
			default:
				out = append(out, f)
			}
		}
	}
	return present(out)
}
