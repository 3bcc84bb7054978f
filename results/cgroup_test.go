package results

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results/cpulist"
)

func tree(t *testing.T, files map[string]string) Root {
	t.Helper()
	root := Root(t.TempDir())
	for path, text := range files {
		writeFile(t, string(root)+path, text+"\n")
	}
	return root
}

// Lines of /proc/self/mountinfo as they were found.
const (
	unified  = "29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
	split    = "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n33 30 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	dockerV1 = "705 699 0:28 /docker/5ab /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:9 - cgroup cgroup rw,cpu,cpuacct\n"
)

func TestCgroups(t *testing.T) {
	for _, tt := range []struct {
		name, mounts, groups string
		want                 []string
	}{
		{"v2", unified, "0::/user.slice/a.scope\n", []string{"/sys/fs/cgroup/user.slice/a.scope", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"}},
		{"v2 in a cgroup namespace", unified, "0::/\n", []string{"/sys/fs/cgroup"}},
		{"v2 above the namespace's root", unified, "0::/../b\n", []string{"/sys/fs/cgroup"}},
		{"v1 and v2", split, "3:cpuset:/c\n1:cpu,cpuacct:/a/b\n0::/x\n", []string{"/sys/fs/cgroup/cpu,cpuacct/a/b", "/sys/fs/cgroup/cpu,cpuacct/a", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified/x", "/sys/fs/cgroup/unified"}},
		{"v1 in a container without a cgroup namespace", dockerV1, "1:cpu,cpuacct:/docker/5ab\n", []string{"/sys/fs/cgroup/cpu,cpuacct"}},
		{"v1 below the container's root", dockerV1, "1:cpu,cpuacct:/docker/5ab/c\n", []string{"/sys/fs/cgroup/cpu,cpuacct/c", "/sys/fs/cgroup/cpu,cpuacct"}},
		{"v1 of another container", dockerV1, "1:cpu,cpuacct:/docker/5abc\n", []string{"/sys/fs/cgroup/cpu,cpuacct"}},
		{"not mounted", "", "0::/a\n", nil},
		{"no groups", unified, "", nil},
		{"a name with colons", unified, "0::/a:b c\n", []string{"/sys/fs/cgroup/a:b c", "/sys/fs/cgroup"}},
	} {
		root := tree(t, map[string]string{"/proc/self/mountinfo": tt.mounts, "/proc/self/cgroup": tt.groups})
		if diff := cmp.Diff(tt.want, Cgroups(root, "cpu")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestReadCPUQuota(t *testing.T) {
	for _, tt := range []struct {
		name, mounts, groups string
		files                map[string]string
		want                 string // "" = none
	}{
		{"v2", unified, "0::/a", map[string]string{"/sys/fs/cgroup/a/cpu.max": "150000 100000"}, "cpu.max 150000 100000: 1.5 CPUs"},
		{"v2, none", unified, "0::/a", map[string]string{"/sys/fs/cgroup/a/cpu.max": "max 100000"}, ""},
		{"v2, the tightest is above", unified, "0::/a/b", map[string]string{"/sys/fs/cgroup/a/b/cpu.max": "200000 100000", "/sys/fs/cgroup/a/cpu.max": "50000 50000"}, "cpu.max 50000 50000: 1 CPU"},
		{"v1", split, "1:cpu,cpuacct:/a", map[string]string{"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "20000", "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000"},
			"cpu.cfs_quota_us, cpu.cfs_period_us 20000 100000: 0.2 CPUs"},
		{"v1, none", split, "1:cpu,cpuacct:/", map[string]string{"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000"}, ""},
		{"no files", unified, "0::/a", nil, ""},
		{"not a quota", unified, "0::/a", map[string]string{"/sys/fs/cgroup/a/cpu.max": "soon 100000"}, ""},
	} {
		files := map[string]string{"/proc/self/mountinfo": tt.mounts, "/proc/self/cgroup": tt.groups}
		for path, text := range tt.files {
			files[path] = text
		}
		got := ""
		if q, ok := ReadCPUQuota(tree(t, files)); ok {
			got = q.String()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAllowedCPUs: what the process was started with counts, and CPUs that
// isolcpus= takes from everybody are still there to be asked for.
func TestAllowedCPUs(t *testing.T) {
	for _, tt := range []struct {
		name, online, isolated, status string
		want                           string
		restricted                     bool
	}{
		{"all", "0-3", "", "Cpus_allowed_list:\t0-3", "0-3", false},
		{"possible CPUs too", "0-3", "", "Cpus_allowed_list:\t0-127", "0-3", false},
		{"taskset", "0-3", "", "Name:\tnetab\nCpus_allowed:\t2\nCpus_allowed_list:\t1", "1", true},
		{"a cpuset with holes", "0-7", "", "Cpus_allowed_list:\t0-1,6-9", "0-1,6-7", true},
		{"isolcpus=2-3", "0-3", "2-3", "Cpus_allowed_list:\t0-1", "0-3", false},
		{"taskset to an isolated CPU", "0-3", "2-3", "Cpus_allowed_list:\t2", "2", true},
		{"taskset beside isolated CPUs", "0-3", "2-3", "Cpus_allowed_list:\t0", "0", true},
		{"nothing known", "0-3", "", "Name:\tnetab", "0-3", false},
	} {
		got, err := ReadCPUTopology(tree(t, map[string]string{"/sys/devices/system/cpu/online": tt.online,
			"/sys/devices/system/cpu/isolated": tt.isolated, "/proc/self/status": tt.status}))
		if err != nil || cpulist.Format(got.Allowed) != tt.want || got.Restricted() != tt.restricted {
			t.Errorf("%s: %s, restricted %v, want %s, %v (%v)", tt.name, cpulist.Format(got.Allowed), got.Restricted(), tt.want, tt.restricted, err)
		}
	}
}
