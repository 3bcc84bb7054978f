package agent

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/traffic"
	"netab/test/busytest"
	"netab/test/need"
)

// credentials are one line each of all threads of a process, and fail unless the
// threads agree.
func credentials(t *testing.T, pid int) map[string]string {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) < 2 {
		t.Fatalf("threads of %d: %d, %v", pid, len(files), err)
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // it ended meanwhile
		} else if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			if !strings.HasPrefix(name, "Cap") && name != "NoNewPrivs" {
				continue
			}
			if before, ok := out[name]; ok && before != value {
				t.Errorf("%s: %s is %s, another thread's %s", file, name, value, before)
			}
			out[name] = value
		}
	}
	return out
}

func mask(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// has says that a process has exactly these capabilities of those that this one
// has, and cannot get any.
func has(t *testing.T, c map[string]string, want uint64) {
	t.Helper()
	for name, want := range map[string]uint64{"CapEff": want, "CapPrm": want, "CapBnd": 0, "CapAmb": 0} {
		if got := mask(t, c[name]); got != want {
			t.Errorf("%s is %#x, want %#x", name, got, want)
		}
	}
	if c["NoNewPrivs"] != "1" {
		t.Errorf("NoNewPrivs is %q", c["NoNewPrivs"])
	}
}

// TestAgentDropsPrivileges: a running agent can do what its paths take, and no
// more; before, no more than its set-up takes.
func TestAgentDropsPrivileges(t *testing.T) {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	withCgo := errno == unix.ENOTSUP
	_, data, err := getCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	own := uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted)
	lo := netip.MustParseAddr("127.0.0.1")
	for name, tc := range map[string]struct {
		config traffic.Config
		keeps  uint64
	}{
		"tcp":           {traffic.Config{Protocol: "tcp", Message: 1000}, 0},
		"threads":       {traffic.Config{Protocol: "udp", Message: 100, Rate: 1000, Threads: 1}, 0},
		"io_uring":      {traffic.Config{Protocol: "udp", Message: 100, Rate: 1000, Source: traffic.Path{Call: "io_uring"}, Sink: traffic.Path{Call: "io_uring"}}, 0},
		"zerocopy":      {traffic.Config{Protocol: "tcp", Message: 10000, Source: traffic.Path{ZeroCopy: true}}, capabilities(unix.CAP_IPC_LOCK)},
		"niceness":      {traffic.Config{Protocol: "tcp", Message: 10000, Source: traffic.Path{Nice: -5}}, capabilities(unix.CAP_SYS_NICE)},
		"crr":           {traffic.Config{Kind: "crr", Protocol: "tcp", Message: 1, Response: 1, NoDelay: true}, 0},
		"crr congested": {traffic.Config{Kind: "crr", Protocol: "tcp", Message: 1, Response: 1, Congestion: "reno"}, capabilities(unix.CAP_NET_ADMIN)},
		"crr polls":     {traffic.Config{Kind: "crr", Protocol: "tcp", Message: 1, Response: 1, Sink: traffic.Path{BusyPoll: 50}}, capabilities(unix.CAP_NET_ADMIN)},
		"packet":        {traffic.Config{Protocol: "udp", Message: 100, Source: traffic.Path{Call: "packet"}}, 0},
		"buffers":       {traffic.Config{Protocol: "udp", Message: 100, SendBuffer: 8 << 20, ReceiveBuffer: 8 << 20, Sink: traffic.Path{BusyPoll: 50}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
				a := start(t)
				if own&capabilities(unix.CAP_SETPCAP) == 0 {
					need.Missing(t, "CAP_SETPCAP", "run the tests as root with all capabilities")
				}
				has(t, credentials(t, a.PID()), setUpNeeds&own)
				must := func(err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
				}
				must(a.SetLink("lo", host.LinkChange{Up: new(true)}))
				for _, name := range []string{"route_localnet", "accept_local"} { // as of a path of whole packets
					must(a.WriteFile("/proc/sys/net/ipv4/conf/lo/"+name, []byte("1")))
				}
				must(a.WriteFile("/sys/class/net/lo/queues/rx-0/rps_cpus", []byte("1")))
				must(a.Open(tc.config, tc.config))
				var sinks, sources []traffic.End
				for g := range 2 {
					sinks = append(sinks, traffic.End{Group: g, Addr: lo})
				}
				ports, err := a.Listen(sinks)
				must(err)
				for g, port := range ports {
					sources = append(sources, traffic.End{Group: g, To: netip.AddrPortFrom(lo, port), Frames: &traffic.Frames{Device: "lo", From: netip.AddrPortFrom(lo, 40000)}})
				}
				from, err := a.Connect(sources)
				must(err)
				for g := range sinks {
					sinks[g].To = netip.AddrPortFrom(lo, from[g])
				}
				must(a.Accept(sinks))
				keeps := tc.keeps & own
				if withCgo {
					keeps = setUpNeeds & own
				}
				has(t, credentials(t, a.PID()), keeps)
				ms := int64(by.Of(time.Millisecond))
				now := traffic.Now() + 100*ms
				ran := make(chan *traffic.Report, 1)
				go func() {
					r, err := a.Run([]traffic.Window{{Start: now, Count: now + 5*ms, End: now + 300*ms}}, 0)
					if err != nil {
						t.Error(err)
					}
					ran <- r
				}()
				for traffic.Now() < now+100*ms {
					time.Sleep(5 * time.Millisecond)
				}
				has(t, credentials(t, a.PID()), keeps)
				for g, group := range (<-ran).Groups {
					var received int64
					for _, e := range group.Ends {
						if e.Sink {
							received += e.Total.Msgs
						}
						if n := e.Events["retries"] + e.Events["connect errors"]; n > 0 && name != "packet" {
							t.Errorf("group %d: events %v", g, e.Events)
						}
					}
					if received == 0 {
						return fmt.Sprintf("group %d: nothing was received", g)
					}
				}
				if _, err := a.Counters(); err != nil {
					t.Errorf("what is read after the run: %v", err)
				}
				if _, err := a.Links(); err != nil {
					t.Errorf("what is read after the run: %v", err)
				}
				if err := a.SetLink("lo", host.LinkChange{Up: new(false)}); err == nil && keeps&capabilities(unix.CAP_NET_ADMIN) == 0 {
					t.Error("it may still take a device down")
				}
				return ""
			})
		})
	}
}

// The thread that starts agents gives up nothing for others: the runner still
// turns the machine's knobs.
func TestConfineIsTheThreadsOwn(t *testing.T) {
	before := confined(t)
	s := NewStarter()
	defer s.Close()
	a, err := s.Start(t.Context(), Options{})
	if err == nil {
		a.Close(t.Context())
	} else if os.Getuid() == 0 {
		t.Fatal(err)
	}
	if now := confined(t); now > before+1 {
		t.Errorf("%d threads can get no more privileges, %d before", now, before)
	}
}

// confined counts the threads of this process that have no_new_privs.
func confined(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), "NoNewPrivs:\t1") {
			n++
		}
	}
	return n
}
