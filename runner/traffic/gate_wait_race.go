//go:build race

package traffic

import "time"

// wait gives the P away, which package detached does not do under the race detector:
// Run stops the world before it opens the gate.
func (g *gate) wait() {
	for g.opened.Load() == 0 {
		time.Sleep(time.Millisecond / 10)
	}
}
