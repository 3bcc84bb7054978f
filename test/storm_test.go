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

// TestStorm: in the middle of a run the sources' devices get a queueing discipline
// that lets next to nothing through. Each trial says where the datagrams went, and
// the run ends as it would have.
func TestStorm(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		p.write(t, "storm.yaml", `name: storm
topology: veth
traffic: {protocol: udp, message: 1000}
arms:
  send: {traffic: {source: send}}
  sendmmsg: {traffic: {source: sendmmsg}}
  segments: {traffic: {source: {path: send, segment: 500}}}
`)
		r := p.start(t, "run", "storm.yaml", "--store", "store", "--max-time", "1m", "--resolution", "0.001%", "--json",
			"--set", "measure.slice=20ms", "--set", "measure.settle=5ms", "--set", "measure.trial=360ms")
		if err := waitTrials(p.store(), 1); err != nil {
			t.Fatalf("%v\n%s", err, r.stderr.String())
		}
		// Each trial has devices of its own, which come and go.
		if err := eventually(func() error {
			chokeSources(r.agents())
			time.Sleep(100 * time.Millisecond)
			return storms(t, p, false)
		}); err != nil {
			t.Error(err)
		}
		r.signal(t, os.Interrupt)
		r.wait(t).want(t, 5, "interrupted")
		noneLeft(t, endsAfterKill)
		if err := storms(t, p, true); err != nil {
			t.Error(err)
		}
	})
}

// storms reads what the ledgers say of each arm, of which all must have lost
// datagrams to the discipline: a veth has none of its own. At the end all must
// be explained.
func storms(t *testing.T, p place, ended bool) error {
	files, _ := filepath.Glob(filepath.Join(p.store(), "*", "run.jsonl"))
	if len(files) != 1 {
		t.Fatalf("run files %v", files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	choked := map[int]bool{}
	for line := range strings.Lines(string(data)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var trial struct {
			Type, Invalid string
			Arms          []struct {
				Arm    int
				Ledger struct {
					Sent        int64            `json:"sent_msgs"`
					Dropped     map[string]int64 `json:"dropped_msgs"`
					Unexplained int64            `json:"unexplained_msgs"`
				}
			}
		}
		decode(t, line, &trial)
		if ended && trial.Invalid != "" && !tooBusy(trial.Invalid) {
			t.Errorf("a trial is invalid: %s", trial.Invalid)
		}
		for _, a := range trial.Arms {
			l := a.Ledger
			choked[a.Arm] = choked[a.Arm] || l.Dropped["qdisc"] > 0
			if ended && max(l.Unexplained, -l.Unexplained) > l.Sent/1000 {
				t.Errorf("arm %d: %d of %d datagrams are unexplained: %v", a.Arm, l.Unexplained, l.Sent, l.Dropped)
			}
		}
	}
	if !(choked[0] && choked[1] && choked[2]) {
		return fmt.Errorf("arms whose ledgers name the qdisc: %v, want all three", choked)
	}
	return nil
}

// chokeSources gives the sending ends of the paths their discipline, as many as
// there are at the moment.
func chokeSources(agents []int) {
	for _, pid := range agents {
		_ = inNetworkOf(pid, choke)
	}
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
