package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"netab/cmd/netab/question"
	"netab/results/disk"
	"netab/runner"
	"netab/runner/guest/exact"
	"netab/runner/guest/execlog"
	"netab/runner/traffic"
	"netab/scenarios"
)

// countInside is what netab count runs in its guests: one arm, of which it prints what
// was counted, as a line.
func (f countFlags) countInside(cmd *cobra.Command, file string) error {
	q, err := question.Load(file, nil)
	if err != nil {
		return badScenario(cmd, err)
	}
	at := slices.IndexFunc(q.Arms, func(a scenarios.Arm) bool { return a.Name == f.inside })
	if at < 0 {
		return failed(fmt.Errorf("%s has no arm %q", file, f.inside))
	}
	q.Arms = q.Arms[at : at+1]
	if q.Allowed, err = f.allow.check(q); err != nil {
		return badScenario(cmd, err)
	}
	s, err := claimMachine(cmd.Context(), false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	here, err := s.here(storeFlag(cmd), "", 1)
	if err != nil {
		return failed(err)
	}
	o, err := q.Options(here)
	if err != nil {
		return failed(err)
	}
	c, err := runner.Count(cmd.Context(), o, traffic.Quota{Warmup: f.warmup, Messages: f.messages, Turns: f.threads != 2})
	if err != nil {
		return failed(err)
	}
	said := exact.Said{Counted: *c}
	if table, err := disk.Read("/proc/modules", 1<<20); err == nil { // a kernel may have none
		said.Modules = execlog.ParseModules(table)
	}
	line, err := json.Marshal(said)
	if err != nil {
		return failed(err)
	}
	writef(cmd.OutOrStdout(), "%s\n", line)
	return nil
}
