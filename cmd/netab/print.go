package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"netab/analysis/escape"
	"netab/analysis/report/export"
)

// All that commands print goes through here: texts come from scenarios, run
// files and the machine, and are shown, not obeyed. TestAllIsPrintedHere holds
// the commands to it.

// guarded is a stream of this process with a net under it: only text passes, and
// on a terminal our own colours.
func guarded(w io.Writer) *escape.Writer {
	if colour(w) {
		return escape.NewWriter(w, export.Colours...)
	}
	return escape.NewWriter(w)
}

// fileOf is the file behind a stream.
func fileOf(w any) (*os.File, bool) {
	if e, ok := w.(*escape.Writer); ok {
		w = e.Under()
	}
	file, ok := w.(*os.File)
	return file, ok
}

// writef is fmt.Fprintf that keeps what it is given within its line.
func writef(w io.Writer, format string, args ...any) {
	visible(args)
	_, _ = fmt.Fprintf(w, format, args...) // a reader that is gone has heard enough
}

// printer is writef to a stream, for those below who print nothing themselves.
func printer(w io.Writer) func(format string, args ...any) {
	return func(format string, args ...any) { writef(w, format, args...) }
}

// writeln is fmt.Fprintln that keeps what it is given within its line.
func writeln(w io.Writer, args ...any) {
	visible(args)
	_, _ = fmt.Fprintln(w, args...)
}

// writeWhole writes a text of several lines of our own, such as a table.
func writeWhole(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// writeJSON writes a document, "" is no indent.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}

// unguarded is the stream below, for what is no text and would not pass as it is. A
// terminal is no place for that.
func unguarded(w io.Writer) (io.Writer, error) {
	if isTerminal(w) {
		return nil, errors.New("this is no text, and stdout is a terminal: send it to a file (> why.pb.gz)")
	}
	if e, ok := w.(*escape.Writer); ok {
		return e.Under(), e.Flush()
	}
	return w, nil
}

// rewrite writes in the place of what stands in the last line of a terminal.
func rewrite(w io.Writer, format string, args ...any) {
	// It returns to the line's begin and erases it (ECMA-48 EL).
	const clearLine = "\r\x1b[K"
	if e, ok := w.(*escape.Writer); ok {
		_ = e.Raw(clearLine)
	} else {
		_, _ = io.WriteString(w, clearLine)
	}
	writef(w, format, args...)
}

// visible puts in the place of each argument that is no number one that shows
// itself on one line. The slice is the caller's own, so that vet knows the
// functions above for what they are.
func visible(args []any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case nil:
			continue
		case error:
			args[i] = shown{indented(v.Error())}
			continue
		}
		switch v := reflect.ValueOf(arg); v.Kind() {
		case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		default:
			args[i] = shown{arg}
		}
	}
}

// An indented text has lines, of which all but the first stand apart from those
// of others.
type indented string

func (t indented) String() string {
	return strings.ReplaceAll(escape.Lines(strings.TrimRight(string(t), "\n")), "\n", "\n    ")
}

// shown is a value that is made visible whatever the verb.
type shown struct{ v any }

func (s shown) Format(f fmt.State, verb rune) {
	switch v := s.v.(type) {
	case indented:
		_, _ = io.WriteString(f, v.String())
	case string:
		if verb != 'q' { // which does it by itself
			v = escape.Visible(v)
		}
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), v)
	default:
		_, _ = io.WriteString(f, escape.Visible(fmt.Sprintf(fmt.FormatString(f, verb), v)))
	}
}
