package main

import (
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netab/analysis/report/html"
	"netab/analysis/trend"
	"netab/results"
	"netab/results/disk"
)

// reportFile is the name of a report in its run's directory.
const reportFile = "report.html"

// writeStorePage writes the page of the store to a file.
func writeStorePage(cmd *cobra.Command, file string) error {
	store, index, err := readIndex(cmd)
	if err != nil {
		return err
	}
	report, err := reportsBeside(file, storeFlag(cmd))
	if err != nil {
		return err
	}
	overview := overviewOf(store, index)
	return writeTo(cmd, file, func(w io.Writer) error { return html.Store(w, overview, report) })
}

// writeTo writes a page that is all that a command has to give to a file, and says
// where; or, named "-", to stdout, where nothing may stand beside it.
func writeTo(cmd *cobra.Command, file string, page func(io.Writer) error) error {
	if file == "-" || filepath.Clean(file) == "/dev/stdout" {
		return page(cmd.OutOrStdout())
	}
	if err := disk.Write(file, page); err != nil {
		return err
	}
	writeln(cmd.OutOrStdout(), file)
	return nil
}

// A pageFile is where a page is written beside what a command prints, so that it has no
// place in stdout.
type pageFile string

// htmlVar adds --html to a command that prints something else.
func htmlVar(fl *pflag.FlagSet, to *string, usage string) { fl.Var((*pageFile)(to), "html", usage) }

func (f *pageFile) String() string { return string(*f) }

// Type is what the usage calls its value.
func (f *pageFile) Type() string { return "FILE" }

func (f *pageFile) Set(file string) error {
	if file == "-" {
		return errors.New("stdout has what the command prints: name a file")
	}
	*f = pageFile(file)
	return nil
}

// overviewOf is what the store knows by its index.
func overviewOf(store *results.Store, index *results.Index) trend.Overview {
	return trend.Oversee(index.Runs, func(id string) bool { return store.Own(store.FileOf(id)) == nil })
}

// reportsBeside finds the report of a run: the address is relative to the page, so that
// store and page can be moved, or served, together. A boot's is its campaign's.
func reportsBeside(page, store string) (func(run string) string, error) {
	from, err := filepath.Abs(filepath.Dir(page))
	if err != nil {
		return nil, err
	}
	to, err := filepath.Abs(store)
	if err != nil {
		return nil, err
	}
	way, err := filepath.Rel(from, to)
	if err != nil {
		return nil, err
	}
	known := map[string]string{} // boots share one
	return func(run string) string {
		dir, _, _ := strings.Cut(run, "/")
		address, ok := known[dir]
		if !ok {
			if info, err := os.Stat(filepath.Join(to, dir, reportFile)); err == nil && info.Mode().IsRegular() {
				// A name with a colon would be taken for a scheme; a dot in front says that it is none.
				address = "./" + (&url.URL{Path: filepath.ToSlash(filepath.Join(way, dir, reportFile))}).EscapedPath()
			}
			known[dir] = address
		}
		return address
	}, nil
}
