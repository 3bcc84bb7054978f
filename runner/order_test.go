package runner

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/scenarios"
	"netab/test/need"
)

// TestPorts3: a range of ports that only another setting makes possible, which
// comes after it in the file and in the alphabet.
func TestPorts3(t *testing.T) {
	need.Root(t)
	text, err := os.ReadFile("testdata/ports3.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, run := measured(t, string(text), 1, nil)
	set := onTime(run.Trials)[0].Arms[0].Knobs
	for _, want := range []results.Setting{
		{Knob: "sysctl net.ipv4.ip_local_port_range", Asked: "500 1500", After: "500 1500", Before: "32768 60999"},
		{Knob: "sysctl net.ipv4.ip_unprivileged_port_start", Asked: "100", After: "100", Before: "1024"},
	} {
		want.Scope, want.ReadBack = string(knob.Netns), results.AsAsked
		found := false
		for _, s := range set {
			found = found || s == want
		}
		if !found {
			t.Errorf("no %+v in %+v", want, set)
		}
	}
}

// TestOneErrorForOneFault: what the kernel takes in no order is said once, where
// it is written.
func TestOneErrorForOneFault(t *testing.T) {
	need.Root(t)
	for text, want := range map[string]string{
		"knobs:\n  sysctl:\n    net.ipv4.tcp_rmem: full\n    net.ipv4.ip_unprivileged_port_start: 100\n":           "test.yaml:3:24: sysctl net.ipv4.tcp_rmem",
		"knobs:\n  sysctl:\n    net.core.dev_weight: 63\n    net.core.netdev_budget: many\narms: {a: {}, b: {}}\n": "test.yaml:4:29: sysctl net.core.netdev_budget",
	} {
		_, err := Run(t.Context(), options(t, text, 1))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !errors.Is(err, unix.EINVAL) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if now, err := os.ReadFile("/proc/sys/net/core/dev_weight"); err != nil || strings.TrimSpace(string(now)) == "63" {
		t.Errorf("dev_weight %s, %v", now, err)
	}
}

// A pretended kernel has two settings, of which high must not be below low.
type pretended struct{ low, high int }

type pretendedKnob struct {
	knob.Knob
	kernel *pretended
	name   string
	writes *int
}

func (k pretendedKnob) String() string                 { return k.name }
func (k pretendedKnob) Scope() knob.Scope              { return knob.Host }
func (k pretendedKnob) Settle() time.Duration          { return 0 }
func (k pretendedKnob) Equal(a, b string) bool         { return a == b }
func (k pretendedKnob) Read(host.Host) (string, error) { return fmt.Sprint(*k.value(k.kernel)), nil }

func (k pretendedKnob) value(p *pretended) *int {
	if k.name == "low" {
		return &p.low
	}
	return &p.high
}

func (k pretendedKnob) Write(_ host.Host, text string) error {
	*k.writes++
	next := *k.kernel
	fmt.Sscan(text, k.value(&next))
	if next.low > next.high {
		return unix.EINVAL
	}
	*k.kernel = next
	return nil
}

// TestSwitchInAnOrderThatWorks: from arm to arm, now one setting must come first
// and now the other.
func TestSwitchInAnOrderThatWorks(t *testing.T) {
	kernel, writes := &pretended{10, 20}, 0
	shared := func(name string, values ...string) *switched {
		return &switched{knob: pretendedKnob{kernel: kernel, name: name, writes: &writes}, values: values, before: "x",
			from: []scenarios.Knob{{}, {}, {}, {Pos: scenarios.Pos{File: "f.yaml", Line: 7, Column: 2}}}}
	}
	s := newSwitcher(nil, []*switched{shared("low", "10", "30", "1", "50"), shared("high", "20", "40", "2", "49")})
	for _, arm := range []int{1, 2, 0, 0, 2, 1, 0} {
		if err := s.start(arm); err != nil {
			t.Fatal(err)
		}
		want := pretended{}
		fmt.Sscan(s.knobs[0].values[arm], &want.low)
		fmt.Sscan(s.knobs[1].values[arm], &want.high)
		if *kernel != want {
			t.Errorf("arm %d: %+v, want %+v", arm, *kernel, want)
		}
		for i, set := range s.settings[arm] {
			if set.After != s.knobs[i].values[arm] || set.Before != "x" {
				t.Errorf("arm %d: %+v", arm, set)
			}
		}
	}
	writes = 0
	if err := s.set(0); err != nil || writes != 0 {
		t.Errorf("%d writes of what is set already, %v", writes, err)
	}
	if err := s.start(3); err == nil || !strings.HasPrefix(err.Error(), "f.yaml:7:2: low: ") || strings.Contains(err.Error(), "high") {
		t.Errorf("an arm that cannot be: %v", err)
	}
}

// TestEmptySetIsRecordedAsItIsRead: an empty CPU set that is found as it is asked
// for is no difference.
func TestEmptySetIsRecordedAsItIsRead(t *testing.T) {
	k, err := knob.FromSpec(knob.Spec{Family: "rps_cpus", Device: "lo", Queue: "rx-0", Scope: knob.Device})
	if err != nil {
		t.Fatal(err)
	}
	s := newSwitcher(nil, []*switched{{knob: k, values: []string{""}, from: make([]scenarios.Knob, 1)}})
	s.current[0] = "none"
	if err := s.set(0); err != nil || s.settings[0][0].Asked != s.settings[0][0].After {
		t.Errorf("%+v, %v", s.settings, err)
	}
}
