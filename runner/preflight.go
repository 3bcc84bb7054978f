package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/host"
	"netab/runner/topology"
	"netab/scenarios"
)

// preflight refuses, before anything is set up, what would fail in the middle of
// it or only be found in every trial: an arm that needs more than there is.
func preflight(arms []scenarios.Arm, files results.Files, l host.Limits) error {
	var errs []error
	var tooLarge error // the first: of what they share, all arms would say the same
	for i, arm := range arms {
		n := needOf(&arms[i], 1, 0)
		if err := errors.Join(haveIPv6(arm, files), haveFiles(n, l)); err != nil {
			errs = append(errs, fmt.Errorf("arm %s: %w", arm.Name, err))
		}
		if tooLarge == nil {
			tooLarge = haveMemory(n.memory, files, "arm "+arm.Name+" alone needs", "use fewer traffic.flows, smaller messages and batches, smaller buffers, queues and tables")
		}
	}
	return errors.Join(append(errs, tooLarge)...)
}

// fits refuses a plan that needs more at one time than there is: all its setups side
// by side, or the largest, if each has a turn of its own.
func (p *plan) fits(maxTime time.Duration, files results.Files, l host.Limits) error {
	all := p.needs()
	wanted := plus(all.memory, p.recordMemory(maxTime))
	return errors.Join(haveTogether(all, files, l), haveMemory(wanted, files, "all arms together, and the record of the run, need",
		"use fewer arms or traffic.flows, smaller messages and batches, smaller buffers, queues and tables, longer slices or a shorter measure.max_time; or measure.grain trial, which sets up one arm at a time"))
}

// Memory is what a run takes of a machine that cannot be asked yet, such as a guest that
// is not booted: the options' Arms, Slice, Trial, MaxTime and WholeTrials say it. Setups
// that arms may come to share are counted for each.
func Memory(o Options) uint64 {
	p := &plan{arms: o.Arms, slice: o.Slice}
	p.group(make([][]scenarios.Knob, len(o.Arms)))
	p.chooseGrain(o.Trial)
	if o.WholeTrials {
		p.grain = vocab.ByTrial
	}
	return plus(p.needs().memory, p.recordMemory(o.MaxTime))
}

// needs is what the plan needs at one time.
func (p *plan) needs() demand {
	var all demand
	for _, s := range p.setups {
		windows := len(s.arms)*p.blocks + 1
		n := needOf(&s.arm, len(s.arms), windows)
		if p.grain == vocab.ByTrial {
			all.most(n)
		} else {
			all.add(n)
		}
	}
	for range newSwitcher(nil, p.shared, nil).hands {
		all.add(demand{agents: 1, threads: agentThreads, memory: agentMemory})
	}
	return all
}

// A demand is what an arm takes while it is set up, a little generously: it is held
// against limits that are far from it or far too small.
type demand struct {
	agents  int
	files   int // of that agent that opens the most
	flows   int
	threads int    // of all agents
	locked  uint64 // bytes that are pinned if one message of each flow is on its way
	memory  uint64 // bytes of all agents, and of the kernel for them
}

func (n *demand) add(o demand) {
	n.agents, n.flows, n.threads = n.agents+o.agents, n.flows+o.flows, n.threads+o.threads
	n.files, n.locked, n.memory = max(n.files, o.files), plus(n.locked, o.locked), plus(n.memory, o.memory)
}

func (n *demand) most(o demand) {
	n.agents, n.flows, n.threads = max(n.agents, o.agents), max(n.flows, o.flows), max(n.threads, o.threads)
	n.files, n.locked, n.memory = max(n.files, o.files), max(n.locked, o.locked), max(n.memory, o.memory)
}

// What an agent has beside its ends: standard streams, the lock, Go's own.
const (
	agentFiles   = 16
	agentThreads = 30
	runnerFiles  = 5 // of the runner, for each agent
)

// needOf counts by the very layout that the arm will have, if so many arms share its
// flows and each of its threads has so many windows.
func needOf(arm *scenarios.Arm, arms, windows int) demand {
	c := arm.Config
	built := &topology.Built{Source: topology.Side{Device: "source"}, Sink: topology.Side{Device: "sink"}}
	if c.Topology.Kind == vocab.Loopback {
		built.Source = built.Sink
	}
	sides := map[topology.Side]int{built.Source: agentFiles, built.Sink: agentFiles}
	n := demand{agents: len(sides), threads: agentThreads * len(sides), memory: knobMemory(arm)}
	n.memory = plus(n.memory, times(uint64(len(sides)), agentMemory))
	for _, g := range groupsOf(c.Traffic, built) {
		t := &g.traffic
		n.flows += len(g.flows)
		sources, sinks := map[topology.Side]int{}, map[topology.Side]int{}
		for i, f := range g.flows {
			if f.sends {
				sources[f.source]++
				if t.Source.ZeroCopy {
					n.locked = plus(n.locked, pages(uint64(largest(t))))
				}
			}
			if f.receivedBy == i {
				sinks[f.sink]++
			}
		}
		n.memory = plus(n.memory, times(uint64(len(sides)), plus(sizesMemory(t), times(uint64(windows), windowWire))))
		working := 0 // threads
		for side := range sides {
			n.memory = plus(n.memory, workMemory(t, sources[side], sinks[side], arms))
			for _, role := range []struct{ ends, each int }{{sources[side], sourceFiles(t)}, {sinks[side], sinkFiles(t)}} {
				threads := role.ends
				if t.Threads > 0 {
					threads = min(threads, t.Threads)
				}
				working += threads
				sides[side] += role.ends*role.each + threads // its schedstat
				if t.Threads > 0 {
					sides[side] += threads // its epoll
				}
			}
		}
		n.threads += working
		n.memory = plus(n.memory, times(uint64(working), uint64(windows), windowMemory))
	}
	n.memory = plus(n.memory, times(uint64(n.threads), threadMemory))
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
	case t.Sink.Path == "io_uring", t.Kind == vocab.CRR, t.Kind == vocab.Conn: // of these two the listener, and a connection
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

func pages(bytes uint64) uint64 {
	page := uint64(unix.Getpagesize())
	return (bytes + page - 1) / page * page
}

func haveFiles(n demand, l host.Limits) error {
	if l.Files == 0 || uint64(n.files) <= l.Files {
		return nil
	}
	return fmt.Errorf("%s need about %d file descriptors in one process, and the hard limit is %d: raise it (ulimit -Hn %d, LimitNOFILE= of a systemd unit, docker run --ulimit nofile=%d), or use fewer traffic.flows",
		count(n.flows, "flow"), n.files, l.Files, 2*n.files, 2*n.files)
}

// haveTogether holds against the limits what all arms, set up side by side, need.
func haveTogether(n demand, files results.Files, l host.Limits) error {
	var errs []error
	if wanted := 2*agentFiles + n.agents*runnerFiles; l.Files > 0 && uint64(wanted) > l.Files {
		errs = append(errs, fmt.Errorf("%s need about %d file descriptors in netab itself, and the hard limit is %d: raise it (ulimit -Hn), or compare fewer arms",
			count(n.agents, "agent"), wanted, l.Files))
	}
	tooMany := func(left uint64, what string) {
		if uint64(n.threads) > left {
			errs = append(errs, fmt.Errorf("all arms together need about %d threads, and %s: raise it, or use fewer traffic.flows or arms, or traffic.threads to share threads",
				n.threads, what))
		}
	}
	if l.Threads > 0 {
		tooMany(l.Threads, fmt.Sprintf("this user may have %d (ulimit -u)", l.Threads))
	}
	for _, dir := range results.Cgroups(files, "pids") {
		most, okMost := number(files, dir+"/pids.max")
		used, okUsed := number(files, dir+"/pids.current")
		if okMost && okUsed {
			tooMany(most-min(used, most), fmt.Sprintf("the control group's pids.max is %d, of which %d are used (docker run --pids-limit, TasksMax= of systemd)", most, used))
		}
	}
	used := threadsNow(files)
	for _, name := range []string{"kernel/threads-max", "kernel/pid_max"} {
		if most, ok := number(files, "/proc/sys/"+name); ok {
			tooMany(most-min(used, most), fmt.Sprintf("%s is %d, of which %d are used", strings.ReplaceAll(name, "/", "."), most, used))
		}
	}
	if l.Locked > 0 && n.locked > l.Locked {
		errs = append(errs, fmt.Errorf("zerocopy pins a message of each flow, %d KiB in all arms together, and this user may lock %d KiB: raise the limit (ulimit -l, docker run --ulimit memlock=-1), give CAP_IPC_LOCK, or use a smaller traffic.message",
			n.locked>>10, l.Locked>>10))
	}
	return errors.Join(errs...)
}

// threadsNow is how many threads this machine has (the fourth field of /proc/loadavg,
// proc(5)).
func threadsNow(files results.Files) uint64 {
	data, _ := files.ReadFile("/proc/loadavg")
	f := strings.Fields(string(data))
	if len(f) < 4 {
		return 0
	}
	_, all, _ := strings.Cut(f[3], "/")
	n, _ := strconv.ParseUint(all, 10, 64)
	return n
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
	if _, err := files.ReadFile("/proc/net/if_inet6"); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.New("topology.family is ipv6, and this kernel has no IPv6 (ipv6.disable=1 on its command line, or it is built without): use ipv4, or boot with IPv6")
}
