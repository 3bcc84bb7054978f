package agent

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// A far process is an agent that is no child: all that is known of it is a connection.
type far struct{ gone chan struct{} }

func (f far) PID() int                { return 4711 }
func (f far) Exited() <-chan struct{} { return f.gone }
func (f far) Hung() string            { return "" }
func (f far) End() string {
	select {
	case <-f.gone:
	default:
		close(f.gone)
	}
	return "(the connection is closed)"
}

// TestConnect talks to an agent over a connection that somebody else made, as to one
// on another machine.
func TestConnect(t *testing.T) {
	requests, out := io.Pipe()
	in, answers := io.Pipe()
	f := far{make(chan struct{})}
	served := make(chan error, 1)
	go func() {
		served <- serve(requests, answers, map[string]method{
			"Hello":   get(func(g Greeting) (Greeting, error) { return welcome(g, unix.EPERM) }), // without a sysfs of its own
			"Means":   get(func(Nothing) (host.Means, error) { return host.Means{NeedsRoot: "needs root"}, nil }),
			"Ethtool": get(func(EthtoolArgs) ([]uint32, error) { return []uint32{1}, nil }),
			"Require": do(func([]string) error { return unix.ENOENT }),
		})
		answers.Close()
	}()
	a, err := Connect(t.Context(), f, in, out)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := a.Means(); err != nil || m.NeedsRoot != "needs root" || m.Privileged {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := a.Ethtool("eth0", []uint32{1, 2}); err == nil {
		t.Error("an answer that is shorter than the request")
	}
	if err := a.Require("send"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("%v has no errno", err)
	}
	out.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := a.Links(); err == nil || !strings.Contains(err.Error(), "the connection is closed") {
		t.Errorf("after the end: %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
