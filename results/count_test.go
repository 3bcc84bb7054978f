package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testCount() *Count {
	return &Count{ID: "20260101T000000Z-udp-1", Name: "udp", Unit: "message", Kernels: []Kernel{{Release: "6.1"}}, Kinds: []CountKind{{Arm: "plain"}},
		Boots: []CountBoot{{Seed: 1, End: "finished", Instructions: 7000, Units: 1, Functions: []CountFunction{{"source", "task", "udp_sendmsg", 100}}}}}
}

// TestCountRecord: what is kept is what is read, and a store without counts has none.
func TestCountRecord(t *testing.T) {
	dir := t.TempDir()
	if ids, err := CountIDs(dir); err != nil || len(ids) != 0 {
		t.Errorf("%q, %v", ids, err)
	}
	c := testCount()
	c.ID = NewID("udp", c.Started, 1)
	path, err := WriteCount(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{c.ID, path} {
		got, err := ReadCount(dir, ref)
		if err != nil || got.Boots[0].Functions[0].Function != "udp_sendmsg" || got.Schema != SchemaCount {
			t.Errorf("%s: %+v, %v", ref, got, err)
		}
	}
	if ids, err := CountIDs(dir); err != nil || len(ids) != 1 || ids[0] != c.ID {
		t.Errorf("%q, %v", ids, err)
	}
	for _, ref := range []string{"none", "../x", NewID("other", c.Started, 2)} {
		if _, err := ReadCount(dir, ref); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestCountRefused: what others wrote is held against the limits.
func TestCountRefused(t *testing.T) {
	for name, edit := range map[string]func(string) string{
		"schema":     func(s string) string { return strings.Replace(s, "counted/1", "counted/9", 1) },
		"kind":       func(s string) string { return strings.Replace(s, `"kind":0`, `"kind":7`, 1) },
		"no units":   func(s string) string { return strings.Replace(s, `"units":1`, `"units":0`, 1) },
		"a negative": func(s string) string { return strings.Replace(s, `"instructions":7000`, `"instructions":-7`, 1) },
		"too many": func(s string) string {
			return strings.Replace(s, `"instructions":7000`, `"instructions":90071992547409931`, 1)
		},
		"deep": func(s string) string { return s },
		"torn": func(s string) string { return s[:len(s)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c := testCount()
			c.ID = NewID("udp", c.Started, 1)
			path, err := WriteCount(dir, c)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			edited := edit(string(text))
			if edited == string(text) && name != "deep" {
				t.Fatal("nothing was edited")
			}
			if name == "deep" {
				edited = strings.Repeat("[", 100_000)
			}
			if err := os.WriteFile(path, []byte(edited), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadCount(dir, path); err == nil {
				t.Errorf("%s was read", filepath.Base(path))
			}
		})
	}
}
