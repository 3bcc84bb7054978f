package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/runner/claim"
	"netab/runner/knob"
)

// A claimed machine is this command's until it is closed. One that is only looked at
// holds nothing.
type claimed struct {
	claim.Claim
	working bool // it counts as something that has to be ended in order
}

// look is for --dry-run, which changes nothing and needs no lock. What another run has
// borrowed meanwhile is not what the machine will be like afterwards, so that is said.
func look(out io.Writer) *claimed {
	if n := claim.Borrowed(); n > 0 {
		writef(out, "netab: note: a run that is at work, or was killed, has changed %s of this machine: what is \"now\" may be its value\n", prose.Counted(n, "setting"))
	}
	return &claimed{}
}

// claimMachine takes the locks and looks after what an earlier run left behind.
func claimMachine(ctx context.Context, restore bool, out io.Writer) (*claimed, error) {
	m, err := claimedBy(claim.Take)
	if err != nil {
		return nil, failed(err)
	}
	if !restore || len(m.Journal.Pending()) == 0 {
		return m, nil
	}
	if err := printRestored(out, m.Journal.Restore(ctx)); err != nil {
		m.close()
		return nil, failed(err)
	}
	return m, nil
}

// awaitMachine is claimMachine that waits for whoever holds the locks.
func awaitMachine(ctx context.Context, out io.Writer) (*claimed, error) {
	m, err := claimedBy(func() (*claim.Claim, error) {
		return claim.Await(ctx, func(who error) { writef(out, "waiting: %v\n", who) })
	})
	return m, failed(err)
}

func claimedBy(take func() (*claim.Claim, error)) (*claimed, error) {
	working.Add(1)
	c, err := take()
	if err != nil {
		working.Add(-1)
		return nil, err
	}
	return &claimed{*c, true}, nil
}

func (m *claimed) close() {
	m.Release()
	if m.working {
		m.working = false
		working.Add(-1)
	}
}

// leave lets go of the machine until then, and takes it again: in between others
// may measure, and find it as it was. Nothing may be left to put back.
func (m *claimed) leave(ctx context.Context, until time.Time, out io.Writer) error {
	working.Add(1) // what was measured is to be kept
	defer working.Add(-1)
	m.close()
	if err := waitUntil(ctx, until); err != nil {
		return err
	}
	again, err := awaitMachine(ctx, out)
	if err != nil {
		return err
	}
	*m = *again
	return nil
}

// here is what a run needs besides its question, on the machine that is claimed.
func (m *claimed) here(store, machineName string, seed uint64) (question.Here, error) {
	machine, err := readMachine(machineName)
	return question.Here{Store: store, Machine: machine, Netab: build(), Claim: &m.Claim, Seed: seed}, err
}

// waitUntil sleeps, or less if ctx ends.
func waitUntil(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waiting is where it is said that another run is waited for.
func waiting(cmd *cobra.Command, quiet bool) io.Writer {
	if quiet {
		return io.Discard
	}
	return cmd.ErrOrStderr()
}

// printRestored says what was put back and fails if anything could not be.
func printRestored(out io.Writer, found []knob.Result) error {
	var errs []error
	for _, r := range found {
		if r.Err != nil {
			errs = append(errs, r.Err)
			continue
		}
		writeln(out, r)
	}
	return errors.Join(errs...)
}
