package test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"netab/test/busytest"
)

// What happens to the traffic in the middle of a trial costs that trial: it is
// kept, invalid, with its reason; the run goes on and ends as if nothing had
// been.

// A casualty is a run and what is done to it.
type casualty struct {
	sets   []string
	strike func(agents []int) error
	reason []string // one of these is in the invalid trial's
	// toTheEnd lets the run end by itself; else it is interrupted as soon as it
	// has gone on, which takes less time.
	toTheEnd bool
}

func TestAgentKilled(t *testing.T) {
	killed := []string{"signal: killed"}
	udp := []string{"topology=veth", "traffic={protocol: udp, message: 1000}"}
	for name, c := range map[string]casualty{
		"both roles of TCP":      {nil, killFirst, killed, true},
		"one end of UDP":         {udp, killFirst, killed, false},
		"the other end of UDP":   {udp, killLast, killed, false},
		"one end of requests":    {[]string{"topology=veth", "traffic=TCP_CRR"}, killLast, killed, false},
		"a search for the rate":  {append(udp, "traffic.loss_free={from: 1k, to: 50k}"), killFirst, killed, false},
		"one end of two traffic": {[]string{"topology=veth", "traffic.beside={rpc: {kind: rr}}"}, killLast, killed, false},
	} {
		t.Run(name, func(t *testing.T) { sandboxed(t, ownNetwork, c.run) })
	}
}

// TestReset: the kernel takes a connection away from under its ends.
func TestReset(t *testing.T) {
	gone := []string{unix.ECONNRESET.Error(), unix.ECONNABORTED.Error(), unix.EPIPE.Error()}
	for name, c := range map[string]casualty{
		"stream":   {[]string{"topology=veth"}, reset, gone, true},
		"requests": {[]string{"topology=veth", "traffic=TCP_RR"}, reset, gone, false},
		"epoll":    {[]string{"topology=veth", "traffic.flows=4", "traffic.threads=2"}, reset, gone, false},
		"beside":   {[]string{"topology=veth", "traffic={protocol: udp, message: 1000, beside: {rpc: {kind: rr}}}"}, reset, gone, false},
	} {
		t.Run(name, func(t *testing.T) { sandboxed(t, ownNetwork, c.run) })
	}
}

func (c casualty) run(t *testing.T) {
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string { return c.try(t, by) })
}

func (c casualty) try(t *testing.T, by busytest.Stretch) string {
	p := newPlace(t)
	before := snapshotSandbox()
	r := c.start(t, p, by)
	if err := waitTrials(p.store(), 1); err != nil {
		t.Fatalf("%v\n%s", err, r.stderr.String())
	}
	time.Sleep(200 * time.Millisecond) // into the next trial's slices
	if err := eventually(func() error {
		if agents := r.agents(); len(agents) > 0 || r.lives() {
			return c.strike(agents)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if c.toTheEnd && !r.lives() {
		r.wait(t)
		return "the run ended before anything could be done to it"
	}
	o := c.end(t, p, r)
	var s struct {
		Ended    string
		Warnings []struct{ Code, Text string }
	}
	decode(t, o.stdout, &s)
	if c.toTheEnd && s.Ended != "max-time" {
		t.Errorf("ended %q", s.Ended)
	}
	if missed := c.check(t, p); missed != "" {
		return missed
	}
	if !slices.ContainsFunc(s.Warnings, func(w struct{ Code, Text string }) bool { return w.Code == "invalid-trials" }) {
		t.Errorf("no warning speaks of the trial: %+v", s.Warnings)
	}
	noneLeft(t, endsAfterKill)
	if diff := before.settledDiff(snapshotSandbox); diff != "" {
		t.Errorf("not as before:\n%s", diff)
	}
	return ""
}

func (c casualty) start(t *testing.T, p place, by busytest.Stretch) *running {
	t.Helper()
	// Without a message of its own: every kind of traffic has its default.
	p.write(t, "bare.yaml", "name: bare\ntopology: loopback\n")
	args := []string{"run", "bare.yaml", "--store", "store", "--width", "0.0001%", "--json",
		"--set", "measure.slice=20ms", "--set", "measure.settle=5ms", "--set", "measure.trial=300ms"}
	for _, s := range c.sets {
		args = append(args, "--set", s)
	}
	if c.toTheEnd {
		return p.start(t, append(args, "--max-time", fmt.Sprint(by.Of(2500*time.Millisecond)))...)
	}
	return p.start(t, append(args, "--max-time", "1m")...)
}

// end waits until the run has ended, or has gone on and is told to.
func (c casualty) end(t *testing.T, p place, r *running) outcome {
	t.Helper()
	if c.toTheEnd {
		o := r.wait(t)
		o.want(t, 0)
		return o
	}
	if err := waitTrials(p.store(), 4); err != nil {
		t.Error(err)
	}
	r.signal(t, syscall.SIGINT)
	o := r.wait(t)
	o.want(t, 5, "interrupted")
	return o
}

// check looks at the trials in the order measured: one is lost for the reason,
// and there are others before and after it. On a busy machine the strike may
// miss: it comes when a trial has ended already, or too late for another one.
func (c casualty) check(t *testing.T, p place) (missed string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.store(), "*", "run.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("run files %v: %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var struck, before, after int
	for line := range strings.Lines(string(data)) {
		var trial struct{ Type, Invalid string }
		decode(t, line, &trial)
		switch {
		case trial.Type != "trial" || tooBusy(trial.Invalid):
		case slices.ContainsFunc(c.reason, func(reason string) bool { return strings.Contains(trial.Invalid, reason) }):
			struck++
		case trial.Invalid != "":
			t.Errorf("a trial is invalid for another reason: %s", trial.Invalid)
		case struck == 0:
			before++
		default:
			after++
		}
	}
	if struck > 1 {
		t.Errorf("%d trials were lost for one of %q", struck, c.reason)
	}
	if struck == 0 || before == 0 || after == 0 {
		return fmt.Sprintf("%d trials lost for one of %q, %d valid ones before and %d after; want 1, and some of each", struck, c.reason, before, after)
	}
	return ""
}

// agents are the run's agents at the moment, the oldest first.
func (r *running) agents() []int {
	out := slices.DeleteFunc(netabs(), func(pid int) bool { return pid == r.cmd.Process.Pid })
	slices.Sort(out)
	return out
}

func killFirst(agents []int) error { return kill(agents, 0) }
func killLast(agents []int) error  { return kill(agents, len(agents)-1) }

func kill(agents []int, i int) error {
	if len(agents) == 0 {
		return fmt.Errorf("no agent to be killed")
	}
	return unix.Kill(agents[i], unix.SIGKILL)
}

// reset takes an established connection away from an agent, as `ss --kill`
// does: this end gets ECONNABORTED, the other one a reset.
func reset(agents []int) error {
	if len(agents) == 0 {
		return fmt.Errorf("no agent whose connection could be reset")
	}
	return inNetworkOf(agents[len(agents)-1], resetHere)
}

// inNetworkOf does something in the network namespace of an agent.
func inNetworkOf(agent int, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	if err != nil {
		return err
	}
	defer home.Close()
	space, err := netns.GetFromPid(agent)
	if err != nil {
		return err
	}
	defer space.Close()
	if err := netns.Set(space); err != nil {
		return err
	}
	return errors.Join(do(), netns.Set(home))
}

func resetHere() error {
	sockets, err := netlink.SocketDiagTCP(unix.AF_INET)
	if err != nil {
		return err
	}
	for _, s := range sockets {
		if s.State != netlink.TCP_ESTABLISHED {
			continue
		}
		return netlink.SocketDestroy(&net.TCPAddr{IP: s.ID.Source, Port: int(s.ID.SourcePort)},
			&net.TCPAddr{IP: s.ID.Destination, Port: int(s.ID.DestinationPort)})
	}
	return fmt.Errorf("no established connection")
}
