package translate

import (
	_ "embed" // options.txt
	"fmt"
	"strings"
)

//go:embed options.txt
var table string

// optionsOf are a tool's options: those that take some reckoning, and those of the table.
func optionsOf(tool string, own ...option) []option {
	_, rows, found := strings.Cut(table, "\n["+tool+"]\n")
	if !found {
		panic("options.txt has no tool " + tool)
	}
	rows, _, _ = strings.Cut(rows, "\n\n")
	for row := range strings.Lines(rows) {
		cells := strings.SplitN(strings.TrimSpace(row), "|", 3)
		if len(cells) != 3 {
			panic("options.txt: " + row)
		}
		o := option{names: strings.Fields(cells[0]), does: comesTo(strings.TrimSpace(cells[2]))}
		switch argument := strings.TrimSpace(cells[1]); argument {
		case "=":
			o.value = true
		case "[=]":
			o.maybe = true
		case "[ ]":
			o.perhaps = true
		case "":
		default:
			panic(fmt.Sprintf("options.txt: %q is no argument", argument))
		}
		own = append(own, o)
	}
	return own
}

// comesTo is what the last cell of a row says.
func comesTo(text string) func(*reader, string) {
	kind, text, _ := strings.Cut(text, " ")
	switch kind {
	case "to":
		if path, value, fixed := strings.Cut(text, ": "); fixed {
			return func(r *reader, _ string) { r.set(path, value) }
		}
		return func(r *reader, value string) { r.set(text, value) }
	case "bytes":
		return sized(strings.Fields(text)...)
	case "host":
		return host
	case "flows":
		return flowsOf
	case "seconds":
		return seconds
	case "moot":
		return func(r *reader, _ string) { r.moot(reasons.Replace(text)) }
	case "refused":
		return func(r *reader, _ string) { r.refuse(reasons.Replace(text)) }
	}
	panic(fmt.Sprintf("options.txt: an option comes to nothing that is known: %s", kind))
}
