package paths

import (
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results/crew"
)

// isolated calls f in a network namespace of its own with lo up, as the traffic
// of a run has it: an ordinary user is privileged there (packet sockets), and
// the machine's own lo may be filtered, or down. Who may not make one stays
// where he is.
func isolated(f func()) {
	var c crew.Crew
	c.Go(func() error {
		runtime.LockOSThread() // for good: the thread, and with it the namespace, ends here
		if unix.Unshare(unix.CLONE_NEWNET) == nil {
			if lo, err := netlink.LinkByName("lo"); err == nil {
				_ = netlink.LinkSetUp(lo) // if not, the paths say so
			}
		}
		f()
		return nil
	})
	_ = c.Wait()
}
