//go:build man

package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// Only the build that writes the man pages has this command (make man): what
// makes them brings in a Markdown parser, whose tables every start of an agent
// would fill.
func init() { building = append(building, newMan) }

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
