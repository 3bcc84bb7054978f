package main

import (
	"errors"

	"github.com/spf13/cobra"

	"netab/analysis/escape"
	"netab/cmd/netab/question"
	"netab/scenarios"
)

// nameFlags puts the flag that a person typed in place of the --set that it
// stands for.
func nameFlags(err error, flags []string) error {
	if faults, ok := errors.AsType[scenarios.Errors](err); ok {
		for i, f := range faults {
			if f.Pos.File == "--set" && f.Pos.Line <= len(flags) && flags[f.Pos.Line-1] != "--set" {
				faults[i].Pos.File = flags[f.Pos.Line-1]
			}
		}
	}
	return err
}

// badScenario prints every fault of a scenario with its excerpt.
func badScenario(cmd *cobra.Command, err error) error {
	if faults, ok := errors.AsType[scenarios.Errors](err); ok {
		_ = writeWhole(cmd.ErrOrStderr(), escape.Lines(faults.Render()))
		return &statusError{exitUsage, nil}
	}
	if _, ok := errors.AsType[*question.MachineError](err); ok {
		return failed(err)
	}
	return usage(err)
}
