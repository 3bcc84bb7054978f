package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"netab/runner/host"
	"netab/runner/traffic"
	"netab/test/busytest"
	"netab/test/need"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		if err := Serve(); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func start(t *testing.T) *Agent {
	t.Helper()
	need.Root(t)
	s := NewStarter()
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	a, err := s.Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	return a
}

func TestAgentIsAHost(t *testing.T) {
	a := start(t)
	links, err := a.Links()
	if err != nil || len(links) == 0 || links[0].Name != "lo" || links[0].Up {
		t.Fatalf("a new namespace has a lo that is down, got %+v, %v", links, err)
	}
	up := true
	if err := a.SetLink("lo", host.LinkChange{Up: &up}); err != nil {
		t.Fatal(err)
	}
	const rps = "/sys/class/net/lo/queues/rx-0/rps_cpus"
	if err := a.WriteFile(rps, []byte("1")); err != nil {
		t.Fatal(err)
	}
	if got, err := a.ReadFile(rps); err != nil || strings.Trim(string(got), "0,\n") != "1" {
		t.Errorf("rps_cpus = %q, %v", got, err)
	}
	if _, err := a.ReadFile("/sys/class/net/none/mtu"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v is not fs.ErrNotExist", err)
	}
	if _, err := host.Features(a, "none"); err == nil {
		t.Error("features of a missing device: no error")
	}
	if f, err := host.Features(a, "lo"); err != nil || len(f) == 0 {
		t.Errorf("features of lo: %d, %v", len(f), err)
	}
}

func TestAgentRunsTraffic(t *testing.T) {
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string { return runTraffic(t, start(t), by) })
}

func runTraffic(t *testing.T, a *Agent, by busytest.Stretch) string {
	up := true
	if err := a.SetLink("lo", host.LinkChange{Up: &up}); err != nil {
		t.Fatal(err)
	}
	lo := netip.MustParseAddr("127.0.0.1")
	if err := a.Open(traffic.Config{Protocol: "tcp", Message: 65536}); err != nil {
		t.Fatal(err)
	}
	ports, err := a.Listen([]traffic.End{{Addr: lo}})
	if err != nil {
		t.Fatal(err)
	}
	from, err := a.Connect([]traffic.End{{To: netip.AddrPortFrom(lo, ports[0])}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Accept([]traffic.End{{Addr: lo, To: netip.AddrPortFrom(lo, from[0])}}); err != nil {
		t.Fatal(err)
	}
	ms := int64(by.Of(time.Millisecond))
	now := traffic.Now() + 10*ms
	r, err := a.Run([]traffic.Window{{Start: now, Count: now + 5*ms, End: now + 30*ms}}, 0)
	if err != nil || r.Groups[0].Windows[0].RxBytes == 0 {
		return fmt.Sprintf("%+v, %v", r, err)
	}
	return ""
}

func TestDeadAgentSaysSo(t *testing.T) {
	a := start(t)
	a.process.(*child).cmd.Process.Kill()
	if _, err := a.Links(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
}

// Agents must end with the Starter even if nobody closes them.
func TestAgentDiesWithItsStarter(t *testing.T) {
	need.Root(t)
	s := NewStarter()
	a, err := s.Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	select {
	case <-a.process.Exited():
	case <-time.After(5 * time.Second):
		t.Error("the agent outlived the thread that started it")
		a.Close(t.Context())
	}
}

// An agent that does not answer is ended, and leaves where it hung.
func TestHungAgent(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a := start(t)
	if err := a.process.(*child).cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// Each of its threads stops at its own next moment in the kernel.
	for !stopped(t, a.PID()) {
		time.Sleep(time.Millisecond)
	}
	_, err := callWithin[[]host.Link](a, 50*time.Millisecond, "Links", Nothing{})
	if err == nil || !strings.Contains(err.Error(), "agent: Links: no answer for 50ms") {
		t.Fatalf("got %v", err)
	}
	select {
	case <-a.process.Exited():
	case <-time.After(5 * time.Second):
		t.Error("it was not ended")
	}
	files, _ := filepath.Glob(os.Getenv("TMPDIR") + "/netab-agent-*.txt")
	if len(files) != 1 || !strings.Contains(err.Error(), files[0]) {
		t.Fatalf("no report of it: %v, %v", files, err)
	}
	if text, _ := os.ReadFile(files[0]); !strings.Contains(string(text), "/wchan: ") {
		t.Errorf("the report does not say where the threads were: %q", text)
	}
}

// stopped says whether all threads of a process are stopped.
func stopped(t *testing.T, pid int) bool {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("process %d: %v", pid, err)
	}
	for _, file := range files {
		if text, _ := os.ReadFile(file); !strings.Contains(string(text), "State:\tT") {
			return false
		}
	}
	return true
}
