// Package export writes pages (package analysis/page) in the formats that people
// and tools read, one file a format: for a terminal, Markdown, JSON, JUnit, a
// chat. A format is written once, for every view that there is or will be, and is
// known by its name in the list of format.go.
//
// What a run recorded, and not what it comes to, is exported as it is: a row a
// slice (CSV), a line a trial (the Go benchmark format), or the record itself.
package export

import (
	"errors"
	"io"
	"maps"
	"slices"

	"netab/analysis/page"
)

// A Writer writes a page in one format.
type Writer func(w io.Writer, p *page.Page, o Options) error

// formats are all there are, by name.
var formats = map[string]Writer{
	"text":     Text,
	"json":     JSON,
	"markdown": Markdown,
	"junit":    JUnit,
	"chat":     Chat,
}

// Names lists the formats.
func Names() []string { return slices.Sorted(maps.Keys(formats)) }

// Named is the format of a name.
func Named(name string) (w Writer, ok bool) {
	w, ok = formats[name]
	return w, ok
}

// judged is what a format tells that tells of nothing else.
func judged(p *page.Page) (*page.Judged, error) {
	if p.Judged == nil {
		return nil, errors.New("there is no outcome to write in this format")
	}
	return p.Judged, nil
}
