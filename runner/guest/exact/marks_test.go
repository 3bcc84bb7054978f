package exact

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestMarker: a program without the loops is another one, and what is no program is
// said to be none.
func TestMarker(t *testing.T) {
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMarker(own)
	if err == nil { // this test's links package traffic, with all that marks something
		at := m.table.LookupFunc("netab/runner/traffic.(*counting).countBegins")
		if at == nil || m.mark(at.Entry) != marks["traffic.(*counting).countBegins"] || m.mark(at.End) == m.mark(at.Entry) || m.mark(1) != 0 {
			t.Errorf("%+v", at)
		}
	} else if !strings.Contains(err.Error(), "it has no function traffic.") {
		t.Error(err)
	}
	if _, err := newMarker([]byte("#!/bin/sh\n")); err == nil {
		t.Error("a script has functions")
	}
	cut := bytes.Replace(own, []byte(".gopclntab\x00"), []byte(".gopclntax\x00"), 1)
	if _, err := newMarker(cut); err == nil || !strings.Contains(err.Error(), "it has no table of its functions") {
		t.Error(err)
	}
}
