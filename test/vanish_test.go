package test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// TestVanishedDevice: a card is pulled out while slices run. The run ends soon,
// keeps and shows what it had, and finds nothing left to put back.
func TestVanishedDevice(t *testing.T) {
	for _, protocol := range []string{"tcp", "udp"} {
		t.Run(protocol, func(t *testing.T) {
			sandboxed(t, ownNetwork, func(t *testing.T) { vanish(t, protocol) })
		})
	}
}

func vanish(t *testing.T, protocol string) {
	p := newPlace(t)
	before := snapshotSandbox()
	makeNICs(t)
	r := p.start(t, "run", nicScenario(t), "--store", "store", "--max-time", "1m", "--resolution", "0.001%",
		"--set", "measure.slice=20ms", "--set", "measure.trial=200ms", "--set", "traffic.protocol="+protocol, "--set", "traffic.message=1000")
	if err := waitTrials(p.store(), 2); err != nil {
		r.signal(t, syscall.SIGINT)
		t.Fatalf("%v\n%s", err, r.wait(t))
	}
	time.Sleep(100 * time.Millisecond) // into the next trial's slices
	deleteNIC(t)
	o := r.wait(t)
	o.want(t, 5, "trials in a row failed", "goodput")
	_, failed, _ := strings.Cut(o.stderr, "in a row failed") // what is said before the run is not about its end
	if strings.Contains(o.stderr, "panic") || strings.Contains(failed, "restore") {
		t.Errorf("stderr:\n%s", o.stderr)
	}
	t.Log(o.stderr)
	noneLeft(t, 2*time.Second)
	p.netab(t, "restore").want(t, 0, "nothing to restore")
	p.netab(t, "results", "show", "latest", "--store", "store").want(t, 0, "goodput", "failed")
	if diff := before.settledDiff(snapshotSandbox); diff != "" {
		t.Errorf("not as before:\n%s", diff)
	}
}

// TestVanishedAfterKill: restore says of a device that is gone that there is
// nothing left to put back, and is done with it.
func TestVanishedAfterKill(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		before := snapshotSandbox()
		makeNICs(t)
		r := p.start(t, "run", nicScenario(t), "--store", "store", "--max-time", "1m", "--resolution", "0.001%")
		if err := waitTrials(p.store(), 1); err != nil {
			r.signal(t, syscall.SIGINT)
			t.Fatalf("%v\n%s", err, r.wait(t))
		}
		r.signal(t, syscall.SIGKILL)
		r.wait(t)
		noneLeft(t, endsAfterKill)
		p.unlocked(t)
		deleteNIC(t)
		p.netab(t, "restore").want(t, 0, "device nic0", "device nic1", "gone")
		p.netab(t, "restore").want(t, 0, "nothing to restore")
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
	})
}

// deleteNIC deletes the sink's device where the run has put it; the other end of
// the pair goes with it.
func deleteNIC(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob("/run/netns/netab-*")
	if err != nil || len(names) != 2 {
		t.Fatalf("namespaces of the run: %v (%v), want two", names, err)
	}
	for _, path := range names {
		if !strings.HasSuffix(path, "-sink") {
			continue
		}
		space, err := netns.GetFromPath(path)
		if err != nil {
			t.Fatal(err)
		}
		defer space.Close()
		there, err := netlink.NewHandleAt(space)
		if err != nil {
			t.Fatal(err)
		}
		defer there.Close()
		link, err := there.LinkByName("nic1")
		if err == nil {
			err = there.LinkDel(link)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no namespace of the sink among %v", names)
}
