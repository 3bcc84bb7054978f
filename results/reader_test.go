package results

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const headerLine = `{"type":"header","schema":"netab/run/1","id":"x","scenario":{}}` + "\n"

func TestReadFaults(t *testing.T) {
	tests := []struct {
		name, in, want string
	}{
		{"empty", "", "a run file starts with its header"},
		{"newline only", "\n", "line 1"},
		{"not JSON", "hello\n", "line 1, byte 1"},
		{"only a torn header", `{"type":"header","sch`, "line 1"},
		{"trial first", `{"type":"trial"}` + "\n", "header must be the first line"},
		{"two headers", headerLine + headerLine, `line 2: type "header": the header must be the first line and the only one`},
		{"newer schema", strings.Replace(headerLine, "run/1", "run/2", 1), "netab/run/2 is newer than this netab reads (netab/run/1)"},
		{"older schema", strings.Replace(headerLine, "run/1", "run/0", 1), "older"},
		{"another schema", strings.Replace(headerLine, "netab/run/1", "netab/summary/1", 1), "is not of a run file"},
		{"no schema", `{"type":"header"}` + "\n", `schema "" is not of a run file`},
		{"torn in the middle", headerLine + `{"type":"trial","ind` + "\n" + `{"type":"end"}` + "\n", "line 2, byte"},
		{"last line whole but broken", headerLine + `{"type":"trial",}` + "\n", "line 2, byte"},
		{"wrong type of a field", headerLine + `{"type":"trial","index":"one"}` + "\n", "line 2: json: cannot unmarshal"},
		{"wrong type in the last line, whole JSON", headerLine + `{"type":"trial","index":"one"}`, "line 2: json: cannot unmarshal"},
		{"negative index", headerLine + `{"type":"trial","index":-1}` + "\n", "line 2: index: -1 is out of range (0 to 1048575)"},
		{"no type", headerLine + `{"index":1}` + "\n", `line 2: a record without "type"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run, err := Read(strings.NewReader(tt.in))
			if err == nil {
				t.Fatalf("no error; run %+v", run)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
		})
	}
}

// What a file holds twice counts once, and it is said. Trials are those that
// count, by setup_ns, which tells copies apart.
func TestReadTwice(t *testing.T) {
	trial := func(index, setup int) string {
		return fmt.Sprintf(`{"type":"trial","index":%d,"setup_ns":%d}`+"\n", index, setup)
	}
	const end = `{"type":"end","reason":"decided"}` + "\n"
	tests := []struct {
		name, in string
		trials   []int64
		warnings []string
	}{
		{"as it should be", trial(0, 1) + trial(1, 2) + end, []int64{1, 2}, nil},
		{"trials appended twice", trial(0, 1) + trial(1, 2) + trial(0, 1) + trial(1, 2) + end, []int64{1, 2}, []string{"duplicate-trials"}},
		{"with other content", trial(0, 1) + trial(1, 2) + trial(1, 3) + end, []int64{1, 2}, []string{"trials-differ"}},
		{"a whole run appended", trial(0, 1) + end + trial(0, 1) + end, []int64{1}, []string{"duplicate-trials"}},
		{"more behind the end", trial(0, 1) + end + trial(1, 2), []int64{1}, []string{"trials-after-end"}},
		{"another end", trial(0, 1) + end + `{"type":"end","reason":"max-time"}` + "\n", []int64{1}, []string{"ends-differ"}},
		{"out of order", trial(1, 2) + trial(0, 1) + end, []int64{1, 2}, []string{"trials-out-of-order"}},
		{"one left out", trial(0, 1) + trial(2, 3) + end, []int64{1, 3}, []string{"trials-missing"}},
		{"the first left out", trial(1, 2) + end, []int64{2}, []string{"trials-missing"}},
	}
	for _, tt := range tests {
		run, err := Read(strings.NewReader(headerLine + tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var trials []int64
		for _, tr := range run.Trials {
			trials = append(trials, tr.SetupNS)
		}
		var codes []string
		for _, w := range run.ReadWarnings {
			codes = append(codes, string(w.Code))
		}
		if !slices.Equal(trials, tt.trials) || !slices.Equal(codes, tt.warnings) || run.End.Reason != "decided" {
			t.Errorf("%s: trials %v, want %v; warnings %v, want %v; end %q", tt.name, trials, tt.trials, run.ReadWarnings, tt.warnings, run.End.Reason)
		}
	}
}

func TestReadMinorVersion(t *testing.T) {
	if _, err := Read(strings.NewReader(strings.Replace(headerLine, "run/1", "run/1.7", 1))); err != nil {
		t.Error(err)
	}
}

// A run file may be cut at any byte: what was whole before is read, the rest
// reported.
func TestReadCutAnywhere(t *testing.T) {
	dir := writeRun(t, t.TempDir(), "x", 2, &End{Reason: "decided"})
	text, err := os.ReadFile(filepath.Join(dir, RunFile))
	if err != nil {
		t.Fatal(err)
	}
	firstLine := bytes.IndexByte(text, '\n')
	for cut := range len(text) {
		run, err := Read(bytes.NewReader(text[:cut]))
		if cut < firstLine {
			if err == nil {
				t.Fatalf("cut at %d, inside the header: no error", cut)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		// A line without its newline is whole too.
		whole := bytes.Count(text[:cut], []byte("\n"))
		torn := text[cut-1] != '\n' && text[cut] != '\n'
		if text[cut-1] != '\n' && text[cut] == '\n' {
			whole++
		}
		if got := 1 + len(run.Trials); got != min(whole, 3) {
			t.Fatalf("cut at %d: %d lines read, want %d", cut, got, whole)
		}
		if got := len(run.ReadWarnings) == 1 && run.ReadWarnings[0].Code == "truncated"; got != torn {
			t.Fatalf("cut at %d: warnings %v, torn %v", cut, run.ReadWarnings, torn)
		}
	}
}

func TestReadZeroFilledTail(t *testing.T) {
	run, err := Read(strings.NewReader(headerLine + strings.Repeat("\x00", 512)))
	if err != nil || len(run.ReadWarnings) != 1 {
		t.Errorf("after a power cut: %v %v", run, err)
	}
}

// FuzzRead: no input panics, and what was read is written and read the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(headerLine))
	f.Add([]byte(headerLine + `{"type":"trial","index":0,"slices":[{"arm":1,"new":2}]}` + "\n" + `{"type":"mood","x":1}` + "\n" + `{"type":"end","reason":"decided"}` + "\n"))
	f.Add([]byte(headerLine + `{"type":"trial","ind`))
	f.Add([]byte(headerLine + `{"type":"trial","host":{"cpus":[{"cpu":0,"a/b~c":{}}]},"host":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first bytes.Buffer
		if _, err := run.WriteTo(&first); err != nil {
			t.Fatalf("write: %v", err)
		}
		again, err := Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("read what was written: %v\n%s", err, first.Bytes())
		}
		var second bytes.Buffer
		if _, err := again.WriteTo(&second); err != nil {
			t.Fatalf("write again: %v", err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("not stable:\n%s\n%s", first.Bytes(), second.Bytes())
		}
	})
}
