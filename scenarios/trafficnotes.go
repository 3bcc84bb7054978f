package scenarios

import (
	"fmt"

	"netab/results/vocab"
)

// trafficNotes are about system calls and socket options that have no effect on
// the arm's path. Each begins with prefix.
func trafficNotes(c Config, t Traffic, prefix string) []string {
	var out []string
	note := func(applies bool, text string, args ...any) {
		if applies {
			out = append(out, prefix+fmt.Sprintf(text, args...))
		}
	}
	lo, veth := c.Topology.Kind == vocab.Loopback, c.Topology.Kind == vocab.Veth
	headers := udpHeaders(c.Topology.Family)
	mtu := mtuOf(c)
	if t.Protocol == vocab.UDP && mtu > 0 && t.Source.Segment == 0 {
		largest := int(max(t.Message, t.Response))
		for key := range t.Sizes {
			size, _ := ParseSize(key)
			largest = max(largest, int(size))
		}
		note(largest+headers > mtu, "datagrams of %d bytes are fragmented: the MTU of %d leaves %d", largest, mtu, mtu-headers)
	}
	note(t.Source.ZeroCopy && (lo || veth), "zerocopy: on its way to a socket of this machine the kernel copies the pages after all, and says so in the completions")
	note(t.Source.Segment > 0 && (offload(c, "source", "gso") == "off" || offload(c, "source", "tx-udp-segmentation") == "off"),
		"segment: the source's device takes no UDP segments, so they are cut before it, in software")

	// SO_BUSY_POLL is only there where packets come with a NAPI instance.
	busy := t.Sink.BusyPoll > 0
	note(busy && lo, "busy_poll: lo has no NAPI, so there is nothing to poll")
	note(busy && veth && offload(c, "sink", "gro") != "on", "busy_poll: needs GRO or XDP on at the sink, as veth uses no NAPI without")
	note(busy && t.Threads > 0 && c.Knobs.Sysctl["net/core/busy_poll"] == "", "busy_poll: epoll polls only with sysctl net.core.busy_poll above 0")

	// See runner/traffic/strangers.go.
	note(c.Topology.Kind == vocab.NIC && t.Protocol == vocab.UDP && t.Sink.Socket != "connected",
		"sink: where strangers can reach it a filter looks at each datagram, which a connected socket needs not")

	note(t.Sink.Wait == "spin" && c.Placement.Mode == "same", "wait: the sink spins on its source's CPU, which must wait for its share")

	gro := t.Sink.GRO && t.Source.Segment == 0
	note(gro && lo, "gro: lo merges nothing; only what segment sends as one arrives as one")
	note(gro && veth && offload(c, "sink", "gro") != "on", "gro: the sink's device merges nothing without its offload gro; only what segment sends as one arrives as one")

	note(t.PacingRate > 0 && t.Protocol == vocab.UDP && (lo || veth), "pacing_rate: UDP is paced by the qdisc fq only, which %s lacks", c.Topology.Kind)
	note(t.PacingRate > 0 && t.Protocol == vocab.UDP && !lo && !veth, "pacing_rate: UDP is paced by the qdisc fq only; see that the source's device has it")
	note(t.Sink.Path == "tcp-zerocopy" && (lo || veth) && !mapsPages(t, c, mtu),
		"tcp-zerocopy: only whole pages of their own can be mapped, and those of a packet from this machine are not; they are copied")
	note(t.Kind == vocab.RR && t.Protocol == vocab.TCP && t.numbered() && !t.NoDelay, "nodelay is off: small requests wait for the acknowledgement of those before (Nagle)")
	if t.unix() {
		for _, name := range []string{"both", "lo", "sink", "source"} {
			_, set := c.Knobs.Device[name]
			note(set, "%s: unix sockets go through no network device", name)
		}
	}
	return out
}

// mapsPages says whether TCP_ZEROCOPY_RECEIVE finds pages to map over lo or
// veth. can_map_frag() of net/ipv4/tcp.c takes only single pages that are full
// and not mapped elsewhere: not what send fills (parts of larger blocks), nor
// what sendfile and splice refer to, but the copies that a zerocopy send ends up
// with here, if packets hold whole pages: the MTU less the headers of IP and of
// TCP with timestamps.
func mapsPages(t Traffic, c Config, mtu int) bool {
	const page = 4096
	headers := 20 + 32
	if c.Topology.Family == "ipv6" {
		headers = 40 + 32
	}
	return t.Source.ZeroCopy && mtu > headers && (mtu-headers)%page == 0
}

// offload is the setting of a feature that the arm gives one end, by its own
// key or by "both"; "" if none.
func offload(c Config, end, feature string) string {
	for _, device := range []string{end, "both"} {
		if setting, ok := c.Knobs.Device[device].Offload[feature]; ok {
			return setting
		}
	}
	return ""
}
