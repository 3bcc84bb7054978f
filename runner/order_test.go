package runner

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/knob"
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
