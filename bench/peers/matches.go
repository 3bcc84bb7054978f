package main

import (
	"fmt"
	"strconv"

	"netab/results/vocab"
	"netab/runner/traffic"
)

// What issue 3 asks for.
const (
	maxMemory  = 64   // MiB of an agent with 1000 flows
	maxSetup   = 1.0  // seconds for 1000 flows
	maxObjects = 1000 // heap objects while a schedule runs, however many messages
	manyFlows  = 1000 // through one thread each way
	trains     = 44   // datagrams of 1472 bytes that fit into one send call: 64768 of 65507 bytes
	ethernet   = 1472 // payload of UDP in a frame of 1500
	kib        = 1 << 10
)

// matches are all lines there are, but for pacing's.
func (o options) matches() []match {
	return []match{
		o.plain("udp", 64),
		o.plain("udp", ethernet),
		o.plain("tcp", 128*kib),
		o.level(),
		o.transactions(),
		o.sockperfs("tcp"),
		o.sockperfs("udp"),
		o.trains(),
		o.bestTCP(),
		o.many(),
	}
}

func size(n int) string {
	if n%kib == 0 {
		return strconv.Itoa(n/kib) + "K"
	}
	return strconv.Itoa(n)
}

// plain is the same system calls: send and recv. iperf3's sink does more for a
// message than ours or the C loop's, so it is seldom found asleep, and where waking
// it is dear (a virtual machine), the slower sink makes the faster stream. What
// the same calls can do when nobody sleeps says the sink that spins.
func (o options) plain(protocol string, message int) match {
	name := protocol + "-" + size(message)
	iperf := []string{"--length", strconv.Itoa(message)}
	if protocol == "udp" {
		iperf = append(iperf, "--udp", "--bitrate", "0")
	}
	return match{
		name: name,
		contenders: []entrant{
			ours("netab", traffic.Config{Protocol: vocab.Protocol(protocol), Message: message}, 1),
			ours("netab-spin", traffic.Config{Protocol: vocab.Protocol(protocol), Message: message, Sink: traffic.Path{Spin: true}}, 1),
			o.bare(protocol, message),
			o.iperf("iperf3", iperf...),
			o.nuttcp(protocol, message),
		},
		ratios: []comparison{
			against(name, "bareloop", atLeast(0.98)),
			against(name, "iperf3", wanted{}),
			{name + "-spin/iperf3", []string{"netab-spin"}, []string{"iperf3"}, atLeast(0.97)},
			against(name, "nuttcp", wanted{}),
		},
		limits: []limit{objects(name, "netab")},
	}
}

// level is what `netab run level` measures, with all that iperf3 can be told made the
// same: its message, cubic, and reads of the message's size, where netab's default is
// 512K. A level is read as the other tool's, so it has to be that. Both are on the same
// two CPUs, and leave their sockets' buffers to the kernel.
//
// What is left is how a sink waits: iperf3's asks by select(2) before each read(2), and
// so is later than one that sleeps in recv(2), finds more when it comes, and sleeps less.
// The second line has a sink of netab's that asks too, by epoll (traffic.threads: 1):
// where the first is off and the second is not, that is why.
func (o options) level() match {
	c := traffic.Config{Protocol: vocab.TCP, Message: 128 * kib, Sink: traffic.Path{Read: 128 * kib}}
	asking := c
	asking.Threads = 1
	return match{
		name: "level",
		contenders: []entrant{
			ours("netab", c, 1),
			ours("netab-epoll", asking, 1),
			o.iperf("iperf3", "--length", strconv.Itoa(128*kib)),
		},
		ratios: []comparison{
			against("level", "iperf3", within(0.05)),
			{"level-epoll/iperf3", []string{"netab-epoll"}, []string{"iperf3"}, within(0.05)},
		},
	}
}

func against(name, peer string, w wanted) comparison {
	return comparison{name + "/" + peer, []string{"netab"}, []string{peer}, w}
}

// objects bounds what the loops allocate: nothing a message.
func objects(name, of string) limit {
	return limit{name + "/objects", of, maxObjects, "heap objects", func(o outcome) float64 { return float64(o.allocated) }, true}
}

func (o options) transactions() match {
	return match{
		name: "tcp-rr-1",
		contenders: []entrant{
			ours("netab", traffic.Config{Kind: vocab.RR, Protocol: vocab.TCP, Message: 1, Response: 1, NoDelay: true}, 1),
			o.bare("tcp-rr", 1),
		},
		ratios: []comparison{against("tcp-rr-1", "bareloop", atLeast(0.98))},
		limits: []limit{objects("tcp-rr-1", "netab")},
	}
}

// sockperfs is request/response at the size of sockperf's least message.
func (o options) sockperfs(protocol string) match {
	name := fmt.Sprintf("%s-rr-%d", protocol, sockperfLeast)
	return match{
		name: name,
		contenders: []entrant{
			ours("netab", traffic.Config{Kind: vocab.RR, Protocol: vocab.Protocol(protocol), Message: sockperfLeast, Response: sockperfLeast,
				NoDelay: protocol == "tcp", Timeout: 1e9}, 1),
			o.bare(protocol+"-rr", sockperfLeast),
			o.sockperf(protocol),
		},
		ratios: []comparison{against(name, "sockperf", wanted{}), against(name, "bareloop", wanted{})},
	}
}

// trains is the best mode of UDP against what iperf3 can do.
func (o options) trains() match {
	const name = "udp-1472-trains"
	return match{
		name: name,
		contenders: []entrant{
			ours("netab", traffic.Config{Protocol: vocab.UDP, Message: trains * ethernet,
				Source: traffic.Path{Segment: ethernet}, Sink: traffic.Path{GRO: true}}, 1),
			o.iperf("iperf3", "--udp", "--bitrate", "0", "--length", strconv.Itoa(ethernet)),
		},
		ratios: []comparison{against(name, "iperf3", atLeast(8))},
		limits: []limit{objects(name, "netab")},
	}
}

// bestTCP is the best way of each over TCP.
func (o options) bestTCP() match {
	m := match{
		name:       "tcp-best",
		contenders: []entrant{o.iperfUncopied("iperf3-skip-rx-copy", "--length", "128K")},
	}
	var copying, cutting []string
	for _, way := range []struct {
		source  string
		message int
		sink    traffic.Path
	}{
		{"send", 128 * kib, traffic.Path{}}, {"send", 1024 * kib, traffic.Path{}}, {"send", 1024 * kib, traffic.Path{Spin: true}},
		{"sendfile", 128 * kib, traffic.Path{}}, {"sendfile", 1024 * kib, traffic.Path{}},
		{"send", 1024 * kib, traffic.Path{Truncate: true}}, {"send", 1024 * kib, traffic.Path{Truncate: true, Spin: true}},
		{"send", 4096 * kib, traffic.Path{Truncate: true, Spin: true}},
		{"sendfile", 128 * kib, traffic.Path{Truncate: true}}, {"sendfile", 128 * kib, traffic.Path{Truncate: true, Spin: true}},
	} {
		name, list := way.source+"-"+size(way.message), &copying
		if way.sink.Truncate {
			name, list = name+"-trunc", &cutting
		}
		if way.sink.Spin {
			name += "-spin"
		}
		*list = append(*list, name)
		m.contenders = append(m.contenders, ours(name, traffic.Config{Protocol: vocab.TCP, Message: way.message,
			Source: traffic.Path{Call: way.source}, Sink: way.sink}, 1))
	}
	var best, sending []string
	for _, length := range []string{"128K", "1M"} {
		copied, file := "iperf3-"+length, "iperf3-"+length+"-Z" // -Z is sendfile
		m.contenders = append(m.contenders, o.iperf(copied, "--length", length), o.iperf(file, "--length", length, "--zerocopy"))
		best, sending = append(best, copied, file), append(sending, copied)
	}
	m.ratios = []comparison{
		{"tcp-best/iperf3", copying, best, atLeast(1)},
		{"tcp-trunc/iperf3", cutting, sending, atLeast(1.5)},
		{"tcp-trunc/iperf3-best", cutting, best, wanted{}}, // with -Z, where both are bound by the source
		{"tcp-trunc/skip-rx-copy", cutting, []string{"iperf3-skip-rx-copy"}, wanted{}},
	}
	return m
}

// many is a thousand flows through two threads, against one flow.
func (o options) many() match {
	const name = "tcp-1000-flows"
	return match{
		name: name,
		contenders: []entrant{
			ours("1000 flows", traffic.Config{Protocol: vocab.TCP, Message: 128 * kib, Threads: 1}, manyFlows),
			ours("1 flow", traffic.Config{Protocol: vocab.TCP, Message: 128 * kib}, 1),
		},
		ratios: []comparison{{name + "/1-flow", []string{"1000 flows"}, []string{"1 flow"}, atLeast(0.9)}},
		limits: []limit{
			{name + "/memory", "1000 flows", maxMemory, "MiB", func(o outcome) float64 { return float64(o.peak) / (1 << 20) }, false},
			{name + "/setup", "1000 flows", maxSetup, "s", func(o outcome) float64 { return o.setup.Seconds() }, false},
		},
	}
}
