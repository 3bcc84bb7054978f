package traffic

import (
	"fmt"
	"testing"
	"time"
)

// TestNoAllocationInRun: a whole run of many messages makes no object for any.
func TestNoAllocationInRun(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		flows  int
		least  int64 // messages
	}{
		"udp":      {Config{Protocol: "udp", Message: 64}, 1, 100_000},
		"sendmmsg": {Config{Protocol: "udp", Message: 64, Source: Path{Call: "sendmmsg", Batch: 32}, Sink: Path{Call: "recvmmsg", Batch: 32}}, 1, 100_000},
		"epoll":    {Config{Protocol: "udp", Message: 64, Threads: 1}, 10, 100_000},
		"tcp":      {Config{Protocol: "tcp", Message: 64}, 1, 100_000},
		"uring":    {Config{Protocol: "udp", Message: 64, Source: Path{Call: "io_uring", Batch: 32}, Sink: Path{Call: "io_uring"}}, 1, 100_000},
		"verify":   {Config{Protocol: "udp", Message: 64, Verify: true, Source: Path{Call: "sendmmsg", Batch: 32}, Sink: Path{Call: "recvmmsg", Batch: 32}}, 1, 100_000},
		"zerocopy": {Config{Protocol: "udp", Message: 64, Source: Path{ZeroCopy: true}}, 1, 20_000},
		"rr":       {Config{Kind: "rr", Protocol: "unix-dgram", Message: 64, Response: 64, Depth: 16, Timeout: 500 * ms}, 1, 20_000},
		"rr epoll": {Config{Kind: "rr", Protocol: "udp", Message: 64, Response: 64, Threads: 1, Timeout: 500 * ms}, 30, 20_000},
		"open rr":  {Config{Kind: "rr", Protocol: "udp", Message: 64, Response: 64, Rate: 50_000, Timeout: 500 * ms}, 1, 2000},
		"crr":      {Config{Kind: "crr", Protocol: "tcp", Message: 64, Response: 64}, 1, 500},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				r, ok := runs(t, openFlows(t, tc.config, tc.flows), by.windowsFrom(8*time.Millisecond, 3, 70*time.Millisecond, 5*time.Millisecond, 0))
				source, sink := r.Groups[0].sums()
				if n := source.Total.Msgs + sink.Total.Msgs; !ok || n < tc.least {
					return fmt.Sprintf("%d messages on this busy machine", n)
				}
				if r.Allocated >= 1000 {
					t.Errorf("%d objects for %d messages", r.Allocated, source.Total.Msgs+sink.Total.Msgs)
				}
				return ""
			})
		})
	}
}

// byHand returns the loops of a flow whose steps the test makes itself, while
// their own threads wait.
func byHand(t testing.TB, c Config) (sink, source *loop) {
	t.Helper()
	s, err := prepare(t, c, 1)
	must(t, err)
	for _, w := range s.workers {
		w.start([]Window{{Slice: -1, Count: Now(), End: Now() + 1e15}})
		w.loop.rpc.window = &w.loop.windows[0]
		w.loop.everyStep = true // a message each: who waits for more than were sent waits for ever
		if w.sink {
			sink = &w.loop
		} else {
			source = &w.loop
		}
	}
	t.Cleanup(func() { // so that the threads do nothing when the set is closed
		sink.meter, source.meter = nil, nil
	})
	return sink, source
}

// TestNoAllocationPerStep calls the steps themselves, of both ends in turn.
func TestNoAllocationPerStep(t *testing.T) {
	for name, c := range map[string]Config{
		"send recv":         {Protocol: "udp", Message: 64},
		"sendto recvfrom":   {Protocol: "udp", Message: 64, Source: Path{Call: "sendto", Socket: "open"}, Sink: Path{Call: "recvfrom"}},
		"sendmsg recvmsg":   {Protocol: "udp", Message: 64, Source: Path{Call: "sendmsg"}, Sink: Path{Call: "recvmsg"}},
		"sendmmsg recvmmsg": {Protocol: "udp", Message: 64, Source: Path{Call: "sendmmsg", Batch: 8}, Sink: Path{Call: "recvmmsg", Batch: 8}},
		"verify":            {Protocol: "udp", Message: 64, Verify: true, Source: Path{Call: "sendmmsg", Batch: 8}, Sink: Path{Call: "recvmmsg", Batch: 8}},
		"verify stream":     {Protocol: "tcp", Message: 64, Verify: true},
		"segment gro":       {Protocol: "udp", Message: 640, Source: Path{Segment: 64}, Sink: Path{Call: "recvmsg", GRO: true}},
		"zerocopy":          {Protocol: "udp", Message: 64, Source: Path{ZeroCopy: true}},
		"sendfile splice":   {Protocol: "tcp", Message: 4096, Source: Path{Call: "sendfile"}, Sink: Path{Call: "splice"}},
		"splice mapped":     {Protocol: "tcp", Message: 4096, Source: Path{Call: "splice"}, Sink: Path{Call: "tcp-zerocopy"}},
		"epoll":             {Protocol: "udp", Message: 64, Threads: 1},
		"conn":              {Kind: "conn", Protocol: "udp", Message: 64, Sink: Path{Socket: "open"}},
	} {
		t.Run(name, func(t *testing.T) {
			defer mustEnd(t, 20*time.Second)()
			sink, source := byHand(t, c)
			step := func() {
				for _, l := range []*loop{source, sink} {
					bytes, msgs, errno := l.step()
					if errno != 0 {
						t.Fatal(errno)
					}
					l.add(bytes, msgs)
				}
			}
			step()
			if n := testing.AllocsPerRun(200, step); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// What a run costs beside messages: sets make objects when they are opened only.
func BenchmarkMessage(b *testing.B) {
	for name, c := range map[string]Config{
		"udp 64 B":    {Protocol: "udp", Message: 64},
		"tcp 128 KiB": {Protocol: "tcp", Message: 128 << 10},
	} {
		b.Run(name, func(b *testing.B) {
			sink, source := byHand(b, c)
			b.SetBytes(int64(c.Message))
			b.ReportAllocs()
			for b.Loop() {
				bytes, msgs, _ := source.step()
				source.add(bytes, msgs)
				for left := bytes; left > 0; { // a full message, then all of it back
					n, msgs, errno := sink.step()
					if errno != 0 {
						b.Fatal(errno)
					}
					sink.add(n, msgs)
					left -= n
				}
			}
		})
	}
}
