package question

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"netab/results/disk"
	"netab/scenarios"
)

const builtinSource = "builtin:"

// SourceNamed is where a scenario comes from that is named so: a path (with a
// slash or .yaml) is a file, a bare word is a built-in one, else a file of that
// name.
func SourceNamed(ref string) string {
	if ref == "-" {
		return "stdin"
	}
	if _, ok := scenarios.BuiltinSource(ref); ok && !isPath(ref) {
		return builtinSource + ref
	}
	return ref
}

// Nearest is the hint for a name that is not built in.
func Nearest(name string) string {
	var names []string
	for _, b := range scenarios.Builtins() {
		names = append(names, b.Name)
	}
	return scenarios.Suggest(name, names)
}

// read finds a scenario and reads it.
func read(ref string) (source string, text []byte, err error) {
	source = SourceNamed(ref)
	if ref == "-" {
		text, err = readAtMost(os.Stdin)
		return source, text, err
	}
	if name, ok := strings.CutPrefix(source, builtinSource); ok && source != ref {
		text, _ := scenarios.BuiltinSource(name)
		return source, text, nil
	}
	f, err := disk.Open(ref)
	if errors.Is(err, fs.ErrNotExist) && !isPath(ref) {
		return "", nil, fmt.Errorf("no scenario is named %q: %s (a file is given by its path)", ref, Nearest(ref))
	}
	if err != nil {
		return source, nil, err
	}
	defer f.Close()
	text, err = readAtMost(f)
	return source, text, err
}

func isPath(ref string) bool {
	return strings.Contains(ref, "/") || strings.HasSuffix(ref, ".yaml") || strings.HasSuffix(ref, ".yml")
}

// readAtMost reads what may be a scenario, and one byte more, which is enough
// for the parser to refuse it.
func readAtMost(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, scenarios.MaxFile+1))
}
