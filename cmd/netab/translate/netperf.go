package translate

import (
	"fmt"
	"strings"

	"netab/results/vocab"
	"netab/scenarios"
)

// superNetperf is the script of kernel developers: a number of netperf side by side.
func superNetperf(r *reader, words []string) {
	r.typed = "N"
	if len(words) == 0 || strings.Trim(words[0], "0123456789") != "" || words[0] == "0" {
		r.refuse("the first word is how many netperf there are")
		return
	}
	r.typed = words[0]
	flowsOf(r, words[0])
	netperf(r, words[1:])
}

// decimal is a size of netperf's: K, M and G are powers of 1024, k, m and g of 1000.
func decimal(value string) (string, bool) {
	factor, number := 1, value
	for suffix, f := range map[string]int{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "k": 1e3, "m": 1e6, "g": 1e9} {
		if n, ok := strings.CutSuffix(value, suffix); ok {
			factor, number = f, n
		}
	}
	var n int
	if _, err := fmt.Sscanf(number, "%d", &n); err != nil || n < 1 || fmt.Sprint(n) != number {
		return "", false
	}
	return scenarios.Size(n * factor).String(), true
}

func netperf(r *reader, words []string) {
	test := "TCP_STREAM"
	confidence := func(r *reader, value string) {
		level, width, both := strings.Cut(value, ",")
		var whole float64
		if both {
			if _, err := fmt.Sscan(width, &whole); err != nil || whole <= 0 {
				r.refuse(fmt.Sprintf("%q is no width", width))
				return
			}
			r.settings["measure.width"] = fmt.Sprintf("%g%%", whole/2)
		}
		if level == "" {
			level = "99"
		}
		r.set("measure.confidence", level+"%", fmt.Sprintf("measure.width: %s, which is half of what netperf's is from end to end", orDefault(r.settings["measure.width"], "2.5%")))
		r.settings["measure.width"] = orDefault(r.settings["measure.width"], "2.5%")
	}
	rest := r.getopt(words, optionsOf("netperf",
		takes("-H", func(r *reader, value string) {
			name, family, _ := strings.Cut(value, ",")
			host(r, name)
			if family == "6" || family == "inet6" {
				r.settings["topology.family"] = "ipv6"
			}
		}),
		takes("-t", func(r *reader, value string) {
			test = strings.ToUpper(value)
			switch {
			case test == "OMNI":
				r.moot("what it does is said by its options -d and -T")
			case scenarios.IsWorkload(test):
				r.set("traffic", test)
			default:
				r.refuse("netab has no " + test)
			}
		}),
		takes("-l", func(r *reader, value string) {
			if strings.HasPrefix(value, "-") {
				r.set("measure.max_messages", value[1:], "transactions")
				return
			}
			seconds(r, value)
		}),
		takes("-T", func(r *reader, value string) {
			source, sink, both := strings.Cut(value, ",")
			if !both {
				source, sink = value, value
			}
			if source == "" || sink == "" {
				r.refuse("one end only: netab places both, as -T N,M does; or leave it off, and each has a core of its own")
				return
			}
			cpus(r, source, sink)
		}),
		takes("-I", confidence),
		takes("-Y", func(r *reader, value string) {
			local, remote, both := strings.Cut(value, ",")
			if both && remote != local {
				r.refuse("both ends have one type of service (traffic.tos)")
				return
			}
			r.set("traffic.tos", strings.ToLower(local))
		}),
	), stranger(r))
	r.netperfTest(test, rest)
}

// netperfTest reads what stands behind "--".
func (r *reader) netperfTest(test string, words []string) {
	kind := test
	direction, protocol := "", "TCP"
	pair := func(set func(r *reader, one string)) func(*reader, string) {
		return func(r *reader, value string) {
			local, remote, both := strings.Cut(value, ",")
			if both && local != remote {
				r.refuse("the two ends differ, which netab's do not")
				return
			}
			set(r, local)
		}
	}
	size := func(path string, more ...string) func(*reader, string) {
		return func(r *reader, value string) {
			text, ok := decimal(value)
			if !ok {
				r.refuse(fmt.Sprintf("%q is no number of bytes", value))
				return
			}
			r.setAll(text, append([]string{path}, more...)...)
		}
	}
	r.getopt(words, optionsOf("netperf --",
		takes("-m", pair(size("traffic.message"))),
		takes("-M", pair(size("traffic.sink.read"))),
		takes("-r", func(r *reader, value string) {
			request, response, both := strings.Cut(value, ",")
			if !both {
				response = request
			}
			a, ok := decimal(request)
			b, alsoOK := decimal(response)
			if !ok || !alsoOK {
				r.refuse(fmt.Sprintf("%q are no sizes of request and response", value))
				return
			}
			r.settings["traffic.response"] = b
			r.set("traffic.message", a, "traffic.response: "+b)
		}),
		takes("-b", func(r *reader, value string) {
			var n int
			if _, err := fmt.Sscan(value, &n); err != nil || n < 0 {
				r.refuse(fmt.Sprintf("%q is no number of requests", value))
				return
			}
			r.set("traffic.depth", fmt.Sprint(n+1), "one request, and as many more outstanding")
		}),
		takes("-s", pair(size("traffic.send_buffer", "traffic.receive_buffer"))),
		takes("-S", pair(size("traffic.receive_buffer", "traffic.send_buffer"))),
		takes("-K", pair(func(r *reader, one string) { r.set("traffic.congestion", one) })),
		takes("-d", func(r *reader, value string) {
			switch direction = strings.ToLower(value); direction {
			case "send", string(vocab.Stream), "xmit", "2":
				direction = "send"
				r.say(Mapped, "traffic: a stream")
			case "recv", "receive", "maerts", "4":
				direction = "recv"
				r.say(Mapped, "traffic.direction: reverse")
			case string(vocab.RR), "6":
				direction = string(vocab.RR)
				r.say(Mapped, "traffic: rr")
			default:
				r.refuse(fmt.Sprintf("netab knows no direction %q", value))
			}
		}),
		takes("-T", func(r *reader, value string) {
			protocol = strings.ToUpper(value)
			r.say(Mapped, "traffic.protocol: "+strings.ToLower(value))
			if protocol != "TCP" && protocol != "UDP" {
				r.refuse("netab has tcp and udp of these")
			}
		}),
		is("-c", func(r *reader, _ string) { direction = string(vocab.CRR); r.say(Mapped, "traffic: crr") }),
	), stranger(r))
	if test == "OMNI" {
		kind = map[string]string{"": "_STREAM", "send": "_STREAM", "recv": "_MAERTS", string(vocab.RR): "_RR", string(vocab.CRR): "_CRR"}[direction]
		kind = protocol + kind
		if kind == "UDP_MAERTS" {
			kind = "UDP_STREAM"
			r.settings["traffic.direction"] = "reverse"
		}
		r.settings["traffic"] = kind
	} else {
		r.unless("traffic", "TCP_STREAM", "netperf's default")
	}
	r.unless("topology", "loopback", "netperf's default host is localhost")
	if r.settings["traffic.message"] == "" {
		switch {
		case kind == "UDP_STREAM":
			r.unless("traffic.message", "65507", "the most that a datagram holds: netperf fills its socket's buffer, and IP fragments it; -m 1472 fits into a packet of Ethernet")
		case strings.HasPrefix(kind, "TCP_") && !strings.HasSuffix(kind, "RR"):
			r.unless("traffic.message", "16K", "netperf sends as much as its socket's first buffer has, which Linux makes 16 KiB")
		}
	}
	if strings.HasPrefix(kind, "TCP_") {
		r.cubic("netperf")
	}
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
