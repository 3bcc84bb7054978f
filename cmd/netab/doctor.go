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

	"netab/analysis"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/cpulist"
	"netab/results/vocab"
	"netab/runner"
	"netab/runner/host"
	"netab/runner/paths"
)

func newDoctor() *cobra.Command {
	var watched time.Duration
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can and cannot measure, and how noisy it is",
		Long: `Say what this machine can and cannot measure: privileges, the kernel, what will
make numbers noisy and what to do about it, how far apart the CPUs of source and
sink are and whether that changes (--for), and which ways of sending and
receiving work here, each tried over loopback; then let one pinned TCP flow run
over loopback for 5 seconds and say how much its rate wanders. Where nothing is
received in that time it tries again, three times in all.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if needsUserNamespace() {
				writeln(cmd.OutOrStdout(), "privileges  "+lessThanRoot())
				return reexecInUserNamespace()
			}
			if watched <= 0 || watched > maxWatched {
				return usage(fmt.Errorf("--for %v: want more than 0 and at most %v", watched, maxWatched))
			}
			return failed(doctor(cmd.Context(), cmd.OutOrStdout(), watched))
		},
	}
	cmd.Flags().DurationVar(&watched, "for", time.Second, "for how long the distance between CPUs is watched")
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
	q, err := flow(usable)
	if err != nil {
		return err
	}
	if roles := q.Arms[0].CPUs; len(roles.Source) > 0 && len(roles.Sink) > 0 {
		if err := watchCPUs(ctx, w, [2]int{roles.Source[0], roles.Sink[0]}, watched); err != nil {
			return err
		}
	}
	printPaths(w, paths.Check(ctx))
	return wander(ctx, w, q, usable)
}

// flow is what the doctor lets run: the roles are where a scenario puts them by
// default.
func flow(cpus int) (*question.Question, error) {
	sets := []string{"measure.max_time=30s", "measure.trial=5s"}
	if cpus < 2 {
		sets = append(sets, "placement=same")
	}
	return question.Load("level", sets)
}

// usableCPUs counts the CPUs that roles may be put on.
func usableCPUs(m results.Machine) (int, error) {
	if m.CPUsAllowed == "" {
		return m.CPUs, nil
	}
	cpus, err := cpulist.Parse(m.CPUsAllowed)
	return len(cpus), err
}

// printPaths prints one line a traffic path, as scenarios name them.
func printPaths(w io.Writer, results []paths.Result) {
	label := "paths"
	for _, r := range results {
		writef(w, "%-11s %s\n", label, r)
		label = ""
	}
}

// wanderTries is how many trials the doctor makes at most: on a slow guest the
// first may begin too late, or a flow not come to run in all of its time.
const wanderTries = 3

// wander measures one pinned flow for 5 s and says what its rate does.
func wander(ctx context.Context, w io.Writer, q *question.Question, cpus int) error {
	where := "a pinned TCP flow over loopback"
	if cpus < 2 {
		where += ", both ends on one CPU"
	}
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
	o, err := q.Options(here)
	if err != nil {
		return err
	}
	o.Stop = func(trials []results.Trial, _ time.Duration, _ bool) runner.Decision {
		_, known := wanderOf(trials)
		return runner.Decision{Stop: known || len(trials) == wanderTries, Reason: vocab.MaxTime}
	}
	run, err := question.Ask(ctx, o)
	if run == nil || len(run.Trials) == 0 {
		return errors.Join(err, context.Cause(ctx))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	wa, known := wanderOf(run.Trials)
	if !known {
		return notKnown(w, run.Trials)
	}
	writef(w, "wander      %s: %.3g Gbit/s, coefficient of variation of %d slices of %v %.1f %%, of adjacent differences %.1f %%\n",
		where, wa.Mean/1e9, wa.Slices, o.Slice, 100*wa.CV, 100*wa.AdjacentCV)
	if invalid := len(run.Trials) - 1; invalid > 0 {
		writef(w, "            only at try %d; the first: %s\n", len(run.Trials), whyNot(run.Trials[0]))
	}
	writef(w, "            %s\n", advice(wa))
	for _, a := range analysis.Summarize(run).Advice {
		writef(w, "advice      %s\n", a)
	}
	return err
}

// wanderOf is the wander of the last trial that shows one, else of the last.
func wanderOf(trials []results.Trial) (wa analysis.Wander, known bool) {
	for i := range trials {
		t := &trials[i]
		if wa = analysis.WanderOf(t.Slices, 0); t.Invalid == "" && wa.Known() {
			return wa, true
		}
	}
	return wa, false
}

// notKnown says that there is nothing to say, and what may be the reason. That is
// a failure: a machine that cannot be measured is not a quiet one.
func notKnown(w io.Writer, trials []results.Trial) error {
	first, last := whyNot(trials[0]), whyNot(trials[len(trials)-1])
	writef(w, "wander      not known: %s gave no rate; the last: %s\n", tries(len(trials)), last)
	if first != last {
		writef(w, "            the first: %s\n", first)
	}
	writeln(w, "            too busy, too few CPUs, a CPU quota or stolen time keep source and sink from their CPUs: see the warnings above; runs will hardly be valid here")
	return &statusError{exitFailed, nil}
}

// whyNot says why a trial shows no rate.
func whyNot(t results.Trial) string {
	wa := analysis.WanderOf(t.Slices, 0)
	switch {
	case t.Invalid != "":
		return t.Invalid
	case wa.Slices == 0:
		return "no slice counted"
	case wa.Silent == wa.Slices:
		return fmt.Sprintf("nothing was received in any of %d slices", wa.Slices)
	}
	return fmt.Sprintf("something was received in %d of %d slices only: too few to say how the rate wanders", wa.Slices-wa.Silent, wa.Slices)
}

// advice says what the wander means for somebody who wants to measure here.
func advice(wa analysis.Wander) string {
	switch {
	case wa.Silent > 0:
		return fmt.Sprintf("in %d of %d slices nothing was received: the flow does not always come to run; fewer neighbours, pinning and longer slices (measure.slice) help", wa.Silent, wa.Slices)
	case wa.CV < 0.02:
		return "a quiet machine: small effects show within seconds"
	case wa.AdjacentCV < 0.7*wa.CV:
		return "the rate drifts, but neighbouring slices agree: comparisons are sharp, levels of one arm are not"
	default:
		return "the rate is noisy from slice to slice: expect longer runs; fewer neighbours, a fixed frequency and pinning help"
	}
}

func tries(n int) string {
	if n == 1 {
		return "one try"
	}
	return fmt.Sprintf("%d tries", n)
}
