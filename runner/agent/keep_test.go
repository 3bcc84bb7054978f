package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"netab/runner/host"
	"netab/runner/traffic"
	"netab/test/need"
)

// TestKeep: a kept agent is the same process in another namespace, with all of its
// threads and its sysfs; one that failed is none any more.
func TestKeep(t *testing.T) {
	need.Root(t)
	s := NewStarter()
	defer s.Close()
	if err := s.Keep(); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	next := func() *Agent {
		t.Helper()
		a, err := s.Start(ctx, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	namespaces := func(a *Agent) map[string]bool {
		out := map[string]bool{}
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/ns/net", a.PID()))
		for _, l := range links {
			if to, err := os.Readlink(l); err == nil {
				out[to] = true
			}
		}
		return out
	}
	a := next()
	first := namespaces(a)
	up := true
	if err := a.SetLink("lo", host.LinkChange{Up: &up}); err != nil {
		t.Fatal(err)
	}
	if err := a.WriteFile("/sys/class/net/lo/queues/rx-0/rps_cpus", []byte("1")); err != nil {
		t.Fatal(err)
	}
	// The last of a set-up, after which a fresh agent could make no namespace.
	if err := a.Open(traffic.Config{Protocol: "udp", Message: 64}); err != nil {
		t.Fatal(err)
	}
	if err := a.Accept(nil); err != nil {
		t.Fatal(err)
	}
	a.Close(ctx)
	b := next()
	if b.PID() != a.PID() {
		t.Fatalf("process %d, want %d again", b.PID(), a.PID())
	}
	second := namespaces(b)
	if len(second) != 1 {
		t.Errorf("its threads are in %v", second)
	}
	for ns := range second {
		if first[ns] {
			t.Errorf("it is in %s still", ns)
		}
	}
	links, err := b.Links()
	if err != nil || len(links) != 1 || links[0].Up {
		t.Errorf("devices %+v, %v, want a lo that is down", links, err)
	}
	if got, err := b.ReadFile("/sys/class/net/lo/queues/rx-0/rps_cpus"); err != nil || string(got) == "1\n" {
		t.Errorf("rps_cpus %q, %v: the sysfs of the trial before", got, err)
	}
	if _, err := b.ReadFile("/proc/none"); err == nil {
		t.Error("no error of a missing file")
	}
	b.Close(ctx)
	if c := next(); c.PID() == b.PID() {
		t.Error("an agent with which something went wrong serves another trial")
	}
}
