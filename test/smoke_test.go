package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/scenarios"
	"netab/test/busytest"
)

// measures checks that a scenario of so many arms has a valid trial, of two blocks,
// in which every arm has a level of the headline metric: data arrived.
func measures(t *testing.T, p place, scenario string, arms int) {
	t.Helper()
	var o outcome
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
		slice := min(by.Of(25*time.Millisecond), 100*time.Millisecond) // with many arms it takes long
		trial := time.Duration(2*arms) * slice
		o = p.netab(t, "run", scenario, "--set", fmt.Sprint("measure.slice=", slice), "--set", "measure.settle=5ms", "--set", fmt.Sprint("measure.trial=", trial),
			"--max-time", fmt.Sprint(2*trial), "--store", "store", "--json")
		return o.busy()
	})
	var s struct {
		Trials  int
		Invalid int `json:"invalid_trials"`
		Metrics []string
		Arms    []struct {
			Name    string
			Metrics map[string]struct{ Mean float64 }
		}
		Warnings []struct{ Code string }
	}
	decode(t, o.stdout, &s)
	if o.status != 0 || s.Trials < 1 || s.Invalid > 0 {
		t.Errorf("%d trials, %d of them invalid\n%s", s.Trials+s.Invalid, s.Invalid, o)
	}
	if len(s.Metrics) == 0 || len(s.Arms) == 0 {
		t.Fatalf("%d metrics of %d arms", len(s.Metrics), len(s.Arms))
	}
	headline := s.Metrics[0]
	if strings.HasPrefix(headline, "latency_") && slices.ContainsFunc(s.Warnings, func(w struct{ Code string }) bool { return w.Code == "few-transactions" }) {
		headline = "transaction_rate" // a run as short as this shows no percentile
	}
	for _, arm := range s.Arms {
		if arm.Metrics[headline].Mean <= 0 {
			t.Errorf("arm %s: %s %v", arm.Name, headline, arm.Metrics[headline].Mean)
		}
	}
}

// TestBuiltins: every built-in scenario runs. What needs the initial network
// namespace is in TestKillHostWide.
func TestBuiltins(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		before := snapshotSandbox()
		list := scenarios.Builtins()
		if len(list) < 40 {
			t.Errorf("%d built-in scenarios, want 40 or more", len(list))
		}
		for _, s := range list {
			if s.Name == "netdev-budget" || lacks(t, p, s.Name) {
				continue
			}
			t.Run(s.Name, func(t *testing.T) {
				source, _ := scenarios.BuiltinSource(s.Name)
				measures(t, p, s.Name, countArms(t, source))
			})
		}
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
	})
}

func countArms(t *testing.T, source []byte) int {
	t.Helper()
	s, err := scenarios.Parse("x.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	arms, err := scenarios.Unplaced(s)
	if err != nil {
		t.Fatal(err)
	}
	return len(arms)
}

// lacks says whether a scenario needs a module or a permission that is not
// everywhere; then it must say so, and nothing may have been set up.
func lacks(t *testing.T, p place, scenario string) bool {
	t.Helper()
	missing := map[string]string{}
	if _, err := os.Stat("/proc/net/pktgen"); err != nil {
		missing["pktgen-flood"] = "pktgen: no /proc/net/pktgen: load the module with `modprobe pktgen`"
	}
	if state, err := os.ReadFile("/proc/sys/kernel/io_uring_disabled"); err != nil || strings.TrimSpace(string(state)) == "2" {
		missing["io-uring"] = "io_uring"
	}
	if config, err := exec.Command("zcat", "/proc/config.gz").Output(); err == nil && !strings.Contains(string(config), "CONFIG_NET_SCH_NETEM=") {
		missing["netem-loss"] = "this kernel has no qdisc netem (CONFIG_NET_SCH_NETEM is not set"
	}
	text, ok := missing[scenario]
	if ok {
		p.netab(t, "run", scenario, "--store", "none").want(t, 5, "does not work here", text)
		if _, err := os.Stat(filepath.Join(p.dir, "none")); err == nil {
			t.Errorf("%s: a run was made", scenario)
		}
	}
	return ok
}

// TestVariants: what a scenario can say beside what the built-in ones say, an arm
// each, so that one run has them all.
func TestVariants(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		p.write(t, "variants.yaml", variants)
		measures(t, p, "variants.yaml", countArms(t, []byte(variants)))
	})
}

const variants = `name: variants
topology: loopback
traffic: {protocol: tcp, message: 128K}
placement: distinct
arms:
  IPv6: {topology: {family: ipv6}}
  IPv6-veth: {topology: {kind: veth, family: ipv6, mtu: 1400}}
  IPv6-veth-UDP: {topology: {kind: veth, family: ipv6, mtu: 1400}, traffic: {protocol: udp, message: 1000}}
  reverse: {topology: veth, traffic: {direction: reverse}}
  both: {topology: veth, traffic: {direction: both}}
  flows: {traffic: {flows: 3, nodelay: true}}
  same-CPU: {placement: same}
  free: {placement: free}
  CPU-list: {placement: {source: all, sink: all}, traffic: {flows: 2}}
  queues: {topology: {kind: veth, queues: 2}, knobs: {device: {both: {rps_cpus: all}}}}
  buffers: {traffic: {send_buffer: 64K, receive_buffer: 64K}}
  alias: {traffic: {protocol: TCP_STREAM}}
  offload: {topology: veth, knobs: {device: {both: {offload: {tso: "off", gro: "on"}}}}}
  smallest: {traffic: {protocol: udp, message: 1}}
  largest: {traffic: {protocol: udp, message: 65507}}
  own-congestion: {traffic: {congestion: reno}}
measure: {metrics: [goodput, ns_per_byte_sink]}
`
