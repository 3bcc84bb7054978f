package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/host"
	"netab/runner/place"
	"netab/runner/topology"
	"netab/scenarios"
	"netab/test/need"
)

// armsOf expands a scenario for two CPUs.
func armsOf(t *testing.T, text string) []scenarios.Arm {
	t.Helper()
	s, err := scenarios.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	arms, err := scenarios.Expand(s, scenarios.CPUs{Online: []int{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	return arms
}

// layOut makes the part of a plan that needs no machine.
func layOut(t *testing.T, text string) *plan {
	t.Helper()
	return laidOut(armsOf(t, text), 25*time.Millisecond, 5*time.Millisecond, 1500*time.Millisecond)
}

func laidOut(arms []scenarios.Arm, slice, settle, trial time.Duration) *plan {
	p := &plan{arms: arms, slice: slice, settle: settle}
	p.group(make([][]scenarios.Knob, len(arms)))
	p.chooseGrain(trial)
	return p
}

// TestMemory: a machine that has what was said to be needed is large enough for the run,
// and one with less is not.
func TestMemory(t *testing.T) {
	const maxTime = 10 * time.Second
	for text, between := range map[string][2]uint64{
		"arms: {a: {}, b: {}, c: {}}":                                   {100, 125},
		"topology: veth\narms: {a: {}, b: {}, c: {}}":                   {140, 165},
		"topology: veth\nmeasure: {grain: trial}\narms: {a: {}, b: {}}": {85, 105},
		"traffic: {flows: 1000}\narms: {a: {}, b: {}}":                  {300, 4000},
	} {
		p := layOut(t, text)
		o := Options{Arms: p.arms, Slice: p.slice, Settle: p.settle, Trial: 1500 * time.Millisecond, MaxTime: maxTime, WholeTrials: strings.Contains(text, "trial")}
		if o.WholeTrials {
			p.grain = vocab.ByTrial
		}
		wants := Memory(o)
		if mib := wants >> 20; mib < between[0] || mib > between[1] {
			t.Errorf("%s: %d MiB", text, mib)
		}
		enough, less := machineWith(strconv.FormatUint(wants>>10+1, 10)), machineWith(strconv.FormatUint(wants>>10-1024, 10))
		if err := p.fits(maxTime, enough, host.Limits{}); err != nil {
			t.Errorf("%s: with %s KiB: %v", text, enough, err)
		}
		if err := p.fits(maxTime, less, host.Limits{}); err == nil {
			t.Errorf("%s: with %s KiB it is enough", text, less)
		}
	}
}

// TestPreflight: what is too small for the arms is said with its figures, before
// anything is set up.
func TestPreflight(t *testing.T) {
	const (
		groups = "29 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
		flows  = "traffic: {flows: 400}\narms: {a: {}, b: {}}\n"
	)
	ipv6 := map[string]string{"/proc/net/if_inet6": "00000000000000000000000000000001 01 80 10 80       lo\n"}
	memory := func(kib string) map[string]string {
		return map[string]string{"/proc/meminfo": "MemTotal: 99999999 kB\nMemAvailable: " + kib + " kB\n"}
	}
	for _, tt := range []struct {
		name     string
		scenario string
		files    map[string]string
		limits   host.Limits
		want     []string // nil = fine
	}{
		{"no limits", flows, nil, host.Limits{}, nil},
		{"enough", flows, nil, host.Limits{Files: 4096, Threads: 8192, Locked: 65536}, nil},
		{"too few files", flows, nil, host.Limits{Files: 1024}, []string{"arm a: 400 flows need about 1616 file descriptors in one process, and the hard limit is 1024: raise it (ulimit -Hn 3232", "arm b: "}},
		{"the sides of a veth pair share out the files", "topology: veth\n" + flows, nil, host.Limits{Files: 1024}, nil},
		{"few flows need few files", "arms: {a: {}, b: {}}", nil, host.Limits{Files: 64}, nil},
		{"threads share files", "traffic: {flows: 400, threads: 2}", nil, host.Limits{Files: 830}, nil},
		{"many agents", "topology: veth\nmatrix: {traffic.message: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}\nmeasure: {max_time: 200s}", nil, host.Limits{Files: 128}, []string{"24 agents need about 152 file descriptors in netab itself"}},
		{"too few threads of a user", flows, nil, host.Limits{Threads: 1000}, []string{"all arms together need about 1660 threads, and this user may have 1000 (ulimit -u)"}},
		{"pids.max", flows, map[string]string{"/proc/self/mountinfo": groups, "/proc/self/cgroup": "0::/a/b\n",
			"/sys/fs/cgroup/a/pids.max": "1700\n", "/sys/fs/cgroup/a/pids.current": "90\n", "/sys/fs/cgroup/a/b/pids.max": "max\n", "/sys/fs/cgroup/a/b/pids.current": "3\n"},
			host.Limits{}, []string{"pids.max is 1700, of which 90 are used"}},
		{"pid_max", flows, map[string]string{"/proc/sys/kernel/pid_max": "1024\n", "/proc/sys/kernel/threads-max": "63000\n"}, host.Limits{}, []string{"kernel.pid_max is 1024"}},
		{"locked memory", "traffic: {flows: 40, source: {zerocopy: true}}\narms: {a: {}, b: {}}", nil, host.Limits{Locked: 8 << 20},
			[]string{"zerocopy pins a message of each flow, 10240 KiB in all arms together, and this user may lock 8192 KiB"}},
		{"kernel.pid_max, mostly used", flows, map[string]string{"/proc/sys/kernel/pid_max": "32768\n", "/proc/loadavg": "0.1 0.2 0.3 2/32000 77\n"}, host.Limits{}, []string{"kernel.pid_max is 32768, of which 32000 are used"}},
		{"20 x 1,000 x 64 MiB", "traffic: {flows: 1000, message: 64M}\nmatrix: {knobs.sysctl.net.x.y: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}\nmeasure: {max_time: 200s}", memory("8000000"), host.Limits{},
			[]string{"arm y=1 alone needs about 125 GiB of memory, and this machine has 7.63 GiB", "all arms together, and the record of the run, need about 2.45 TiB"}},
		{"20 x 1 x 64 MiB", "traffic: {message: 64M}\nmatrix: {knobs.sysctl.net.x.y: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}\nmeasure: {max_time: 200s}", memory("8000000"), host.Limits{}, nil},
		{"1,000 flows in two arms", "traffic: {flows: 1000}\narms: {a: {}, b: {}}", memory("2000000"), host.Limits{}, nil},
		{"a control group's memory", "traffic: {flows: 8, message: 64M}", map[string]string{"/proc/meminfo": "MemAvailable: 8000000 kB\n", "/proc/self/mountinfo": groups, "/proc/self/cgroup": "0::/a\n",
			"/sys/fs/cgroup/a/memory.max": "2147483648\n", "/sys/fs/cgroup/a/memory.current": "2000000000\n", "/sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 1000000000\n"},
			host.Limits{}, []string{"and the control group's memory.max leaves 1.07 GiB"}},
		{"socket buffers", "traffic: {flows: 4, send_buffer: 1G}", memory("8000000"), host.Limits{}, []string{"arm test alone needs about 16 GiB"}},
		{"batch x message", "traffic: {kind: flood, flows: 500, message: 65000, sink: {batch: 1024}}", memory("8000000"), host.Limits{}, []string{"arm test alone needs about 3"}},
		{"a table of flows", "topology: {kind: veth, queues: 64}\nknobs: {device: {sink: {rps_flow_cnt: 1073741824}}}", memory("8000000"), host.Limits{}, []string{"arm test alone needs about 1 TiB"}},
		{"queues", "topology: {kind: veth, queues: 4096}\nmatrix: {traffic.message: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}\nmeasure: {max_time: 200s}", memory("2000000"), host.Limits{}, []string{"all arms together"}},
		{"latencies of arms side by side", "traffic: {kind: rr, flows: 500, depth: 1024}\narms: {a: {}, b: {}}", memory("100000"), host.Limits{}, []string{"arm a alone needs"}},
		{"locked memory is zerocopy's", flows, nil, host.Limits{Locked: 4096}, nil},
		{"IPv6", "topology: {kind: veth, family: ipv6}", ipv6, host.Limits{}, nil},
		{"no IPv6", "topology: {kind: veth, family: ipv6}", nil, host.Limits{}, []string{"topology.family is ipv6, and this kernel has no IPv6 (ipv6.disable=1"}},
		{"no IPv6, in one arm", "arms: {a: {}, six: {topology: {family: ipv6}}}", nil, host.Limits{}, []string{"arm six: topology.family is ipv6"}},
		{"no IPv6 and no need of it", "topology: veth", nil, host.Limits{}, nil},
	} {
		root := results.Root(t.TempDir())
		for path, text := range tt.files {
			file := string(root) + path
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p := layOut(t, tt.scenario)
		got := fmt.Sprint(errors.Join(preflight(p.arms, root, tt.limits), p.fits(time.Minute, root, tt.limits)))
		if tt.want == nil && got != "<nil>" {
			t.Errorf("%s: %s", tt.name, got)
		}
		for _, text := range tt.want {
			if !strings.Contains(got, text) {
				t.Errorf("%s: %s\nlacks %s", tt.name, got, text)
			}
		}
	}
}

// TestNeedIsMet counts the files and threads of real agents: of files the estimate
// is not less, and hardly more. How many threads Go's runtime adds to those of the
// roles depends on how busy the machine is.
func TestNeedIsMet(t *testing.T) {
	need.Root(t)
	for _, text := range []string{
		"traffic: {flows: 30}",
		"traffic: {flows: 30, direction: both}",
		"traffic: {flows: 30, threads: 2}",
		"traffic: {protocol: udp, message: 100, pattern: incast, sources: 20, sink: {socket: shared}}",
		"traffic: {flows: 20, source: {path: splice}, sink: {path: splice}}",
		"traffic: {flows: 20, source: {path: sendfile}}",
		"traffic: {kind: crr, flows: 20}",
		"topology: veth\ntraffic: {flows: 30}",
		"traffic: {kind: multicast, protocol: udp, message: 100, sinks: 20}",
		"traffic: {flows: 10, beside: {calls: {kind: rr, flows: 10}}}",
	} {
		o := options(t, text, 1)
		r, err := prepare(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		l, err := r.buildOne(r.plan.setups[0], 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want := needOf(&r.plan.arms[0], 1, 0)
		threads, most := 0, 0
		for _, a := range l.built.Agents() {
			most = max(most, entries(t, a.PID(), "fd"))
			threads += entries(t, a.PID(), "task")
		}
		if err := l.built.Close(t.Context()); err != nil {
			t.Error(err)
		}
		r.close()
		later := 0 // sockets of messages
		if strings.Contains(text, "crr") {
			later = 2 * want.flows
		}
		if most > want.files || most < want.files-agentFiles-later || threads < want.threads-want.agents*agentThreads || len(l.built.Agents()) != want.agents {
			t.Errorf("%s: %d files, %d threads of %d agents; estimated %+v", text, most, threads, len(l.built.Agents()), want)
		}
	}
}

func entries(t *testing.T, pid int, dir string) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", pid, dir))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestIPv6OffByDefault: where new namespaces have IPv6 off, netab switches it on
// in its own.
func TestIPv6OffByDefault(t *testing.T) {
	need.Root(t)
	here := place.NewLocal()
	defer here.Close(t.Context())
	// The namespace of one agent, prepared, is that of another.
	first, err := here.Start(t.Context(), agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close(t.Context())
	const all = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
	need.Option(t, "IPV6", first.WriteFile(all, []byte("1")))
	space, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", first.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	arm := armsOf(t, "topology: {family: ipv6}")[0]
	built, err := topology.Build(t.Context(), place.Both(here), arm.Config.Topology, agent.Options{Namespace: space})
	if err != nil {
		t.Fatal(err)
	}
	defer built.Close(t.Context())
	addresses, err := built.Sink.Agent.ReadFile("/proc/net/if_inet6")
	if err != nil || !strings.Contains(string(addresses), strings.Repeat("0", 31)+"1 ") {
		t.Errorf("lo has no ::1: %s %v", addresses, err)
	}
}
