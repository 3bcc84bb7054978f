package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netab/results"
)

// TestCapabilities: what a process may do is told by its effective capabilities,
// whatever its uid.
func TestCapabilities(t *testing.T) {
	for _, tt := range []struct {
		name, status string
		want         string // missing
	}{
		{"root", "CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n", ""},
		{"docker's root", "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n", "CAP_SYS_ADMIN CAP_NET_ADMIN"},
		{"docker's root with --cap-add NET_ADMIN", "CapEff:\t00000000a80435fb\n", "CAP_SYS_ADMIN"},
		{"ordinary user", "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n", "CAP_SYS_ADMIN CAP_NET_ADMIN"},
		{"ordinary user with ambient capabilities", "CapEff:\t0000000000201000\n", ""},
	} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "proc/self"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "proc/self/status"), []byte("Name:\tnetab\n"+tt.status), 0o644); err != nil {
			t.Fatal(err)
		}
		got := lacking(effective(results.Root(root)), sysAdmin, netAdmin)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v is missing, want %s", tt.name, got, tt.want)
		}
	}
}

func TestNeedsRoot(t *testing.T) {
	both := []string{"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}
	for _, tt := range []struct {
		name    string
		uid     int
		missing []string
		mark    string
		want    []string
	}{
		{"ordinary user", 1000, both, "", []string{"needs root"}},
		{"ordinary user in a user namespace", 0, nil, Ordinary, []string{"needs root"}},
		{"root of a container", 0, both, "", []string{"CAP_SYS_ADMIN and CAP_NET_ADMIN", "--cap-add SYS_ADMIN --cap-add NET_ADMIN"}},
		{"root of a container in a user namespace", 0, nil, "CAP_SYS_ADMIN", []string{"needs CAP_SYS_ADMIN,", "--cap-add SYS_ADMIN"}},
	} {
		got := needsRoot(tt.uid, tt.missing, tt.mark)
		if slices.ContainsFunc(tt.want, func(w string) bool { return !strings.Contains(got, w) }) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestUIDMapOfTheMachine(t *testing.T) {
	for text, want := range map[string]bool{
		"         0          0 4294967295\n": true,
		"         0          0          1\n": false, // root of a container that made itself a user namespace
		"         0       1000          1\n": false,
		"":                                   false,
		"0 0 1000\n1000 100000 65536\n":      false,
	} {
		if got := identity(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
