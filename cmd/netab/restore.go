package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newRestore() *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Put back what a killed run left changed on this machine",
		Long: `Put back, from the journal, every knob and device that a run changed and could
not restore itself (SIGKILL, a crash). It waits until the last agent of that run
has ended, goes on past failures, and reports each. An entry that netab would not
have written is refused, and the others are put back. What cannot be put back
stays in the journal, and no run starts before it is; --forget gives it up.

Devices and sysctls of a network namespace are put back in that one only: from
elsewhere nothing of them is touched, and it is said where to run it. No
namespace is deleted that still holds a device.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := awaitMachine(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer s.close()
			return failed(restore(cmd, s, forget))
		},
	}
	cmd.Flags().BoolVar(&forget, "forget", false, "give up what cannot be put back")
	return cmd
}

func restore(cmd *cobra.Command, m *claimed, forget bool) error {
	out := cmd.OutOrStdout()
	found := m.Journal.Restore(cmd.Context())
	if len(found) == 0 {
		writeln(out, "nothing to restore")
	}
	err := printRestored(out, found)
	if err == nil || !forget {
		return err
	}
	kept, discardErr := m.Journal.Discard()
	if discardErr != nil {
		return errors.Join(err, discardErr)
	}
	writef(out, "not put back, and given up: %v\nthe journal is kept as %s\n", err, kept)
	return nil
}
