package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/prose"
	"netab/cmd/netab/checkup"
	"netab/runner/claim"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/quiet"
)

// fix offers what can be undone of what the doctor complains of, and says what takes a
// reboot.
func fix(cmd *cobra.Command, yes bool) error {
	out := cmd.OutOrStdout()
	fixes, err := quiet.Fixes(host.Local{})
	if err != nil {
		return err
	}
	if len(fixes) == 0 {
		writeln(out, "nothing to change: the governor is fixed or unknown, and irqbalance does not run")
	} else if err := offer(cmd, fixes, yes); err != nil {
		return err
	}
	return sayReboots(out)
}

func offer(cmd *cobra.Command, fixes []quiet.Fix, yes bool) error {
	out := cmd.OutOrStdout()
	if !host.Privileged() {
		for _, f := range fixes {
			writef(out, "would       %s: %s\n", f.What, f.Why)
		}
		return errors.New("nothing was changed: it " + host.NeedsRoot())
	}
	asks := bufio.NewReader(cmd.InOrStdin())
	if !yes && !isTerminal(cmd.InOrStdin()) {
		for _, f := range fixes {
			writef(out, "would       %s: %s\n", f.What, f.Why)
		}
		return usage(errors.New("nothing was changed: nobody can be asked here; --yes changes it without"))
	}
	return withJournal(cmd, func(j *knob.Journal) error { return applyFixes(cmd, j, fixes, yes, asks) })
}

// withJournal claims the machine, and opens the journal of what fix changed.
func withJournal(cmd *cobra.Command, do func(*knob.Journal) error) (err error) {
	m, err := claimMachine(cmd.Context(), false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer m.close()
	j, err := quiet.Open(claim.StateDir())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return do(j)
}

func applyFixes(cmd *cobra.Command, j *knob.Journal, fixes []quiet.Fix, yes bool, asks *bufio.Reader) error {
	out := cmd.OutOrStdout()
	owner, err := knob.Self("doctor", build().Version, time.Now())
	if err != nil {
		return err
	}
	if err := j.Begin(owner); errors.Is(err, knob.ErrPending) {
		return errors.New("an earlier netab doctor --fix has changed this machine already: netab doctor --undo puts that back first")
	} else if err != nil {
		return err
	}
	changed := 0
	for _, f := range fixes {
		if !yes {
			writef(out, "%s: %s. Do it? [y/N] ", f.What, f.Why)
			answer, _ := asks.ReadString('\n')
			if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
				continue
			}
		}
		if err := f.Do(j); err != nil {
			return errors.Join(err, printRestored(out, j.Restore(cmd.Context())))
		}
		writef(out, "done        %s\n", f.What)
		changed++
	}
	if changed > 0 {
		writef(out, "%s until the machine boots; netab doctor --undo puts it back\n", prose.Counted(changed, "change"))
	}
	return nil
}

// unfix puts back what fix changed.
func unfix(cmd *cobra.Command) error {
	if !host.Privileged() {
		return errors.New("nothing was put back: it " + host.NeedsRoot())
	}
	return withJournal(cmd, func(j *knob.Journal) error {
		found := j.Restore(cmd.Context())
		if len(found) == 0 {
			writeln(cmd.OutOrStdout(), "nothing to put back: netab doctor --fix has changed nothing since the machine booted")
		}
		return printRestored(cmd.OutOrStdout(), found)
	})
}

// sayReboots says what takes another command line of the kernel.
func sayReboots(out io.Writer) error {
	m, err := readMachine("")
	if err != nil {
		return err
	}
	usable, err := usableCPUs(m)
	if err != nil {
		return err
	}
	flow, err := checkup.NewFlow(usable)
	if err != nil {
		return err
	}
	cpus, _ := flow.CPUs()
	args, why := quiet.Reboots(m, cpus[:])
	if len(args) == 0 {
		return nil
	}
	printLines(out, "reboot", append(why, fmt.Sprintf("not done; as root: %s", quiet.RebootCommand(host.Local{}, args))))
	return nil
}
