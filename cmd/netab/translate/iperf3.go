package translate

import (
	"fmt"
	"strings"

	"netab/scenarios"
)

func iperf3(r *reader, words []string) {
	bitrate := func(r *reader, value string) {
		rate, burst, bursts := strings.Cut(value, "/")
		bits, err := scenarios.ParseRate(rate)
		if err != nil {
			r.refuse(fmt.Sprintf("%q is no rate", rate))
			return
		}
		r.settings["rate given"] = ""
		if bursts {
			r.settings["traffic.burst"] = burst
		}
		if r.rate = float64(bits); bits == 0 {
			r.say(Mapped, "no traffic.rate: as fast as it goes")
			return
		}
		text := "traffic.rate: " + bits.String() + "bit/s for each flow, so that of all is as many times that"
		if bursts {
			text += "; traffic.burst: " + burst
		}
		r.say(Mapped, text)
	}
	tos := maps("traffic.tos")
	r.getopt(words, []option{
		takes("-c --client", host),
		is("-u --udp", func(r *reader, _ string) { r.udp = true; r.set("traffic", "udp") }),
		takes("-b --bitrate --bandwidth", bitrate),
		takes("-l --length", sized("traffic.message")),
		takes("-P --parallel", flowsOf),
		takes("-t --time", seconds),
		takes("-n --bytes", func(r *reader, value string) {
			if size, ok := r.bytes(value); ok {
				r.set("measure.max_bytes", size, "the run ends when each arm has received them, or when it is sure, or after --max-time")
			}
		}),
		takes("-k --blockcount", func(r *reader, value string) {
			size, err := scenarios.ParseSize(value)
			if err != nil {
				r.refuse(fmt.Sprintf("%q is no number of blocks", value))
				return
			}
			r.set("measure.max_messages", fmt.Sprint(int(size)), "of datagrams; of a byte stream they are receive calls")
		}),
		is("-R --reverse", mapsTo("traffic.direction", "reverse")),
		is("--bidir", mapsTo("traffic.direction", "both")),
		takes("-w --window", func(r *reader, value string) {
			if size, ok := r.bytes(value); ok {
				r.settings["traffic.receive_buffer"] = size
				r.set("traffic.send_buffer", size, "traffic.receive_buffer: "+size)
			}
		}),
		takes("-C --congestion --linux-congestion", maps("traffic.congestion")),
		takes("-M --set-mss", maps("traffic.mss")),
		is("-N --no-delay --nodelay", mapsTo("traffic.nodelay", "on")),
		is("-4 --version4", mapsTo("topology.family", "ipv4")),
		is("-6 --version6", mapsTo("topology.family", "ipv6")),
		takes("-S --tos", tos),
		takes("--dscp", func(r *reader, value string) {
			var point int
			if _, err := fmt.Sscanf(value, "%v", &point); err == nil && point >= 0 && point < 64 {
				value = fmt.Sprint(point << 2)
			}
			r.set("traffic.tos", value)
		}),
		is("--dont-fragment", mapsTo("traffic.dont_fragment", "on")),
		is("-Z --zerocopy", mapsTo("traffic.source", "sendfile")),
		is("--skip-rx-copy", mapsTo("traffic.sink.truncate", "on")),
		takes("--fq-rate", maps("traffic.pacing_rate")),
		mayTake("--gsro", func(r *reader, _ string) {
			r.settings["traffic.sink.gro"] = "on"
			r.settings["gso"] = ""
			r.say(Mapped, "traffic.source.segment: the message; traffic.sink.gro: on")
		}),
		is("-m --mptcp", mapsTo("traffic.mptcp", "on")),
		takes("-A --affinity", func(r *reader, value string) {
			source, sink, both := strings.Cut(value, ",")
			if !both {
				r.refuse("one end only: netab places both, as -A N,M does; or leave it off, and each has a core of its own")
				return
			}
			cpus(r, source, sink)
		}),
		takes("--pacing-timer", moot("netab's source wakes up for each message (or each traffic.burst of them), not by a timer")),
		takes("-O --omit", moot("the first part of each slice is settle time and never counted (measure.settle)")),
		takes("-i --interval", moot("netab keeps every slice of 25 ms; netab results export --format csv shows them")),
		is("-J --json", moot("netab run --json, or later netab results show --json")),
		is("--json-stream", moot("netab run --json, or later netab results show --json")),
		takes("-f --format", moot(outputs)),
		is("-V --verbose", moot(outputs)),
		mayTake("-d --debug", moot(outputs)),
		takes("--logfile", moot(outputs)),
		is("--forceflush", moot(outputs)),
		mayTake("--timestamps", moot(outputs)),
		takes("-T --title", moot("netab run --set name=...; every run has an id")),
		takes("--extra-data", moot("a record holds the scenario and the machine; --machine names it")),
		is("--get-server-output", moot("both ends are in the record")),
		takes("-p --port", moot(ports)),
		takes("--cport", moot(ports)),
		takes("--connect-timeout", moot(oneMachine)),
		takes("--rcv-timeout", moot("what hangs is noticed and said")),
		takes("--snd-timeout", moot("what hangs is noticed and said")),
		takes("-I --pidfile", moot(oneMachine)),
		is("--udp-counters-64bit", moot("netab's counters have 64 bits")),
		is("--repeating-payload", moot("netab's payload is a pattern; traffic.verify checks it")),
		takes("-B --bind", refuses("an address of this host: netab's ends have addresses of their own (topology.source_address)")),
		takes("--bind-dev", refuses("a device: topology: {kind: nic, source_device: ..., sink_device: ...}")),
		takes("-F --file", refuses("netab sends a pattern, no file of yours (traffic.source: sendfile sends it from a file)")),
		takes("-L --flowlabel", refuses("netab sets no IPv6 flow label")),
		is("--sctp", refuses("netab has tcp, udp, unix-stream and unix-dgram")),
		takes("-X --xbind", refuses("netab has no SCTP")),
		takes("--nstreams", refuses("netab has no SCTP")),
		takes("--username", refuses("there is no server to log in to")),
		takes("--rsa-public-key-path", refuses("there is no server to log in to")),
		is("-s --server", refuses("translate the client's line: "+oneMachine)),
		is("-D --daemon", refuses("translate the client's line: "+oneMachine)),
		is("-1 --one-off", refuses("translate the client's line: "+oneMachine)),
	}, stranger(r))
	r.unless("topology", "veth", "two namespaces of this machine")
	if r.udp {
		r.unless("traffic.message", "1448", "what iperf3 takes where the path's MTU is 1500")
		if _, given := r.settings["rate given"]; !given {
			r.typed = "(default)"
			r.rate = 1e6
			r.say(Mapped, "traffic.rate: 1Mbit/s for each flow, as iperf3 -u sends without -b")
		}
		if r.settings["traffic.source"] == "sendfile" {
			r.typed = "-Z"
			r.refuse("over UDP iperf3 ignores it; netab's sendfile takes byte streams")
		}
	} else {
		r.unless("traffic", "tcp", "iperf3's default")
		r.unless("traffic.message", "128K", "iperf3's default")
		if r.settings["traffic.congestion"] == "" {
			r.typed = "(default)"
			r.say(Mapped, "traffic.congestion: cubic, where iperf3 takes the host's default (sysctl net.ipv4.tcp_congestion_control)")
		}
	}
	if _, gso := r.settings["gso"]; gso {
		r.settings["traffic.source.segment"] = r.settings["traffic.message"]
		delete(r.settings, "traffic.message") // as many segments as a call takes
	}
	delete(r.settings, "gso")
	delete(r.settings, "rate given")
}
