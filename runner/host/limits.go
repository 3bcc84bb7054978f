package host

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"netab/results/crew"
)

// Means are what a process may do and use at a place.
type Means struct {
	Limits
	Privileged bool
	NeedsRoot  string // what it lacks if it is not
}

// Limits are what a process may use at most; 0 = no limit, or none known.
type Limits struct {
	Files   uint64 // open in one process: the hard limit, to which Go's runtime raises the soft one
	Threads uint64 // of this user
	Locked  uint64 // bytes of locked memory of this user
}

// ReadMeans says what this process has.
func ReadMeans() Means {
	return Means{Limits: readLimits(), Privileged: Privileged(), NeedsRoot: NeedsRoot()}
}

// readLimits reads the resource limits. Root of the machine is held to fewer of
// them: copy_process in kernel/fork.c, mm_account_pinned_pages in net/core/skbuff.c.
func readLimits() Limits {
	of := func(which int) uint64 {
		var r unix.Rlimit
		if unix.Getrlimit(which, &r) != nil || r.Max == unix.RLIM_INFINITY {
			return 0
		}
		if which == unix.RLIMIT_NOFILE {
			return r.Max
		}
		return r.Cur
	}
	l := Limits{Files: of(unix.RLIMIT_NOFILE)}
	if !Privileged() {
		l.Threads = of(unix.RLIMIT_NPROC)
	}
	if !MayLockMemory() {
		l.Locked = of(unix.RLIMIT_MEMLOCK)
	}
	return l
}

// MayRunOn tries whether a thread of this process can be pinned to each of some
// CPUs. What the affinity mask says was asked for already; a cpuset may have become
// smaller, or keep isolated CPUs for others.
func MayRunOn(cpus []int) error {
	var c crew.Crew
	c.Go(func() error {
		runtime.LockOSThread() // for good: the thread, pinned as it is, ends with this
		for _, cpu := range slices.Compact(slices.Sorted(slices.Values(cpus))) {
			var set unix.CPUSet
			set.Set(cpu)
			if err := unix.SchedSetaffinity(0, &set); err != nil {
				return fmt.Errorf("CPU %d: no thread of this process can be pinned there: %w (a cpuset keeps it away, or it went offline)", cpu, err)
			}
		}
		return nil
	})
	return c.Wait()
}
