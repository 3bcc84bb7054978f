//go:build man

package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"netab/results/disk"
)

// Only the build that writes the man pages has this command (make man): what
// makes them brings in a Markdown parser, whose tables every start of an agent
// would fill.
func init() { building = append(building, newMan) }

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the man pages of all commands into a directory",
		// Nobody who reads the pages has it.
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// No date: the pages are the same bytes for the same source.
			cmd.Root().DisableAutoGenTag = true
			dir, err := disk.MakeDir(args[0])
			if err != nil {
				return failed(err)
			}
			defer dir.Close()
			return failed(writePages(dir, cmd.Root()))
		},
	}
}

// writePages writes the page of a command and those of all below it.
func writePages(dir *disk.Dir, cmd *cobra.Command) error {
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := writePages(dir, sub); err != nil {
			return err
		}
	}
	header := &doc.GenManHeader{Title: "NETAB", Section: "1", Source: "netab " + version, Manual: "netab"}
	return dir.Write(strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1", func(w io.Writer) error { return doc.GenMan(cmd, header, w) })
}
