package main

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netab/analysis/escape"
	"netab/results"
	"netab/results/vocab"
)

// payload means something to every medium.
const payload = "\x1b[2J\u202e\u200b\u009b\x07\r\n::error::gone\n##[error]##vso[x]section_start:1:x @team #1 https://evil.example www.evil.example ~~s~~ $x$ `c` | <img src=x onerror=pwned()> [l](http://e) </script><!channel> ]]>"

// vocabulary are words that make a record what it is.
var vocabulary = []string{"Type", "Schema", "Metrics", "Kind", "Protocol", "Topology", "Grain", "Scenario", "Gate", "ID"}

// poison puts the payload into every text of a record that is shown, so that a
// text which is recorded next is poisoned too. Names that are the same stay so.
func poison(v reflect.Value, field string) {
	if slices.Contains(vocabulary, field) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if (field == "Invalid" || field == "Failed") && v.String() == "" {
			return // else nothing is left to judge
		}
		v.SetString("=" + v.String() + payload)
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), field)
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return
		}
		for it := v.MapRange(); it.Next(); {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.Set(it.Key())
			value.Set(it.Value())
			v.SetMapIndex(it.Key(), reflect.Value{})
			poison(key, field)
			poison(value, field)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				poison(v.Field(i), f.Name)
			}
		}
	}
}

// hostile is a run in which every text is an attempt, each kind at least once.
func hostile(run *results.Run) {
	h := &run.Header
	h.Warnings = []results.Warning{{Code: "cut-off", Text: "w"}, {Code: "other", Text: "w"}}
	h.Command, h.Source, h.Netab = []string{"netab", "run"}, "s.yaml", results.Build{Version: "v", Revision: "r", Go: "go"}
	h.Design.Factors = []results.Factor{{Name: "f", Levels: []string{"a", "b"}}}
	h.Machine.Name, h.Machine.Board, h.Machine.Modules, h.Machine.Debug = "n", "b", []string{"m"}, []string{"KASAN"}
	h.Machine.Sysctls, h.Machine.Qdiscs = map[string]string{"net.x": "1"}, map[string]string{"lo": "noqueue"}
	for i := range h.Design.Arms {
		a := &h.Design.Arms[i]
		a.Levels, a.Notes, a.Knobs = []results.FactorLevel{{Factor: "f", Value: []string{"a", "b"}[i%2]}}, []string{"note"}, []string{"knob"}
		a.Beside = map[string]vocab.Kind{"bulk": "stream"}
	}
	for i := range run.Trials {
		t := &run.Trials[i]
		t.Warnings = []results.Warning{{Code: "cpu-steal", Text: "t"}}
		for k := range t.Arms {
			t.Arms[k].Knobs = []results.Setting{{Knob: "k", Scope: "host", Before: "1", Asked: "2", After: "3"}}
			t.Arms[k].Source.Events = map[string]int64{"retries": 3}
		}
		for k := range t.Slices {
			t.Slices[k].Beside = map[string]results.Counts{"bulk": {RxBytes: 1000, RxMsgs: 10}}
		}
		if i == 0 {
			t.Invalid, t.Slices[0].Invalid = "because", "so"
		}
	}
	run.End.RestoreErrors, run.End.Warnings = []string{"e"}, []results.Warning{{Code: "x", Text: "y"}}
	run.End.Restored = []results.Setting{{Knob: "k", Scope: "host", After: "1"}}
	poison(reflect.ValueOf(run).Elem(), "")
}

// TestTextsOfOthersAreShown: whatever is shown of a record, in whatever form, is
// no command to a terminal, a CI system, a spreadsheet, a chat or a browser.
func TestTextsOfOthersAreShown(t *testing.T) {
	dir := t.TempDir()
	for i, slow := range []float64{0, 0.05, 0.05, 0.2} {
		simulate(t, filepath.Join(dir, "run-"+string(rune('a'+i))), slow, uint64(i+1), hostile)
	}
	html, trendHTML := filepath.Join(dir, "r.html"), filepath.Join(dir, "t.html")
	for _, line := range []string{
		"results", "results show run-b", "results show run-b --json", "results show run-x\x1b[2J\n::error::", "results export run-b --format text\x1b",
		"results export run-b --format csv", "results export run-b --format json", "results export run-b --format benchfmt", "results export run-b --format markdown", "results export run-b --format jsonl",
		"gate run-b", "gate run-b --json", "gate run-b --chat", "gate run-b --junit -", "gate run-b --markdown -", "gate latest",
		"compare run-a run-b --force", "compare run-a,run-b run-c,run-d --force --chat", "compare run-a run-b --force --json", "compare run-a run-b --markdown -", "compare run-a run-b",
		"trend", "trend --json", "trend --csv", "trend --chat", "trend --junit -", "trend --markdown -", "trend --gate", "trend --html " + trendHTML,
		"report run-a run-b -o " + html, "__complete results show r",
	} {
		args := append(strings.Split(line, " "), "--store", dir)
		if args[0] == "__complete" {
			args = append([]string{"__complete", "--store", dir}, args[1:]...)
		}
		_, stdout, stderr := netab(args...)
		if strings.Contains(stderr, "panic") || stdout+stderr == "" {
			t.Errorf("%q printed %q and %q", line, stdout, stderr)
		}
		for stream, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
			checkShown(t, line, stream, text)
		}
		checkForm(t, line, stdout)
	}
	for _, file := range []string{html, trendHTML} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<img src=x", "\u202e", "\u200b", "\x1b", "\u009b"} {
			if at := strings.Index(string(page), bad); at >= 0 {
				t.Errorf("%s has %q: %.80q", filepath.Base(file), bad, page[at:])
			}
		}
	}
}

var forCI = regexp.MustCompile(`(?m)^[\s\p{Zs}]*::|##[a-z]*\[|section_(start|end):`)

func checkShown(t *testing.T, line, stream, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\t' && !escape.Shown(r) {
			t.Errorf("%q, %s: %U is printed", line, stream, r)
			break
		}
	}
	if m := forCI.FindString(text); m != "" {
		t.Errorf("%q, %s: a CI system reads %q", line, stream, m)
	}
}

// checkForm checks what is particular to a form.
func checkForm(t *testing.T, line, text string) {
	t.Helper()
	switch {
	case strings.Contains(line, "json") && !strings.Contains(line, "jsonl"):
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil || !strings.Contains(strings.ReplaceAll(text, `\u202e`, "\u202e"), "\u202e") {
			t.Errorf("%q: %v; the texts are not whole: %.300s", line, err, text)
		}
	case strings.Contains(line, "jsonl"):
		run, err := results.Read(strings.NewReader(text))
		if err != nil || !strings.HasSuffix(run.Header.Machine.Hostname, payload) {
			t.Errorf("%q: %v; the texts are not what they were", line, err)
		}
	case strings.Contains(line, "csv"):
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%q: %v", line, err)
		}
		number := regexp.MustCompile(`^[-+]?[0-9.]+(e[-+]?[0-9]+)?$`)
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && !number.MatchString(cell) {
					t.Fatalf("%q: a spreadsheet computes %q", line, cell)
				}
			}
		}
	case strings.Contains(line, "junit"):
		dec := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	case strings.Contains(line, "chat"):
		if m := regexp.MustCompile(`[@<]\S|://`).FindString(text); m != "" || strings.Count(text, "\n") != 1 {
			t.Errorf("%q: a chat reads %q, or it is not one line: %q", line, m, text)
		}
	case strings.Contains(line, "markdown"):
		text = regexp.MustCompile("`` .*? ``").ReplaceAllString(text, "") // code is literal
		for _, bad := range []string{"@team", "#1", "https://", "www.evil", "~~s", "$x$", "`c`", "<img", "[l](", "<!channel"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q: Markdown has %q", line, bad)
			}
		}
	case strings.Contains(line, "benchfmt"):
		for row := range strings.Lines(text) {
			row = strings.TrimRight(row, "\n")
			if row != "" && !regexp.MustCompile(`^(# run: |[a-z][a-z-]*: |Unit \S+ better=\w+$|Benchmark\S+-\d+\t\d+(\t\d+(\.\d+)? \S+)+$)`).MatchString(row) {
				t.Errorf("%q: not a line of the format: %q", line, row)
			}
		}
	}
}

// TestRedacted: nothing that leaves the house with --redact names a machine, a
// user or a network, in whatever form, and the verdict is the same.
func TestRedacted(t *testing.T) {
	dir := t.TempDir()
	secret := func(r *results.Run) {
		m := &r.Header.Machine
		m.Hostname, m.Name, m.MachineID, m.Board = "db7.corp.example", "goldfish", "0123456789abcdef0123456789abcdef", "Acme Rocket"
		m.BootID, m.KernelCmdline, m.Kernel = "boot-of-db7-4711", "root=UUID=77aa ip=10.9.8.7 quiet", "5.15.167.4-custom"
		r.Header.Command = []string{"/home/alice/bin/netab", "run", "work/alice/q.yaml", "--machine", "goldfish", "--store=/srv/alice/runs"}
		r.Header.Source = "/home/alice/q.yaml"
		r.Header.Scenario = json.RawMessage(`{"question":"on db7?","address":"10.9.8.7","n":1}`)
		r.Header.Warnings = []results.Warning{{Code: "virtual-machine", Text: "DB7 at 10.9.8.7, fe80::1234:5678 (52:54:00:ab:cd:ef on enx525400abcdef), see /home/alice/log.txt and /proc/cmdline on 5.15.167.4-custom"}}
		r.Header.Machine.Qdiscs = map[string]string{"enx525400abcdef": "fq"}
		r.Header.Design.Arms[1].Notes = []string{"as on db7.corp.example"}
		r.End.RestoreErrors = []string{"db7: /srv/alice/x: denied"}
	}
	for i, slow := range []float64{0, 0.05, 0.05} {
		simulate(t, filepath.Join(dir, "run-"+string(rune('a'+i))), slow, uint64(i+1), secret)
	}
	html, trendHTML := filepath.Join(dir, "r.html"), filepath.Join(dir, "t.html")
	names := regexp.MustCompile(`(?i)\bdb7|corp\.example|goldfish|0123456789abcdef|\b01234567\b|Acme|4711|UUID|10\.9\.8\.7|fe80|52:54|525400|/alice|/srv`)
	for _, line := range []string{
		"results export run-b --format csv", "results export run-b --format json", "results export run-b --format benchfmt", "results export run-b --format markdown", "results export run-b --format jsonl",
		"gate run-b", "gate run-b --json", "gate run-b --chat", "gate run-b --junit -", "gate run-b --markdown -", "compare run-a run-b", "compare run-a run-b --json",
		"trend", "trend --json", "trend --csv", "trend --markdown -", "trend --junit -", "report run-a run-b -o " + html, "trend --html " + trendHTML,
	} {
		args := append(strings.Split(line, " "), "--store", dir)
		before, _, _ := netab(args...)
		after, stdout, stderr := netab(append(args, "--redact")...)
		for _, file := range []string{html, trendHTML} {
			if strings.HasSuffix(line, file) {
				page, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				stdout = string(page)
			}
		}
		if m := names.FindString(stdout); m != "" {
			t.Errorf("%q tells of %q", line, m)
		}
		if before != after {
			t.Errorf("%q: status %d, redacted %d: %s", line, before, after, stderr)
		}
		if strings.Contains(line, "jsonl") {
			run, err := results.Read(strings.NewReader(stdout))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"host-", "/proc/cmdline", "5.15.167.4-custom", "…/log.txt"} {
				if !strings.Contains(run.Header.Warnings[0].Text, want) {
					t.Errorf("the warning lost %q: %s", want, run.Header.Warnings[0].Text)
				}
			}
			if !strings.HasPrefix(run.Header.Machine.Hostname, "host-") || run.Header.Source != "q.yaml" {
				t.Errorf("host %q, source %q", run.Header.Machine.Hostname, run.Header.Source)
			}
		}
	}
}
