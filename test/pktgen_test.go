package test

import (
	"encoding/json"
	"testing"

	"netab/results"
	"netab/test/busytest"
	"netab/test/guests"
)

// TestGuestPktgen: the kernel's own generator floods a sink over a veth pair, while its
// slices last, and its thread's CPU time is the source's.
func TestGuestPktgen(t *testing.T) {
	k := guests.Kernel(t)
	busytest.Retry(t, func(t *testing.T, _ busytest.Stretch) string {
		_, lines, said := inGuestOf(t, k, []string{"veth", "pktgen", "af_packet"}, "/tmp/store/*/run.jsonl", "run", "pktgen-flood", "--store", "/tmp/store",
			"--set", "measure.slice=100ms", "--set", "measure.settle=25ms", "--set", "measure.trial=1s", "--max-time", "3s")
		for _, line := range lines {
			var trial results.Trial
			if err := json.Unmarshal([]byte(line), &trial); err != nil {
				t.Fatal(err)
			}
			if trial.Type != "trial" || trial.Invalid != "" {
				continue
			}
			pktgen := 0
			for _, s := range trial.Slices {
				if s.Arm != 1 {
					continue
				}
				pktgen++
				// It sends all the time, whatever that amounts to here.
				if s.TxMsgs == 0 || s.RxMsgs == 0 || s.SourceCPU < s.CountedNS/2 {
					return "a slice without a flood: " + line
				}
			}
			if pktgen == 0 {
				t.Errorf("no slices of pktgen in %s", line)
			}
			return ""
		}
		return "no valid trial: " + said
	})
}
