package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netab/test/need"
)

func openStore(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	writeRun(t, dir, "20261121-203045-b-0002", 300, &End{Reason: "decided"}) // trials longer than a chunk together
	writeRun(t, dir, "20261121-203045-a-0001", 2, nil)
	writeRun(t, dir, "20261121-203045-c-0003", 0, nil)
	writeFile(t, filepath.Join(dir, "20200101-000000-old-0000", RunFile), "not a run\n")
	if err := os.Mkdir(filepath.Join(dir, "20210101-000000-empty-0000"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "notes.txt"), "not a run")

	entries, err := openStore(t, dir).List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%s %q trials=%d %q err=%v", e.ID, e.Scenario, e.Trials, e.Reason, e.Err != nil))
	}
	want := []string{
		`20200101-000000-old-0000 "" trials=0 "" err=true`,
		`20210101-000000-empty-0000 "" trials=0 "" err=true`,
		`20261121-203045-a-0001 "loopback-rps" trials=2 "cut off" err=false`,
		`20261121-203045-b-0002 "loopback-rps" trials=300 "decided" err=false`,
		`20261121-203045-c-0003 "loopback-rps" trials=0 "cut off" err=false`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !entries[2].Started.Equal(sampleHeader().Started) {
		t.Errorf("started %v", entries[2].Started)
	}
}

// The list must agree with reading the whole file wherever a run was cut off.
func TestListCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(writeRun(t, dir, "x", 2, &End{Reason: "decided"}), RunFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.IndexByte(string(text), '\n') + 1
	for cut := start; cut <= len(text); cut += 7 {
		writeFile(t, file, string(text[:cut]))
		o, err := readOutline(file)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		run, err := ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The reader can use a last line that lacks only its newline.
		if n := len(run.Trials); o.trials != n && !(o.trials == n-1 && text[cut] == '\n') {
			t.Errorf("cut at %d: %d trials in the list, %d in the file", cut, o.trials, n)
		}
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	if _, err := s.Resolve("latest"); err == nil || !strings.Contains(err.Error(), "no readable run") {
		t.Errorf("latest of an empty store: %v", err)
	}
	for _, id := range []string{"20261121-203045-a-0001", "20261121-203046-a-0002", "20261121-203047-veth-0003"} {
		writeRun(t, dir, id, 1, nil)
	}
	writeFile(t, filepath.Join(dir, "20270101-000000-broken-0000", RunFile), "{")
	a := filepath.Join(dir, "20261121-203045-a-0001", RunFile)
	tests := []struct{ ref, want, err string }{
		{ref: "20261121-203045-a-0001", want: a},
		{ref: "20261121-203045", want: a},
		{ref: filepath.Dir(a), want: a},
		{ref: filepath.Dir(a) + "/", want: a},
		{ref: a, want: a},
		{ref: "latest", want: filepath.Join(dir, "20261121-203047-veth-0003", RunFile)},
		{ref: "20261121-2030", err: "ambiguous: 20261121-203045-a-0001, 20261121-203046-a-0002, 20261121-203047-veth-0003"},
		{ref: "2025", err: `no run "2025"`},
		{ref: "", err: "no run named"},
		{ref: "./nowhere/run.jsonl", err: "no run at ./nowhere/run.jsonl"},
		{ref: "..", err: `no run ".."`},
	}
	for _, tt := range tests {
		got, err := s.Resolve(tt.ref)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Resolve(%q): %v, want %q", tt.ref, err, tt.err)
			}
			continue
		}
		if err != nil || filepath.Clean(got) != tt.want {
			t.Errorf("Resolve(%q) = %s, %v, want %s", tt.ref, got, err, tt.want)
		}
	}
}

func TestResolveAmbiguityIsShort(t *testing.T) {
	dir := t.TempDir()
	for i := range 9 {
		writeRun(t, dir, fmt.Sprintf("20261121-203045-a-%04d", i), 0, nil)
	}
	_, err := openStore(t, dir).Resolve("2026")
	if err == nil || !strings.HasSuffix(err.Error(), "a-0004 and 4 more") {
		t.Errorf("error %v", err)
	}
}

// Runs of one second are told apart by the time in their headers.
func TestLatestOfOneSecond(t *testing.T) {
	dir := t.TempDir()
	for i, id := range []string{"20261121-203045-z-0001", "20261121-203045-b-0002", "20261121-203045-a-0003"} {
		h := sampleHeader()
		h.Started = h.Started.Add(time.Duration([]int{1, 3, 2}[i]) * time.Millisecond)
		w, err := Create(dir, id, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := openStore(t, dir).Resolve("latest")
	if err != nil || !strings.Contains(got, "-b-0002") {
		t.Errorf("latest = %s, %v", got, err)
	}
}

func TestStoreThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	if _, err := Open(file); err == nil {
		t.Error("Open of a file: no error")
	}
	entries, err := openStore(t, filepath.Join(t.TempDir(), "not", "there")).List()
	if err != nil || len(entries) != 0 {
		t.Errorf("List of a store not made yet: %v, %v", entries, err)
	}
}

// A disk that fills up: the error says so, and what was written before reads.
func TestDiskFull(t *testing.T) {
	need.Root(t)
	store := t.TempDir()
	if err := unix.Mount("tmpfs", store, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(store, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	w, err := Create(store, "x", sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for ; err == nil && written < 1000; written++ {
		err = w.AppendTrial(sampleTrial(written))
	}
	written--
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "--store") {
		t.Fatalf("after %d trials: %v", written, err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	run, err := ReadFile(w.Dir())
	if err != nil || len(run.Trials) != written {
		t.Errorf("read %d trials, wrote %d: %v", len(run.Trials), written, err)
	}
}

// BenchmarkList is the cost of `netab results` in a large store.
func BenchmarkList(b *testing.B) {
	dir := b.TempDir()
	const runs = 10000
	text, err := encodeLine(Header{Type: "header", Schema: SchemaRun})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 20 {
		trial := sampleTrial(i)
		trial.Type = "trial"
		trial.Slices = make([]Slice, 60)
		line, err := encodeLine(trial)
		if err != nil {
			b.Fatal(err)
		}
		text = append(text, line...)
	}
	for i := range runs {
		run := filepath.Join(dir, fmt.Sprintf("20261121-203045-a-%05d", i))
		if err := os.Mkdir(run, 0o755); err != nil {
			b.Fatal(err)
		}
		// One file, many names: the list reads each as its own.
		if i > 0 {
			err = os.Link(filepath.Join(dir, "20261121-203045-a-00000", RunFile), filepath.Join(run, RunFile))
		} else {
			err = os.WriteFile(filepath.Join(run, RunFile), text, 0o644)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	s, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.List(); err != nil {
			b.Fatal(err)
		}
	}
}

// A run that was copied under another name counts once: the directory that has
// its name, whatever order they come in.
func TestCopies(t *testing.T) {
	dir := t.TempDir()
	const id = "20261121-203045-a-0001"
	writeRun(t, dir, id, 1, &End{Reason: "decided"})
	text, err := os.ReadFile(filepath.Join(dir, id, RunFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00-copy", "backup"} {
		writeFile(t, filepath.Join(dir, name, RunFile), string(text))
	}
	writeFile(t, filepath.Join(dir, "20261121-203045-a-0002", RunFile), "broken")
	writeFile(t, filepath.Join(dir, "20261121-203045-a-0003", RunFile), "broken")
	want := map[string]string{id: "", "00-copy": id, "backup": id, "20261121-203045-a-0002": "", "20261121-203045-a-0003": ""}
	s := openStore(t, dir)
	entries, err := s.List()
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.CopyOf != want[e.ID] {
			t.Errorf("%s is a copy of %q, want %q", e.ID, e.CopyOf, want[e.ID])
		}
	}
	for range 2 { // made anew, and from the index file
		x, err := s.Index("1", func(r *Run) Digest { return Digest{Scenario: r.Header.Design.Name, Values: nil} }, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range x.Runs {
			of := ""
			if want[d.ID] != "" {
				of = "a copy of run " + want[d.ID]
			}
			if strings.HasPrefix(d.Unused, "a copy") != (of != "") || of != "" && d.Unused != of {
				t.Errorf("%s: unused %q, want %q", d.ID, d.Unused, of)
			}
		}
	}
}

func TestCalibrationsCountOnce(t *testing.T) {
	s := openStore(t, t.TempDir())
	run := func(id string) CalibrationRun { return CalibrationRun{ID: id} }
	keep := func(c Calibration) string {
		path, err := s.KeepCalibration(&c)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := keep(Calibration{ID: "a", Runs: []CalibrationRun{run("1"), run("2"), run("2"), run("")}})
	keep(Calibration{ID: "b", Runs: []CalibrationRun{run("2"), run("3"), run("")}})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(filepath.Dir(path), "copy.json"), string(text))
	all, err := s.Calibrations()
	if err != nil || len(all) != 2 {
		t.Fatalf("%d calibrations, %v", len(all), err)
	}
	var got []string
	for _, c := range all {
		for _, r := range c.Runs {
			got = append(got, c.ID+r.ID)
		}
	}
	if want := []string{"a1", "a2", "a", "b3", "b"}; !slices.Equal(got, want) {
		t.Errorf("runs %v, want %v", got, want)
	}
}

// What was begun after the newest run and left nothing is not covered up by it.
func TestLatestAndAttempts(t *testing.T) {
	begun := time.Date(2026, 11, 21, 20, 30, 45, 0, time.UTC)
	record := func(t *testing.T, dir, id, name, source string, at time.Time) {
		w, err := Create(dir, id, Header{Design: Design{Name: name}, Source: source, Started: at})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.End(End{Reason: "decided"}); err != nil {
			t.Fatal(err)
		}
	}
	const first = "20261121-203045-a-0001"
	tests := []struct {
		name     string
		after    func(t *testing.T, s *Store, dir string)
		scenario string
		id       string
		newer    string // "" = nothing speaks against it
	}{
		{"nothing after it", func(*testing.T, *Store, string) {}, "", first, ""},
		{"failed", func(t *testing.T, s *Store, _ string) {
			a := Attempt{Started: begun.Add(time.Hour), Source: "a.yaml", Scenario: "a"}
			if err := errors.Join(s.Attempt(a), s.AttemptFailed(a, errors.New("no CPU 9"))); err != nil {
				t.Fatal(err)
			}
		}, "", first, "a run of a was begun later, at .* and it failed before anything was recorded: no CPU 9"},
		{"killed", func(t *testing.T, s *Store, _ string) {
			if err := s.Attempt(Attempt{Started: begun.Add(time.Hour), Source: "a.yaml"}); err != nil {
				t.Fatal(err)
			}
		}, "", first, "a run of a.yaml was begun later, .*prepared, or it was killed"},
		{"a full disk", func(t *testing.T, _ *Store, dir string) {
			writeFile(t, filepath.Join(dir, ".attempt-00000000.json"), "")
		}, "", first, "a run was begun later"},
		{"failed before it", func(t *testing.T, s *Store, _ string) {
			if err := s.Attempt(Attempt{Started: begun.Add(-time.Hour), Source: "b.yaml"}); err != nil {
				t.Fatal(err)
			}
		}, "", first, ""},
		{"failed, then measured", func(t *testing.T, s *Store, dir string) {
			a := Attempt{Started: begun.Add(time.Hour), Source: "a.yaml"}
			if err := s.Attempt(a); err != nil {
				t.Fatal(err)
			}
			record(t, dir, "20261121-223045-a-0002", "a", "a.yaml", begun.Add(2*time.Hour))
			if err := s.AttemptFailed(a, errors.New("measured, but not shown")); err != nil {
				t.Fatal(err)
			}
			if left := s.attempts(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		}, "", "20261121-223045-a-0002", ""},
		{"failed, then another scenario measured", func(t *testing.T, s *Store, dir string) {
			if err := s.Attempt(Attempt{Started: begun.Add(time.Hour), Source: "a.yaml"}); err != nil {
				t.Fatal(err)
			}
			record(t, dir, "20261121-223045-b-0002", "b", "b.yaml", begun.Add(2*time.Hour))
		}, "a", first, "a run of a.yaml was begun later"},
		{"another scenario failed", func(t *testing.T, s *Store, _ string) {
			if err := s.Attempt(Attempt{Started: begun.Add(time.Hour), Source: "b.yaml", Scenario: "b"}); err != nil {
				t.Fatal(err)
			}
		}, "a", first, ""},
		{"a newer one that is broken", func(t *testing.T, _ *Store, dir string) {
			writeFile(t, filepath.Join(dir, "20261122-203045-a-0002", RunFile), "{")
		}, "", first, "run 20261122-203045-a-0002, the newest, cannot be read: line 1"},
		{"a newer one without a file", func(t *testing.T, _ *Store, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "20261122-203045-a-0002"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "", first, "run 20261122-203045-a-0002, the newest, cannot be read: .*no such file"},
		{"a directory that is no run", func(t *testing.T, _ *Store, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "notes"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "", first, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			record(t, dir, first, "a", "a.yaml", begun)
			s := openStore(t, dir)
			tt.after(t, s, dir)
			l, err := s.Latest(tt.scenario)
			if err != nil || l.ID != tt.id || (l.Newer == nil) != (tt.newer == "") {
				t.Fatalf("latest %q, newer %v, %v; want %s, newer %q", l.ID, l.Newer, err, tt.id, tt.newer)
			}
			if tt.newer != "" && !regexp.MustCompile(tt.newer).MatchString(l.Newer.Error()) {
				t.Errorf("newer: %v, want %s", l.Newer, tt.newer)
			}
			if ids, err := s.ids(); err != nil || slices.ContainsFunc(ids, func(id string) bool { return strings.Contains(id, "attempt") }) {
				t.Errorf("a note is listed: %v, %v", ids, err)
			}
		})
	}
}

// Where there is no store there is no run that could be taken for this one.
func TestAttemptMakesNoStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if err := openStore(t, dir).Attempt(Attempt{Source: "x"}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a store was made")
	}
}
