package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A ForeignLine is a line of a type that this version does not know.
type ForeignLine struct {
	Trials int // how many trials stood before it
	Raw    json.RawMessage
}

// ReadFile reads a run file, or the run file of a run's directory.
func ReadFile(path string) (*Run, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RunFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the run file: %w", err)
	}
	defer f.Close()
	run, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}

// Read reads a run file. Members and lines that this version does not know are
// kept. A last line that was cut off (a full disk, a power cut) is skipped and
// reported in ReadWarnings under the code "truncated"; any other fault is an
// error that names the line.
func Read(r io.Reader) (*Run, error) {
	run := &Run{}
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		whole := err == nil
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		line = bytes.TrimSpace(line)
		if len(line) > 0 || whole {
			err := run.add(n, line)
			if err != nil && !whole && n > 1 && !json.Valid(line) {
				run.truncated(n, len(line))
			} else if err != nil {
				return nil, err
			}
		}
		if !whole {
			break
		}
	}
	if run.Header.Type == "" {
		return nil, errors.New("empty: a run file starts with its header")
	}
	return run, nil
}

func (run *Run) truncated(line, size int) {
	run.ReadWarnings = append(run.ReadWarnings, Warning{
		Code: "truncated",
		Text: fmt.Sprintf("line %d, the last, was cut off after %d bytes and is not used; the run was ended hard, the %d trials before are whole", line, size, len(run.Trials)),
	})
}

// add decodes line n into the run.
func (run *Run) add(n int, line []byte) error {
	var kind struct {
		Type   string `json:"type"`
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return lineError(n, err)
	}
	if (n == 1) != (kind.Type == "header") {
		return fmt.Errorf("line %d: type %q: the header must be the first line and the only one", n, kind.Type)
	}
	switch kind.Type {
	case "header":
		if err := checkSchema(kind.Schema); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		return lineError(n, json.Unmarshal(line, &run.Header))
	case "trial":
		var t Trial
		if err := json.Unmarshal(line, &t); err != nil {
			return lineError(n, err)
		}
		run.Trials = append(run.Trials, t)
	case "end":
		var e End
		if err := json.Unmarshal(line, &e); err != nil {
			return lineError(n, err)
		}
		run.End = &e
	case "":
		return fmt.Errorf(`line %d: a record without "type"`, n)
	default:
		run.Foreign = append(run.Foreign, ForeignLine{Trials: len(run.Trials), Raw: bytes.Clone(line)})
	}
	return nil
}

// checkSchema accepts the major version that this package knows; a minor one
// ("netab/run/1.2") only adds what is kept as unknown.
func checkSchema(schema string) error {
	family, major := splitSchema(SchemaRun)
	f, m := splitSchema(schema)
	switch {
	case f != family || m < 0:
		return fmt.Errorf("schema %q is not of a run file, want %s", schema, SchemaRun)
	case m > major:
		return fmt.Errorf("schema %s is newer than this netab reads (%s): use a newer netab", schema, SchemaRun)
	case m < major:
		return fmt.Errorf("schema %s is older than this netab reads (%s)", schema, SchemaRun)
	}
	return nil
}

// splitSchema splits "netab/run/1.2" into "netab/run" and 1; -1 = no number.
func splitSchema(schema string) (family string, major int) {
	cut := strings.LastIndexByte(schema, '/')
	if cut < 0 {
		return schema, -1
	}
	number, minor, dotted := strings.Cut(schema[cut+1:], ".")
	if dotted {
		if _, err := strconv.ParseUint(minor, 10, 16); err != nil {
			return schema[:cut], -1
		}
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return schema[:cut], -1
	}
	return schema[:cut], int(n)
}

// lineError says in which line, and where in it, decoding failed.
func lineError(n int, err error) error {
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d, byte %d: %w", n, syntax.Offset, err)
	}
	return fmt.Errorf("line %d: %w", n, err)
}
