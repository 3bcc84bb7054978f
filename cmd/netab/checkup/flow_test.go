package checkup

import (
	"slices"
	"strings"
	"testing"

	"netab/results"
)

// ofSlices is a trial whose slices received so many bytes each.
func ofSlices(invalid string, bytes ...int64) results.Trial {
	t := results.Trial{Invalid: invalid}
	for _, b := range bytes {
		t.Slices = append(t.Slices, results.Slice{CountedNS: 20e6, Counts: results.Counts{RxBytes: b}})
	}
	return t
}

// TestDoctorOfSlowGuest: where nothing was received the doctor says so, and why
// that may be, and does not call the machine quiet.
func TestDoctorOfSlowGuest(t *testing.T) {
	good := slices.Repeat([]int64{1e8, 1.001e8}, 20)
	for _, tt := range []struct {
		name   string
		trials []results.Trial
		known  bool
		want   []string
	}{
		{"nothing received", []results.Trial{ofSlices("arm level: the sinks received nothing", make([]int64, 40)...)}, false,
			[]string{"not known: one try", "the sinks received nothing"}},
		{"zeros in a valid trial", []results.Trial{ofSlices("", make([]int64, 40)...)}, false, []string{"nothing was received in any of 40 slices"}},
		{"too late each time", []results.Trial{ofSlices("the schedule began 20 ms before it was known"), ofSlices("it began 9 ms before"), ofSlices("arm level: the sinks received nothing")}, false,
			[]string{"3 tries gave no rate; the last: arm level: the sinks received nothing", "the first: the schedule began 20 ms before"}},
		{"three slices of forty", []results.Trial{ofSlices("", append(make([]int64, 37), 5, 5, 5)...)}, false, []string{"in 3 of 40 slices only"}},
		{"the second try", []results.Trial{ofSlices("the schedule began 20 ms before it was known"), ofSlices("", good...)}, true, nil},
		{"at once", []results.Trial{ofSlices("", good...)}, true, nil},
	} {
		wa, known := wanderOf(tt.trials)
		if known != tt.known {
			t.Errorf("%s: known %v: %+v", tt.name, known, wa)
		}
		if known {
			if got := advice(wa); !strings.Contains(got, "quiet") {
				t.Errorf("%s: %s", tt.name, got)
			}
			continue
		}
		lines := strings.Join(notKnown(tt.trials), "\n")
		if strings.Contains(lines, "quiet") {
			t.Errorf("%s: %s", tt.name, lines)
		}
		for _, text := range tt.want {
			if !strings.Contains(lines, text) {
				t.Errorf("%s: lacks %q:\n%s", tt.name, text, lines)
			}
		}
	}
	gaps := append(slices.Clone(good), 0, 0)
	if wa, known := wanderOf([]results.Trial{ofSlices("", gaps...)}); !known || strings.Contains(advice(wa), "quiet") {
		t.Errorf("with gaps: %v, %s", known, advice(wa))
	}
}
