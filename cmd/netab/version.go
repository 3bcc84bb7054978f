package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

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

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the man pages of all commands into a directory",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// No date: the pages are the same bytes for the same source.
			cmd.Root().DisableAutoGenTag = true
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return failed(err)
			}
			return failed(doc.GenManTree(cmd.Root(), &doc.GenManHeader{Title: "NETAB", Section: "1", Source: "netab " + version, Manual: "netab"}, args[0]))
		},
	}
}
