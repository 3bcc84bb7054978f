package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"netab/results/disk"
	"netab/runner/host"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// An Agent is the runner's handle on an agent process; it is a host.Host.
type Agent struct {
	process Process
	client  *client
	ctx     context.Context // of the run: a call must not outlive it
	kept    *kept           // where it waits for another trial; nil = it ends
	failed  atomic.Bool     // some call
}

var _ host.Host = (*Agent)(nil)

// Connect makes the handle of an agent that has been started, wherever, and waits
// until it answers: it answers on in what is written to out. ctx bounds every later
// call of it too.
func Connect(ctx context.Context, p Process, in io.Reader, out io.Writer) (*Agent, error) {
	return connect(&Agent{process: p, ctx: ctx}, in, out)
}

func connect(a *Agent, in io.Reader, out io.Writer) (*Agent, error) {
	a.client = newClient(in, out)
	if err := a.greet(); err != nil && errors.Is(err, syscall.EPERM) {
		// Without a sysfs of its own an agent works, and refuses per-queue files.
		a.failed.Store(false)
		return a, nil
	} else if err != nil {
		a.end()
		return nil, err
	}
	return a, nil
}

const homeWord = "home" // behind "agent" on the command line of an agent at home

// Options say where an agent works.
type Options struct {
	// Namespace is an open network namespace to work in; nil makes a new one
	// that lives and dies with the agent.
	Namespace *os.File
	// Home: it works in the network namespace of whoever starts it, the machine's own,
	// and sees the same /sys.
	Home bool
	// Inherit are files that the agent holds open until it ends (the run's
	// lock).
	Inherit []*os.File
}

// A Starter starts agents from one thread that lives as long as the Starter:
// the kernel's parent-death signal is bound to the thread, not to the process.
type Starter struct {
	work  chan func() (usable bool) // false: the thread must end
	ended chan struct{}
	err   error // why its thread can start none
	kept  *kept // see Keep
}

// NewStarter starts that thread.
func NewStarter() *Starter {
	s := &Starter{work: make(chan func() bool), ended: make(chan struct{})}
	go s.onItsThread()
	return s
}

// Close lets the thread die, and with it every agent that still runs.
func (s *Starter) Close() {
	s.kept.end()
	close(s.work)
}

// Start starts an agent and waits until it answers. ctx bounds every later
// call of it too.
func (s *Starter) Start(ctx context.Context, o Options) (*Agent, error) {
	a := &Agent{ctx: ctx}
	cmd := exec.Command("/proc/self/exe", "agent")
	if o.Home {
		cmd.Args = append(cmd.Args, homeWord)
	}
	if o.Namespace == nil && !o.Home && s.kept != nil {
		if a := s.reuse(ctx); a != nil {
			return a, nil
		}
		a.kept = s.kept
		cmd.Args = append(cmd.Args, keepWord)
	}
	cmd.Args[0] = "netab"
	cmd.Env = append(os.Environ(),
		// SIGURG of asynchronous preemption would turn blocking calls into EINTR.
		"GODEBUG=asyncpreemptoff=1",
		// No collection, so nothing ever stops the world while slices run; an
		// agent lives for one trial.
		"GOGC=off")
	c := &child{cmd: cmd, stderr: &tail{}, exited: make(chan struct{})}
	cmd.Stderr = c.stderr
	cmd.ExtraFiles = o.Inherit
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, errDied("start", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errDied("start", err)
	}
	if o.Home {
		cmd.SysProcAttr.Cloneflags &^= syscall.CLONE_NEWNET
	}
	if err := s.fork(cmd, o.Namespace); err != nil {
		return nil, errDied("start", err)
	}
	c.watch()
	a.process = c
	return connect(a, stdout, stdin)
}

// patience is how long an agent may take to answer beyond what it was asked to
// wait for. The longest call opens a thousand sockets.
const patience = 20 * time.Second

// call makes one call and waits for it, for the run's end, for the agent's
// death, or until it has taken too long, whichever is first.
func call[T any](a *Agent, method string, args any) (T, error) {
	return callWithin[T](a, patience, method, args)
}

func callWithin[T any](a *Agent, limit time.Duration, method string, args any) (value T, err error) {
	defer func() {
		if err != nil {
			a.failed.Store(true)
		}
	}()
	answers, err := a.client.send(method, args)
	if err != nil {
		return value, a.died(method, err)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case got, ok := <-answers:
		if !ok {
			return value, a.died(method, a.client.err())
		}
		if got.Value != nil {
			if err := json.Unmarshal(got.Value, &value); err != nil {
				return value, a.died(method, err)
			}
		}
		if got.Fault != nil {
			return value, got.Fault
		}
		return value, nil
	case <-a.ctx.Done():
		return value, context.Cause(a.ctx)
	case <-timer.C:
		return value, errDied(method, a.hung(limit))
	}
}

// died makes sure that an agent which can no longer be talked to is gone, and
// says how it ended.
func (a *Agent) died(method string, why error) error {
	return errDied(method, fmt.Errorf("%w %s", why, a.process.End()))
}

// hung ends an agent that does not answer, and keeps what shows where it hangs.
func (a *Agent) hung(limit time.Duration) error {
	report := a.process.Hung()
	err := fmt.Errorf("no answer for %s", limit)
	f, failed := disk.Temporary("netab-agent-", ".txt")
	if failed != nil {
		return err
	}
	defer f.Close()
	if _, failed := f.WriteString(report); failed != nil {
		return err
	}
	return fmt.Errorf("%w; where its threads were is in %s: please report it", err, f.Name())
}

func tell(a *Agent, method string, args any) error {
	_, err := call[Nothing](a, method, args)
	return err
}

// PID is the agent's process id, by which a veth's other end finds its
// namespace.
func (a *Agent) PID() int { return a.process.PID() }

// Close ends the process, and with it the namespace if it was its own.
func (a *Agent) Close(context.Context) error {
	if !a.kept.put(a) {
		a.end()
	}
	return nil
}

func (a *Agent) end() { a.process.End() }

// ReadFile, and all below to Rtnetlink, are host.Host at the agent's place.
func (a *Agent) ReadFile(path string) ([]byte, error) { return call[[]byte](a, "ReadFile", path) }

// WriteFile writes a file there.
func (a *Agent) WriteFile(path string, data []byte) error {
	return tell(a, "WriteFile", FileData{path, data})
}

// Mode returns a file's permission bits there.
func (a *Agent) Mode(path string) (fs.FileMode, error) { return call[fs.FileMode](a, "Mode", path) }

// Glob lists paths there.
func (a *Agent) Glob(pattern string) ([]string, error) { return call[[]string](a, "Glob", pattern) }

// Links lists the devices there.
func (a *Agent) Links() ([]host.Link, error) { return call[[]host.Link](a, "Links", Nothing{}) }

// SetLink changes a device there.
func (a *Agent) SetLink(name string, c host.LinkChange) error {
	return tell(a, "SetLink", LinkArgs{name, c})
}

// AddVeth makes a veth pair with its first end there.
func (a *Agent) AddVeth(v host.Veth) error { return tell(a, "AddVeth", v) }

// Ethtool makes one request of a device there.
func (a *Agent) Ethtool(device string, request []uint32) ([]uint32, error) {
	answer, err := call[[]uint32](a, "Ethtool", EthtoolArgs{device, request})
	if err == nil && len(answer) != len(request) {
		err = fmt.Errorf("an answer of %d words, want %d", len(answer), len(request))
	}
	return answer, err
}

// Rtnetlink makes one request of the namespace there.
func (a *Agent) Rtnetlink(r host.NetlinkRequest) ([][]byte, error) {
	return call[[][]byte](a, "Rtnetlink", r)
}

// Counters reads the counters of the namespace there, in one call: a round trip
// for each file would be most of what reading them takes.
func (a *Agent) Counters() (probe.Namespace, error) {
	return call[probe.Namespace](a, "Counters", Nothing{})
}

// Means says what a process may do and use there.
func (a *Agent) Means() (host.Means, error) { return call[host.Means](a, "Means", Nothing{}) }

// MayRunOn tries whether threads can be pinned to CPUs there.
func (a *Agent) MayRunOn(cpus []int) error { return tell(a, "MayRunOn", cpus) }

// LoadIPv6 makes the kernel load IPv6 where it is a module; see also /proc/net/if_inet6.
func (a *Agent) LoadIPv6() error { return tell(a, "LoadIPv6", Nothing{}) }

// Require tries ways of sending and receiving there: see package paths.
func (a *Agent) Require(paths ...string) error { return tell(a, "Require", paths) }

// Congestion says whether TCP can use a congestion control there.
func (a *Agent) Congestion(name string) error { return tell(a, "Congestion", name) }

// Open begins an empty set of sockets of so many kinds of traffic.
func (a *Agent) Open(c ...traffic.Config) error { return tell(a, "Open", c) }

// Listen opens sinks and returns their ports.
func (a *Agent) Listen(ends []traffic.End) ([]uint16, error) {
	return call[[]uint16](a, "Listen", ends)
}

// Connect opens sources and returns their ports.
func (a *Agent) Connect(ends []traffic.End) ([]uint16, error) {
	return call[[]uint16](a, "Connect", ends)
}

// Accept completes the sinks and makes all threads ready to run.
func (a *Agent) Accept(ends []traffic.End) error { return tell(a, "Accept", ends) }

// Threads are those of the roles, once Accept has made them.
func (a *Agent) Threads() ([]traffic.RoleThread, error) {
	return call[[]traffic.RoleThread](a, "Threads", Nothing{})
}

// Run works off a schedule; a broken flow gives an error beside the report.
func (a *Agent) Run(windows []traffic.Window, end int64) (*traffic.Report, error) {
	wait := patience
	if now := traffic.Now(); end > now {
		wait += time.Duration(end - now)
	}
	return callWithin[*traffic.Report](a, wait, "Run", RunArgs{windows, end})
}

// Quota has the set that is open work off so many messages, by Count, and no schedule.
// It is for before Accept.
func (a *Agent) Quota(q traffic.Quota) error { return tell(a, "Quota", q) }

// Count works the quota off. It may take as long as the run's context lasts: whoever
// counts instructions has no other clock.
func (a *Agent) Count() (*traffic.Tally, error) {
	return callWithin[*traffic.Tally](a, 24*time.Hour, "Count", Nothing{})
}

// EndCount ends it.
func (a *Agent) EndCount() (*traffic.Report, error) {
	return call[*traffic.Report](a, "EndCount", Nothing{})
}
