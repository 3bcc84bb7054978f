package main

import (
	"github.com/spf13/cobra"

	"netab/results"
)

// version is set by the Makefile (-ldflags -X main.version=...).
var version = "devel"

func build() results.Build { return results.ReadBuild(version) }

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version and build information",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := build()
			if asJSON {
				return failed(writeJSON(cmd.OutOrStdout(), b, ""))
			}
			modified := ""
			if b.Modified {
				modified = " (modified)"
			}
			writef(cmd.OutOrStdout(), "netab %s\nrevision %s%s\n%s\n", b.Version, b.Revision, modified, b.Go)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
