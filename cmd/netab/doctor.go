package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/results"
	"netab/runner"
	"netab/runner/host"
	"netab/runner/paths"
)

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can and cannot measure, and how noisy it is",
		Long: `Say what this machine can and cannot measure: privileges, the kernel, what will
make numbers noisy and what to do about it, and which ways of sending and
receiving work here, each tried over loopback; then let one pinned TCP flow run
over loopback for 5 seconds and say how much its rate wanders.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if needsUserNamespace() {
				fmt.Fprintln(cmd.OutOrStdout(), "privileges  ordinary user: loopback and veth scenarios run in a user namespace; rps_cpus, host-wide knobs and NICs need root")
				return reexecInUserNamespace()
			}
			return failed(doctor(cmd.Context(), cmd.OutOrStdout()))
		},
	}
}

func doctor(ctx context.Context, w io.Writer) error {
	m, err := readMachine("")
	if err != nil {
		return err
	}
	if host.Privileged() {
		fmt.Fprintln(w, "privileges  root: everything can be set")
	}
	fmt.Fprintf(w, "kernel      %s %s\n", m.Kernel, m.Arch)
	fmt.Fprintf(w, "CPUs        %d online (%s), %s, virtualisation %s\n", m.CPUs, m.CPUsOnline, cmp.Or(m.CPUModel, "CPU model unknown"), m.Virtualization)
	if m.CPUs < 2 {
		fmt.Fprintln(w, "            one CPU: source and sink share it; placement must be `same` or `free`")
	}
	fmt.Fprintf(w, "softirq     time is billed to whom it interrupts unless CONFIG_IRQ_TIME_ACCOUNTING: %s\n", m.IRQTime)
	warnings, err := runner.Check(m)
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		fmt.Fprintf(w, "warning     %s\n", warning.Text)
	}
	if len(warnings) == 0 {
		fmt.Fprintln(w, "quiet       nothing else is running, no steal, frequencies fixed or unknown")
	}
	printPaths(w, paths.Check(ctx))
	return wander(ctx, w)
}

// printPaths prints one line a traffic path, as scenarios name them.
func printPaths(w io.Writer, results []paths.Result) {
	label := "paths"
	for _, r := range results {
		fmt.Fprintf(w, "%-11s %s\n", label, r)
		label = ""
	}
}

// wander measures one pinned flow for 5 s and says what its rate does.
func wander(ctx context.Context, w io.Writer) error {
	l, err := load("level", []string{"measure.max_time=10s", "measure.trial=5s"}) // stops after one trial
	if err != nil {
		return err
	}
	s, err := openSession(ctx, false, w)
	if err != nil {
		return err
	}
	defer s.close()
	dir, err := os.MkdirTemp("", "netab-doctor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o, err := l.options(dir, 0, s, "")
	if err != nil {
		return err
	}
	o.Stop = func([]results.Trial, time.Duration, bool) runner.Decision {
		return runner.Decision{Stop: true, Reason: "max-time"}
	}
	run, err := runner.Run(ctx, o)
	if err != nil {
		return err
	}
	if len(run.Trials) == 0 {
		return context.Cause(ctx)
	}
	wa := analysis.WanderOf(run.Trials[0].Slices, 0)
	fmt.Fprintf(w, "wander      a pinned TCP flow over loopback: %.3g Gbit/s, coefficient of variation of %v slices %.1f %%, of adjacent differences %.1f %%\n",
		wa.Mean/1e9, o.Slice, 100*wa.CV, 100*wa.AdjacentCV)
	fmt.Fprintf(w, "            %s\n", advice(wa))
	return nil
}

// advice says what the wander means for somebody who wants to measure here.
func advice(wa analysis.Wander) string {
	switch {
	case wa.CV < 0.02:
		return "a quiet machine: small effects show within seconds"
	case wa.AdjacentCV < 0.7*wa.CV:
		return "the rate drifts, but neighbouring slices agree: comparisons are sharp, levels of one arm are not"
	default:
		return "the rate is noisy from slice to slice: expect longer runs; fewer neighbours, a fixed frequency and pinning help"
	}
}
