package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"netab/analysis/prose"
	"netab/cmd/netab/kernels"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner/campaign"
	"netab/runner/claim"
	"netab/runner/guest/kernel"
	"netab/runner/host"
	"netab/runner/reboot"
)

func newBoots() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "boots",
		Short: "Compare kernels by booting this machine with them",
		Long: `Compare kernels by booting this machine with them, over and over: what guests
cannot tell is what a kernel takes on the hardware.

plan writes the campaign and changes nothing. next looks which kernel is up,
measures if it is the one that was armed, and arms the next: by kexec, or by GRUB,
once. A unit of systemd's does that at each boot, until nothing is due any more.
Power cuts, crashes and other choices at the boot menu are seen and recorded.
The result is one campaign, read by the same commands as one of guests.`,
		Example: `  netab boots plan loopback-rps --kernels 6.1.0-57-amd64,6.12.9-amd64 --boots 5
  netab boots unit >/etc/systemd/system/netab-boots.service
  systemctl enable netab-boots
  netab boots next --reboot`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBootsPlan(), newBootsNext(), newBootsStatus(), newBootsStop(), newBootsUnit())
	return cmd
}

// rootOnly refuses who cannot boot the machine.
func rootOnly(cmd *cobra.Command) error {
	if host.Privileged() {
		return nil
	}
	return failed(fmt.Errorf("%s %s: it boots this machine", cmd.CommandPath(), host.NeedsRoot()))
}

func newBootsPlan() *cobra.Command {
	var f runFlags
	var by string
	cmd := &cobra.Command{
		Use:   "plan NAME|FILE | --resume CAMPAIGN",
		Short: "Plan a campaign of boots of this machine",
		Long: `Plan a campaign of boots of this machine: find the kernels, see that each has what
the scenario needs, and write down which is booted when. Nothing is booted or
armed; netab boots next does that.

A kernel is an installed version, the path of an image or of a build tree, or a name
of ` + reboot.ConfigFile + `, where root says with which initrd and command line.
A scenario cannot name kernels here: they are booted as root.`,
		Example: `  netab boots plan loopback-rps --kernels 6.1.0-57-amd64,6.12.9-amd64
  netab boots plan my.yaml --kernels stock,mitigated --by grub --boots 8`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.resume == "" {
				return exactly(1, "a scenario: a name from `netab list`, or a file")(cmd, args)
			}
			if len(args) > 0 || f.kernels != "" {
				return usage(fmt.Errorf("--resume takes up what campaign %s asks, of its kernels: no scenario and no kernels are named", f.resume))
			}
			for _, name := range []string{"set", "confidence", "resolution", "max-time", "seed"} {
				if cmd.Flags().Changed(name) {
					return usage(fmt.Errorf("--%s would change what campaign %s asks: leave it off, or plan a new one", name, f.resume))
				}
			}
			return nil
		},
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			way := reboot.Way(by)
			if way != reboot.ByKexec && way != reboot.ByGRUB {
				return usage(fmt.Errorf("--by %s: want %s or %s", by, reboot.ByKexec, reboot.ByGRUB))
			}
			if err := rootOnly(cmd); err != nil {
				return err
			}
			if s, err := reboot.Load(claim.StateDir()); err == nil {
				return failed(fmt.Errorf("campaign %s is planned on this machine already: netab boots status says how far it is, netab boots stop ends it", s.ID))
			} else if !errors.Is(err, reboot.ErrNone) {
				return failed(err)
			}
			if f.resume != "" {
				return f.replanBoots(cmd, way)
			}
			return f.planBoots(cmd, args[0], way)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.kernels, "kernels", "", "boot each `KERNEL,...`; the others are compared with the first")
	fl.IntVar(&f.boots, "boots", 0, "boot each kernel `NUMBER` times (5)")
	fl.StringVar(&by, "by", string(reboot.ByKexec), "how a kernel is booted: `WAY` is kexec or grub")
	fl.StringVar(&f.resume, "resume", "", "take up a `CAMPAIGN` that was stopped")
	fl.StringArrayVar(&f.sets, "set", nil, "override `PATH=VALUE` of the scenario (repeatable)")
	f.allow.flags(cmd)
	fl.StringVar(&f.confidence, "confidence", "", "confidence of the intervals (`95%`)")
	fl.StringVar(&f.resolution, "resolution", "", "smallest relative change that matters (`1%`)")
	fl.StringVar(&f.maxTime, "max-time", "", "longest time to measure, of all boots together (`60s`)")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the random order (0 draws one; it is recorded)")
	fl.StringVar(&f.machine, "machine", "", machineUsage)
	fl.BoolVar(&f.dryRun, "dry-run", false, "print what would be planned and write nothing")
	return cmd
}

// bootOptions are how kernels are found that this machine boots.
func bootOptions(cmd *cobra.Command, way reboot.Way) (reboot.Options, error) {
	up, err := reboot.ReadUp(results.Root(""))
	return reboot.Options{By: way, Up: up, Kernel: kernel.Options{Log: cmd.ErrOrStderr()}}, err
}

func (f runFlags) planBoots(cmd *cobra.Command, ref string, way reboot.Way) error {
	if f.kernels == "" {
		return usage(fmt.Errorf("which kernels? name them with --kernels KERNEL,...: installed versions, images, or names of %s", reboot.ConfigFile))
	}
	list := kernel.Split(f.kernels)
	f.kernels = "" // the machine's CPUs, not a guest's
	q, err := f.load(cmd, ref)
	if err != nil {
		return err
	}
	if q.Measure.Sessions > 1 {
		return usage(errors.New("sessions are of one boot's time: boot each kernel more often instead (--boots)"))
	}
	o, err := bootOptions(cmd, way)
	if err != nil {
		return failed(err)
	}
	h, s, err := kernels.PlanHere(cmd.Context(), q, list, o, cmp.Or(f.seed, q.Measure.Seed, question.NewSeed()))
	if err != nil {
		return failed(err)
	}
	h.Netab, h.Command, h.Started = build(), os.Args, time.Now().UTC()
	each := q.EachBoot(len(h.Kernels))
	if f.dryRun {
		printBoots(cmd.OutOrStdout(), h, s, each)
		return nil
	}
	machine, err := readMachine(f.machine)
	if err != nil {
		return failed(err)
	}
	h.Host = &machine
	store, err := lastingStore(cmd)
	if err != nil {
		return failed(err)
	}
	w, err := results.CreateCampaign(store, results.NewID(q.Name, h.Started, question.NewSeed()), h)
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	s.ID, s.Campaign, s.Machine = filepath.Base(w.Dir()), w.Dir(), f.machine
	if err := reboot.Save(claim.StateDir(), s); err != nil {
		return failed(err)
	}
	printBoots(cmd.OutOrStdout(), h, s, each)
	tellNext(cmd.OutOrStdout(), s)
	return nil
}

// lastingStore is the store by its whole path, on something that outlives a boot.
func lastingStore(cmd *cobra.Command) (string, error) {
	store, err := filepath.Abs(storeFlag(cmd))
	if err != nil {
		return "", err
	}
	for _, dir := range []string{store, claim.StateDir()} {
		at := dir
		var st unix.Statfs_t
		for unix.Statfs(at, &st) != nil && at != "/" {
			at = filepath.Dir(at)
		}
		if st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC {
			return "", fmt.Errorf("%s is in memory, and does not outlive a boot: choose another place (--store, NETAB_STATE)", dir)
		}
	}
	return store, nil
}

// replanBoots takes up a campaign that was stopped.
func (f runFlags) replanBoots(cmd *cobra.Command, way reboot.Way) error {
	path, err := f.resumed(cmd)
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return failed(err)
	}
	w, c, err := results.ResumeCampaign(path)
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	q, err := f.again(cmd, c)
	if err != nil {
		return err
	}
	o, err := bootOptions(cmd, way)
	if err != nil {
		return failed(err)
	}
	s, err := kernels.AgainHere(cmd.Context(), c, q, o)
	if err != nil {
		return failed(err)
	}
	s.ID, s.Campaign, s.Machine = c.Header.ID, w.Dir(), f.machine
	if f.dryRun {
		printBoots(cmd.OutOrStdout(), c.Header, s, q.EachBoot(len(c.Header.Kernels)))
		return nil
	}
	if err := f.addBoots(w, c); err != nil {
		return err
	}
	if _, ok := campaign.Next(c.Outcomes()); !ok {
		return failed(fmt.Errorf("campaign %s is complete: netab compare %s shows it, and --boots NUMBER makes it longer", c.Header.ID, c.Header.ID))
	}
	if err := reboot.Save(claim.StateDir(), s); err != nil {
		return failed(err)
	}
	tellNext(cmd.OutOrStdout(), s)
	return nil
}

// printBoots says what is planned.
func printBoots(out io.Writer, h results.CampaignHeader, s *reboot.State, each time.Duration) {
	writef(out, "%s: %s\n\n", h.Design.Name, h.Design.Question)
	for i, k := range s.Kernels {
		with := ""
		if i == 0 {
			with = ", which the others are compared with"
		}
		writef(out, "kernel %s (%s)%s\n", k.Release, k.Ref, with)
		if k.Entry != "" {
			writef(out, "       GRUB's entry %s: %s\n", k.Entry, k.Cmdline)
			continue
		}
		writef(out, "       %s, initrd %s\n       %s\n", k.Image, cmp.Or(k.Initrd, "none"), k.Cmdline)
	}
	for _, a := range h.Design.Arms {
		writef(out, "arm %s in each boot\n", a.Name)
	}
	writef(out, "\n%s of this machine by %s, in random order, each of which measures for %v; seed %d\n", prose.Counted(len(h.Planned), "boot"), s.By, each.Round(time.Second/10), h.Seed)
}

func tellNext(out io.Writer, s *reboot.State) {
	writef(out, "\ncampaign %s is planned, and nothing is armed: netab boots next --reboot begins\n", s.ID)
}

// nextFlags are those of netab boots next.
type nextFlags struct {
	reboot, atOnce bool
	settled        time.Duration
	run            runFlags // how the result is shown
}

func newBootsNext() *cobra.Command {
	var f nextFlags
	cmd := &cobra.Command{
		Use:   "next",
		Short: "Measure what is due on the kernel that is up, and arm the next boot",
		Long: `See what the last boot came to, measure if the kernel that was armed is up, and
arm the next one. With --reboot the machine is rebooted then. When nothing is due
any more, the result is shown and the campaign is over.

What is about to happen is on disk before it happens: wherever it is cut off, the
next call goes on.`,
		Example: `  netab boots next            # and reboot by yourself
  netab boots next --reboot --settled 1m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := rootOnly(cmd); err != nil {
				return err
			}
			return f.next(cmd)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.reboot, "reboot", false, "reboot when the next boot is armed, by systemd")
	fl.BoolVar(&f.atOnce, "at-once", false, "reboot without ending any service: for machines whose init does nothing but this")
	fl.DurationVar(&f.settled, "settled", 0, "measure once the machine is up for `DURATION`")
	htmlVar(fl, &f.run.html, "write the HTML report of a campaign that is over to `FILE` (default: report.html in its directory)")
	fl.BoolVar(&f.run.noProgress, "no-progress", false, "print no progress")
	f.run.as.add(cmd)
	return cmd
}

func (f nextFlags) next(cmd *cobra.Command) error {
	s, err := reboot.Load(claim.StateDir())
	if err != nil {
		return failed(err)
	}
	if f.reboot && !f.atOnce && !systemd() {
		return usage(errors.New("--reboot asks systemd, which is not this machine's init: leave it off and reboot by yourself, or see --at-once"))
	}
	w, c, err := results.ResumeCampaign(s.Campaign)
	if err != nil {
		return failed(fmt.Errorf("%w; netab boots stop forgets it", err))
	}
	defer w.Close()
	m, err := awaitMachine(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer m.close()
	if len(m.Journal.Pending()) > 0 {
		if err := printRestored(cmd.ErrOrStderr(), m.Journal.Restore(cmd.Context())); err != nil {
			return failed(err)
		}
	}
	machine, err := f.machine(cmd, m, s, c)
	if err != nil {
		return failed(err)
	}
	armed, err := machine.Next(cmd.Context(), s, w, c)
	switch {
	case err != nil && cmd.Context().Err() != nil:
		return &statusError{exitFailed, errors.New("interrupted: nothing is armed, and what was recorded is kept; netab boots next goes on")}
	case err != nil:
		return failed(err)
	case armed == nil:
		return f.over(cmd, w.Dir())
	}
	due := s.Step.Number
	writef(cmd.ErrOrStderr(), "boot %d of %d is armed, by %s: %s (%s)\n", due+1, len(c.Header.Planned), s.By, armed.Release, armed.Ref)
	return failed(f.goOn(cmd, s.By))
}

// machine is this one, as package reboot has it.
func (f nextFlags) machine(cmd *cobra.Command, m *claimed, s *reboot.State, c *results.Campaign) (*reboot.Machine, error) {
	up, err := reboot.ReadUp(results.Root(""))
	if err != nil {
		return nil, err
	}
	q, err := question.OfCampaign(c.Header)
	if err != nil {
		return nil, err
	}
	q.Allowed = s.Allow
	said := cmd.ErrOrStderr()
	progress := said
	if f.run.noProgress {
		progress = io.Discard
	}
	l := campaignLoop(c, progress)
	l.Booter = &kernels.Here{Question: q, Kernels: len(c.Header.Kernels), Settled: f.settled, Scratch: filepath.Join(claim.StateDir(), "boots"),
		Make: func() (question.Here, error) { return m.here("", s.Machine, 0) }}
	arm := reboot.ArmKexec
	if s.By == reboot.ByGRUB {
		arm = func(k reboot.Kernel) error { return reboot.ArmGRUB(s.Env, k) }
	}
	return &reboot.Machine{Up: up, Arm: arm, Disarm: func() error { return reboot.Disarm(s, up) }, Loop: l,
		Panic: func(since time.Time) []string { return reboot.Panicked("", since) },
		Save:  func(s *reboot.State) error { return reboot.Save(claim.StateDir(), s) },
		Said:  func(format string, args ...any) { writef(said, "netab: "+format+"\n", args...) }}, nil
}

// over shows what a campaign came to that has its end.
func (f nextFlags) over(cmd *cobra.Command, dir string) error {
	c, err := results.ReadCampaign(dir)
	if err != nil {
		return failed(err)
	}
	return f.run.showCampaign(cmd, dir, c)
}

// goOn reboots, or says how.
func (f nextFlags) goOn(cmd *cobra.Command, by reboot.Way) error {
	verb, how := "kexec", unix.LINUX_REBOOT_CMD_KEXEC
	if by == reboot.ByGRUB {
		verb, how = "reboot", unix.LINUX_REBOOT_CMD_RESTART
	}
	switch {
	case f.atOnce:
		unix.Sync()
		return fmt.Errorf("reboot: %w", unix.Reboot(how))
	case f.reboot:
		out, err := exec.CommandContext(context.WithoutCancel(cmd.Context()), "systemctl", verb).CombinedOutput()
		if err != nil {
			return fmt.Errorf("systemctl %s: %w: %s", verb, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	if !systemd() && by == reboot.ByKexec {
		verb = "kexec -e, or what this machine's init has for it"
	} else if systemd() {
		verb = "systemctl " + verb
	}
	writef(cmd.ErrOrStderr(), "reboot to go on: %s\n", verb)
	return nil
}

// systemd says whether it is this machine's init (sd_booted(3)).
func systemd() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

func newBootsStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what was booted, what is due, and what is armed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := reboot.Load(claim.StateDir())
			if errors.Is(err, reboot.ErrNone) {
				writeln(cmd.OutOrStdout(), reboot.ErrNone)
				return nil
			}
			if err != nil {
				return failed(err)
			}
			c, err := results.ReadCampaign(s.Campaign)
			if err != nil {
				return failed(err)
			}
			up, err := reboot.ReadUp(results.Root(""))
			if err != nil {
				return failed(err)
			}
			printStatus(cmd.OutOrStdout(), s, c, up)
			return nil
		},
	}
}

func printStatus(out io.Writer, s *reboot.State, c *results.Campaign, up reboot.Up) {
	all := c.Outcomes()
	writef(out, "campaign  %s\nkept in   %s\n", s.ID, s.Campaign)
	for i, k := range s.Kernels {
		whole, failing, left := 0, 0, 0
		for _, o := range all {
			switch {
			case o.Kernel != i:
			case o.State == results.Whole:
				whole++
			case o.State == results.Failed:
				failing++
			default:
				left++
			}
		}
		more := ""
		if campaign.GivenUp(all, i) {
			more = ", given up"
		}
		writef(out, "kernel    %s (%s): %d measured, %d failed, %d left%s\n", k.Release, k.Ref, whole, failing, left, more)
	}
	due, ok := campaign.Next(all)
	if !ok {
		writef(out, "due       nothing: netab boots next ends the campaign\n")
	} else {
		writef(out, "due       boot %d of %d: %s (%s)\n", due.Number+1, len(all), s.Kernels[due.Kernel].Release, s.Kernels[due.Kernel].Ref)
	}
	writef(out, "up        %s\n", up.Release)
	step := s.Step
	since := step.Since.Local().Format(time.DateTime)
	switch {
	case step.Phase == reboot.Armed && step.BootID == up.BootID:
		writef(out, "armed     boot %d, by %s, since %s; netab boots stop takes it back\n", step.Number+1, s.By, since)
	case step.Phase == reboot.Armed:
		writef(out, "booted    since boot %d was armed (%s): netab boots next goes on\n", step.Number+1, since)
	case step.Phase == reboot.Begun && step.BootID == up.BootID && ok && due.Number == step.Number:
		writef(out, "begun     boot %d, at %s: it is being measured, or was cut off\n", step.Number+1, since)
	default:
		writef(out, "armed     nothing: netab boots next goes on\n")
	}
}

func newBootsStop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Take back what is armed, and end the campaign on this machine",
		Long: `Take back what is armed, so that the machine's own kernel is booted next, and
forget the campaign that is planned. What was measured is kept; netab boots plan
--resume CAMPAIGN takes it up again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := rootOnly(cmd); err != nil {
				return err
			}
			return failed(stopBoots(cmd))
		},
	}
}

func stopBoots(cmd *cobra.Command) error {
	out, dir := cmd.OutOrStdout(), claim.StateDir()
	s, err := reboot.Load(dir)
	if errors.Is(err, reboot.ErrNone) {
		writeln(out, reboot.ErrNone)
		return nil
	}
	if err != nil {
		writef(out, "%v\nit is forgotten; what it has armed is not known, and the next boot may be another kernel's\n", err)
		return reboot.Save(dir, nil)
	}
	w, c, unread := results.ResumeCampaign(s.Campaign)
	if errors.Is(unread, results.ErrGoingOn) {
		return fmt.Errorf("%w: end that first (systemctl stop netab-boots, or Ctrl-C)", unread)
	}
	up, err := reboot.ReadUp(results.Root(""))
	if err != nil {
		return err
	}
	if err := reboot.Disarm(s, up); err != nil {
		return err
	}
	if unread != nil {
		writef(out, "the campaign's record is left alone: %v\n", unread)
	} else if err := (campaign.Loop{}).End(w, c, vocab.Interrupted); err != nil {
		return err
	}
	if err := reboot.Save(dir, nil); err != nil {
		return err
	}
	writef(out, "nothing is armed any more; campaign %s keeps what it has, and netab boots plan --resume %s takes it up\n", s.ID, s.ID)
	return nil
}

func newBootsUnit() *cobra.Command {
	return &cobra.Command{
		Use:   "unit",
		Short: "Print a unit for systemd that goes on with the campaign at each boot",
		Example: `  netab boots unit >/etc/systemd/system/netab-boots.service
  systemctl enable netab-boots`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := os.Executable()
			if err != nil {
				return failed(err)
			}
			return failed(writeWhole(cmd.OutOrStdout(), unitText(path, claim.StateDir())))
		},
	}
}

// unitText is the unit. It is not started where no campaign is planned. KillMode lets
// netab itself put back what it has changed.
func unitText(program, state string) string {
	env := ""
	if os.Getenv("NETAB_STATE") != "" {
		env = "Environment=" + unitQuoted("NETAB_STATE="+state) + "\n"
	}
	return `[Unit]
Description=netab: the campaign of boots that is planned on this machine
ConditionPathExists=` + strings.ReplaceAll(filepath.Join(state, reboot.StateFile), "%", "%%") + `
After=multi-user.target

[Service]
Type=exec
` + env + `ExecStart=` + unitQuoted(program) + ` boots next --reboot --settled 1m --no-progress
KillMode=mixed
TimeoutStopSec=2min

[Install]
WantedBy=multi-user.target
`
}

// unitQuoted is a word of a unit (systemd.syntax(7), systemd.unit(5) on "%").
func unitQuoted(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(word) + `"`
}
