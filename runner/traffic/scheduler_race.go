//go:build race

package traffic

import "time"

// The race detector's own calls are not nosplit: under it every loop keeps a P.
func entersyscallblock() {}
func exitsyscall()       {}

// wait gives the P away, for Run stops the world before it opens the gate.
func (g *gate) wait() {
	for g.opened.Load() == 0 {
		time.Sleep(time.Millisecond / 10)
	}
}
