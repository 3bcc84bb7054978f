package results

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Cgroups lists the directories of the control groups that a controller ("cpu",
// "pids") holds this process in: its own first, then those above it, as far as
// they are mounted here. With cgroup v2 the list is the same for every controller,
// and a directory may lack its files: the root has no limits, and a group only
// those that are switched on there. Nothing is listed where nothing is mounted.
//
// See cgroups(7), and for the files proc_cgroup_show in kernel/cgroup/cgroup.c and
// show_mountinfo in fs/proc_namespace.c.
func Cgroups(files Reader, controller string) []string {
	var out []string
	mounts := cgroupMounts(files)
	for line := range strings.Lines(textOr(files, "/proc/self/cgroup", "")) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		v2 := id == "0" && controllers == ""
		if !ok || !v2 && !slices.Contains(strings.Split(controllers, ","), controller) {
			continue
		}
		at := slices.IndexFunc(mounts, func(m cgroupMount) bool {
			return m.v2 && v2 || !m.v2 && !v2 && slices.Contains(m.options, controller)
		})
		if at >= 0 {
			out = append(out, mounts[at].upFrom(group)...)
		}
	}
	return out
}

// A cgroupMount is a place where a hierarchy of control groups is seen.
type cgroupMount struct {
	v2      bool
	root    string   // the group that the place shows
	at      string   // the place
	options []string // of v1 with the names of its controllers
}

func cgroupMounts(files Reader) []cgroupMount {
	var out []cgroupMount
	for line := range strings.Lines(textOr(files, "/proc/self/mountinfo", "")) {
		before, after, ok := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(kind) < 3 || kind[0] != "cgroup" && kind[0] != "cgroup2" {
			continue
		}
		out = append(out, cgroupMount{kind[0] == "cgroup2", unescape(place[3]), unescape(place[4]), strings.Split(kind[2], ",")})
	}
	return out
}

// unescape undoes the octal escapes of blanks (mangle_path).
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// upFrom lists a group's directory and those above it. A group that is not below
// the mount's own root is not to be seen (a container's view of /proc with the
// machine's /sys, or the other way round): then the mount's root is the nearest.
func (m cgroupMount) upFrom(group string) []string {
	below, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	if !ok || below != "" && below[0] != '/' || strings.HasPrefix(below, "/..") {
		below = "/"
	}
	var out []string
	for dir := path.Clean(m.at + below); ; dir = path.Dir(dir) {
		out = append(out, dir)
		if dir == m.at || len(dir) <= len(m.at) {
			return out
		}
	}
}

// A CPUQuota is the CPU time that a control group may use.
type CPUQuota struct {
	CPUs float64 // seconds per second
	Text string  // the file's name and content: "cpu.max 150000 100000"
}

// String is "cpu.max 150000 100000: 1.5 CPUs".
func (q CPUQuota) String() string {
	unit := "CPUs"
	if q.CPUs == 1 {
		unit = "CPU"
	}
	return fmt.Sprintf("%s: %.3g %s", q.Text, q.CPUs, unit)
}

// ReadCPUQuota reads the tightest quota of the control groups that hold this
// process (Documentation/admin-guide/cgroup-v2.rst, cpu.max; of v1
// Documentation/scheduler/sched-bwc.rst); ok = there is one.
func ReadCPUQuota(files Files) (tightest CPUQuota, ok bool) {
	for _, dir := range Cgroups(files, "cpu") {
		name, quota, period := "cpu.max", "", ""
		if text := textOr(files, dir+"/cpu.max", ""); text != "" {
			quota, period, _ = strings.Cut(text, " ")
		} else {
			name = "cpu.cfs_quota_us, cpu.cfs_period_us"
			quota, period = textOr(files, dir+"/cpu.cfs_quota_us", ""), textOr(files, dir+"/cpu.cfs_period_us", "")
		}
		us, errQuota := strconv.ParseFloat(quota, 64) // "max" and -1: none
		of, errPeriod := strconv.ParseFloat(cmp.Or(period, "100000"), 64)
		if errQuota != nil || errPeriod != nil || us <= 0 || of <= 0 {
			continue
		}
		if q := (CPUQuota{us / of, name + " " + quota + " " + period}); !ok || q.CPUs < tightest.CPUs {
			tightest, ok = q, true
		}
	}
	return tightest, ok
}
