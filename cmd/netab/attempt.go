package main

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netab/results"
)

// An attempt is a run that was begun: the store has a note of it until
// something is recorded, so that nobody takes the run before for this one.
type attempt struct {
	store *results.Store
	note  results.Attempt
}

// beginAttempt makes the note before anything can fail, a kill included.
func beginAttempt(dir, ref string) (*attempt, error) {
	store, err := results.Open(dir)
	if err != nil {
		return nil, nil // the run will say so; nor is there a run to be judged
	}
	a := &attempt{store, results.Attempt{Started: time.Now().UTC(), Source: sourceNamed(ref)}}
	return a, a.store.Attempt(a.note)
}

// of adds the scenario's name.
func (a *attempt) of(scenario string) error {
	if a == nil {
		return nil
	}
	a.note.Scenario = scenario
	return a.store.Attempt(a.note)
}

// failed adds why nothing was recorded. Errors that were printed already have
// no text of their own.
func (a *attempt) failed(err error) {
	if a == nil || err == nil {
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
	_ = a.store.AttemptFailed(a.note, err) // the note is there without the reason too
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
	if a, _ := beginAttempt(*store, strings.Join(cmd.Flags().Args(), " ")); a != nil {
		a.failed(err)
	}
}
