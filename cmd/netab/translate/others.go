package translate

import (
	"fmt"
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
	buffer := sized("traffic.message")
	if answers {
		buffer = moot("requests and responses are sent in one call here")
	}
	threads := ""
	options := []option{
		is("-c --client", moot(oneMachine)),
		takes("-H --host", host),
		takes("-F --num-flows", flowsOf),
		takes("-T --num-threads", func(r *reader, value string) {
			threads = value
			if r.name == "tcp_crr" {
				r.moot("each flow of crr has a thread of its own here")
				return
			}
			r.set("traffic.threads", value)
		}),
		takes("-l --test-length", length),
		takes("-B --buffer-size", buffer),
		takes("-m --max-pacing-rate", func(r *reader, value string) {
			rate, err := scenarios.ParseRate(value)
			if err != nil {
				r.refuse(fmt.Sprintf("%q is no rate", value))
				return
			}
			r.set("traffic.pacing_rate", (rate * 8).String(), "in bits, where neper counts bytes")
		}),
		is("-4 --ipv4", mapsTo("topology.family", "ipv4")),
		is("-6 --ipv6", mapsTo("topology.family", "ipv6")),
		takes("-I --interval", moot("netab keeps every slice of 25 ms; netab results export --format csv shows them")),
		mayTake("-A --all-samples", moot("netab keeps every slice of 25 ms; netab results export --format csv shows them")),
		takes("--iostat-ms", moot("netab keeps every slice of 25 ms; netab results export --format csv shows them")),
		takes("--discard", moot("the first part of each slice is settle time and never counted (measure.settle)")),
		takes("--wait-start", moot("netab knows when both ends are ready")),
		takes("-s --suicide-length", moot("netab ends by itself (--max-time)")),
		takes("--num-clients", refuses("several clients: traffic: {pattern: incast, sources: N}")),
		takes("-C --control-port", moot(ports)),
		takes("-P --port", moot(ports)),
		takes("--source-port", moot(ports)),
		takes("--num-ports", moot(ports)),
		takes("--listen-backlog", moot("netab's listeners take as many as there are flows")),
		takes("--maxevents", moot("how netab waits for events is its own")),
		takes("--magic", moot(oneMachine)),
		is("-U --pin-cpu", moot("netab pins threads (placement)")),
		is("-N --pin-numa", moot("netab pins threads (placement)")),
		is("-S --stime-use-proc", moot("CPU time of each role, and of whole CPUs: "+measured)),
		is("-d --debug", moot(outputs)),
		is("--logtostderr", moot(outputs)),
		is("--nolog", moot(outputs)),
		is("-n --dry-run", moot("netab run --dry-run")),
		is("--nonblocking", moot("with traffic.threads netab's sockets are nonblocking")),
		is("--optimistic", moot("netab's responders send at once")),
		is("--freebind", moot("netab's ends have addresses of their own")),
		is("--time-wait", moot("connections of crr and conn are closed as usual")),
		is("--async-connect", moot("netab connects before the clock starts")),
		takes("--busywait", refuses("busy polling: traffic.sink.busy_poll")),
		takes("-M --mark", refuses("netab sets no SO_MARK")),
		takes("-L --local-hosts", refuses("netab's ends have addresses of their own (topology.source_address)")),
		is("-X --tcp-fastopen", refuses("netab has no TCP fast open")),
		takes("-t --tcp-tx-delay", refuses("netab sets no TCP_TX_DELAY")),
		takes("-D --delay", refuses("a pause between sends: give traffic.rate, or traffic.think of rr")),
		takes("--noburst", refuses("requests at intervals: give traffic.rate")),
	}
	if answers {
		options = append(options,
			takes("-Q --request-size", sized("traffic.message")),
			takes("-R --response-size", sized("traffic.response")),
			takes("-p --percentiles", moot("latency percentiles up to the 99.99th: "+measured)))
	} else {
		options = append(options,
			is("-Z --zerocopy", mapsTo("traffic.source.zerocopy", "on")),
			is("-E --edge-trigger", moot("how netab waits for events is its own")),
			is("-R --reuseaddr", moot(ports)),
			takes("--throughput-opt", moot(outputs)))
	}
	if r.name == "tcp_stream" {
		options = append([]option{
			is("-M --enable-tcp-maerts", mapsTo("traffic.direction", "reverse")),
			is("--skip-rx-copy", mapsTo("traffic.sink.truncate", "on")),
			is("-z --rx-zerocopy", mapsTo("traffic.sink", "tcp-zerocopy")),
			is("-w --enable-write", moot("the client writes")),
			is("-r --enable-read", mapsTo("traffic.direction", "both")),
			is("--split-bidir", mapsTo("traffic.direction", "both")),
		}, options...)
	}
	r.getopt(words, options, stranger(r))
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
		r.typed = "(default)"
		r.say(Mapped, "traffic.congestion: cubic, where neper takes the host's default (sysctl net.ipv4.tcp_congestion_control)")
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
	r.getopt(words[1:], []option{
		takes("-i --ip", host),
		is("--tcp", func(r *reader, _ string) { tcp = true; r.say(Mapped, "traffic.protocol: tcp") }),
		takes("-t --time", seconds),
		takes("-m --msg-size", sized("traffic.message")),
		takes("--mps --pps", rate),
		takes("-b --burst", maps("traffic.burst")),
		takes("--reply-every", func(r *reader, value string) {
			if value == "1" {
				r.say(Mapped, "traffic: rr, whose every request is answered")
				return
			}
			r.refuse("every request of rr is answered here: --reply-every 1")
		}),
		takes("-r --range", refuses("a range of sizes: give traffic.sizes, a distribution")),
		takes("--buffer-size", func(r *reader, value string) {
			if size, ok := r.bytes(value); ok {
				r.settings["traffic.receive_buffer"] = size
				r.set("traffic.send_buffer", size, "traffic.receive_buffer: "+size)
			}
		}),
		takes("--lls", func(r *reader, value string) { r.set("traffic.sink.busy_poll", value+"us") }),
		is("--nonblocked", func(r *reader, _ string) {
			if mode == "throughput" {
				r.set("traffic.sink.wait", "spin")
				return
			}
			r.refuse("a sink of rr sleeps until it is asked")
		}),
		takes("--recv_looping_num", moot("how often netab's sink asks again is its own")),
		takes("--tos", maps("traffic.tos")),
		is("--tcp-avoid-nodelay", mapsTo("traffic.nodelay", "off")),
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
		takes("--receiver-affinity", moot("netab's client receives in the thread that sends")),
		is("--full-rtt", moot("latency is of the whole round trip")),
		is("--giga-size", moot(outputs)),
		is("--increase_output_precision", moot(outputs)),
		takes("--full-log", moot("netab keeps every slice of 25 ms, and the histogram of every trial")),
		takes("-a --activity -A --Activity", moot(outputs)),
		is("-d --debug", moot(outputs)),
		is("--dontwarmup", moot("each trial is warmed up, and each slice has a settle part")),
		takes("--pre-warmup-wait", moot("netab knows when both ends are ready")),
		is("--no-rdtsc", moot("netab reads CLOCK_MONOTONIC")),
		takes("-p --port", moot(ports)),
		takes("--client_port", moot(ports)),
		takes("--client_ip", moot("netab's ends have addresses of their own (topology.source_address)")),
		takes("--srv-num", moot(oneMachine)),
		takes("--timeout", moot("what hangs is noticed and said")),
		takes("-F --iomux-type", moot("how netab waits for events is its own")),
		is("--uc-reuseaddr", moot(ports)),
		is("--daemonize", moot(oneMachine)),
		takes("-f --file", refuses("a list of connections: give traffic.flows, traffic.pattern")),
		is("--tcp-skip-blocking-send", refuses("netab's source waits for room")),
		takes("--mc-rx-if --mc-tx-if --mc-ttl --mc-source-filter", refuses("groups: traffic: {kind: multicast, sinks: N}")),
		is("--mc-loopback-enable", refuses("groups: traffic: {kind: multicast, sinks: N}")),
		is("--vmazcopyread --load-vma --set-sock-accl --dummy-send", refuses("netab measures the kernel's own path")),
		takes("--rate-limit", refuses("netab measures the kernel's own path; see traffic.pacing_rate")),
	}, stranger(r))
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
	window := func(path ...string) func(string) {
		return func(value string) {
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
			size := (scenarios.Size(n) * factor).String()
			for _, p := range path {
				r.settings[p] = size
			}
			r.say(Mapped, strings.Join(path, ", ")+": "+size)
		}
	}
	length, reverse := "", false
	is := func(does func(*reader, string)) func(string) { return func(v string) { does(r, v) } }
	table := []struct {
		prefix string
		does   func(value string)
	}{
		{"-ws", window("traffic.receive_buffer")}, {"-wb", is(moot("-w sets both ends here"))}, {"-w", window("traffic.send_buffer", "traffic.receive_buffer")},
		{"-xP", is(refuses("netab sets no priority of processes"))}, {"-xc", func(v string) {
			source, sink, both := strings.Cut(v, "/")
			if !both {
				sink = source
			}
			cpus(r, source, sink)
		}}, {"-xt", is(refuses("no traffic but a trace of routes"))},
		{"-Ri", func(v string) { r.nuttcpRate(v, true) }}, {"-R", func(v string) { r.nuttcpRate(v, false) }},
		{"-T", func(v string) {
			r.typed = "-T" + v
			v = strings.NewReplacer("H", "h", "M", "m").Replace(v)
			seconds(r, v)
		}},
		{"-N", is(flowsOf)}, {"-u", func(string) { r.udp = true; r.set("traffic", "udp") }},
		{"-l", func(v string) {
			if size, ok := r.bytes(v); ok {
				length = size
				r.set("traffic.message", size)
			}
		}},
		{"-n", func(v string) {
			if size, ok := r.bytes(strings.TrimSuffix(v, "")); ok && strings.Trim(v, "0123456789") == "" {
				r.set("measure.max_messages", size)
			} else if ok {
				r.set("measure.max_bytes", size)
			}
		}},
		{"-M", is(maps("traffic.mss"))}, {"-D", is(mapsTo("traffic.nodelay", "on"))},
		{"-c", func(v string) {
			var tos int
			switch n, err := fmt.Sscanf(strings.TrimRight(v, "tT"), "%v", &tos); {
			case err != nil || n != 1:
				r.refuse(fmt.Sprintf("%q is no DSCP", v))
			case strings.TrimRight(v, "tT") != v:
				r.set("traffic.tos", fmt.Sprint(tos))
			default:
				r.set("traffic.tos", fmt.Sprint(tos<<2))
			}
		}},
		{"-B", func(string) {
			r.settings["whole blocks"] = ""
			r.say(Mapped, "traffic.sink.read and traffic.sink.low_water: the message, so that a sink takes whole blocks")
		}},
		{"-4", is(mapsTo("topology.family", "ipv4"))}, {"-6", is(mapsTo("topology.family", "ipv6"))},
		{"-r", func(string) { reverse = !reverse; r.set("traffic.direction", "reverse") }}, {"-t", is(moot("the source's side sends"))},
		{"-F", is(moot("who opens a connection makes no difference to what flows"))},
		{"-i", is(moot("netab keeps every slice of 25 ms; netab results export --format csv shows them"))},
		{"-I", is(moot("every run has an id"))}, {"-v", is(moot(outputs))}, {"-b", is(moot(outputs))}, {"-f", is(moot(outputs))}, {"-d", is(moot(outputs))},
		{"-p", is(moot(ports))}, {"-P", is(moot(ports))}, {"-a", is(moot(oneMachine))}, {"--disable-v4-mapped", is(moot(oneMachine))}, {"--enable-v4-mapped", is(moot(oneMachine))},
		{"-m", is(refuses("a group: traffic: {kind: multicast, sinks: 1}"))}, {"-s", is(refuses("netab sends a pattern, no standard input"))},
		{"-S", is(refuses("translate the client's line: " + oneMachine))}, {"-1", is(refuses("translate the client's line: " + oneMachine))},
	}
words:
	for _, word := range words {
		r.typed = word
		if !strings.HasPrefix(word, "-") {
			host(r, word[strings.LastIndexByte(word, '/')+1:])
			continue
		}
		for _, o := range table {
			if value, ok := strings.CutPrefix(word, o.prefix); ok {
				o.does(value)
				continue words
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
		r.typed = "(default)"
		r.say(Mapped, "traffic.congestion: cubic, where nuttcp takes the host's default (sysctl net.ipv4.tcp_congestion_control)")
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
	r.getopt(words, []option{
		is("--recvmmsg", sink("recvmmsg")), is("--recvmsg", sink("recvmsg")), is("--recvfrom", sink("recvfrom")), is("--recv", sink("recv")), is("--read", sink("read")),
		takes("--batch -b", maps("traffic.sink.batch")),
		takes("--count -c", func(r *reader, value string) {
			r.moot("of one measurement: netab counts in slices, until it is sure; measure.max_messages ends a run early")
		}),
		takes("--repeat -r", moot(stops)),
		takes("--port -l", moot(ports)),
		is("--ipv4 -4", mapsTo("topology.family", "ipv4")), is("--ipv6 -6", mapsTo("topology.family", "ipv6")),
		is("--reuse-port", mapsTo("traffic.sink.socket", "reuseport")),
		is("--use-bpf", mapsTo("traffic.sink.socket", "reuseport-cpu")),
		is("--connect", mapsTo("traffic.sink.socket", "connected")),
		is("--check-pktgen", refuses("traffic.verify numbers and checks netab's own messages")),
		is("--lite", refuses("netab has no UDP-Lite")),
		mayTake("--verbose -v --quiet", moot(outputs)),
		is("--timestamp", refuses("netab takes no SO_TIMESTAMP")),
		is("--dont-wait", mapsTo("traffic.sink.wait", "spin")),
	}, stranger(r))
	r.unless("traffic", "UDP_STREAM", "whoever floods it is netab's source")
	r.unless("topology", "veth", "two namespaces of this machine")
	r.unless("traffic.message", "18", "the smallest packet of Ethernet, with which such floods are made")
}
