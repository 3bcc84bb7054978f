package results

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func bisectionHeader() BisectionHeader {
	return BisectionHeader{Scenario: []byte(`{"name":"udp"}`), Name: "udp", Mode: "count", Arm: "all", Metric: "instructions", AtLeast: 0.001, Most: 400, Repo: "/src",
		Changes: []Change{{ID: "a1"}, {ID: "b2", Subject: "udp: do x", Files: []string{"net/ipv4/udp.c"}, Weight: 10, Date: time.Unix(1e9, 0).UTC()}, {ID: "c3", Weight: 1}}}
}

// TestBisectionGoesOn: what was done is there after a kill in the middle of a line.
func TestBisectionGoesOn(t *testing.T) {
	store, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := CreateBisection(store.BisectionStore(), "20261201-010203-udp-1a2b", bisectionHeader())
	if err != nil {
		t.Fatal(err)
	}
	events := []BisectionEvent{
		{Type: EventMade, Change: 0, Code: "d1", Built: "kernels/a1"},
		{Type: EventTest, Change: 0, Seed: 1, Cost: 8.25},
		{Type: EventSkipped, Change: 1, Text: "make: *** [udp.o] Error 1"},
		{Type: EventTest, Change: 2, Seed: 1, Cost: -8.5},
	}
	for _, e := range events[:3] {
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := ResumeBisection(w.Dir()); err == nil || !strings.Contains(err.Error(), "is going on") {
		t.Errorf("two at a time: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(w.Dir(), BisectionFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"type":"test","change":2,"co`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, ref := range []string{"latest", "20261201-010203", w.Dir()} {
		path, err := store.Bisection(ref)
		if err != nil || path != filepath.Join(w.Dir(), BisectionFile) {
			t.Errorf("%s: %q, %v", ref, path, err)
		}
	}
	if _, err := store.Bisection("2025"); err == nil {
		t.Error("one that is not there was found")
	}
	w, b, err := ResumeBisection(w.Dir())
	if err != nil || len(b.ReadWarnings) != 1 || !reflect.DeepEqual(b.Events, events[:3]) {
		t.Fatalf("%v, %+v", err, b)
	}
	if err := w.Event(events[3]); err != nil {
		t.Fatal(err)
	}
	if err := w.End(BisectionEnd{Reason: "decided"}); err != nil {
		t.Fatal(err)
	}
	b, err = ReadBisection(w.Dir())
	if err != nil || !reflect.DeepEqual(b.Events, events) || b.End == nil || b.Header.Changes[1].Subject != "udp: do x" {
		t.Errorf("%v, %+v", err, b)
	}
}

func TestBisectionRefuses(t *testing.T) {
	head := `{"type":"bisection","schema":"netab/bisection/1","id":"x","repo":"/src","changes":[{"id":"a"},{"id":"b"}]}`
	for name, tc := range map[string]struct{ text, says string }{
		"no line":            {"", "empty"},
		"no header":          {`{"type":"test"}`, "line 1"},
		"a later version":    {`{"type":"bisection","schema":"netab/bisection/2"}`, "line 1"},
		"one change":         {`{"type":"bisection","schema":"netab/bisection/1","changes":[{"id":"a"}]}`, "want 2 to"},
		"no id":              {`{"type":"bisection","schema":"netab/bisection/1","changes":[{"id":"a"},{"id":" "}]}`, "changes[1]"},
		"another change":     {head + "\n" + `{"type":"test","change":2}`, "line 2: change: 2 is out of range"},
		"a path out of it":   {head + "\n" + `{"type":"made","change":1,"built":"../../etc"}`, "outside of the bisection's directory"},
		"a cost of nowhere":  {head + "\n" + `{"type":"test","change":1,"cost":1e300}`, "line 2"},
		"a line of no type":  {head + "\n{}", "line 2"},
		"a torn middle line": {head + "\n" + `{"type":"te` + "\n" + `{"type":"end"}`, "line 2"},
	} {
		var b Bisection
		if err := b.read(strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}

// FuzzBisection: no input panics, and what was read can be acted on.
func FuzzBisection(f *testing.F) {
	f.Add([]byte(`{"type":"bisection","schema":"netab/bisection/1","id":"x","changes":[{"id":"a"},{"id":"b"}]}` + "\n" + `{"type":"test","change":1,"cost":-3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b Bisection
		if b.read(bytes.NewReader(data)) != nil {
			return
		}
		for _, e := range b.Events {
			_ = b.Header.Changes[e.Change]
		}
	})
}
