package scenarios

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed builtin/*.yaml
var builtinFiles embed.FS

// A Builtin is a scenario that comes with netab.
type Builtin struct {
	Name     string
	Question string
}

// Builtins lists the built-in scenarios by name.
func Builtins() []Builtin {
	files, err := fs.Glob(builtinFiles, "builtin/*.yaml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var out []Builtin
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		src, _ := BuiltinSource(name)
		s, err := Parse(file, src)
		if err != nil {
			panic(err) // embedded, and tested
		}
		out = append(out, Builtin{Name: name, Question: s.Question})
	}
	return out
}

// BuiltinSource is the YAML of a built-in scenario, comments and all; ok is
// false if there is none of that name.
func BuiltinSource(name string) (src []byte, ok bool) {
	src, err := builtinFiles.ReadFile("builtin/" + name + ".yaml")
	return src, err == nil
}
