package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/cmd/netab/kernels"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner/campaign"
	"netab/runner/guest/kernel"
)

func (f runFlags) kernelOptions(cmd *cobra.Command) kernels.Options {
	return kernels.Options{Arch: f.arch, QEMU: f.qemu, Apt: f.apt, Log: cmd.ErrOrStderr()}
}

// campaign boots kernels in turns, and compares them.
func (f runFlags) campaign(cmd *cobra.Command, q *question.Question) error {
	if q.Measure.Sessions > 1 {
		return usage(errors.New("sessions are of one boot's time: boot each kernel more often instead (--boots)"))
	}
	var list []string
	if f.kernels != "" {
		list = kernel.Split(f.kernels)
	}
	set, err := kernels.Find(cmd.Context(), q, list, f.kernelOptions(cmd))
	if err != nil {
		return failed(otherArch(err, f.arch))
	}
	if why := set.Emulated(); why != "" && !f.quiet {
		writef(cmd.ErrOrStderr(), "netab: guests run under TCG, so no time of theirs is hardware's: %s\n", why)
	}
	h := set.Header(cmp.Or(f.seed, q.Measure.Seed, question.NewSeed()))
	h.Netab, h.Command, h.Started = build(), os.Args, time.Now().UTC()
	if f.dryRun {
		return f.printCampaign(cmd, set, h)
	}
	machine, err := readMachine(f.machine)
	if err != nil {
		return failed(err)
	}
	h.Host = &machine
	s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	w, err := results.CreateCampaign(storeFlag(cmd), results.NewID(q.Name, h.Started, question.NewSeed()), h)
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	c, err := results.ReadCampaign(w.Dir())
	if err != nil {
		return failed(err)
	}
	return f.boot(cmd, set, w, c)
}

// resumed is the record of the campaign that is to go on.
func (f runFlags) resumed(cmd *cobra.Command) (path string, err error) {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return "", failed(err)
	}
	if path, err = store.Resolve(f.resume); err != nil {
		return "", failed(err)
	}
	if !results.IsCampaign(path) {
		return "", usage(fmt.Errorf("%s is no campaign of kernels", f.resume))
	}
	return path, nil
}

// resumeCampaign goes on with one that was cut off.
func (f runFlags) resumeCampaign(cmd *cobra.Command, path string) error {
	s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	w, c, err := results.ResumeCampaign(path)
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	if c.Header.Guest == nil {
		return usage(fmt.Errorf("campaign %s boots the machine itself: netab boots plan --resume %s takes it up", c.Header.ID, c.Header.ID))
	}
	q, err := f.again(cmd, c)
	if err != nil {
		return err
	}
	set, err := kernels.Again(cmd.Context(), c, q, f.kernelOptions(cmd))
	if err != nil {
		return failed(err)
	}
	if err := f.addBoots(w, c); err != nil {
		return err
	}
	return f.boot(cmd, set, w, c)
}

// again is what a campaign asks that goes on, and may run.
func (f runFlags) again(cmd *cobra.Command, c *results.Campaign) (*question.Question, error) {
	q, err := question.OfCampaign(c.Header)
	if err != nil {
		return nil, failed(err)
	}
	if q.Allowed, err = f.allow.check(q); err != nil {
		return nil, badScenario(cmd, err)
	}
	return q, nil
}

// addBoots makes the plan longer, where so many boots of each kernel are asked for: the
// campaign goes on as one that was planned so from the beginning. Each boot measures for
// as long as the others.
func (f runFlags) addBoots(w *results.CampaignWriter, c *results.Campaign) error {
	if f.boots == 0 {
		return nil
	}
	n, h := len(c.Header.Kernels), &c.Header
	longer := campaign.Order(n, f.boots, h.Seed)
	if len(longer) <= len(h.Planned) {
		return usage(fmt.Errorf("campaign %s is of %s of each kernel already: want more (--boots), or leave that off", h.ID, prose.Counted(len(h.Planned)/n, "boot")))
	}
	if !slices.Equal(longer[:len(h.Planned)], h.Planned) {
		return failed(fmt.Errorf("campaign %s was planned by another version of netab, and cannot be made longer: begin a new one", h.ID))
	}
	seen := c.End != nil && len(c.Runs()) > 0
	return failed(w.AppendMore(c, results.MoreBoots{Planned: longer[len(h.Planned):], Added: time.Now().UTC(), Seen: seen}))
}

// boot boots what is due, and shows what it comes to.
func (f runFlags) boot(cmd *cobra.Command, set *kernels.Set, w *results.CampaignWriter, c *results.Campaign) error {
	said := cmd.ErrOrStderr()
	if f.quiet || f.noProgress {
		said = io.Discard
	}
	l := campaignLoop(c, said)
	l.Booter = set
	writef(said, "campaign %s: %s of %v each\n", c.Header.ID, prose.Counted(len(c.Header.Planned), "boot"), set.Each().Round(time.Second/10))
	failedBy := l.Run(cmd.Context(), w, c)
	again, err := results.ReadCampaign(w.Dir())
	if err != nil {
		return errors.Join(failed(failedBy), failed(err))
	}
	return errors.Join(failed(failedBy), f.showCampaign(cmd, w.Dir(), again))
}

// campaignLoop tells of each boot.
func campaignLoop(c *results.Campaign, said io.Writer) campaign.Loop {
	named := func(k int) string {
		all := c.Header.Kernels
		if slices.ContainsFunc(all, func(other results.Kernel) bool { return other.Release == all[k].Release && other.Ref != all[k].Ref }) {
			return fmt.Sprintf("%s (%s)", all[k].Release, all[k].Ref)
		}
		return all[k].Release
	}
	planned := len(c.Header.Planned)
	return campaign.Loop{
		Begins: func(p results.PlannedBoot, attempt int) {
			again := ""
			if attempt > 1 {
				again = fmt.Sprintf(", attempt %d", attempt)
			}
			writef(said, "boot %d of %d: %s%s\n", p.Number+1, planned, named(p.Kernel), again)
		},
		Ends: func(b results.Boot) {
			if b.End != vocab.Finished {
				writef(said, "boot %d of %d: %s: %s\n", b.Number+1, planned, b.End, b.Text)
			}
		},
	}
}

// showCampaign judges a campaign and prints it.
func (f runFlags) showCampaign(cmd *cobra.Command, dir string, c *results.Campaign) error {
	s := analysis.JudgeCampaign(c, analysis.CompareOptions{})
	file := f.html
	if file == "" {
		file = filepath.Join(dir, "report.html")
	}
	unwritten := writeCampaign(file, c, &s)
	if err := f.print(cmd, s, "campaign", c.Header.ID, file, unwritten); err != nil {
		return err
	}
	switch {
	case c.Reason() == vocab.Interrupted:
		return &statusError{exitFailed, fmt.Errorf("interrupted: what was measured so far is kept and shown; go on with %s", c.Header.GoesOnWith())}
	case len(c.Runs()) == 0:
		return &statusError{exitFailed, errors.New("no boot measured anything: see the warnings")}
	case f.gate || f.bisect:
		g := gateFlags{bisect: f.bisect, quiet: true} // the verdicts are printed already
		return g.judge(cmd, s, ownOrigin(c.Header.Source))
	}
	return nil
}

// printCampaign says what would be booted.
func (f runFlags) printCampaign(cmd *cobra.Command, set *kernels.Set, h results.CampaignHeader) error {
	out := cmd.OutOrStdout()
	if f.json {
		return failed(writeJSON(out, h, ""))
	}
	g := h.Guest
	writef(out, "%s: %s\n\n", h.Design.Name, h.Design.Question)
	for i, k := range h.Kernels {
		with := ""
		if i == 0 {
			with = ", which the others are compared with"
		}
		writef(out, "kernel %s (%s)%s\n", k.Release, k.Ref, with)
	}
	for _, a := range h.Design.Arms {
		writef(out, "arm %s in each boot\n", a.Name)
	}
	writef(out, "\nguests of %s and %d MiB, QEMU %s under %s\n", prose.Counted(g.CPUs, "CPU"), g.MemoryMiB, g.QEMU, g.Accel)
	order := "in random order"
	if g.TurnMS > 0 && len(h.Planned) > 1 {
		order += fmt.Sprintf(", up at once as far as memory goes and executing in turns of %d ms", g.TurnMS)
	}
	writef(out, "%s %s, each of which measures for %v; seed %d\n", prose.Counted(len(h.Planned), "boot"), order, set.Each().Round(time.Second/10), h.Seed)
	return nil
}
