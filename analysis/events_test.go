package analysis

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results"
	"netab/results/vocab"
)

// paced is a run of one arm that offers a rate.
func paced(kind vocab.Kind, offered, sent, received, source, sink float64) *results.Run {
	run := &results.Run{Header: results.Header{Design: results.Design{Confidence: 0.95, Resolution: 0.01, Width: 0.05,
		Arms: []results.Arm{{Name: "a", Kind: kind, Protocol: "udp", Rate: offered, Topology: "loopback"}}}}}
	run.Header.Plan = results.Plan{SliceNS: 1e9, SettleNS: 5e8}
	role := results.RoleDelta{Threads: 1}
	for i := range 3 {
		run.Trials = append(run.Trials, results.Trial{Index: i,
			Arms: []results.ArmTrial{{Source: role, Sink: role, Ledger: results.Ledger{Valid: true, Sent: 2 * int64(sent), Received: 2 * int64(received)}}},
			Slices: []results.Slice{{
				CountedNS: 1e9,
				Counts:    results.Counts{TxMsgs: int64(sent), RxMsgs: int64(received), RxBytes: int64(64 * received), Transactions: int64(received), SourceCPU: int64(source * 1e9), SinkCPU: int64(sink * 1e9)},
			}}})
	}
	return run
}

func spinning(run *results.Run) *results.Run {
	run.Header.Design.Arms[0].SinkSpins = true
	return run
}

func TestLimitOfPacedArms(t *testing.T) {
	for _, tt := range []struct {
		name       string
		run        *results.Run
		role, text string
		warns      string // code
	}{
		{"on pace", paced("stream", 300e3, 299.8e3, 299.8e3, 0.6, 0.5), "rate", "the offered rate was the limit: achieved 300 k of 300 k messages/s (source busy 60 %, sink 50 %)", ""},
		{"on pace with a spinning source", paced("stream", 300e3, 300e3, 300e3, 1, 0.5), "rate", "the offered rate was the limit", ""},
		{"the source is too slow", paced("flood", 300e3, 280e3, 280e3, 1, 0.5), "source", "source-bound: achieved 280 k of 300 k messages/s", "rate-not-achieved"},
		{"the sink holds it back", paced("stream", 300e3, 280e3, 280e3, 0.7, 0.99), "sink", "sink-bound: achieved 280 k", "rate-not-achieved"},
		{"nobody is busy", paced("stream", 300e3, 280e3, 280e3, 0.5, 0.4), "neither", "yet only 280 k of 300 k messages/s", "rate-not-achieved"},
		{"loss is the reason", paced("flood", 300e3, 300e3, 200e3, 1, 1), "sink", "33.3 % of the datagrams sent were lost; the source sent 300 k of 300 k", ""},
		{"faster than asked", paced("stream", 300e3, 310e3, 310e3, 0.5, 0.4), "rate", "the source went beyond its rate: 310 k of 300 k messages/s", "rate-exceeded"},
		{"a little faster than asked", paced("stream", 50e3, 50.3e3, 50.3e3, 0.5, 0.4), "rate", "beyond its rate: 50.3 k of 50.0 k", "rate-exceeded"},
		{"within the bound", paced("stream", 50e3, 50.2e3, 50.2e3, 0.5, 0.4), "rate", "the offered rate was the limit: achieved 50.2 k of 50.0 k", ""},
		{"just below a prefix", paced("stream", 1000, 990, 990, 0.5, 0.4), "neither", "yet only 0.99 k of 1.00 k messages/s", "rate-not-achieved"},
		{"an open loop of requests", paced("rr", 10e3, 10e3, 10e3, 0.5, 0.4), "rate", "10.0 k of 10.0 k transactions/s", ""},
		{"a closed loop", paced("rr", 0, 50e3, 50e3, 0.6, 0.88), "neither", "they wait for each other", ""},
		{"a sink that spins", spinning(paced("stream", 0, 300e3, 300e3, 1, 1)), "source", "source-bound (source busy 100 %, sink 100 %, which spins): nothing was lost", ""},
		{"a sink that spins for a slow source", spinning(paced("stream", 0, 300e3, 300e3, 0.5, 1)), "neither", "the source was not saturated", ""},
		{"a sink that spins and loses", spinning(paced("stream", 0, 300e3, 200e3, 1, 1)), "sink", "33.3 % of the datagrams sent were lost", ""},
		{"a sink that spins on pace", spinning(paced("stream", 300e3, 300e3, 300e3, 1, 1)), "rate", "the offered rate was the limit", ""},
		{"a busy server", paced("crr", 0, 50e3, 50e3, 0.6, 0.93), "sink", "sink-bound", ""},
	} {
		s := Summarize(tt.run)
		l := s.Arms[0].Limit
		if l == nil || l.Role != tt.role || !strings.Contains(l.Text, tt.text) {
			t.Errorf("%s: limit is %+v, want %s with %q", tt.name, l, tt.role, tt.text)
		}
		for _, code := range []string{"rate-not-achieved", "rate-exceeded"} {
			if got := hasCode(s, vocab.Code(code)); got != (code == tt.warns) {
				t.Errorf("%s: %s: %v", tt.name, code, got)
			}
		}
	}
}

// What the scenario's note has said of an arm already is not said again.
func TestCopiesAreSaidOnce(t *testing.T) {
	for _, note := range []string{"", "zerocopy: on its way to a socket of this machine the kernel copies", "rpc: tcp-zerocopy: only whole pages can be mapped"} {
		run := paced("stream", 0, 1000, 1000, 1, 0.5)
		if note != "" {
			run.Header.Design.Arms[0].Notes = []string{note}
		}
		for i := range run.Trials {
			run.Trials[i].Arms[0].Source.Events = map[string]int64{"zerocopy copied": 10, "zerocopy completed": 10}
		}
		got := 0
		for _, w := range Summarize(run).Warnings {
			if w.Code == "arm-note" {
				got++
			}
		}
		if got != 1 {
			t.Errorf("with the note %q: said %d times, want once", note, got)
		}
	}
}

func TestEvents(t *testing.T) {
	run := paced("flood", 0, 1000, 1000, 1, 0.5)
	for i := range run.Trials {
		at := &run.Trials[i].Arms[0]
		at.Source.Events = map[string]int64{"retries": 100, "zerocopy copied": 7, "strange": 1}
		at.Sink.Events = map[string]int64{"reordered": 2, "nothing": 0}
		at.Beside = map[string]results.Beside{"rpc": {Source: results.RoleDelta{Events: map[string]int64{"timeouts": 3}}}}
	}
	run.Trials[2].Invalid = "an agent died"
	s := Summarize(run)
	want := []Event{
		{Role: "source", Name: "retries", Count: 200, Meaning: eventMeanings["retries"]},
		{Role: "source", Name: "strange", Count: 2},
		{Role: "source", Name: "zerocopy copied", Count: 14, Meaning: eventMeanings["zerocopy copied"]},
		{Role: "sink", Name: "reordered", Count: 4, Meaning: eventMeanings["reordered"]},
		{Of: "rpc", Role: "source", Name: "timeouts", Count: 6, Meaning: eventMeanings["timeouts"]},
	}
	if diff := cmp.Diff(want, s.Arms[0].Events); diff != "" {
		t.Error(diff)
	}
	wantCodes(t, s, "send-retries", "arm-note", "verify-reordered", "request-timeouts")
	for _, w := range s.Warnings {
		// 2 valid trials of 1000 counted messages, and as many in the settle parts.
		if w.Code == "send-retries" && !strings.Contains(w.Text, "refused 200 sends for want of room (ENOBUFS, EAGAIN), about 5.0 % of all") {
			t.Error(w.Text)
		}
		if w.Code == "request-timeouts" && !strings.HasPrefix(w.Text, "a, rpc: 6 requests") {
			t.Error(w.Text)
		}
	}
	for i := range run.Trials {
		run.Trials[i].Arms[0].Source.Events["retries"] = 15
	}
	if hasCode(Summarize(run), "send-retries") {
		t.Error("a few retries are warned of")
	}
}

// Every alarm is of an event whose meaning is known.
func TestAlarmsHaveMeanings(t *testing.T) {
	for _, a := range alarms {
		if eventMeanings[a.name] == "" {
			t.Errorf("%s has no meaning", a.name)
		}
	}
}
