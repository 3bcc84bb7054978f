package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// mark is the TTL of datagrams that an arm is known by: a sysctl of its own namespaces,
// which changes nothing that is measured.
const mark = "65"

// markedKnobs are the knobs of an arm that is to be changed.
const markedKnobs = `{knobs: {sysctl: {net.ipv4.ip_default_ttl: "` + mark + `"}}}`

// A space is a network namespace of a marked arm. Its functions run within.
type space struct {
	device string          // what is not lo
	gone   <-chan struct{} // the agent that it belongs to has ended
}

// run runs a program in the namespace, with text as its input.
func (s space) run(input, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// An injector does to the namespaces of marked arms what no scenario can say. netab makes
// them anew for each trial, so it looks for new ones all the time.
type injector struct {
	end, ended chan struct{}
	done       sync.WaitGroup
	own        string
	other      map[int]bool          // processes that are no agents
	agents     map[int]chan struct{} // of those that were dealt with
	change     func(space) error
}

func inject(change func(space) error) *injector {
	in := &injector{end: make(chan struct{}), ended: make(chan struct{}), other: map[int]bool{}, agents: map[int]chan struct{}{}, change: change}
	in.own, _ = os.Readlink("/proc/self/ns/net")
	go in.watch()
	return in
}

func (in *injector) stop() {
	close(in.end)
	<-in.ended
	for _, gone := range in.agents {
		close(gone)
	}
	in.done.Wait()
}

// every is how often agents are looked for: a flow warms up for 40 ms.
const every = 10 * time.Millisecond

func (in *injector) watch() {
	defer close(in.ended)
	for {
		select {
		case <-in.end:
			return
		case <-time.After(every):
		}
		entries, err := readNames("/proc")
		if err != nil {
			continue
		}
		there := map[int]bool{}
		for _, name := range entries {
			pid, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			there[pid] = true
			if !in.other[pid] && in.agents[pid] == nil {
				in.look(pid)
			}
		}
		for pid, gone := range in.agents {
			if !there[pid] {
				close(gone)
				delete(in.agents, pid)
			}
		}
		for pid := range in.other {
			if !there[pid] {
				delete(in.other, pid)
			}
		}
	}
}

func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// look changes the namespace of a process if it is a marked agent's. What is not yet is
// looked at again.
func (in *injector) look(pid int) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return
	}
	if args := strings.Split(string(line), "\x00"); len(args) < 2 || args[1] != "agent" {
		in.other[pid] = true
		return
	}
	path := fmt.Sprintf("/proc/%d/ns/net", pid)
	if ns, err := os.Readlink(path); err != nil || ns == in.own {
		return // not yet
	}
	gone := make(chan struct{})
	marked := make(chan bool)
	in.done.Go(func() {
		// The thread is not unlocked: it ends in the namespace.
		runtime.LockOSThread()
		answered := false
		answer := func(is bool) {
			if !answered {
				answered = true
				marked <- is
			}
		}
		defer answer(false)
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		ttl, err := os.ReadFile("/proc/sys/net/ipv4/ip_default_ttl")
		if err != nil || strings.TrimSpace(string(ttl)) != mark {
			return
		}
		answer(true)
		s := space{gone: gone}
		all, err := net.Interfaces()
		for _, i := range all {
			if s.device == "" || i.Flags&net.FlagLoopback == 0 {
				s.device = i.Name
			}
		}
		if err == nil {
			err = in.change(s)
		}
		select {
		case <-gone: // with what it was changed in
		default:
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				fmt.Fprintln(os.Stderr, "explain: change an arm:", err)
			}
		}
	})
	if <-marked {
		in.agents[pid] = gone
	}
}
