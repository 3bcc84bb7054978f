package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/crew"
	"netab/runner/host"
	"netab/runner/topology"
	"netab/scenarios"
)

// limits are what this process may use at most; 0 = no limit, or none known.
type limits struct {
	files   uint64 // open in one process: the hard limit, to which Go's runtime raises the soft one
	threads uint64 // of this user
	locked  uint64 // bytes of locked memory of this user
}

// readLimits reads the resource limits. Root of the machine is held to fewer of
// them: copy_process in kernel/fork.c, mm_account_pinned_pages in net/core/skbuff.c.
func readLimits() limits {
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
	l := limits{files: of(unix.RLIMIT_NOFILE)}
	if !host.Privileged() {
		l.threads = of(unix.RLIMIT_NPROC)
	}
	if !host.MayLockMemory() {
		l.locked = of(unix.RLIMIT_MEMLOCK)
	}
	return l
}

// preflight refuses, before anything is set up, what would fail in the middle of
// it or only be found in every trial: arms that need more than there is.
func preflight(arms []scenarios.Arm, files results.Files, l limits) error {
	var errs []error
	var all need
	for _, arm := range arms {
		n := needOf(arm.Config)
		all.agents += n.agents
		all.threads += n.threads
		all.locked += n.locked
		if err := errors.Join(haveIPv6(arm, files), haveFiles(n, l)); err != nil {
			errs = append(errs, fmt.Errorf("arm %s: %w", arm.Name, err))
		}
	}
	return errors.Join(append(errs, haveTogether(all, files, l))...)
}

// A need is what an arm takes while it is set up, a little generously: it is held
// against limits that are far from it or far too small.
type need struct {
	agents  int
	files   int // of that agent that opens the most
	flows   int
	threads int   // of all agents
	locked  int64 // bytes that are pinned if one message of each flow is on its way
}

// What an agent has beside its ends: standard streams, the lock, Go's own.
const (
	agentFiles   = 16
	agentThreads = 30
	runnerFiles  = 5 // of the runner, for each agent
)

// needOf counts by the very layout that the arm will have.
func needOf(c scenarios.Config) need {
	path := &topology.Path{Source: topology.Side{Device: "source"}, Sink: topology.Side{Device: "sink"}}
	if c.Topology.Kind == "loopback" {
		path.Source = path.Sink
	}
	sides := map[topology.Side]int{path.Source: agentFiles, path.Sink: agentFiles}
	n := need{agents: len(sides), threads: agentThreads * len(sides)}
	for _, g := range groupsOf(c.Traffic, path) {
		t := &g.traffic
		n.flows += len(g.flows)
		sources, sinks := map[topology.Side]int{}, map[topology.Side]int{}
		for i, f := range g.flows {
			if f.sends {
				sources[f.source]++
				if t.Source.ZeroCopy {
					n.locked += pages(int64(largest(t)))
				}
			}
			if f.receivedBy == i {
				sinks[f.sink]++
			}
		}
		for side := range sides {
			for _, role := range []struct{ ends, each int }{{sources[side], sourceFiles(t)}, {sinks[side], sinkFiles(t)}} {
				threads := role.ends
				if t.Threads > 0 {
					threads = min(threads, t.Threads)
				}
				n.threads += threads
				sides[side] += role.ends*role.each + threads // its schedstat
				if t.Threads > 0 {
					sides[side] += threads // its epoll
				}
			}
		}
	}
	for _, files := range sides {
		n.files = max(n.files, files)
	}
	return n
}

// sourceFiles are the files that one source has open: its socket, and what its
// path needs beside it.
func sourceFiles(t *scenarios.Traffic) int {
	switch t.Source.Path {
	case "io_uring": // the ring
		return 2
	case "sendfile", "splice": // a file with the message, and a pipe
		return 4
	}
	return 1
}

func sinkFiles(t *scenarios.Traffic) int {
	switch {
	case t.Sink.Path == "splice":
		return 4
	case t.Sink.Path == "io_uring", t.Kind == "crr", t.Kind == "conn": // of these two the listener, and a connection
		return 2
	}
	return 1
}

// largest is the largest message.
func largest(t *scenarios.Traffic) int {
	size := int(t.Message)
	for text := range t.Sizes {
		if n, err := strconv.Atoi(text); err == nil {
			size = max(size, n)
		}
	}
	return size
}

func pages(bytes int64) int64 {
	page := int64(unix.Getpagesize())
	return (bytes + page - 1) / page * page
}

func haveFiles(n need, l limits) error {
	if l.files == 0 || uint64(n.files) <= l.files {
		return nil
	}
	return fmt.Errorf("%s need about %d file descriptors in one process, and the hard limit is %d: raise it (ulimit -Hn %d, LimitNOFILE= of a systemd unit, docker run --ulimit nofile=%d), or use fewer traffic.flows",
		count(n.flows, "flow"), n.files, l.files, 2*n.files, 2*n.files)
}

// haveTogether holds against the limits what all arms, set up side by side, need.
func haveTogether(n need, files results.Files, l limits) error {
	var errs []error
	if wanted := 2*agentFiles + n.agents*runnerFiles; l.files > 0 && uint64(wanted) > l.files {
		errs = append(errs, fmt.Errorf("%s need about %d file descriptors in netab itself, and the hard limit is %d: raise it (ulimit -Hn), or compare fewer arms",
			count(n.agents, "agent"), wanted, l.files))
	}
	tooMany := func(left uint64, what string) {
		if uint64(n.threads) > left {
			errs = append(errs, fmt.Errorf("all arms together need about %d threads, and %s: raise it, or use fewer traffic.flows or arms, or traffic.threads to share threads",
				n.threads, what))
		}
	}
	if l.threads > 0 {
		tooMany(l.threads, fmt.Sprintf("this user may have %d (ulimit -u)", l.threads))
	}
	for _, dir := range results.Cgroups(files, "pids") {
		most, okMost := number(files, dir+"/pids.max")
		used, okUsed := number(files, dir+"/pids.current")
		if okMost && okUsed {
			tooMany(most-min(used, most), fmt.Sprintf("the control group's pids.max is %d, of which %d are used (docker run --pids-limit, TasksMax= of systemd)", most, used))
		}
	}
	for _, name := range []string{"kernel/threads-max", "kernel/pid_max"} {
		if most, ok := number(files, "/proc/sys/"+name); ok {
			tooMany(most, fmt.Sprintf("%s is %d", strings.ReplaceAll(name, "/", "."), most))
		}
	}
	if l.locked > 0 && n.locked > int64(l.locked) {
		errs = append(errs, fmt.Errorf("zerocopy pins a message of each flow, %d KiB in all arms together, and this user may lock %d KiB: raise the limit (ulimit -l, docker run --ulimit memlock=-1), give CAP_IPC_LOCK, or use a smaller traffic.message",
			n.locked>>10, l.locked>>10))
	}
	return errors.Join(errs...)
}

// number reads a file of one number; false without it, or for "max".
func number(files results.Files, path string) (uint64, bool) {
	data, err := files.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// haveIPv6 refuses what no namespace of this kernel can carry. Namespaces in which
// IPv6 is merely off by default are another matter: see package topology.
func haveIPv6(arm scenarios.Arm, files results.Files) error {
	if arm.Config.Topology.Family != "ipv6" {
		return nil
	}
	if fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
		unix.Close(fd) // loads the module, where IPv6 is one
	}
	if _, err := files.ReadFile("/proc/net/if_inet6"); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.New("topology.family is ipv6, and this kernel has no IPv6 (ipv6.disable=1 on its command line, or it is built without): use ipv4, or boot with IPv6")
}

// mayRunOn tries whether a role can be pinned to the CPUs of the arms. What the
// affinity mask says was asked for already; a cpuset may have become smaller, or
// keep isolated CPUs for others.
func mayRunOn(arms []scenarios.Arm) error {
	var cpus []int
	for _, arm := range arms {
		cpus = slices.Concat(cpus, arm.CPUs.Source, arm.CPUs.Sink)
	}
	slices.Sort(cpus)
	var c crew.Crew
	c.Go(func() error {
		runtime.LockOSThread() // for good: the thread, pinned as it is, ends with this
		for _, cpu := range slices.Compact(cpus) {
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
