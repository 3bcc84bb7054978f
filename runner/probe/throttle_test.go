package probe

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"netab/results"
)

func TestReadThrottle(t *testing.T) {
	const (
		mounts = "29 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
		v1     = "31 30 0:28 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
		group  = "usage_usec 5550\nuser_usec 3000\nsystem_usec 2550\nnr_periods 40\nnr_throttled 3\nthrottled_usec 1500\nnr_bursts 0\nburst_usec 0\n"
	)
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  Throttle
		bad   bool
	}{
		{"own group and the one above", map[string]string{"/proc/self/cgroup": "0::/a/b\n", "/proc/self/mountinfo": mounts,
			"/sys/fs/cgroup/a/b/cpu.stat": group, "/sys/fs/cgroup/a/cpu.stat": "usage_usec 1\nnr_periods 2\nnr_throttled 1\nthrottled_usec 7\n",
			"/sys/fs/cgroup/cpu.stat": "usage_usec 99\n"}, Throttle{42, 4, 1_507_000}, false},
		{"v1", map[string]string{"/proc/self/cgroup": "1:cpu:/a\n", "/proc/self/mountinfo": v1,
			"/cg/cpu/a/cpu.stat": "nr_periods 9\nnr_throttled 8\nthrottled_time 1234567\n"}, Throttle{9, 8, 1_234_567}, false},
		{"no controller", map[string]string{"/proc/self/cgroup": "0::/a\n", "/proc/self/mountinfo": mounts}, Throttle{}, false},
		{"nothing", nil, Throttle{}, false},
		{"broken", map[string]string{"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": mounts, "/sys/fs/cgroup/cpu.stat": "nr_periods x\n"}, Throttle{}, true},
	} {
		root := results.Root(t.TempDir())
		for path, text := range tt.files {
			file := string(root) + path
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ReadThrottle(root)
		if (err != nil) != tt.bad || !tt.bad && got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
}

// TestThrottled: a program in a group with a quota of its own is throttled, and
// that is seen. It reads its counters itself, as netab does.
func TestThrottled(t *testing.T) {
	const inside = "NETAB_TEST_THROTTLED"
	if os.Getenv(inside) != "" {
		before, err := ReadThrottle(results.Root(""))
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); ; {
			for until := time.Now().Add(50 * time.Millisecond); time.Now().Before(until); {
			}
			after, err := ReadThrottle(results.Root(""))
			if err != nil {
				t.Fatal(err)
			}
			if d := after.Sub(before); d.Throttled > 0 && d.NS > 0 && d.Periods >= d.Throttled {
				return
			} else if time.Now().After(end) {
				t.Fatalf("a spinning program was never throttled: %+v", d)
			}
		}
	}
	dir, ok := quotaGroup(t)
	if !ok {
		t.Skip("no CPU controller of control groups to be had here (root, and cgroup v1 cpu mounted or v2 with cpu in cgroup.subtree_control)")
	}
	cmd := exec.Command("sh", "-c", `echo $$ >"$1/cgroup.procs" && exec "$2" -test.run='^TestThrottled$'`, "sh", dir, "/proc/"+strconv.Itoa(os.Getpid())+"/exe")
	cmd.Env = append(os.Environ(), inside+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// quotaGroup makes a control group of a tenth of a CPU below this process's own.
func quotaGroup(t *testing.T) (dir string, ok bool) {
	t.Helper()
	for _, above := range results.Cgroups(results.Root(""), "cpu") {
		dir, err := os.MkdirTemp(above, "netab-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() {
			// The last process's group is free a moment after it has ended.
			for range 100 {
				if err = os.Remove(dir); err == nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Error(err)
		})
		for file, quota := range map[string]string{"cpu.max": "10000 100000", "cpu.cfs_quota_us": "10000"} {
			path := filepath.Join(dir, file)
			if _, err := os.Stat(path); err == nil && os.WriteFile(path, []byte(quota), 0) == nil {
				return dir, true
			}
		}
	}
	return "", false
}
