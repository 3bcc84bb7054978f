package pktgen

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/runner/host"
)

func testConfig(ipv6 bool) Config {
	c := Config{Device: "va", CPU: 1, SourceMAC: [6]byte{2, 0, 0, 0, 0, 1}, SinkMAC: [6]byte{2, 0, 0, 0, 0, 2}, Payload: 64,
		Source: netip.MustParseAddrPort("198.18.0.1:40000"), Sink: netip.MustParseAddrPort("198.18.0.2:5000")}
	if ipv6 {
		c.Source, c.Sink = netip.MustParseAddrPort("[2001:2::1]:40000"), netip.MustParseAddrPort("[2001:2::2]:5000")
	}
	return c
}

func TestSetup(t *testing.T) {
	k := newKernel(2)
	c := testConfig(false)
	if err := Setup(k, c); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"count": "0", "delay": "0", "pkt_size": "106", "dst_mac": "02:00:00:00:00:02", "src_mac": "02:00:00:00:00:01",
		"udp_src_min": "40000", "udp_src_max": "40000", "udp_dst_min": "5000", "udp_dst_max": "5000",
		"src_min": "198.18.0.1", "src_max": "198.18.0.1", "dst_min": "198.18.0.2", "dst_max": "198.18.0.2", "flag NO_TIMESTAMP": "NO_TIMESTAMP"}
	if diff := cmp.Diff(want, k.params("va@1")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// The same device on another CPU's thread, over IPv6, in four flows, by a
	// kernel that always has times.
	k.flags, k.sharing = " UDPCSUM ", true
	c = testConfig(true)
	c.CPU, c.Ports, c.Count, c.Clone, c.Burst, c.Delay = 0, 4, 7, 3, 8, time.Microsecond
	if err := Setup(k, c); err != nil {
		t.Fatal(err)
	}
	want = map[string]string{"count": "7", "delay": "1000", "pkt_size": "126", "dst_mac": "02:00:00:00:00:02", "src_mac": "02:00:00:00:00:01",
		"udp_src_min": "40000", "udp_src_max": "40004", "udp_dst_min": "5000", "udp_dst_max": "5000",
		"src6": "2001:2::1", "dst6": "2001:2::2", "flag UDPCSUM": "UDPCSUM", "clone_skb": "3", "burst": "8", "flag NO_TIMESTAMP": "NO_TIMESTAMP"}
	if diff := cmp.Diff(want, k.params("va@0")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	for want, change := range map[string]func(*kernel, *Config){
		"modprobe pktgen":           func(k *kernel, _ *Config) { k.absent = os.ErrNotExist },
		"root only":                 func(k *kernel, _ *Config) { k.absent = syscall.EACCES },
		"no thread for CPU 2":       func(_ *kernel, c *Config) { c.CPU = 2 },
		"no such device":            func(_ *kernel, c *Config) { c.Device = "vc" },
		"is down":                   func(_ *kernel, c *Config) { c.Device = "vb" },
		"Ethernet devices only":     func(_ *kernel, c *Config) { c.Device = "lo" },
		"MTU 1500":                  func(_ *kernel, c *Config) { c.Payload = 1473 },
		"at least 16":               func(_ *kernel, c *Config) { c.Payload = 15 },
		"below 65535":               func(_ *kernel, c *Config) { c.Ports = 65535 - 40000 + 1 },
		"not of one address family": func(_ *kernel, c *Config) { c.Sink = netip.MustParseAddrPort("[::1]:1") },
		"need a source":             func(_ *kernel, c *Config) { c.Source = netip.AddrPort{} },
		"cannot be negative":        func(_ *kernel, c *Config) { c.Burst = -1 },
		"are below 2.147483647s":    func(_ *kernel, c *Config) { c.Delay = 3 * time.Second },
		"leave clone and burst out": func(_ *kernel, c *Config) { c.Clone = 1 },
		"burst 2: this device":      func(_ *kernel, c *Config) { c.Burst = 2 },
		"Flag -:UDPCSUM:- unknown":  func(k *kernel, c *Config) { k.flags = " "; *c = testConfig(true) },
		"reset pktgen first": func(k *kernel, c *Config) {
			if err := Setup(k, *c); err != nil {
				t.Error(err)
			}
		},
	} {
		k, c := newKernel(2), testConfig(false)
		change(k, &c)
		if err := Setup(k, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

// TestHere asks the kernel that runs the test: either it has pktgen, or the
// error says what to do.
func TestHere(t *testing.T) {
	err := Available(host.Local{})
	if _, missing := os.Stat("/proc/net/pktgen"); missing != nil {
		if err == nil || !strings.Contains(err.Error(), "CONFIG_NET_PKTGEN") {
			t.Error(err)
		}
	} else if os.Geteuid() == 0 && err != nil {
		t.Error(err)
	}
}

// TestStart ends by the count, and by the context whenever that comes: also
// before the threads have seen the order to start, which makes them forget an
// order to stop.
func TestStart(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 9 * time.Millisecond, 10 * time.Millisecond, 35 * time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			k, c := newKernel(2), testConfig(false)
			if err := Setup(k, c); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			begin := time.Now()
			if err := Start(ctx, k); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took < after || took > after+100*time.Millisecond {
				t.Errorf("cancelled after %s, ended after %s", after, took)
			}
			s, err := Read(k, c)
			if err != nil || s.Running || s.Failed() != nil || after == time.Second && s.Packets < 50000 {
				t.Errorf("cancelled after %s: %+v, %v", after, s, err)
			}
		})
	}
}

func TestCountEnds(t *testing.T) {
	k, c := newKernel(1), testConfig(false)
	c.CPU, c.Count = 0, 3000
	if err := Setup(k, c); err != nil {
		t.Fatal(err)
	}
	if s, err := Read(k, c); err != nil || s.Packets != 0 || s.Running {
		t.Errorf("before: %+v, %v", s, err)
	}
	if err := Start(t.Context(), k); err != nil {
		t.Error(err)
	}
	if s, err := Read(k, c); err != nil || s.Packets != 3000 || s.Running || !strings.HasPrefix(s.Result, "OK: 4(c2+d2) usec, 3000") {
		t.Errorf("after: %+v, %v", s, err)
	}
}

func TestRunsUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newKernel(2), testConfig(false)
		if err := Setup(k, c); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(45 * time.Millisecond)
			s, err := Read(k, c)
			if err != nil || !s.Running || s.Packets == 0 || s.Result != "Starting" {
				t.Errorf("%+v, %v", s, err)
			}
			if err := SetDelay(k, c, 5*time.Millisecond); err != nil || k.params("va@1")["delay"] != "5000000" {
				t.Error(err)
			}
			if s, err := Read(k, c); err != nil || !s.Running {
				t.Errorf("the result of a parameter hides that it runs: %+v, %v", s, err)
			}
			if err := Stop(k); err != nil {
				t.Error(err)
			}
		}()
		if err := Start(t.Context(), k); err != nil {
			t.Error(err)
		}
	})
}

func TestReset(t *testing.T) {
	k, c := newKernel(2), testConfig(false)
	if err := errors.Join(Setup(k, c), Reset(k), Setup(k, c), Reset(k)); err != nil {
		t.Error(err)
	}
	if _, err := Read(k, c); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := SetDelay(k, c, neverDelay); err == nil {
		t.Error("a delay that means never")
	}
	k.absent = os.ErrPermission
	if err := Start(t.Context(), k); !errors.Is(err, os.ErrPermission) {
		t.Error(err)
	}
}
