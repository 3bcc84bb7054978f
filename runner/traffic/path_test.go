package traffic

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results/vocab"
	"netab/test/need"
)

// A pathCase is a stream by one pair of paths.
type pathCase struct {
	protocol vocab.Protocol
	v6       bool
	message  int
	source   Path
	sink     Path
	more     func(*Config)
	// happens are events that must be there; any other is a fault.
	happens []string
}

func (c pathCase) name() string {
	over := string(c.protocol)
	if c.v6 {
		over += "6"
	}
	return fmt.Sprintf("%s/%d/%s-%s", over, c.message, nameOf(c.source, "send"), nameOf(c.sink, "recv"))
}

func nameOf(p Path, usual string) string {
	words := []string{usual}
	if p.Call != "" {
		words[0] = p.Call
	}
	for word, is := range map[string]bool{"zerocopy": p.ZeroCopy, "gro": p.GRO, "truncate": p.Truncate, "segment": p.Segment > 0, p.Socket: p.Socket != "", "batch": p.Batch > 0} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words[1:])
	return strings.Join(words, "+")
}

// pathCases are the paths of scenarios/trafficcheck.go by protocol: each source
// path against the usual sink, each sink path against the usual source, and
// pairs that have a reason.
func pathCases() (out []pathCase) {
	plainSources := []Path{{Call: "send"}, {Call: "sendto"}, {Call: "sendmsg"}, {Call: "write"}}
	plainSinks := []Path{{Call: "recv"}, {Call: "recvfrom"}, {Call: "recvmsg"}, {Call: "read"}}
	streamSources := append(slices.Clone(plainSources), Path{Call: "sendfile"}, Path{Call: "splice"})
	streamSinks := append(slices.Clone(plainSinks), Path{Call: "splice"})
	truncating := []Path{{Call: "recv", Truncate: true}, {Call: "recvfrom", Truncate: true}, {Call: "recvmsg", Truncate: true}}
	copied := []string{"zerocopy completed", "zerocopy copied"}
	add := func(c pathCase, sources, sinks []Path) {
		for _, p := range sources {
			c := c
			c.source = p
			if p.ZeroCopy && p.Call != "io_uring" {
				c.happens = copied
			} else if p.ZeroCopy {
				c.happens = copied[1:]
			}
			out = append(out, c)
		}
		for _, p := range sinks {
			c := c
			c.sink = p
			if p.Call == "tcp-zerocopy" {
				c.happens = []string{"bytes copied"}
			}
			out = append(out, c)
		}
	}
	add(pathCase{protocol: "tcp", message: 64 << 10}, append(streamSources, Path{Call: "send", ZeroCopy: true}, Path{Call: "sendto", ZeroCopy: true},
		Path{Call: "sendmsg", ZeroCopy: true}, Path{Call: "io_uring", Batch: 4}, Path{Call: "io_uring", ZeroCopy: true}),
		append(append(streamSinks, truncating...), Path{Call: "tcp-zerocopy"}, Path{Call: "io_uring", Batch: 8}))
	add(pathCase{protocol: "unix-stream", message: 16 << 10}, streamSources, streamSinks)
	add(pathCase{protocol: "unix-dgram", message: 1000}, append(plainSources, Path{Call: "sendmmsg", Batch: 8}), append(append(plainSinks, truncating...),
		Path{Call: "recvmmsg", Batch: 8}, Path{Call: "recvmmsg", Batch: 8, Truncate: true}))
	for _, v6 := range []bool{false, true} {
		udp := pathCase{protocol: "udp", message: 1400, v6: v6}
		add(udp, append(plainSources, Path{Call: "sendmmsg", Batch: 16}, Path{Call: "sendto", Socket: "open"}, Path{Call: "sendmsg", Socket: "open"},
			Path{Call: "sendmmsg", Batch: 8, Socket: "open"}, Path{Call: "send", ZeroCopy: true}, Path{Call: "sendmmsg", Batch: 8, ZeroCopy: true},
			Path{Call: "io_uring", Batch: 8}, Path{Call: "io_uring", Batch: 8, ZeroCopy: true}, Path{Call: "packet", Batch: 16}),
			append(append(plainSinks, truncating...), Path{Call: "recvmmsg", Batch: 16}, Path{Call: "recvmmsg", Batch: 16, Truncate: true},
				Path{Call: "io_uring", Batch: 64}, Path{Call: "recvmsg", GRO: true}, Path{Call: "recvmmsg", Batch: 4, GRO: true}))
		// Trains: of 10 segments, whole and the last one short.
		udp.message = 10000
		add(udp, []Path{{Call: "send", Segment: 1000}, {Call: "sendmmsg", Batch: 3, Segment: 1000}, {Call: "send", Segment: 1050}, {Call: "sendmsg", Segment: 1000, ZeroCopy: true}}, nil)
		for _, sink := range []Path{{Call: "recvmsg", GRO: true}, {Call: "recvmmsg", Batch: 4, GRO: true}, {Call: "recvmsg", GRO: true, Truncate: true}} {
			for _, source := range []Path{{Call: "send", Segment: 1000}, {Call: "sendmsg", Segment: 1050}} {
				udp.source, udp.sink = source, sink
				out = append(out, udp)
			}
		}
		udp.message, udp.source, udp.sink = 1, Path{}, Path{}
		out = append(out, udp)
		udp.message, udp.sink.Truncate = 60000, true
		out = append(out, udp)
	}
	return append(out,
		pathCase{protocol: "tcp", message: 1000, v6: true, more: func(c *Config) { c.NoDelay, c.NotSentLowat = true, 16<<10 }},
		pathCase{protocol: "tcp", message: 1, more: func(c *Config) { c.Congestion = "reno" }},
		pathCase{protocol: "tcp", message: 64 << 10, sink: Path{LowWater: 100000, BusyPoll: 50}, more: func(c *Config) { c.SendBuffer, c.ReceiveBuffer = 100000, 200000 }},
		pathCase{protocol: "tcp", message: 64 << 10, more: func(c *Config) { c.PacingRate, c.SendBuffer = 100<<20, 200_000 }},
		pathCase{protocol: "udp", message: 500, source: Path{Call: "sendmsg"}, more: func(c *Config) { c.Sizes = []int{64, 64, 500, 1} }},
		pathCase{protocol: "udp", message: 500, sink: Path{Call: "recvmmsg", Batch: 4}, more: func(c *Config) { c.Sizes = []int{64, 64, 500, 1} }},
		pathCase{protocol: "udp", message: 500, source: Path{Call: "sendto", Socket: "open"}, sink: Path{Socket: "open"}, more: func(c *Config) { c.Sizes = []int{500, 64, 1} }},
		pathCase{protocol: "tcp", message: 500, source: Path{Call: "write"}, more: func(c *Config) { c.Sizes = []int{64, 64, 500, 1} }},
		pathCase{protocol: "tcp", message: 4096, source: Path{ZeroCopy: true}, sink: Path{Call: "tcp-zerocopy"}, happens: []string{"zerocopy completed", "zerocopy copied", "bytes copied"}},
	)
}

// TestPaths sends by every path of the table.
func TestPaths(t *testing.T) {
	sources, sinks := map[string]bool{"pktgen": true}, map[string]bool{} // see kernelsource_test.go
	for _, c := range pathCases() {
		sources[c.source.Call], sinks[c.sink.Call] = true, true
		t.Run(c.name(), func(t *testing.T) {
			if c.source.Call == "packet" {
				need.Root(t)
			}
			retry(t, c.try)
		})
	}
	for name := range maps.Keys(sourceCalls) {
		if !sources[name] {
			t.Errorf("no case for the source path %q", name)
		}
	}
	for name := range maps.Keys(sinkCalls) {
		if !sinks[name] {
			t.Errorf("no case for the sink path %q", name)
		}
	}
}

func (c pathCase) try(t *testing.T, by stretch) string {
	config := Config{Protocol: c.protocol, IPv6: c.v6, Message: c.message, Source: c.source, Sink: c.sink}
	if c.more != nil {
		c.more(&config)
	}
	l := newLedger(t)
	s := openFlows(t, config, 1)
	windows := by.shortRun(2)
	r, ok := runs(t, s, windows)
	if !ok {
		return "late"
	}
	return checkReport(t, l, config, 1, windows, r, c.happens)
}

// checkReport checks what must hold of any stream's report, whatever the machine
// did meanwhile; it returns what may be the machine's fault.
func checkReport(t *testing.T, l ledger, c Config, flows int, windows []Window, r *Report, happens []string) string {
	t.Helper()
	g := &r.Groups[0]
	if len(g.Windows) != len(windows) || len(g.Ends) != 2*flows {
		t.Fatalf("got %d windows and %d ends", len(g.Windows), len(g.Ends))
	}
	source, sink := g.sums()
	sourceCounted, sinkCounted := g.windowSums(&c)
	if c.stream() {
		if source.Total.Bytes != sink.Total.Bytes || sink.Total.Drops != 0 {
			t.Errorf("sent %d bytes, received %d, drops %d", source.Total.Bytes, sink.Total.Bytes, sink.Total.Drops)
		}
	} else {
		drops := sink.Total.Drops
		if c.Sink.GRO && c.Source.Segment > 0 { // the socket drops whole trains
			drops *= int64((c.Message + c.Source.Segment - 1) / c.Source.Segment)
		}
		if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, drops); missing != "" {
			return missing
		}
		if sink.Total.Drops == 0 && source.Total.Msgs == sink.Total.Msgs && source.Total.Bytes != sink.Total.Bytes {
			t.Errorf("all messages arrived, but of %d bytes %d", source.Total.Bytes, sink.Total.Bytes)
		}
		for _, sum := range []Counts{source.Total, sink.Total, sourceCounted, sinkCounted} {
			if !c.fits(sum) {
				t.Errorf("%d messages cannot be %d bytes", sum.Msgs, sum.Bytes)
			}
		}
	}
	for name, sum := range map[string][2]Counts{"source": {source.Counted, sourceCounted}, "sink": {sink.Counted, sinkCounted}} {
		if sum[0].Bytes != sum[1].Bytes || sum[0].Msgs != sum[1].Msgs {
			t.Errorf("%s: the ends counted %+v, the windows %+v", name, sum[0], sum[1])
		}
	}
	if source.Total.Bytes == 0 || sink.Total.Bytes == 0 { // nothing can have happened to nothing
		return fmt.Sprintf("nothing moved: %+v, %+v", source, sink)
	}
	checkEvents(t, c, source, sink, happens)
	switch {
	case source.Counted.Bytes == 0 || sink.Counted.Bytes == 0:
		return fmt.Sprintf("nothing moved in counted parts: %+v, %+v", source, sink)
	case source.Counted.Bytes >= source.Total.Bytes || sink.Counted.Bytes >= sink.Total.Bytes:
		return fmt.Sprintf("settle parts were counted, or saw nothing: %+v, %+v", source, sink)
	case source.Counted.CPU <= 0 || sink.Counted.CPU <= 0:
		return fmt.Sprintf("no CPU time: %+v, %+v", source, sink)
	}
	return ""
}

// fits says whether so many messages can have so many bytes.
func (c *Config) fits(n Counts) bool {
	least, most := int64(c.datagram()), int64(c.datagram())
	switch {
	case len(c.Sizes) > 0:
		least, most = int64(slices.Min(c.Sizes)), int64(slices.Max(c.Sizes))
	case c.Source.Segment > 0 && c.Message%c.Source.Segment > 0:
		least = int64(c.Message % c.Source.Segment)
	}
	return n.Bytes >= n.Msgs*least && n.Bytes <= n.Msgs*most
}

func checkEvents(t *testing.T, c Config, source, sink EndResult, happens []string) {
	t.Helper()
	all := maps.Clone(source.Events)
	maps.Copy(all, sink.Events)
	for name := range all {
		optional := name == "bytes mapped" || name == "retries" && (c.Source.Call == "packet" || c.Source.Call == "sendmmsg" && all[name] < 3) // when a batch is cut short at the end
		if !slices.Contains(happens, name) && !optional {
			t.Errorf("%s: %d", name, all[name])
		}
	}
	for _, name := range happens {
		if all[name] == 0 {
			t.Errorf("no %s", name)
		}
	}
	calls := source.Total.Msgs
	if c.Source.Segment > 0 {
		calls = source.Total.Bytes / int64(c.Message)
	}
	if slices.Contains(happens, "zerocopy completed") && all["zerocopy completed"] != calls {
		t.Errorf("%d calls with MSG_ZEROCOPY, %d completed", calls, all["zerocopy completed"])
	}
	if n := all["zerocopy copied"]; slices.Contains(happens, "zerocopy copied") && n != calls {
		t.Errorf("%d messages over lo, %d of them copied", calls, n)
	}
	if c.Sink.Call == "tcp-zerocopy" && all["bytes mapped"]+all["bytes copied"] != sink.Total.Bytes {
		t.Errorf("mapped %d, copied %d, received %d bytes", all["bytes mapped"], all["bytes copied"], sink.Total.Bytes)
	}
}

// TestRun lets flows go through windows that touch, and such with gaps.
func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		flows  int
		gap    time.Duration
	}{
		"tcp":             {Config{Protocol: "tcp", Message: 64 << 10}, 1, 20 * time.Millisecond},
		"tcp no gap":      {Config{Protocol: "tcp", Message: 64 << 10}, 1, 0},
		"tcp three flows": {Config{Protocol: "tcp", Message: 64 << 10, ReceiveBuffer: 256 << 10}, 3, 5 * time.Millisecond},
		"udp":             {Config{Protocol: "udp", Message: 1472}, 1, 20 * time.Millisecond},
		"udp ipv6 tiny":   {Config{Protocol: "udp", Message: 1, IPv6: true}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				l := newLedger(t)
				s := openFlows(t, tc.config, tc.flows)
				windows := by.windowsFrom(10*time.Millisecond, 4, 20*time.Millisecond, 5*time.Millisecond, tc.gap)
				r, ok := runs(t, s, windows)
				if !ok {
					return "late"
				}
				if problem := checkReport(t, l, tc.config, tc.flows, windows, r, nil); problem != "" {
					return problem
				}
				return everyWindow(t, windows, r)
			})
		})
	}
}

// everyWindow says what an idle machine would have done in each window.
func everyWindow(t *testing.T, windows []Window, r *Report) string {
	for i, w := range r.Groups[0].Windows {
		if w.Slice != windows[i].Slice {
			t.Errorf("window %d is of slice %d", i, w.Slice)
		}
		if w.TxBytes <= 0 || w.RxBytes <= 0 || w.SourceCPU <= 0 || w.SinkCPU <= 0 {
			return fmt.Sprintf("window %d: %+v", i, w)
		}
	}
	for _, e := range r.Groups[0].Ends {
		if e.Port == 0 {
			t.Errorf("flow %d has no port", e.Flow)
		}
		if e.Sink && len(e.SoftirqCPU) == 0 {
			t.Errorf("flow %d: CPU of the softirq unknown", e.Flow)
		}
	}
	return ""
}
