package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"netab/results"
	"netab/test/need"
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

// TestUIDMapOfTheMachine: item 8 of issue 10. Fixtures of /proc/self/uid_map.
func TestUIDMapOfTheMachine(t *testing.T) {
	for _, tt := range []struct {
		name, uidMap string
		inode        uint64
		want         bool
	}{
		{"the machine's first", "         0          0 4294967295\n", 0xEFFFFFFD, true},
		{"without /proc/self/ns", "         0          0 4294967295\n", 0, true},
		{"root of a container that made itself a user namespace", "         0          0          1\n", 0, false},
		{"an ordinary user's", "         0       1000          1\n", 4026532300, false},
		{"an ordinary user's that keeps his uid", "      1000       1000          1\n", 4026532300, false},
		{"not mapped yet", "", 4026532300, false},
		{"two ranges: newuidmap", "         0       1000          1\n         1     100000      65536\n", 4026532300, false},
		{"two ranges that are all uids", "         0          0       1000\n      1000       1000 4294966295\n", 4026532300, false},
		{"the same, number unknown", "         0          0       1000\n      1000       1000 4294966295\n", 0, false},
		{"all but the last uid", "         0          0 4294967294\n", 0, false},
		{"nested: root's, with the whole map", "         0          0 4294967295\n", 4026532300, false},
		{"nested in an ordinary user's", "         0          0          1\n", 4026532301, false},
		{"twice", "0 0 4294967295\n0 0 4294967295\n", 0, false},
	} {
		if got := initialUserNamespace(tt.uidMap, tt.inode); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestNestedUserNamespace: the kernel writes the map of a namespace that root made
// with all uids as it writes the first's.
func TestNestedUserNamespace(t *testing.T) {
	if os.Getenv("NETAB_TEST_NESTED") == "1" {
		data, err := os.ReadFile("/proc/self/uid_map")
		if err != nil || !slices.Equal(strings.Fields(string(data)), []string{"0", "0", "4294967295"}) {
			t.Fatalf("not the map that was asked for: %q, %v", data, err)
		}
		if !InUserNamespace() || Privileged() {
			t.Errorf("in a user namespace: %v, privileged: %v", InUserNamespace(), Privileged())
		}
		return
	}
	need.Root(t)
	if InUserNamespace() {
		t.Skip("in a user namespace there are not all uids to map")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNestedUserNamespace$", "-test.v")
	cmd.Env = append(os.Environ(), "NETAB_TEST_NESTED=1")
	all := []syscall.SysProcIDMap{{Size: 1<<32 - 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestOuterUID(t *testing.T) {
	for _, tt := range []struct {
		uidMap    string
		uid, want int
	}{
		{"         0          0 4294967295\n", 1000, 1000},
		{"         0       1000          1\n", 0, 1000},
		{"         0       1000          1\n         1     100000      65536\n", 3, 100002},
		{"", 7, 7},
	} {
		if got := outerUID(tt.uidMap, tt.uid); got != tt.want {
			t.Errorf("%q: %d is %d outside, want %d", tt.uidMap, tt.uid, got, tt.want)
		}
	}
}
