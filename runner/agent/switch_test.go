package agent

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/traffic"
	"netab/test/need"
)

// TestSwitchingAgent follows a schedule with a sysctl of its own namespace: it can do
// that and little else, says when it was late, and stops where a value is refused.
func TestSwitchingAgent(t *testing.T) {
	a := start(t)
	if _, err := a.Set([]string{"1"}); err == nil {
		t.Error("values of no knobs")
	}
	const name = "net/ipv4/ip_forward"
	spec := knob.Spec{Family: "sysctl", Name: name, Scope: knob.Netns}
	if err := a.Switch([]knob.Spec{{Family: "sysctl", Name: "../passwd", Scope: knob.Host}}); err == nil {
		t.Error("a knob that is none")
	}
	if err := a.Switch([]knob.Spec{spec}); err != nil {
		t.Fatal(err)
	}
	_, own, err := getCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0) // which a build with cgo has not
	if errno == 0 && own[0].Permitted&uint32(capabilities(unix.CAP_SETPCAP)) != 0 {
		has(t, credentials(t, a.PID()), capabilities(unix.CAP_NET_ADMIN)&uint64(own[0].Permitted))
	}
	now := func() string {
		t.Helper()
		text, err := a.ReadFile("/proc/sys/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	if done, err := a.Set([]string{"1"}); err != nil || done.err() != nil || now() != "1" || done.Settings[0].Before != "0" {
		t.Fatalf("%+v, %v, %s", done, err, now())
	}
	ms := int64(time.Millisecond)
	begin := traffic.Now() + 20*ms
	f, err := a.Follow(FollowArgs{Values: [][]string{{"0"}, {"1"}}, Turns: []Turn{
		{begin, begin + 1000*ms, 0}, {begin + 10*ms, begin + 1000*ms, 1}, {begin + 20*ms, begin - ms, 0}}})
	if err != nil || f.Failed || now() != "0" || len(f.Late) != 1 || f.Late[2] < 20*ms || traffic.Now() < begin+20*ms {
		t.Errorf("%+v, %v, now %s", f, err, now())
	}
	if got := f.Arms[1].Settings[0]; got.After != "1" {
		t.Errorf("what arm 1 had: %+v", got)
	}
	f, err = a.Follow(FollowArgs{Values: [][]string{{"1"}, {"many"}}, Turns: []Turn{{0, 0, 1}, {0, 0, 0}}})
	if err != nil || !f.Failed || f.Arms[1].Faults[0] == nil || now() != "0" {
		t.Errorf("a value that is none: %+v, %v, now %s", f, err, now())
	}
}

// TestAgentAtHome sees what this process sees.
func TestAgentAtHome(t *testing.T) {
	need.Root(t)
	s := NewStarter()
	defer s.Close()
	a, err := s.Start(t.Context(), Options{Home: true})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	want, err := host.Local{}.Glob("/sys/class/net/*")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Glob("/sys/class/net/*"); err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%v, want %v, %v", got, want, err)
	}
}
