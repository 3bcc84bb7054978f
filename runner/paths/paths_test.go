package paths

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netab/scenarios"
	"netab/test/need"
)

func setFilter(program *unix.SockFprog) error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// check tries all paths, by name, and sees that it took no time and left no
// file open.
func check(t *testing.T) map[string]Result {
	t.Helper()
	before, start := openFiles(t), time.Now()
	results := map[string]Result{}
	for _, r := range checkHere(context.Background()) {
		t.Log(r)
		results[r.Name] = r
		if strings.Contains(r.String(), "\n") {
			t.Errorf("%s: more than a line", r)
		}
	}
	if took := time.Since(start); took > patience*time.Second {
		t.Errorf("took %v: something waited in vain", took)
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d files open, %d before", after, before)
	}
	if len(results) != len(table) {
		t.Errorf("%d results of %d paths", len(results), len(table))
	}
	return results
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(files)
}

// TestHere wants what the kernel's configuration promises. Everything in the
// table is in Linux since 5.11, or 6.1 (io_uring).
func TestHere(t *testing.T) {
	enterNamespace(t, true)
	need.Kernel(t, "6.1") // of older ones it is not known what they must have
	config := need.KernelConfig()
	options := map[string]string{
		"busy_poll": "NET_RX_BUSY_POLL", "prefer_busy_poll": "NET_RX_BUSY_POLL", "packet": "PACKET",
		"io_uring": "IO_URING", "unix-stream": "UNIX", "unix-dgram": "UNIX", "pktgen": "NET_PKTGEN",
	}
	for name, r := range check(t) {
		option, optional := options[name]
		switch {
		case !optional || strings.Contains(config, "\nCONFIG_"+option+"=y\n"):
			if r.Err != nil {
				t.Errorf("%s, but this kernel must have it", r)
			}
		case config != "" && !strings.Contains(config, "\nCONFIG_"+option+"="):
			if r.Err == nil {
				t.Errorf("%s, but this kernel has no CONFIG_%s", r, option)
			}
		}
	}
}

// TestWithoutPrivileges has what an ordinary user has.
func TestWithoutPrivileges(t *testing.T) {
	enterNamespace(t, true)
	before := check(t)
	dropCapabilities(t)
	for name, after := range check(t) {
		switch name {
		case "busy_poll": // a privilege in older kernels only
		case "packet", "prefer_busy_poll", "receive_buffer":
			if before[name].Err == nil && (!errors.Is(after.Err, unix.EPERM) || !strings.Contains(after.Err.Error(), "needs root (CAP_NET_")) {
				t.Errorf("%s", after)
			}
		default:
			if (before[name].Err == nil) != (after.Err == nil) {
				t.Errorf("as root %q, without privileges %q", before[name], after)
			}
		}
	}
}

// TestWithoutLoopback has lo down: no path over IP can work, and each says so
// at once.
func TestWithoutLoopback(t *testing.T) {
	enterNamespace(t, false)
	results := check(t)
	for _, name := range []string{"send", "recvmmsg", "sendfile", "splice", "zerocopy", "gro", "truncate", "tcp-zerocopy", "low_water", "reuseport-cpu"} {
		if r := results[name]; r.Err == nil || !strings.Contains(r.Err.Error(), "is lo up?") {
			t.Errorf("%s", r)
		}
	}
	if r := results["packet"]; r.Err == nil {
		t.Errorf("%s", r)
	}
	if r := results["unix-dgram"]; r.Err != nil {
		t.Errorf("%s", r)
	}
	// From outside none of this is seen: the namespace is another.
	if err := Require("send", "sendfile", "reuseport-cpu"); err != nil {
		t.Error(err)
	}
	for _, r := range Check(context.Background()) {
		if r.Name == "recvmmsg" && r.Err != nil {
			t.Errorf("%s", r)
		}
	}
}

// TestHiddenCalls has a kernel without some system calls.
func TestHiddenCalls(t *testing.T) {
	enterNamespace(t, true)
	before := check(t)
	hide(t, unix.ENOSYS, unix.SYS_SENDMMSG, unix.SYS_SPLICE, unix.SYS_IO_URING_SETUP)
	for name, after := range check(t) {
		switch name {
		case "sendmmsg", "splice", "io_uring":
			if !errors.Is(after.Err, unix.ENOSYS) {
				t.Errorf("%s", after)
			}
		default:
			if (before[name].Err == nil) != (after.Err == nil) {
				t.Errorf("before %q, after %q", before[name], after)
			}
		}
	}
	err := requireHere([]string{"send", "sendmmsg", "recv", "splice"})
	if err == nil || !errors.Is(err, unix.ENOSYS) {
		t.Fatal(err)
	}
	want := "this traffic does not work here: sendmmsg: the kernel lacks sendmmsg (since Linux 3.0): function not implemented; " +
		"splice: the kernel lacks splice: into a socket: function not implemented (see `netab doctor`)"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if err := requireHere([]string{"send", "recv", "recvmmsg"}); err != nil {
		t.Error(err)
	}
}

func TestRequireUnknown(t *testing.T) {
	if err := Require("smoke-signals"); err == nil || !strings.Contains(err.Error(), `"smoke-signals"`) {
		t.Error(err)
	}
	if err := Require(); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, r := range Check(ctx) {
		if !errors.Is(r.Err, context.Canceled) {
			t.Errorf("%s", r)
		}
	}
}

func TestFor(t *testing.T) {
	for _, c := range []struct {
		traffic scenarios.Traffic
		want    []string
	}{
		{scenarios.Traffic{}, []string{"send", "recv"}},
		{scenarios.Traffic{Protocol: "unix-dgram", Source: scenarios.SourcePath{Path: "write"}, Sink: scenarios.SinkPath{Path: "read"}},
			[]string{"write", "read", "unix-dgram"}},
		{scenarios.Traffic{Source: scenarios.SourcePath{Path: "splice"}, Sink: scenarios.SinkPath{Path: "splice"}}, []string{"splice"}},
		{scenarios.Traffic{Source: scenarios.SourcePath{Path: "io_uring", ZeroCopy: true}, Sink: scenarios.SinkPath{Path: "io_uring"}}, []string{"io_uring"}},
		{scenarios.Traffic{PacingRate: 1e9, Source: scenarios.SourcePath{Segment: 1472, ZeroCopy: true},
			Sink:   scenarios.SinkPath{Path: "recvmsg", GRO: true, Socket: "reuseport-cpu", BusyPoll: 50_000},
			Beside: map[string]scenarios.Traffic{"rpc": {NotSentLowat: 1, Sink: scenarios.SinkPath{LowWater: 5}}}},
			[]string{"send", "recv", "recvmsg", "zerocopy", "segment", "gro", "busy_poll", "pacing_rate", "notsent_lowat", "low_water", "reuseport-cpu"}},
	} {
		got := For(c.traffic)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v:\n%s", c.traffic, diff)
		}
	}
	// Every path that a scenario may name must be one that can be tried.
	for _, name := range strings.Fields("send sendto sendmsg write sendmmsg sendfile splice io_uring packet pktgen") {
		if got := For(scenarios.Traffic{Source: scenarios.SourcePath{Path: name}}); got[0] != name && got[len(got)-1] != name {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, name := range strings.Fields("recv recvfrom recvmsg read recvmmsg splice tcp-zerocopy io_uring") {
		if got := For(scenarios.Traffic{Sink: scenarios.SinkPath{Path: name}}); got[0] != name && got[len(got)-1] != name {
			t.Errorf("%s: %v", name, got)
		}
	}
}
