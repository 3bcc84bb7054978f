package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"netab/cmd/netab/question"
	"netab/scenarios"
)

// An allowance is what the person who runs a scenario allows it beyond what any
// scenario may do.
type allowance struct{ sysctls []string }

// flags adds the flags that allow.
func (a *allowance) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.sysctls, "allow-sysctl", nil,
		"let the scenario set the sysctl `NAME`, which is not of "+scenarios.FreeSysctls+", or can harm the machine (repeatable)")
}

// sysctlFiles are the names given, as paths below /proc/sys.
func (a *allowance) sysctlFiles() ([]string, error) {
	var out []string
	for _, name := range a.sysctls {
		if strings.ContainsAny(name, "*?[") {
			return nil, usage(fmt.Errorf("--allow-sysctl %s: is a pattern; want one name, such as kernel.core_pattern, and the flag once for each", name))
		}
		path, err := scenarios.ParseSysctl(name)
		if err != nil {
			return nil, usage(fmt.Errorf("--allow-sysctl: %w", err))
		}
		out = append(out, path)
	}
	return out, nil
}

// check refuses a scenario that sets more than is allowed, and returns what is.
func (a *allowance) check(q *question.Question) ([]string, error) {
	allowed, err := a.sysctlFiles()
	if err != nil {
		return nil, err
	}
	if faults := q.Unasked(q.Arms, allowed); len(faults) > 0 {
		return nil, faults
	}
	return allowed, nil
}
