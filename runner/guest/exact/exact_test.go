package exact

import (
	"slices"
	"testing"

	"netab/runner/guest"
	"netab/runner/guest/arch"
)

// TestIdentifyTimer: one CPU does without the timer whose calibration takes most of a boot;
// two need theirs, and Arm has none that would.
func TestIdentifyTimer(t *testing.T) {
	for _, tt := range []struct {
		arch    *arch.Arch
		cpus    int
		without bool
	}{{arch.X86, 1, true}, {arch.X86, 2, false}, {arch.ARM, 1, false}, {arch.X86, 1, true}} {
		id, err := Identify(&guest.QEMU{Major: smpMajor}, tt.arch, tt.cpus)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(id.Cmdline, "noapictimer"); got != tt.without || !slices.Contains(id.Cmdline, "nokaslr") {
			t.Errorf("%s, %d CPUs: %q", tt.arch.Name, tt.cpus, id.Cmdline)
		}
	}
}
