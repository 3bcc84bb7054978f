package traffic

import (
	"fmt"
	"strings"
	"testing"

	"netab/results/vocab"
)

// TestThreads lets threads share flows by epoll.
func TestThreads(t *testing.T) {
	for _, kind := range []string{"tcp", "udp", "unix-stream", "unix-dgram", "tcp rr", "udp rr", "unix-stream rr", "unix-dgram rr"} {
		protocol, rr, _ := strings.Cut(kind, " ")
		for _, threads := range []int{1, 2} {
			for _, flows := range []int{threads, 7, 100} {
				c := Config{Protocol: vocab.Protocol(protocol), Kind: vocab.Kind(rr), Message: 400, Response: 100, NoDelay: true, Threads: threads, Timeout: 500 * ms}
				t.Run(fmt.Sprintf("%s/%d flows of %d threads", kind, flows, threads), func(t *testing.T) {
					retry(t, func(t *testing.T, by stretch) string { return tryThreads(t, by, c, flows) })
				})
			}
		}
	}
}

func tryThreads(t *testing.T, by stretch, c Config, flows int) string {
	l := newLedger(t)
	s := openFlows(t, c, flows)
	r, ok := runs(t, s, by.patient(by.shortRun(2), 5e6))
	if !ok {
		return "late"
	}
	g := &r.Groups[0]
	source, sink := g.sums()
	sourceCounted, sinkCounted := g.windowSums(&c)
	switch under := sink.Total.Msgs - source.Total.Msgs; {
	case c.Kind == "rr" && (under < 0 || under > int64(flows)):
		t.Errorf("the sources had %d transactions, the sinks %d", source.Total.Msgs, sink.Total.Msgs)
	case c.Kind == "rr" && under > 0:
		return fmt.Sprintf("%d responses were not received in the time that the schedule gave", under)
	case c.Kind == "rr":
	case c.stream() && source.Total.Bytes != sink.Total.Bytes:
		t.Errorf("sent %d bytes, received %d", source.Total.Bytes, sink.Total.Bytes)
	case !c.stream():
		if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, sink.Total.Drops); missing != "" {
			return missing
		}
	}
	if source.Threads != c.Threads || sink.Threads != c.Threads {
		t.Errorf("%d and %d threads, want %d", source.Threads, sink.Threads, c.Threads)
	}
	// What the ends counted is what their threads counted, CPU time and all.
	for name, sum := range map[string][2]Counts{"source": {source.Counted, sourceCounted}, "sink": {sink.Counted, sinkCounted}} {
		if a, b := sum[0], sum[1]; a.Bytes != b.Bytes || a.Msgs != b.Msgs || a.CPU != b.CPU || a.Wait != b.Wait {
			t.Errorf("%s: the ends counted %+v, the windows %+v", name, a, b)
		}
	}
	perFlow := map[int][2]Counts{}
	for _, e := range g.Ends {
		if len(e.Events) > 0 {
			t.Errorf("flow %d: %v", e.Flow, e.Events)
		}
		if e.Threads == 0 && (e.Total.CPU != 0 || e.CPUs != nil) {
			t.Errorf("flow %d has no thread of its own, and %v of CPU time", e.Flow, e.Total.CPU)
		}
		pair := perFlow[e.Flow]
		if e.Sink {
			pair[1] = e.Total
		} else {
			pair[0] = e.Total
		}
		perFlow[e.Flow] = pair
	}
	for flow, pair := range perFlow {
		switch {
		case c.stream() && c.Kind != "rr" && pair[0].Bytes != pair[1].Bytes, c.Kind == "rr" && pair[0].Msgs != pair[1].Msgs:
			t.Errorf("flow %d sent %+v, received %+v", flow, pair[0], pair[1])
		case !c.stream() && c.Kind != "rr" && pair[0].Msgs < pair[1].Msgs+pair[1].Drops:
			t.Errorf("flow %d sent %d messages, received %d and dropped %d", flow, pair[0].Msgs, pair[1].Msgs, pair[1].Drops)
		case pair[0].Bytes == 0 || pair[1].Bytes+pair[1].Drops == 0:
			return fmt.Sprintf("flow %d of %d did not move: %+v", flow, flows, pair)
		}
	}
	if c.Kind == "rr" {
		if n := count(g.Latency); n == 0 || n > source.Total.Msgs {
			return fmt.Sprintf("%d latencies of %d transactions", n, source.Total.Msgs)
		}
	}
	return ""
}

// What threads do not do, they refuse; done otherwise it would be measured.
func TestThreadsRefuse(t *testing.T) {
	for name, c := range map[string]Config{
		"rate":     {Kind: "rr", Protocol: "tcp", Message: 1, Rate: 100},
		"depth":    {Kind: "rr", Protocol: "tcp", Message: 1, Depth: 2},
		"think":    {Kind: "rr", Protocol: "tcp", Message: 1, Think: 100},
		"verify":   {Protocol: "tcp", Message: 1000, Verify: true},
		"zerocopy": {Protocol: "tcp", Message: 1000, Source: Path{ZeroCopy: true}},
		"batch":    {Protocol: "udp", Message: 1000, Source: Path{Call: "sendmmsg", Batch: 2}},
		"splice":   {Protocol: "tcp", Message: 1000, Sink: Path{Call: "splice"}},
	} {
		c.Threads = 1
		if _, err := prepare(t, c, 2); err == nil || !strings.Contains(err.Error(), "threads") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
