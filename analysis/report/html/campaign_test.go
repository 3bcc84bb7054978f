package html

import (
	"fmt"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/sample"
	"netab/results"
	"netab/results/vocab"
)

func inputOfCampaign(c *results.Campaign) Input {
	s := analysis.JudgeCampaign(c, analysis.CompareOptions{})
	in := Input{Compare: &s}
	for _, g := range analysis.CampaignGroups(c) {
		in.Runs = append(in.Runs, g.Runs...)
	}
	return in
}

func campaignInput(boots int) Input { return inputOfCampaign(sample.Kernels(boots)) }

// The page of a campaign has its kernels, what each arm does on each, each boot's levels,
// and the consoles of boots that failed, which may hold anything.
func TestCampaignPage(t *testing.T) {
	text := pageText(t, campaignInput(5))
	for _, want := range []string{
		"What changed from kernel 6.1.0-47-cloud-amd64 to kernel 6.12.0-cloud-amd64?", "<h2>The kernels</h2>", "not hardware time", "<code>not-hardware-time</code>",
		"Goodput against off, within each kernel", `data-chart="cmp-forest"`, `data-chart="cmp-within0"`, `data-chart="cmp-levels0"`,
		"sink @ 6.12.0-cloud-amd64", ", boot 3: ", "dots single boots",
		"<h2>Boots that failed</h2>", "Boot 10, 6.12.0-cloud-amd64: panic", "Kernel panic - not syncing: Fatal exception in interrupt", "&lt;script&gt;alert(1)&lt;/script&gt;",
		"CONFIG_PREEMPT_LAZY", "not set", "Acceleration", "netab report 20260314-092653-kernels-local-0007/0", "meant to differ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, no := range []string{"<script>alert", "\x1b", "\u202e", `id="r1"`, "Runs on this page", "Who is compared with whom"} {
		if strings.Contains(text, no) {
			t.Errorf("the page has %q", no)
		}
	}
	many := sample.Kernels(1)
	for i := range 25 {
		many.Header.Kernels[0].Config[fmt.Sprint("CONFIG_RCU_", i)] = "y"
	}
	if text := pageText(t, inputOfCampaign(many)); !strings.Contains(text, "<summary>27 options differ</summary>") || !strings.Contains(text, "CONFIG_RCU_24") {
		t.Error("many options are not folded")
	}
	if pageText(t, campaignInput(5)) != text {
		t.Error("the page differs from one time to the next")
	}
}

// A campaign of which nothing was measured has a page too.
func TestCampaignPageOfNothing(t *testing.T) {
	c := sample.Kernels(1)
	for i := range c.Boots {
		c.Boots[i].Run, c.Boots[i].End, c.Boots[i].Text, c.Boots[i].Console = nil, vocab.Hang, "", nil
	}
	text := pageText(t, inputOfCampaign(c))
	for _, want := range []string{"Boot 0, 6.1.0-47-cloud-amd64: hang", "Its console said nothing.", "no boot measured anything"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
