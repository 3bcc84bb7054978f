package question

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"netab/results/disk"
	"netab/scenarios"
)

const (
	builtinSource = "builtin:"

	stdinSource = "stdin"
)

// SourceNamed is where a scenario comes from that is named so: a path (with a
// slash or .yaml) is a file, a bare word is a built-in one, else a file of that
// name.
func SourceNamed(ref string) string {
	switch ref {
	case "-":
		return stdinSource
	case "":
		return "the command line"
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
	switch ref {
	case "":
		return source, nil, nil // flags say all of it
	case "-":
		text, err = readAtMost(os.Stdin)
		return source, text, err
	}
	if name, ok := strings.CutPrefix(source, builtinSource); ok && source != ref {
		text, _ := scenarios.BuiltinSource(name)
		return source, text, nil
	}
	f, err := disk.Open(ref)
	if errors.Is(err, fs.ErrNotExist) && !isPath(ref) {
		if scenarios.IsWorkload(ref) {
			return "", nil, fmt.Errorf("no scenario is named %q; for that traffic without a scenario: netab run --traffic %s", ref, ref)
		}
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

// Stdin is what another process that reads the same scenario finds on its standard
// input: what this one has read from there, or what is still to be read.
func (q *Question) Stdin() io.Reader {
	if q.Source == stdinSource {
		return bytes.NewReader(q.Text)
	}
	return os.Stdin
}
