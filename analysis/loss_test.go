package analysis

import (
	"strings"
	"testing"

	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

// lossy is a trial of two arms of datagrams: each sent 1000 in its counted
// parts, of which so many arrived there.
func lossy(arm results.Arm, received [2]int64, ledgers [2]results.Ledger, shared bool) *results.Run {
	run := &results.Run{Header: results.Header{Design: results.Design{Arms: []results.Arm{arm, arm}, Metrics: []string{"loss"}}}}
	run.Header.Design.Arms[0].Name, run.Header.Design.Arms[1].Name = "a", "b"
	t := results.Trial{Order: []int{0, 1}}
	for i, got := range received {
		t.Arms = append(t.Arms, results.ArmTrial{Arm: i, Ledger: ledgers[i], Shared: shared})
		for block := range int64(10) {
			t.Slices = append(t.Slices, results.Slice{
				Block: int(block), Arm: i, CountedNS: 1e6, Beside: map[string]results.Counts{"bulk": {TxMsgs: 100, RxMsgs: got / 10}},
				Counts: results.Counts{TxMsgs: 100, RxMsgs: got / 10},
			})
		}
	}
	run.Trials = []results.Trial{t, t, t}
	return run
}

// TestLossIsTheLedgers: counted parts do not balance, ledgers do, and nothing is
// lost less than nothing.
func TestLossIsTheLedgers(t *testing.T) {
	udp := results.Arm{Protocol: "udp", Kind: "stream", Flows: 1}
	multicast := results.Arm{Protocol: "udp", Kind: "multicast", Flows: 4}
	besides := udp
	besides.Beside, besides.BesideProtocols = map[string]vocab.Kind{"bulk": "stream"}, map[string]vocab.Protocol{"bulk": "udp"}
	ledger := func(sent, received int64) results.Ledger {
		return results.Ledger{Valid: true, Sent: sent, Received: received, Unexplained: sent - received}
	}
	none, whole := [2]results.Ledger{}, [2]results.Ledger{ledger(2000, 2000), ledger(2000, 1900)}
	for _, tt := range []struct {
		name   string
		run    *results.Run
		metric string
		levels [2]float64
		effect float64
		se     bool
		warns  string
	}{
		{"ledgers", lossy(udp, [2]int64{1020, 1010}, whole, false), "loss", [2]float64{0, 0.05}, 0.05, false, ""},
		{"one ledger", lossy(udp, [2]int64{1020, 900}, [2]results.Ledger{{}, ledger(2000, 1900)}, false), "loss", [2]float64{0, 0.05}, 0.05, false, "there is no ledger of it; up to 2.0 %"},
		{"counted parts", lossy(udp, [2]int64{900, 800}, none, false), "loss", [2]float64{0.1, 0.2}, 0.1, true, ""},
		{"more received than sent", lossy(udp, [2]int64{1020, 900}, none, false), "loss", [2]float64{0, 0.1}, 0.1, true, "2.0 % more was received in them than sent (in 3 of 3 trials)"},
		{"one flow for both arms", lossy(udp, [2]int64{1020, 900}, whole, true), "loss", [2]float64{0, 0.1}, 0.1, true, "its flow is that of other arms too"},
		{"copies", lossy(multicast, [2]int64{4000, 3600}, [2]results.Ledger{ledger(8000, 8000), ledger(8000, 7600)}, false), "loss", [2]float64{0, 0.05}, 0.05, false, ""},
		{"copies in counted parts", lossy(multicast, [2]int64{4000, 3600}, none, false), "loss", [2]float64{0, 0.1}, 0.1, true, ""},
		{"beside", lossy(besides, [2]int64{1020, 900}, whole, false), "bulk.loss", [2]float64{0, 0.1}, 0.1, true, "loss of bulk is what counted parts"},
		{"a ledger that got more than was sent", lossy(udp, [2]int64{1000, 1000}, [2]results.Ledger{ledger(2000, 2001), ledger(2000, 2000)}, false), "loss", [2]float64{0, 0}, 0, false, ""},
	} {
		d := tt.run.Header.Design
		m, _ := LookupMetric(tt.metric)
		for arm, want := range tt.levels {
			l, ok := levelOf(record.Of(d, tt.run.Trials), m, arm, 0.05)
			if !ok || l.Lo < 0 || l.Hi > 1 {
				t.Errorf("%s: level of arm %d is %+v", tt.name, arm, l)
			}
			near(t, tt.name+": level", l.Mean, want, 1e-12)
		}
		for _, e := range trialEffects(record.Of(d, tt.run.Trials), m, 0, 1) {
			near(t, tt.name+": effect", e.x, tt.effect, 1e-12)
			if (e.DF > 0) != tt.se {
				t.Errorf("%s: effect %+v, error known: want %v", tt.name, e, tt.se)
			}
		}
		text := ""
		for arm := range d.Arms {
			for _, w := range windowLoss(record.Of(d, tt.run.Trials), arm) {
				text += w.Text
			}
		}
		if (text == "") != (tt.warns == "") || !strings.Contains(text, tt.warns) {
			t.Errorf("%s: warned %q, want %q", tt.name, text, tt.warns)
		}
	}
}
