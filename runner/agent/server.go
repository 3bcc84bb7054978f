package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/traffic"
)

// Serve is the agent's whole life: it takes its place in the namespace, then
// answers calls on standard input and output until the input is closed.
func Serve() error {
	if err := refuseByHand(); err != nil {
		return err
	}
	in, err := polled(0, "stdin")
	if err != nil {
		return err
	}
	out, err := polled(1, "stdout")
	if err != nil {
		return err
	}
	s := &Server{sysfsErr: mountSysfs()}
	r := rpc.NewServer()
	if err := r.RegisterName("Agent", s); err != nil {
		return err
	}
	r.ServeCodec(jsonrpc.NewServerCodec(pipe{in, out}))
	return nil
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

// pipe makes one connection of the two ends.
type pipe struct {
	io.Reader
	io.WriteCloser
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

// A Server is the callable side of an agent. Its methods have the form that
// net/rpc asks for; each is one line to the piece that does the work.
type Server struct {
	local    host.Local
	sysfsErr error
	set      *traffic.Set
}

// Hello says that the agent is ready, and whether its sysfs is its own.
func (s *Server) Hello(_ Nothing, r *Reply[Nothing]) error { return r.done(s.sysfsErr) }

// foreign is the error for a path whose file is not this namespace's: without a
// sysfs of its own an agent sees the devices of the machine there.
func (s *Server) foreign(path string) error {
	if s.sysfsErr == nil || !strings.HasPrefix(path, "/sys/class/net") {
		return nil
	}
	return fmt.Errorf("%s: not to be had in this namespace: %w", path, s.sysfsErr)
}

// ReadFile reads a file of /proc or /sys.
func (s *Server) ReadFile(path string, r *Reply[[]byte]) error {
	if err := s.foreign(path); err != nil {
		return r.done(err)
	}
	return r.set(s.local.ReadFile(path))
}

// WriteFile writes one.
func (s *Server) WriteFile(a FileData, r *Reply[Nothing]) error {
	if err := s.foreign(a.Path); err != nil {
		return r.done(err)
	}
	return r.done(s.local.WriteFile(a.Path, a.Data))
}

// Mode returns a file's permission bits.
func (s *Server) Mode(path string, r *Reply[fs.FileMode]) error {
	if err := s.foreign(path); err != nil {
		return r.done(err)
	}
	return r.set(s.local.Mode(path))
}

// Glob lists paths.
func (s *Server) Glob(pattern string, r *Reply[[]string]) error {
	if err := s.foreign(pattern); err != nil {
		return r.done(err)
	}
	return r.set(s.local.Glob(pattern))
}

// Links lists devices.
func (s *Server) Links(_ Nothing, r *Reply[[]host.Link]) error { return r.set(s.local.Links()) }

// SetLink changes a device.
func (s *Server) SetLink(a LinkArgs, r *Reply[Nothing]) error {
	return r.done(s.local.SetLink(a.Name, a.Change))
}

// AddVeth makes a veth pair.
func (s *Server) AddVeth(v host.Veth, r *Reply[Nothing]) error { return r.done(s.local.AddVeth(v)) }

// Features reads ethtool features.
func (s *Server) Features(device string, r *Reply[map[string]host.Feature]) error {
	return r.set(s.local.Features(device))
}

// SetFeatures changes them.
func (s *Server) SetFeatures(a FeatureArgs, r *Reply[Nothing]) error {
	return r.done(s.local.SetFeatures(a.Device, a.Features))
}

// Channels reads queue counts.
func (s *Server) Channels(device string, r *Reply[host.Channels]) error {
	return r.set(s.local.Channels(device))
}

// SetChannels changes them.
func (s *Server) SetChannels(a ChannelArgs, r *Reply[Nothing]) error {
	return r.done(s.local.SetChannels(a.Device, a.Channels))
}

// Qdiscs lists queueing disciplines and their counters.
func (s *Server) Qdiscs(_ Nothing, r *Reply[[]host.Qdisc]) error { return r.set(s.local.Qdiscs()) }

// Open begins an empty set of sockets, closing the one before.
func (s *Server) Open(c []traffic.Config, r *Reply[Nothing]) error {
	if s.set != nil {
		s.set.Close()
	}
	s.set = traffic.NewSet(c...)
	return r.done(nil)
}

// Listen opens sinks.
func (s *Server) Listen(ends []traffic.End, r *Reply[[]uint16]) error {
	return r.set(s.set.Listen(ends))
}

// Connect opens sources.
func (s *Server) Connect(ends []traffic.End, r *Reply[[]uint16]) error {
	return r.set(s.set.Connect(ends))
}

// Accept completes the sinks and makes all threads ready to run.
func (s *Server) Accept(ends []traffic.End, r *Reply[Nothing]) error {
	if err := s.set.Accept(ends); err != nil {
		return r.done(err)
	}
	return r.done(s.set.Prepare())
}

// Run works off a schedule.
func (s *Server) Run(a RunArgs, r *Reply[RunReply]) error {
	report, err := s.set.Run(a.Windows, a.End)
	return r.set(RunReply{Report: report, Broken: fault(err)}, nil)
}
