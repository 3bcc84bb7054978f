//go:build !race

package canary

import "netab/runner/detached"

// sleep waits for an instant; false: the watch has ended.
//
//go:nosplit
func (s *side) sleep(until int64) bool {
	for s.x.stop.Load() == 0 {
		if detached.Now() >= until {
			return true
		}
		waitUntil(&s.x.stop.Uint32, 0, until)
	}
	return false
}
