package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/paths"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// Serve is the agent's whole life: it takes its place in the namespace, then
// answers calls on standard input and output until the input is closed.
func Serve() error {
	if err := refuseByHand(); err != nil {
		return err
	}
	expendable()
	in, err := polled(0, "stdin")
	if err != nil {
		return err
	}
	out, err := polled(1, "stdout")
	if err != nil {
		return err
	}
	s := &server{kept: isWord(keepWord)}
	if !isWord(homeWord) {
		s.sysfsErr = mountSysfs()
	}
	return serve(in, out, s.methods())
}

// polled opens a file that Go's netpoller waits for, so that no goroutine sits in
// read(2) with a P. In Go 1.26 stopping the world overlooks one that is just on
// its way into a system call (reentersyscall: between reading sched.gcwaiting and
// changing the status), and then waits for its P until the monitor thread, which
// sleeps while the world is being stopped, wakes up after a minute. Seen once,
// with its stacks, in some thousand agents.
func polled(fd int, name string) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// refuseByHand keeps an agent that a person started from mounting over the
// /sys of that person's shell: one that the runner started has a mount
// namespace of its own.
func refuseByHand() error {
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return err
	}
	parents, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid()))
	if err == nil && own == parents {
		return errors.New("agents are started by netab run; there is nothing to do here by hand")
	}
	return nil
}

// mountSysfs mounts sysfs again in the agent's own mount namespace: /sys/class/net
// shows the devices of the namespace in which it was mounted.
func mountSysfs() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount sysfs: %w", err)
	}
	return nil
}

// A server is what the methods of an agent work on.
type server struct {
	local    host.Local
	sysfsErr error // why its sysfs is not of its namespace; nil of one at home too
	kept     bool  // for other trials, see Keep
	switcher *knob.Switcher
	set      *traffic.Set
	traffic  []traffic.Config // of set
}

// methods are all that an agent can be asked for. Hello says that it is ready,
// and whether its sysfs is its own.
func (s *server) methods() map[string]method {
	return map[string]method{
		"Hello": get(func(g Greeting) (Greeting, error) { return welcome(g, s.sysfsErr) }),
		"Renew": do(func(Nothing) error { return s.renew() }),

		"ReadFile":  get(func(path string) ([]byte, error) { return inPlace(s, path, s.local.ReadFile) }),
		"Mode":      get(func(path string) (fs.FileMode, error) { return inPlace(s, path, s.local.Mode) }),
		"Glob":      get(func(pattern string) ([]string, error) { return inPlace(s, pattern, s.local.Glob) }),
		"WriteFile": do(s.writeFile),

		"Links":     get(func(Nothing) ([]host.Link, error) { return s.local.Links() }),
		"SetLink":   do(func(a LinkArgs) error { return s.local.SetLink(a.Name, a.Change) }),
		"AddVeth":   do(s.local.AddVeth),
		"Ethtool":   get(func(a EthtoolArgs) ([]uint32, error) { return s.local.Ethtool(a.Device, a.Request) }),
		"Rtnetlink": get(func(r host.NetlinkRequest) ([][]byte, error) { return s.local.Rtnetlink(r) }),
		"Counters":  get(func(Nothing) (probe.Namespace, error) { return probe.ReadNamespace(s.local) }),

		"Means":      get(func(Nothing) (host.Means, error) { return host.ReadMeans(), nil }),
		"MayRunOn":   do(host.MayRunOn),
		"LoadIPv6":   do(func(Nothing) error { return loadIPv6() }),
		"Require":    do(func(names []string) error { return paths.Require(names...) }),
		"Congestion": do(paths.Congestion),

		"Switch": do(s.switchKnobs),
		"Set":    get(s.setKnobs),
		"Follow": get(s.follow),

		"Open":     do(s.open),
		"Listen":   get(func(ends []traffic.End) ([]uint16, error) { return s.set.Listen(ends) }),
		"Connect":  get(func(ends []traffic.End) ([]uint16, error) { return s.set.Connect(ends) }),
		"Accept":   do(s.accept),
		"Quota":    do(func(q traffic.Quota) error { return s.set.SetQuota(q) }),
		"Count":    get(func(Nothing) (*traffic.Tally, error) { return s.set.Count() }),
		"EndCount": get(func(Nothing) (*traffic.Report, error) { return s.set.EndCount() }),
		"Threads":  get(func(Nothing) ([]traffic.RoleThread, error) { return s.set.Threads(), nil }),
		"Run":      get(func(a RunArgs) (*traffic.Report, error) { return s.set.Run(a.Windows, a.End) }),
	}
}

// inPlace reads of a path if its file is this namespace's.
func inPlace[V any](s *server, path string, read func(string) (V, error)) (V, error) {
	if err := s.foreign(path); err != nil {
		var none V
		return none, err
	}
	return read(path)
}

// foreign is the error for a path whose file is not this namespace's: without a
// sysfs of its own an agent sees the devices of the machine there.
func (s *server) foreign(path string) error {
	if s.sysfsErr == nil || !strings.HasPrefix(path, "/sys/class/net") {
		return nil
	}
	return fmt.Errorf("%s: not available in this namespace: %w", path, s.sysfsErr)
}

func (s *server) writeFile(f FileData) error {
	if err := s.foreign(f.Path); err != nil {
		return err
	}
	return s.local.WriteFile(f.Path, f.Data)
}

// loadIPv6 opens a socket, which loads the module where IPv6 is one.
func loadIPv6() error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// open begins an empty set of sockets, closing the one before.
func (s *server) open(c []traffic.Config) error {
	if s.set != nil {
		s.set.Close()
	}
	s.set, s.traffic = traffic.NewSet(c...), c
	return nil
}

// accept completes the sinks and makes all threads ready to run. That was the
// last of the set-up.
func (s *server) accept(ends []traffic.End) error {
	if err := s.set.Accept(ends); err != nil {
		return err
	}
	if err := s.set.Prepare(); err != nil {
		return err
	}
	if s.kept {
		return nil
	}
	return relinquish(s.traffic)
}
