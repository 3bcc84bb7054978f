package main

import (
	"errors"

	"github.com/spf13/cobra"

	"netab/analysis/escape"
	"netab/cmd/netab/question"
	"netab/scenarios"
)

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
