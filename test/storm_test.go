package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// TestStorm: in the middle of a run the source's device gets a queueing
// discipline that lets next to nothing through. The trial says where the
// datagrams went, and the run ends as it would have.
func TestStorm(t *testing.T) {
	for name, source := range map[string]string{"send": "send", "sendmmsg": "sendmmsg", "segments": "{path: send, segment: 500}"} {
		t.Run(name, func(t *testing.T) { sandboxed(t, ownNetwork, func(t *testing.T) { storm(t, source) }) })
	}
}

func storm(t *testing.T, source string) {
	p := newPlace(t)
	p.write(t, "storm.yaml", "name: storm\ntopology: veth\ntraffic: {protocol: udp, message: 1000, source: "+source+"}\n")
	r := p.start(t, "run", "storm.yaml", "--store", "store", "--max-time", "1m", "--width", "0.0001%", "--json",
		"--set", "measure.slice=20ms", "--set", "measure.settle=5ms", "--set", "measure.trial=400ms")
	if err := waitTrials(p.store(), 1); err != nil {
		t.Fatalf("%v\n%s", err, r.stderr.String())
	}
	for range 3 { // each trial has devices of its own, and one moment may lie between two
		time.Sleep(250 * time.Millisecond)
		if err := eventually(func() error { return chokeSource(r.agents()) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := waitTrials(p.store(), 4); err != nil {
		t.Error(err)
	}
	r.signal(t, os.Interrupt)
	r.wait(t).want(t, 5, "interrupted")
	noneLeft(t, endsAfterKill)
	files, _ := filepath.Glob(filepath.Join(p.store(), "*", "run.jsonl"))
	if len(files) != 1 {
		t.Fatalf("run files %v", files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	choked := false
	for line := range strings.Lines(string(data)) {
		var trial struct {
			Type, Invalid string
			Arms          []struct {
				Ledger struct {
					Sent        int64            `json:"sent_msgs"`
					Dropped     map[string]int64 `json:"dropped_msgs"`
					Unexplained int64            `json:"unexplained_msgs"`
				}
			}
		}
		decode(t, line, &trial)
		if trial.Invalid != "" && !tooBusy(trial.Invalid) {
			t.Errorf("a trial is invalid: %s", trial.Invalid)
		}
		for _, a := range trial.Arms {
			l := a.Ledger
			choked = choked || l.Dropped["qdisc"] > 0 // a veth has no discipline of its own
			t.Logf("sent %d, dropped %v, unexplained %d", l.Sent, l.Dropped, l.Unexplained)
			if max(l.Unexplained, -l.Unexplained) > l.Sent/1000 {
				t.Errorf("%d of %d datagrams are unexplained: %v", l.Unexplained, l.Sent, l.Dropped)
			}
		}
	}
	if !choked {
		t.Error("no ledger names the qdisc")
	}
}

// chokeSource gives the sending end of the path its discipline.
func chokeSource(agents []int) error {
	err := fmt.Errorf("no agent has veth-source")
	for _, pid := range agents {
		if err = inNetworkOf(pid, choke); err == nil {
			break
		}
	}
	return err
}

// choke queues less than a socket may have under way: a full queue that blocks
// the sender would drop nothing.
func choke() error {
	link, err := netlink.LinkByName("veth-source")
	if err != nil {
		return err
	}
	return netlink.QdiscReplace(&netlink.Tbf{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index,
		Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}, Rate: 5_000_000, Buffer: 100_000, Limit: 20_000})
}
