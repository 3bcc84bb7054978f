package kernels

import (
	"testing"
	"time"

	"netab/scenarios"
)

// TestSlower: two trials of a boot's time on emulated CPUs, and more where they would be
// long; a boot that has no time for two of the usual ones is for whoever refuses it.
func TestSlower(t *testing.T) {
	src, _ := scenarios.BuiltinSource("loopback-rps-udp")
	sc, err := scenarios.Parse("loopback-rps-udp.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	usual, err := slower(sc, 0)
	if err != nil {
		t.Fatal(err)
	}
	least := time.Duration(usual.Measure.Trial)
	for _, tt := range []struct{ each, trial time.Duration }{
		{time.Second, least},
		{2 * least, least},
		{2*least + time.Second, (least + time.Second/2).Truncate(emulatedSlice)},
		{12 * time.Second, emulatedTrial},
		{time.Hour, emulatedTrial},
	} {
		longer, err := slower(sc, tt.each)
		if err != nil {
			t.Fatal(err)
		}
		if m := longer.Measure; time.Duration(m.Trial) != tt.trial || time.Duration(m.Slice) != emulatedSlice || time.Duration(m.Settle) != emulatedSlice/4 {
			t.Errorf("%v a boot: trials of %v, slices of %v, settle %v, want trials of %v", tt.each, m.Trial, m.Slice, m.Settle, tt.trial)
		}
	}
}
