// Package loops benchmarks netab's traffic loops in this process, without
// agents and peers, for the one figure that a Go benchmark knows best: what
// they allocate.
//
//	go test -run - -bench . ./bench/loops
package loops

import (
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"netab/runner/traffic"
)

// No collection, as in an agent.
func TestMain(m *testing.M) {
	debug.SetGCPercent(-1)
	os.Exit(m.Run())
}

var loops = map[string]struct {
	config traffic.Config
	flows  int
}{
	"udp-64":     {traffic.Config{Protocol: "udp", Message: 64}, 1},
	"udp-trains": {traffic.Config{Protocol: "udp", Message: 40 * 1472, Source: traffic.Path{Segment: 1472}, Sink: traffic.Path{GRO: true}}, 1},
	"udp-batch":  {traffic.Config{Protocol: "udp", Message: 64, Source: traffic.Path{Call: "sendmmsg", Batch: 16}, Sink: traffic.Path{Call: "recvmmsg", Batch: 16}}, 1},
	"tcp-4K":     {traffic.Config{Protocol: "tcp", Message: 4 << 10}, 1},
	"tcp-rr-1":   {traffic.Config{Kind: "rr", Protocol: "tcp", Message: 1, Response: 1, NoDelay: true}, 1},
	"tcp-epoll":  {traffic.Config{Protocol: "tcp", Message: 4 << 10, Threads: 1}, 20},
}

// open makes flows over the loopback, ready to run.
func open(tb testing.TB, c traffic.Config, flows int) *traffic.Set {
	tb.Helper()
	lo := netip.MustParseAddr("127.0.0.1")
	s := traffic.NewSet(c)
	tb.Cleanup(s.Close)
	sinks, sources := make([]traffic.End, flows), make([]traffic.End, flows)
	for i := range sinks {
		sinks[i] = traffic.End{Flow: i, Addr: lo}
	}
	ports, err := s.Listen(sinks)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range sources {
		sources[i] = traffic.End{Flow: i, To: netip.AddrPortFrom(lo, ports[i])}
	}
	peers, err := s.Connect(sources)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range sinks {
		sinks[i].To = netip.AddrPortFrom(lo, peers[i])
	}
	if err := s.Accept(sinks); err != nil {
		tb.Fatal(err)
	}
	if err := s.Prepare(); err != nil {
		tb.Fatal(err)
	}
	// The heap's counters know of most objects only when their memory is full, or
	// now: what was made before must not be counted later.
	runtime.ReadMemStats(new(runtime.MemStats))
	return s
}

// run lets the flows run for a time, and returns what was sent and received and
// how many heap objects that took.
func run(tb testing.TB, s *traffic.Set, length time.Duration) (messages, objects int64) {
	tb.Helper()
	start := traffic.Now() + int64(10*time.Millisecond)
	report, err := s.Run([]traffic.Window{{Start: start, Count: start + 1e6, End: start + int64(length)}}, 0)
	if err != nil || report.Fault != "" {
		tb.Fatal(err, report.Fault)
	}
	for _, e := range report.Groups[0].Ends {
		messages += e.Total.Msgs
	}
	return messages, report.Allocated
}

// allowed is what the rest of the process may do meanwhile: not one object for
// a hundred messages.
const allowed = 1000

func TestLoopsDoNotAllocate(t *testing.T) {
	for name, l := range loops {
		t.Run(name, func(t *testing.T) {
			s := open(t, l.config, l.flows)
			messages, objects := run(t, s, 150*time.Millisecond)
			// A thousand is little enough for any machine, and shows an object a message.
			if messages < 1000 || objects > allowed {
				t.Errorf("%d heap objects for %d messages; want at most %d", objects, messages, allowed)
			}
		})
	}
}

// BenchmarkLoops runs a schedule of 100 ms in each round; allocs/op is of the
// whole schedule, allocs/msg of a message sent or received.
func BenchmarkLoops(b *testing.B) {
	for name, l := range loops {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var messages, objects int64
			for b.Loop() {
				b.StopTimer()
				s := open(b, l.config, l.flows)
				b.StartTimer()
				m, o := run(b, s, 100*time.Millisecond)
				b.StopTimer()
				messages, objects = messages+m, objects+o
				s.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(objects)/float64(messages), "allocs/msg")
			b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}
