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
	r.getopt(words, optionsOf("iperf3",
		is("-u --udp", func(r *reader, _ string) { r.udp = true; r.set("traffic", "udp") }),
		takes("-b --bitrate --bandwidth", bitrate),
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
		takes("--dscp", func(r *reader, value string) {
			var point int
			if _, err := fmt.Sscanf(value, "%v", &point); err == nil && point >= 0 && point < 64 {
				value = fmt.Sprint(point << 2)
			}
			r.set("traffic.tos", value)
		}),
		mayTake("--gsro", func(r *reader, _ string) {
			r.settings["traffic.sink.gro"] = "on"
			r.settings["gso"] = ""
			r.say(Mapped, "traffic.source.segment: the message; traffic.sink.gro: on")
		}),
		takes("-A --affinity", func(r *reader, value string) {
			source, sink, both := strings.Cut(value, ",")
			if !both {
				r.refuse("one end only: netab places both, as -A N,M does; or leave it off, and each has a core of its own")
				return
			}
			cpus(r, source, sink)
		}),
	), stranger(r))
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
		r.cubic("iperf3")
	}
	if _, gso := r.settings["gso"]; gso {
		r.settings["traffic.source.segment"] = r.settings["traffic.message"]
		delete(r.settings, "traffic.message") // as many segments as a call takes
	}
	delete(r.settings, "gso")
	delete(r.settings, "rate given")
}
