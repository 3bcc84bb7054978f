package probe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netab/results"
)

// Processes are all processes of the machine at one moment, by number.
type Processes map[int]Process

// ReadProcesses scans /proc/*/stat.
func ReadProcesses(files results.Files) (Processes, error) {
	// Not "/proc/[0-9]*/stat": path/filepath.Glob would list every directory.
	dirs, err := files.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := make(Processes, len(dirs))
	for _, dir := range dirs {
		p, err := read(files, dir+"/stat", parsePIDStat)
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[p.PID] = p
	}
	return all, nil
}

// isGone says that a process or thread ended between the listing and the
// reading: the open fails, or the read does.
func isGone(err error) bool {
	return isNotExist(err) || errors.Is(err, unix.ESRCH)
}

// Foreign is what others did with the machine's CPUs.
type Foreign struct {
	TotalNS int64
	Top     []Process // the busiest first; CPUNS is of the stretch, children that ended included
}

// Foreign says how much CPU time was used between two readings by processes
// that do not descend from one of own, and names the busiest top of them.
//
// Time of short-lived children is not lost: once waited for, it stands in
// their parent's ChildrenNS. ksoftirqd and NAPI threads are not counted: they
// run the traffic's softirqs; nor are pktgen's, which are sources.
func (p Processes) Foreign(before Processes, own []int, top int) Foreign {
	inherited := p.inherited(before)
	var f Foreign
	for pid, now := range p {
		if p.descends(pid, own) || ofTraffic(now) {
			continue
		}
		was := before[pid]
		if was.Started != now.Started {
			was = Process{} // another process had the number
		}
		children := now.ChildrenNS - was.ChildrenNS - inherited[pid]
		now.CPUNS += max(0, children) - was.CPUNS
		now.ChildrenNS = 0
		if now.CPUNS > 0 {
			f.TotalNS += now.CPUNS
			f.Top = append(f.Top, now)
		}
	}
	slices.SortFunc(f.Top, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.CPUNS, a.CPUNS), cmp.Compare(a.PID, b.PID))
	})
	f.Top = f.Top[:min(top, len(f.Top))]
	return f
}

// inherited is, by process, the time that children which ended since before
// had used already then: it has moved into ChildrenNS of their closest living
// ancestor and is not of the stretch.
func (p Processes) inherited(before Processes) map[int]int64 {
	ns := make(map[int]int64)
	lives := func(was Process) bool {
		now, ok := p[was.PID]
		return ok && now.Started == was.Started
	}
	for _, was := range before {
		if lives(was) {
			continue
		}
		heir, ok := before[was.Parent]
		for steps := 0; ok && !lives(heir) && steps < len(before); steps++ {
			heir, ok = before[heir.Parent]
		}
		ns[heir.PID] += was.CPUNS + was.ChildrenNS
	}
	return ns
}

func (p Processes) descends(pid int, own []int) bool {
	for range len(p) + 1 { // a snapshot is not atomic: do not trust it to be a tree
		if slices.Contains(own, pid) {
			return true
		}
		proc, ok := p[pid]
		if !ok {
			return false
		}
		pid = proc.Parent
	}
	return false
}

func ofTraffic(p Process) bool {
	return p.Kernel && (strings.HasPrefix(p.Name, "ksoftirqd/") || strings.HasPrefix(p.Name, "napi/") || strings.HasPrefix(p.Name, "kpktgend_"))
}
