// Package busytest gives tests that measure another chance on a machine whose
// CPUs somebody else takes away.
//
// A hypervisor may do that for longer than a whole schedule takes, several times
// a second, for seconds on end, and nothing inside the guest can tell for sure
// that it did. So what an idle machine does in one short schedule is tried
// again, in ever longer ones. It refuses to excuse a fault: what is wrong with
// the code is wrong in all tries, and what must hold however busy the machine is
// (a count that is not the sum of its parts) is reported by t.Error at once.
package busytest

import (
	"testing"
	"time"
)

// A Stretch is how many times longer a schedule is than on an idle machine.
type Stretch int

// Of makes a time of the schedule longer.
func (by Stretch) Of(d time.Duration) time.Duration { return d * time.Duration(by) }

// Tries go on for this time, and are so many at least.
const (
	limit        = 25 * time.Second
	least        = 5
	maxStretch   = 16
	longestPause = time.Second
)

// Retry runs a try until it says "", has failed by t.Error, or has been tried for
// long enough: then what it says is why the test fails.
func Retry(t *testing.T, try func(t *testing.T, by Stretch) string) {
	t.Helper()
	by, pause, began := Stretch(1), 20*time.Millisecond, time.Now()
	for i := 1; ; i++ {
		problem := try(t, by)
		if problem == "" || t.Failed() {
			return
		}
		if i >= least && time.Since(began) > limit {
			t.Errorf("%s (try %d)", problem, i)
			return
		}
		t.Log("again:", problem)
		time.Sleep(pause)
		by, pause = min(2*by, maxStretch), min(2*pause, longestPause)
	}
}
