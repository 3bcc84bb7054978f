package question

import (
	"os"
	"path/filepath"
	"testing"
	"time"
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
