package test

import (
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/test/guests"
)

// TestGuestNetem: what netem is asked for is what the traffic meets, in a kernel that
// has it: a delay is added to each transaction, and the datagrams that are lost are
// missed by the sink and found at the qdisc.
func TestGuestNetem(t *testing.T) {
	longBoots(t)
	folder, _ := guests.FindFull(t)
	run := func(name, scenario string) *results.Run {
		t.Helper()
		q := newPlace(t)
		q.write(t, name, scenario)
		o := q.start(t, "run", name, "--store", "store", "--boots", "1", "--max-time", "10s", "--kernels", folder).waitFor(t, 5*time.Minute)
		if o.status != 0 {
			t.Fatal(o)
		}
		c := onlyCampaign(t, q)
		if len(c.Runs()) != 1 {
			t.Fatalf("%+v\n%s", c.Boots, o)
		}
		return c.Runs()[0]
	}
	sums := func(r *results.Run, arm int) (sum results.Counts, counted int64) {
		for i := range r.Trials {
			if r.Trials[i].Invalid != "" {
				continue
			}
			for _, s := range r.Trials[i].Slices {
				if s.Arm == arm {
					sum.TxMsgs += s.TxMsgs
					sum.RxMsgs += s.RxMsgs
					counted += s.CountedNS
				}
			}
		}
		return sum, counted
	}

	r := run("delay.yaml", `
topology: veth
traffic: {kind: rr, protocol: udp, message: 64, timeout: 1s}
arms:
  plain: {}
  delay: {knobs: {device: {source: {netem: {delay: 5ms}}, sink: {netem: {delay: 5ms}}}}}
guest: {memory: 512M}
`)
	for arm, name := range []string{"plain", "delay"} {
		s, ns := sums(r, arm)
		each := time.Duration(ns / max(1, s.TxMsgs))
		t.Logf("%s: %d transactions, %v each", name, s.TxMsgs, each)
		if s.TxMsgs == 0 || name == "delay" && each < 10*time.Millisecond {
			t.Errorf("%s: %d transactions, %v each; the path of delay takes 10ms", name, s.TxMsgs, each)
		}
	}

	r = run("loss.yaml", `
topology: veth
traffic: {protocol: udp, message: 200, rate: 1k}
arms:
  plain: {}
  loss: {knobs: {device: {source: {netem: {loss: 20%}}}}}
guest: {memory: 512M}
`)
	for arm, name := range []string{"plain", "loss"} {
		s, _ := sums(r, arm)
		missing := 1 - float64(s.RxMsgs)/float64(max(1, s.TxMsgs))
		var atQdisc int64
		for i := range r.Trials {
			for _, a := range r.Trials[i].Arms {
				if a.Arm == arm {
					atQdisc += a.Ledger.Dropped[vocab.PlaceQdisc]
				}
				for _, k := range a.Knobs {
					if strings.HasSuffix(k.Knob, "qdisc") && k.ReadBack != results.AsAsked {
						t.Errorf("%+v", k)
					}
				}
			}
		}
		t.Logf("%s: %d sent, %.1f %% missing, %d lost at the qdisc", name, s.TxMsgs, 100*missing, atQdisc)
		if s.TxMsgs < 50 || name == "loss" && (missing < 0.1 || missing > 0.5) || (name == "loss") != (atQdisc > 0) {
			t.Errorf("%s: %d sent, %.1f %% missing, %d lost at the qdisc", name, s.TxMsgs, 100*missing, atQdisc)
		}
	}
}
