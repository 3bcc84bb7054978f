package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/cmd/netab/checkup"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/cpulist"
	"netab/runner"
	"netab/runner/host"
	"netab/runner/paths"
	"netab/runner/quiet"
)

// maxWatched is for how long CPUs are watched at most.
const maxWatched = time.Hour

func newDoctor() *cobra.Command {
	var watched time.Duration
	var repair, undo, yes bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can and cannot measure, and how noisy it is",
		Long: `Say what this machine can and cannot measure: privileges, the kernel, what will
make numbers noisy and what to do about it, how far apart the CPUs of source and
sink are and whether that changes (--for), and which ways of sending and
receiving work here, each tried over loopback; which queueing disciplines the kernel
has; whether differences can be explained
(netab explain); then let one pinned TCP flow run
over loopback for 5 seconds and say how much its rate wanders. Where nothing is
received in that time it tries again, three times in all.

--fix offers to change what makes the machine noisy and can be put back: the CPU
frequency governor, and irqbalance, which is stopped. It asks for each on a terminal,
and with --yes not at all; the changes stay until --undo or the next boot. What takes
a reboot (isolcpus, nosmt, mitigations=off) it prints as a command.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case repair && undo:
				return usage(errors.New("--fix and --undo: want one of them"))
			case yes && !repair:
				return usage(errors.New("--yes is for --fix"))
			case repair:
				return failed(fix(cmd, yes))
			case undo:
				return failed(unfix(cmd))
			}
			if needsUserNamespace() {
				writeln(cmd.OutOrStdout(), "privileges  "+lessThanRoot())
				return reexecInUserNamespace(os.Stdin)
			}
			if watched <= 0 || watched > maxWatched {
				return usage(fmt.Errorf("--for %v: want more than 0 and at most %v", watched, maxWatched))
			}
			return failed(doctor(cmd.Context(), cmd.OutOrStdout(), watched))
		},
	}
	cmd.Flags().DurationVar(&watched, "for", time.Second, "for how long the distance between CPUs is watched")
	cmd.Flags().BoolVar(&repair, "fix", false, "offer to change what makes the machine noisy and can be put back")
	cmd.Flags().BoolVar(&undo, "undo", false, "put back what --fix changed")
	cmd.Flags().BoolVar(&yes, "yes", false, "change it without asking, with --fix")
	return cmd
}

// lessThanRoot says what somebody without root's capabilities can do.
func lessThanRoot() string {
	const can = ": loopback and veth scenarios run in a user namespace; rps_cpus, host-wide knobs and NICs need "
	if less := fewerCapabilities(); less != "" {
		missing := host.Missing()
		return less + can + strings.Join(missing, " and ") + ": " + host.HowToGive(missing)
	}
	return "ordinary user" + can + "root"
}

func doctor(ctx context.Context, w io.Writer, watched time.Duration) error {
	m, err := readMachine("")
	if err != nil {
		return err
	}
	switch {
	case host.Privileged():
		writeln(w, "privileges  root: everything can be set")
	case os.Getenv(host.UserNamespaceMark) == "": // else it is said already
		writeln(w, "privileges  less than root of the machine: loopback and veth scenarios run; rps_cpus, host-wide knobs and NICs do not")
	}
	writef(w, "kernel      %s %s\n", m.Kernel, m.Arch)
	writef(w, "CPUs        %d online (%s), %s, virtualisation %s\n", m.CPUs, m.CPUsOnline, cmp.Or(m.CPUModel, "CPU model unknown"), m.Virtualization)
	usable, err := usableCPUs(m)
	if err != nil {
		return err
	}
	if m.CPUsAllowed != "" {
		writef(w, "            this process may run on %s only (taskset or cpuset): placements pick from these\n", m.CPUsAllowed)
	}
	if usable < 2 {
		writeln(w, "            one CPU: source and sink share it; placement must be `same` or `free`")
	}
	writef(w, "softirq     time is billed to whom it interrupts unless CONFIG_IRQ_TIME_ACCOUNTING: %s\n", m.IRQTime)
	if usual := question.UsualCongestion(&m); usual != "" {
		writef(w, "congestion  TCP has cubic in scenarios that name none; iperf3, netperf and neper take this machine's, %s, and so another level (traffic.congestion: %s)\n", usual, usual)
	}
	warnings, err := runner.Check(m)
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		writef(w, "warning     %s\n", warning.Text)
	}
	if len(warnings) == 0 {
		writeln(w, "quiet       nothing else is running, no steal, frequencies fixed or unknown")
	}
	fixes, err := quiet.Fixes(host.Local{})
	if err != nil {
		return err
	}
	for _, f := range fixes {
		writef(w, "fix         netab doctor --fix would %s: %s\n", f.What, f.Why)
	}
	flow, err := checkup.NewFlow(usable)
	if err != nil {
		return err
	}
	if cpus, pinned := flow.CPUs(); pinned {
		lines, err := checkup.CPUs(ctx, cpus, watched)
		if err != nil {
			return err
		}
		printLines(w, "canaries", lines)
	}
	var tried []string
	for _, path := range paths.Check(ctx) {
		tried = append(tried, path.String())
	}
	printLines(w, "paths", tried)
	printLines(w, "qdiscs", paths.Qdiscs())
	printLines(w, "explain", runner.Explains())
	return wander(ctx, w, flow)
}

// usableCPUs counts the CPUs that roles may be put on.
func usableCPUs(m results.Machine) (int, error) {
	if m.CPUsAllowed == "" {
		return m.CPUs, nil
	}
	cpus, err := cpulist.Parse(m.CPUsAllowed)
	return len(cpus), err
}

// printLines prints what belongs to one label.
func printLines(w io.Writer, label string, lines []string) {
	for _, line := range lines {
		writef(w, "%-11s %s\n", label, line)
		label = ""
	}
}

// wander says what the rate of a flow does. Not to know is a failure: a machine that
// cannot be measured is not a quiet one.
func wander(ctx context.Context, w io.Writer, flow *checkup.Flow) error {
	s, err := claimMachine(ctx, false, w)
	if err != nil {
		return err
	}
	defer s.close()
	dir, err := os.MkdirTemp("", "netab-doctor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	here, err := s.here(dir, "", 0)
	if err != nil {
		return err
	}
	found, err := flow.Wander(ctx, here)
	if found == nil {
		return err
	}
	printLines(w, "wander", found.Lines)
	if !found.Known {
		return &statusError{exitFailed, nil}
	}
	for _, a := range found.Advice {
		writef(w, "advice      %s\n", a)
	}
	return err
}
