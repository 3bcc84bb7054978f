package main

import (
	"strings"

	"github.com/spf13/cobra"

	"netab/results"
	"netab/scenarios"
)

// completeScenario completes the names of built-in scenarios, and files.
func completeScenario(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, b := range scenarios.Builtins() {
		if strings.HasPrefix(b.Name, prefix) {
			question, _, _ := strings.Cut(b.Question, "\n")
			names = append(names, b.Name+"\t"+question)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeRun completes the ids of stored runs, the newest first.
func completeRun(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	entries, err := store.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := []string{"latest"}
	for i := len(entries) - 1; i >= 0; i-- {
		if strings.HasPrefix(entries[i].ID, prefix) {
			names = append(names, entries[i].ID+"\t"+entries[i].Scenario)
		}
	}
	return names, cobra.ShellCompDirectiveDefault | cobra.ShellCompDirectiveKeepOrder
}
