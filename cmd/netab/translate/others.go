package translate

import (
	"fmt"
	"slices"
	"strings"

	"netab/scenarios"
)

// neper's programs are called as what they measure; long options are written with - or _.
func neper(r *reader, words []string) {
	for i, word := range words {
		if name, value, attached := strings.Cut(word, "="); strings.HasPrefix(word, "--") {
			name = strings.ReplaceAll(name, "_", "-")
			if words[i] = name; attached {
				words[i] += "=" + value
			}
		}
	}
	answers := strings.HasSuffix(r.name, "rr")
	length := func(r *reader, value string) {
		if strings.HasPrefix(value, "-") {
			r.set("measure.max_messages", value[1:], "transactions")
			return
		}
		seconds(r, value)
	}
	threads := ""
	options := optionsOf("neper: streams")
	if answers {
		options = optionsOf("neper: requests")
	}
	if r.name == "tcp_stream" {
		options = append(optionsOf("tcp_stream"), options...)
	}
	r.getopt(words, append(options, optionsOf("neper",
		takes("-T --num-threads", func(r *reader, value string) {
			threads = value
			if r.name == "tcp_crr" {
				r.moot("each flow of crr has a thread of its own here")
				return
			}
			r.set("traffic.threads", value)
		}),
		takes("-l --test-length", length),
		takes("-m --max-pacing-rate", func(r *reader, value string) {
			rate, err := scenarios.ParseRate(value)
			if err != nil {
				r.refuse(fmt.Sprintf("%q is no rate", value))
				return
			}
			r.set("traffic.pacing_rate", (rate * 8).String(), "in bits, where neper counts bytes")
		}),
	)...), stranger(r))
	r.typed = r.name
	r.set("traffic", strings.ToUpper(r.name))
	r.unless("topology", "veth", "two namespaces of this machine")
	switch {
	case r.settings["traffic.source.zerocopy"] != "" && r.settings["traffic.threads"] == "1" || r.flows <= 1 && threads == "":
		delete(r.settings, "traffic.threads")
	case threads == "" && r.name != "tcp_crr" && r.name != "udp_rr" && r.name != "udp_stream" && r.settings["traffic.source.zerocopy"] == "":
		r.unless("traffic.threads", "1", "neper's default: one thread for all flows")
	case threads == "":
		r.typed = "(default)"
		r.say(Mapped, "a thread for each flow, where neper has one for all")
	}
	switch r.name {
	case "tcp_stream":
		r.unless("traffic.message", "16K", "neper's default")
	case "udp_stream":
		r.unless("traffic.message", "1400", "neper's default")
	}
	if strings.HasPrefix(r.name, "tcp") {
		r.cubic("neper")
	}
}

func sockperf(r *reader, words []string) {
	r.typed = "sockperf"
	if len(words) == 0 {
		r.refuse("the first word is what to do: ping-pong, under-load, throughput")
		return
	}
	mode := map[string]string{"pp": "ping-pong", "ul": "under-load", "tp": "throughput"}[words[0]]
	mode = orDefault(mode, words[0])
	r.typed = words[0]
	switch mode {
	case "ping-pong", "under-load", "throughput":
	case "playback":
		r.refuse("a list of times and sizes: netab has rates (traffic.rate), bursts and distributions of sizes (traffic.sizes), and plays nothing back")
		return
	default:
		r.refuse("translate the client's line: " + oneMachine)
		return
	}
	tcp := false
	rate := func(r *reader, value string) {
		if value == "max" {
			r.say(Mapped, "no traffic.rate: as fast as it goes")
			return
		}
		mps, err := scenarios.ParseRate(value)
		if err != nil || mps <= 0 {
			r.refuse(fmt.Sprintf("%q is no number of messages a second", value))
			return
		}
		r.packs = float64(mps)
		r.say(Mapped, "traffic.rate: "+mps.String())
	}
	r.getopt(words[1:], optionsOf("sockperf",
		is("--tcp", func(r *reader, _ string) { tcp = true; r.say(Mapped, "traffic.protocol: tcp") }),
		takes("--mps --pps", rate),
		takes("--reply-every", func(r *reader, value string) {
			if value == "1" {
				r.say(Mapped, "traffic: rr, whose every request is answered")
				return
			}
			r.refuse("every request of rr is answered here: --reply-every 1")
		}),
		takes("--lls", func(r *reader, value string) { r.set("traffic.sink.busy_poll", value+"us") }),
		is("--nonblocked", func(r *reader, _ string) {
			if mode == "throughput" {
				r.set("traffic.sink.wait", "spin")
				return
			}
			r.refuse("a sink of rr sleeps until it is asked")
		}),
		is("--data-integrity", func(r *reader, _ string) {
			if mode == "throughput" {
				r.set("traffic.verify", "on")
				return
			}
			r.refuse("messages of rr are not numbered (traffic.verify is for streams)")
		}),
		takes("--sender-affinity", func(r *reader, value string) {
			r.settings["placement.source"] = value
			r.say(Mapped, "placement.source: "+value)
		}),
	), stranger(r))
	protocol := "UDP"
	if tcp {
		protocol = "TCP"
	}
	r.typed = words[0]
	if mode == "throughput" {
		r.set("traffic", protocol+"_STREAM")
	} else {
		r.set("traffic", protocol+"_RR")
		if tcp && r.settings["traffic.nodelay"] == "" {
			r.unless("traffic.nodelay", "on", "sockperf's default but for throughput")
		}
		if mode == "under-load" && r.packs == 0 {
			r.typed = "(default)"
			r.packs = 10000
			r.say(Mapped, "traffic.rate: 10k, sockperf's default under load")
		}
	}
	r.unless("topology", "veth", "two namespaces of this machine")
	r.unless("traffic.message", map[bool]string{true: "16", false: "14"}[r.packs > 0 && mode != "throughput"], "sockperf's default of 14 bytes, and 16 at least where requests are numbered")
	if source, one := r.settings["placement.source"], r.settings["placement.sink"] == ""; source != "" && one {
		r.settings["placement.sink"] = "all - (" + source + ")"
	}
}

// nuttcp attaches values to its letters: -w1m, and -ws and -wb are options of their own.
func nuttcp(r *reader, words []string) {
	window := func(paths ...string) func(*reader, string) {
		return func(r *reader, value string) {
			factor := scenarios.Size(1 << 10)
			for suffix, f := range map[string]scenarios.Size{"k": 1 << 10, "K": 1 << 10, "m": 1 << 20, "M": 1 << 20, "g": 1 << 30, "G": 1 << 30} {
				if n, ok := strings.CutSuffix(value, suffix); ok {
					value, factor = n, f
				}
			}
			var n int
			if _, err := fmt.Sscan(value, &n); err != nil || n < 1 {
				r.refuse(fmt.Sprintf("%q is no size of a window", value))
				return
			}
			r.setAll((scenarios.Size(n) * factor).String(), paths...)
		}
	}
	length := ""
	table := optionsOf("nuttcp",
		is("-ws", window("traffic.receive_buffer")),
		is("-w", window("traffic.send_buffer", "traffic.receive_buffer")),
		is("-xc", func(r *reader, v string) {
			source, sink, both := strings.Cut(v, "/")
			if !both {
				sink = source
			}
			cpus(r, source, sink)
		}),
		is("-Ri", func(r *reader, v string) { r.nuttcpRate(v, true) }),
		is("-R", func(r *reader, v string) { r.nuttcpRate(v, false) }),
		is("-T", func(r *reader, v string) {
			r.typed = "-T" + v
			v = strings.NewReplacer("H", "h", "M", "m").Replace(v)
			seconds(r, v)
		}),
		is("-u", func(r *reader, _ string) { r.udp = true; r.set("traffic", "udp") }),
		is("-l", func(r *reader, v string) {
			if size, ok := r.bytes(v); ok {
				length = size
				r.set("traffic.message", size)
			}
		}),
		is("-n", func(r *reader, v string) {
			if size, ok := r.bytes(strings.TrimSuffix(v, "")); ok && strings.Trim(v, "0123456789") == "" {
				r.set("measure.max_messages", size)
			} else if ok {
				r.set("measure.max_bytes", size)
			}
		}),
		is("-c", func(r *reader, v string) {
			var tos int
			switch n, err := fmt.Sscanf(strings.TrimRight(v, "tT"), "%v", &tos); {
			case err != nil || n != 1:
				r.refuse(fmt.Sprintf("%q is no DSCP", v))
			case strings.TrimRight(v, "tT") != v:
				r.set("traffic.tos", fmt.Sprint(tos))
			default:
				r.set("traffic.tos", fmt.Sprint(tos<<2))
			}
		}),
		is("-B", func(r *reader, _ string) {
			r.settings["whole blocks"] = ""
			r.say(Mapped, "traffic.sink.read and traffic.sink.low_water: the message, so that a sink takes whole blocks")
		}),
	)
	// "-ws" is no -w.
	slices.SortStableFunc(table, func(a, b option) int { return len(b.names[0]) - len(a.names[0]) })
words:
	for _, word := range words {
		r.typed = word
		if !strings.HasPrefix(word, "-") {
			host(r, word[strings.LastIndexByte(word, '/')+1:])
			continue
		}
		for _, o := range table {
			for _, name := range o.names {
				if value, ok := strings.CutPrefix(word, name); ok {
					o.does(r, value)
					continue words
				}
			}
		}
		r.unknown(word, nil)
	}
	r.unless("topology", "veth", "two namespaces of this machine")
	if r.udp {
		r.unless("traffic.message", "1K", "nuttcp's default over UDP")
		if r.rate == 0 && r.packs == 0 && !r.has("rate given") {
			r.typed = "(default)"
			r.say(Mapped, "no traffic.rate: as fast as it goes")
		}
	} else {
		r.unless("traffic", "tcp", "nuttcp's default")
		r.unless("traffic.message", "64K", "nuttcp's default over TCP")
		r.cubic("nuttcp")
	}
	if r.has("whole blocks") && !r.udp {
		size := orDefault(length, r.settings["traffic.message"])
		r.settings["traffic.sink.low_water"], r.settings["traffic.sink.read"] = size, size
	}
	delete(r.settings, "whole blocks")
	delete(r.settings, "rate given")
}

func (r *reader) has(key string) bool { _, ok := r.settings[key]; return ok }

// nuttcpRate reads a rate: Kbit/s, or with m, g or p; instantaneous ones with a burst.
func (r *reader) nuttcpRate(value string, instant bool) {
	number, burst, bursts := strings.Cut(value, "/")
	r.settings["rate given"] = ""
	factor := 1e3
	packets := false
	for suffix, f := range map[string]float64{"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "g": 1e9, "G": 1e9, "p": 1, "pps": 1} {
		if n, ok := strings.CutSuffix(number, suffix); ok && (suffix != "p" || !strings.HasSuffix(number, "pps")) {
			number, factor, packets = n, f, f == 1
			break
		}
	}
	var n float64
	if _, err := fmt.Sscan(number, &n); err != nil || n < 0 {
		r.refuse(fmt.Sprintf("%q is no rate", value))
		return
	}
	text := "no traffic.rate: as fast as it goes"
	switch {
	case n == 0:
	case packets:
		r.packs = n * factor
		text = "traffic.rate: " + scenarios.Rate(r.packs).String()
	default:
		r.rate = n * factor
		text = "traffic.rate: " + scenarios.Rate(r.rate).String() + "bit/s"
	}
	if bursts {
		r.settings["traffic.burst"] = burst
		text += "; traffic.burst: " + burst
	}
	if !instant && n > 0 {
		text += "; evenly, where nuttcp keeps to the mean"
	}
	r.say(Mapped, text)
	if r.flows > 1 { // -R is of all streams together
		r.rate, r.packs = r.rate/float64(r.flows), r.packs/float64(r.flows)
	}
}

// udpSink is the sink of netoptimizer/network-testing: whoever floods it is another
// program, here netab's source.
func udpSink(r *reader, words []string) {
	sink := func(path string) func(*reader, string) {
		return func(r *reader, _ string) {
			if have := r.settings["traffic.sink"]; have != "" && have != path {
				r.refuse("one way to receive in one arm: --vary traffic.sink=" + have + "," + path + " compares them")
				return
			}
			r.set("traffic.sink", path)
		}
	}
	r.getopt(words, optionsOf("udp_sink",
		is("--recvmmsg", sink("recvmmsg")), is("--recvmsg", sink("recvmsg")), is("--recvfrom", sink("recvfrom")), is("--recv", sink("recv")), is("--read", sink("read")),
		takes("--count -c", func(r *reader, value string) {
			r.moot("of one measurement: netab counts in slices, until it is sure; measure.max_messages ends a run early")
		}),
	), stranger(r))
	r.unless("traffic", "UDP_STREAM", "whoever floods it is netab's source")
	r.unless("topology", "veth", "two namespaces of this machine")
	r.unless("traffic.message", "18", "the smallest packet of Ethernet, with which such floods are made")
}
