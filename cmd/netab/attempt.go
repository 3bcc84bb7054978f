package main

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netab/cmd/netab/question"
)

// noteFailure adds to the note of an attempt why nothing was recorded. Errors that
// were printed already have no text of their own.
func noteFailure(a *question.Attempt, err error) {
	if err == nil {
		return
	}
	if status, ok := errors.AsType[*statusError](err); ok {
		if err = status.err; err == nil {
			err = errors.New("see what it printed")
		}
		if status.err == nil && needsUserNamespace() {
			return // the process in the namespace has said it
		}
	}
	a.Failed(err)
}

// noteUnread notes an attempt whose command line could not be read: a job may
// go on to judge all the same. cobra stops at the first fault, so the line is
// read once more for the store.
func noteUnread(cmd *cobra.Command, args []string, err error) {
	if cmd.Name() != "run" {
		return
	}
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	flags.SetOutput(io.Discard)
	store := flags.String("store", defaultStore, "")
	_ = flags.Parse(args) // it is faulty
	a, _ := question.Begin(*store, strings.Join(cmd.Flags().Args(), " "))
	noteFailure(a, err)
}
