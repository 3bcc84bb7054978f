package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// armCount finds in the output of netab validate how many arms there are.
var armCount = regexp.MustCompile(`ok, (\d+) arms?\b`)

// shortest are the flags for one short trial of a scenario: two blocks.
func shortest(t *testing.T, p place, scenario string, sets ...string) []string {
	t.Helper()
	args := []string{"validate", scenario}
	for _, s := range sets {
		args = append(args, "--set", s)
	}
	o := p.netab(t, args...)
	m := armCount.FindStringSubmatch(o.stdout)
	if m == nil {
		t.Fatalf("netab validate: %s", o)
	}
	arms, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	trial := 2 * 25 * arms // ms
	return append([]string{"--set", "measure.slice=25ms", "--set", "measure.settle=5ms", "--set", fmt.Sprintf("measure.trial=%dms", trial),
		"--max-time", fmt.Sprintf("%dms", 2*trial), "--store", "store", "--json"}, args[2:]...)
}

// measures checks that a scenario has a valid trial in which every arm has a
// level of the headline metric: data arrived.
func measures(t *testing.T, p place, scenario string, sets ...string) {
	t.Helper()
	o := p.measured(t, append([]string{"run", scenario}, shortest(t, p, scenario, sets...)...)...)
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
		var list []struct{ Name string }
		decode(t, p.netab(t, "list", "--json").stdout, &list)
		if len(list) < 40 {
			t.Errorf("%d built-in scenarios, want 40 or more", len(list))
		}
		for _, s := range list {
			if s.Name == "netdev-budget" || lacks(t, p, s.Name) {
				continue
			}
			t.Run(s.Name, func(t *testing.T) { measures(t, p, s.Name) })
		}
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
	})
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
	text, ok := missing[scenario]
	if ok {
		p.netab(t, "run", scenario, "--store", "none").want(t, 5, "does not work here", text)
		if _, err := os.Stat(filepath.Join(p.dir, "none")); err == nil {
			t.Errorf("%s: a run was made", scenario)
		}
	}
	return ok
}

// TestIPv6VethUDP: datagrams arrive from the first slice on.
func TestIPv6VethUDP(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		measures(t, newPlace(t), "same", "topology={kind: veth, family: ipv6, mtu: 1400}", "traffic={protocol: udp, message: 1000}")
	})
}

// TestVariants: what a scenario can say beside what the built-in ones say.
func TestVariants(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		for name, sets := range map[string][]string{
			"IPv6":           {"topology.family=ipv6"},
			"IPv6 veth":      {"topology={kind: veth, family: ipv6, mtu: 1400}"},
			"reverse":        {"traffic.direction=reverse", "topology=veth"},
			"both":           {"traffic.direction=both", "topology=veth"},
			"flows":          {"traffic.flows=3", "traffic.nodelay=true"},
			"same CPU":       {"placement=same"},
			"free":           {"placement=free"},
			"CPU list":       {"placement={source: all, sink: all}", "traffic.flows=2"},
			"queues":         {"topology={kind: veth, queues: 2}", "knobs.device.both.rps_cpus=all"},
			"buffers":        {"traffic.send_buffer=64K", "traffic.receive_buffer=64K"},
			"alias":          {"traffic.protocol=TCP_STREAM"},
			"offload":        {"topology=veth", "knobs.device.both.offload={tso: off, gro: on}"},
			"smallest":       {"traffic={protocol: udp, message: 1}"},
			"largest":        {"traffic={protocol: udp, message: 65507}"},
			"other metrics":  {"measure.metrics=[goodput, ns_per_byte_sink]"},
			"own congestion": {"traffic.congestion=reno"},
		} {
			t.Run(name, func(t *testing.T) { measures(t, p, "same", sets...) })
		}
	})
}
