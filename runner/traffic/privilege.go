package traffic

import "golang.org/x/sys/unix"

// Capabilities are those that the traffic's paths take while they run, and not
// only to be opened.
func (c *Config) Capabilities() []int {
	var out []int
	if c.Source.Call == "pktgen" {
		out = append(out, unix.CAP_NET_ADMIN) // to write to pgctrl (pgctrl_write, net/core/pktgen.c)
	}
	// A socket for each message is given its options each time: SO_BUSY_POLL, and
	// congestion controls that are not for everybody.
	if c.Kind.Connects() && (c.Congestion != "" || c.Sink.BusyPoll > 0 || c.Sink.PreferBusyPoll) {
		out = append(out, unix.CAP_NET_ADMIN)
	}
	if c.Source.ZeroCopy {
		// Without it the pages that sends pin count against RLIMIT_MEMLOCK
		// (mm_account_pinned_pages, net/core/skbuff.c).
		out = append(out, unix.CAP_IPC_LOCK)
	}
	if c.Source.privileged() || c.Sink.privileged() {
		out = append(out, unix.CAP_SYS_NICE)
	}
	return out
}
