// Package formats holds the JSON Schemas of what netab writes, for who reads it with
// other programs. They are written by a test, of the Go types that are written and the
// comments of their fields, and held by it against real documents: they cannot fall
// behind. A schema names what is there; a later version may add members and lines,
// which readers should pass over.
package formats

import (
	"embed"
	"strings"
)

//go:embed *.json
var files embed.FS

// Names are those of the formats, but for the scenario, which is an input.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // embedded
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".json"))
	}
	return out
}

// Schema is the JSON Schema (draft 2020-12) of a format. Of one in JSON lines it is
// that of a line.
func Schema(name string) ([]byte, bool) {
	text, err := files.ReadFile(name + ".json")
	return text, err == nil
}
