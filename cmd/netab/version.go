package main

import (
	"encoding/json"
	"fmt"

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
				return failed(json.NewEncoder(cmd.OutOrStdout()).Encode(b))
			}
			modified := ""
			if b.Modified {
				modified = " (modified)"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "netab %s\nrevision %s%s\n%s\n", b.Version, b.Revision, modified, b.Go)
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
