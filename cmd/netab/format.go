package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"netab/analysis/page"
	"netab/analysis/report/export"
)

// A format is what --format names, "" where nobody did.
type format string

func (f *format) String() string { return string(*f) }

// Type is what the usage calls its value.
func (f *format) Type() string { return "FORMAT" }

// Set refuses what is no format, before anything is measured.
func (f *format) Set(name string) error {
	if _, ok := export.Named(name); !ok {
		return fmt.Errorf("want %s", strings.Join(export.Names(), ", "))
	}
	*f = format(name)
	return nil
}

// add adds the flag to a command that shows a view; others say the same for one
// format each.
func (f *format) add(cmd *cobra.Command, others ...string) {
	cmd.Flags().Var(f, "format", "print in this format: "+strings.Join(export.Names(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return export.Names(), cobra.ShellCompDirectiveNoFileComp
	})
	for _, other := range others {
		cmd.MarkFlagsMutuallyExclusive("format", other)
	}
}

// or is the format that was named, else the first of others that is wanted, else
// text.
func (f format) or(others ...wanted) string {
	if f != "" {
		return string(f)
	}
	for _, o := range others {
		if o.is {
			return o.format
		}
	}
	return "text"
}

// wanted is a format that a flag of its own asks for.
type wanted struct {
	format string
	is     bool
}

// writePage writes a page in the format of a name.
func writePage(w io.Writer, p *page.Page, format string) error {
	write, ok := export.Named(format)
	if !ok {
		return fmt.Errorf("there is no format %q", format)
	}
	return write(w, p, terminal(w))
}
