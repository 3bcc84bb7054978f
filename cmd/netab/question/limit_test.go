package question

import (
	"testing"

	"netab/results"
	"netab/scenarios"
)

func TestLimit(t *testing.T) {
	slice := func(arm int, bytes, messages, transactions int64) results.Slice {
		return results.Slice{Arm: arm, Counts: results.Counts{RxBytes: bytes, RxMsgs: messages, Transactions: transactions}}
	}
	trial := func(slices ...results.Slice) results.Trial { return results.Trial{Slices: slices} }
	q := func(bytes scenarios.Size, messages scenarios.Rate) *Question {
		return &Question{Scenario: &scenarios.Scenario{Measure: scenarios.Measure{MaxBytes: bytes, MaxMessages: messages}}, Arms: make([]scenarios.Arm, 2)}
	}
	if l := q(0, 0).limit(); l != nil || l.reached([]results.Trial{trial(slice(0, 1e9, 1, 1))}) {
		t.Error("a limit where none is")
	}
	l := q(100, 0).limit()
	trials := []results.Trial{trial(slice(0, 100, 1, 0), slice(1, 50, 1, 0))}
	if l.reached(trials) {
		t.Error("one arm of two is not all")
	}
	invalid := trial(slice(1, 1000, 1, 0))
	invalid.Invalid = "for a test"
	if trials = append(trials, invalid); l.reached(trials) {
		t.Error("an invalid trial counts")
	}
	if trials = append(trials, trial(slice(1, 50, 1, 0))); !l.reached(trials) {
		t.Error("not reached")
	}
	if !l.reached(trials) {
		t.Error("reached no more when it is asked again")
	}
	if l := q(0, 10).limit(); l.reached([]results.Trial{trial(slice(0, 1, 9, 0), slice(1, 1, 1, 10))}) || !l.reached([]results.Trial{trial(slice(0, 1, 9, 0), slice(1, 1, 1, 10)), trial(slice(0, 1, 1, 0))}) {
		t.Error("messages are miscounted")
	}
}

func TestOtherCongestion(t *testing.T) {
	machine := func(usual string) *results.Machine {
		return &results.Machine{Sysctls: map[string]string{"net.ipv4.tcp_congestion_control": usual}}
	}
	ask := func(src string) *Question {
		s, err := scenarios.Parse("x.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		arms, err := scenarios.Expand(s, scenarios.CPUs{Online: []int{0, 1}})
		if err != nil {
			t.Fatal(err)
		}
		return &Question{Scenario: s, Arms: arms}
	}
	for _, tt := range []struct {
		src, usual string
		want       int
	}{
		{"traffic: tcp", "bbr", 1}, {"traffic: tcp", "cubic", 0}, {"traffic: tcp", "", 0}, {"traffic: udp", "bbr", 0}, {"traffic: {congestion: cubic}", "bbr", 0}, {"arms: {a: , b: }", "bbr", 0},
	} {
		if got := ask(tt.src).OtherCongestion(machine(tt.usual)); len(got) != tt.want {
			t.Errorf("%s on a machine of %q: %v", tt.src, tt.usual, got)
		}
	}
}
