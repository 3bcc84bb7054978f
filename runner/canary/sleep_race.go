//go:build race

package canary

import (
	"time"

	"netab/runner/detached"
)

// sleep gives the P away, which package detached does not do under the race detector.
func (s *side) sleep(until int64) bool {
	for s.x.stop.Load() == 0 {
		left := until - detached.Now()
		if left <= 0 {
			return true
		}
		time.Sleep(time.Duration(min(left, 1e6)))
	}
	return false
}
