package main

import (
	"fmt"
	"io"

	"netab/analysis/page"
	"netab/analysis/report/export"
)

// writePage writes a page in the format of a name.
func writePage(w io.Writer, p *page.Page, format string) error {
	write, ok := export.Named(format)
	if !ok {
		return fmt.Errorf("there is no format %q", format)
	}
	return write(w, p, terminal(w))
}

// either is the format of a name where it is wanted, and text otherwise.
func either(format string, wanted bool) string {
	if wanted {
		return format
	}
	return "text"
}
