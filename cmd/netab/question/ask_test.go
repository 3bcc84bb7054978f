package question

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"netab/results"
)

func TestLeadIsOfOneBoot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "lead.json")
	if got := recallLead(file, "a"); got != 0 {
		t.Errorf("%v of nothing", got)
	}
	rememberLead(file, "a", 40*time.Millisecond)
	if got := recallLead(file, "a"); got != 40*time.Millisecond {
		t.Errorf("%v, want 40ms", got)
	}
	if got := recallLead(file, "b"); got != 0 {
		t.Errorf("%v of another boot", got)
	}
	for _, broken := range []string{"", "{", `{"boot_id":"a","lead_ns":-5}`} {
		if err := os.WriteFile(file, []byte(broken), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := recallLead(file, "a"); got != 0 {
			t.Errorf("%q: %v", broken, got)
		}
	}
}

// TestLeadOfEmulated: a guest that was just booted begins with what emulated CPUs need.
func TestLeadOfEmulated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lead.json")
	for _, emulated := range []string{"", results.Emulated} {
		m := &results.Machine{BootID: "a" + emulated, Emulated: emulated}
		if got := leadOf(file, m); (got > 0) != (emulated != "") {
			t.Errorf("emulated %q: %v", emulated, got)
		}
		rememberLead(file, m.BootID, time.Millisecond)
		if got := leadOf(file, m); got != time.Millisecond {
			t.Errorf("emulated %q, a millisecond known: %v", emulated, got)
		}
	}
}
