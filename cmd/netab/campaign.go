package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/analysis/report/html"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
)

// A picked is what a name on the command line means: a run, or a campaign of several.
type picked struct {
	run      *results.Run
	campaign *results.Campaign // nil = it is a run
}

// pick finds a run or a campaign, and reads it. "latest" is the newest of a scenario,
// or of any ("").
func (p *picker) pick(ref, scenario string) (picked, error) {
	path, err := p.find(ref, scenario)
	if err != nil {
		return picked{}, err
	}
	if !results.IsCampaign(path) {
		run, err := p.open(ref, path)
		return picked{run: run}, err
	}
	c, err := results.ReadCampaign(path)
	if err != nil {
		return picked{}, err
	}
	if err := p.once(ref, path, c.Header.ID); err != nil {
		return picked{}, err
	}
	for _, run := range c.Runs() {
		question.DescribeOlder(run)
	}
	p.origin = campaignOrigin(p.store, path, c)
	return picked{campaign: c}, nil
}

// scenario is what it is of, by name.
func (x picked) scenario() string {
	if x.campaign != nil {
		return x.campaign.Header.Design.Name
	}
	return x.run.Header.Design.Name
}

func (x picked) id() string {
	if x.campaign != nil {
		return x.campaign.Header.ID
	}
	return x.run.Header.ID
}

// campaignOrigin is the origin of a campaign that was read from a file.
func campaignOrigin(store *results.Store, file string, c *results.Campaign) origin {
	return origin{c.Header.Source, func() error {
		if err := store.Own(file); err != nil {
			return err
		}
		if c.Header.Host == nil {
			return errors.New("the campaign does not say on which machine it was made")
		}
		here, err := readMachine("")
		if err != nil {
			return err
		}
		if !c.Header.Host.Identity().Same(here.Identity()) {
			return errors.New("the campaign was made on another machine, " + c.Header.Host.Identity().String())
		}
		return nil
	}}
}

// setCampaignThresholds lays thresholds over the designs of a campaign's runs.
func setCampaignThresholds(c *results.Campaign, thresholds map[string]float64) {
	c.Header.Design.SetThresholds(thresholds)
	for _, run := range c.Runs() {
		run.Header.Design.SetThresholds(thresholds)
	}
}

// runsOf are the runs that a campaign gives to a comparison with others. Of boots that
// failed it would say nothing, and so it is refused where there are any.
func runsOf(c *results.Campaign) ([]*results.Run, error) {
	for _, o := range c.Outcomes() {
		if o.State == results.Failed {
			return nil, usage(fmt.Errorf("campaign %s has boots that failed, which a comparison with other runs would leave out: compare it by itself", c.Header.ID))
		}
	}
	runs := c.Runs()
	if len(runs) == 0 {
		return nil, fmt.Errorf("campaign %s has no boot that measured anything", c.Header.ID)
	}
	return runs, nil
}

// writeCampaign writes the HTML report of a judged campaign.
func writeCampaign(file string, c *results.Campaign, s *analysis.Summary) error {
	return disk.Write(file, campaignPage(c, s))
}

func campaignPage(c *results.Campaign, s *analysis.Summary) func(io.Writer) error {
	in := html.Input{Compare: s}
	for _, g := range analysis.CampaignGroups(c) {
		in.Runs = append(in.Runs, g.Runs...)
	}
	return func(w io.Writer) error { return html.Runs(w, in) }
}

// exportCampaign writes what a campaign came to, or its record: benchfmt of all boots,
// or the record's own lines.
func exportCampaign(w io.Writer, c *results.Campaign, format string) error {
	switch {
	case format == "jsonl":
		return export.CampaignFile(w, c)
	case format == "benchfmt":
		for _, g := range analysis.CampaignGroups(c) {
			for _, run := range g.Runs {
				if err := export.Benchfmt(w, run); err != nil {
					return err
				}
			}
		}
		return nil
	case recordFormats[format] != nil || format == openMetrics:
		return usage(fmt.Errorf("--format %s is of one run, and %s is a campaign: export a boot of it, such as %s", format, c.Header.ID, results.BootID(c.Header.ID, 0)))
	}
	return writePage(w, report.Summary(analysis.JudgeCampaign(c, analysis.CompareOptions{})), format)
}

// compareCampaign compares the kernels of a campaign.
func (f *compareFlags) compareCampaign(cmd *cobra.Command, c *results.Campaign, o analysis.CompareOptions, thresholds map[string]float64, from origin) error {
	setCampaignThresholds(c, thresholds)
	if f.redact {
		c = results.NewRedactor().Campaign(c)
	}
	s := analysis.JudgeCampaign(c, o)
	if f.html != "" {
		if err := writeCampaign(f.html, c, &s); err != nil {
			return failed(err)
		}
	}
	return f.conclude(cmd, s, from)
}

// bootsOf is how many boots of a campaign there are, for the list of runs.
func bootsOf(e results.Entry) string { return fmt.Sprintf("%d of %d boots", e.Boots, e.Planned) }
