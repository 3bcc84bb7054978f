package verify

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A path is a source, a proxy that forwards what it is told to, and a sink, on
// real sockets over loopback. Each datagram is waited for at each place, so that
// none is lost but by the proxy.
type path struct {
	t                   *testing.T
	source, proxy, sink *net.UDPConn
	checker             *Checker
	buf                 []byte
	held                []byte
	receive             int // bytes that the sink's buffer has
}

func newPath(t *testing.T, flows ...int) *path {
	t.Helper()
	p := &path{t: t, checker: NewChecker(flows...), buf: make([]byte, 1<<16), receive: 1 << 16}
	p.sink = listen(t)
	p.proxy = listen(t)
	p.source = dial(t, p.proxy)
	return p
}

func listen(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute)) // a lost datagram must fail, not hang
	return c
}

func dial(t *testing.T, to *net.UDPConn) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// pass sends a message to the proxy and returns what arrived there.
func (p *path) pass(msg []byte) []byte {
	p.t.Helper()
	if _, err := p.source.Write(msg); err != nil {
		p.t.Fatal(err)
	}
	n, err := p.proxy.Read(p.buf)
	if err != nil {
		p.t.Fatal(err)
	}
	return bytes.Clone(p.buf[:n])
}

// deliver sends a datagram from the proxy to the sink, which checks it.
func (p *path) deliver(msg []byte) {
	p.t.Helper()
	if _, err := p.proxy.WriteTo(msg, p.sink.LocalAddr()); err != nil {
		p.t.Fatal(err)
	}
	p.arrive()
}

func (p *path) arrive() {
	p.t.Helper()
	n, err := p.sink.Read(p.buf[:p.receive])
	if err != nil {
		p.t.Fatal(err)
	}
	p.checker.Check(p.buf[:n])
}

// TestFaults injects each fault, alone and all together, and wants exact
// counts.
func TestFaults(t *testing.T) {
	const messages = 3000
	faults := map[string]func(p *path, i int, msg []byte){
		"none":       func(p *path, i int, msg []byte) { p.deliver(msg) },
		"lost":       func(p *path, i int, msg []byte) {},
		"duplicated": func(p *path, i int, msg []byte) { p.deliver(msg); p.deliver(msg) },
		"reordered": func(p *path, i int, msg []byte) { // with the next
			p.held = msg
		},
		"corrupt": func(p *path, i int, msg []byte) {
			msg[i%len(msg)] ^= 1 << (i % 8)
			p.deliver(msg)
		},
		"truncated": func(p *path, i int, msg []byte) { p.deliver(msg[:i%len(msg)]) },
		"truncated by the sink": func(p *path, i int, msg []byte) {
			p.receive = len(msg) - 1
			p.deliver(msg)
			p.receive = 1 << 16
		},
		"foreign": func(p *path, i int, msg []byte) {
			p.deliver(msg)
			p.deliver(message(17, uint64(i), len(msg)))
			stranger := dial(p.t, p.sink)
			if _, err := stranger.Write([]byte("who are you?")); err != nil {
				p.t.Fatal(err)
			}
			p.arrive()
			stranger.Close()
		},
	}
	// What each fault does to the counts of a flow whose messages it hits n times.
	effects := map[string]func(n int64) counts{
		"none":                  func(n int64) counts { return counts{Received: n} },
		"lost":                  func(n int64) counts { return counts{Lost: n} },
		"duplicated":            func(n int64) counts { return counts{Received: 2 * n, Duplicated: n} },
		"reordered":             func(n int64) counts { return counts{Received: n, Reordered: n} },
		"corrupt":               func(n int64) counts { return counts{Corrupt: n, Lost: n} },
		"truncated":             func(n int64) counts { return counts{Corrupt: n, Lost: n} },
		"truncated by the sink": func(n int64) counts { return counts{Corrupt: n, Lost: n} },
		"foreign":               func(n int64) counts { return counts{Received: n, Corrupt: 2 * n} },
	}
	run := func(t *testing.T, choose func(i int) string) map[string]int64 {
		t.Helper()
		p := newPath(t, 0, 1, 2)
		var stampers []*Stamper
		for flow := range 3 {
			stampers = append(stampers, NewStamper(flow))
		}
		sizes := []int{Header, 64, 100, 1472, 9000}
		hits := map[string]int64{}
		for i := range messages {
			flow := i % 3
			msg := make([]byte, sizes[i%len(sizes)])
			stampers[flow].Prepare(msg, len(msg))
			stampers[flow].Stamp(msg)
			fault := "none"
			// The first and the last of each flow arrive, so that all between are known,
			// and so does what overtakes a reordered one.
			if i >= 3 && i < messages-3 && p.held == nil {
				fault = choose(i)
			}
			if p.held != nil && flow == 0 { // the same flow's next
				p.deliver(p.pass(msg))
				p.deliver(p.held)
				p.held = nil
				hits["none"]++
				continue
			}
			if fault == "reordered" && flow != 0 {
				fault = "none"
			}
			hits[fault]++
			faults[fault](p, i, p.pass(msg))
		}
		var want counts
		for fault, n := range hits {
			e := effects[fault](n)
			want.Received += e.Received
			want.Lost += e.Lost
			want.Duplicated += e.Duplicated
			want.Reordered += e.Reordered
			want.Corrupt += e.Corrupt
		}
		if diff := cmp.Diff(want, countsOf(p.checker)); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", hits, diff)
		}
		return hits
	}
	names := slices.Sorted(maps.Keys(faults))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			hits := run(t, func(i int) string {
				if i%7 == 0 {
					return name
				}
				return "none"
			})
			if hits[name] < messages/30 {
				t.Errorf("injected %d times only", hits[name])
			}
		})
	}
	t.Run("all", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		hits := run(t, func(i int) string { return names[rng.IntN(len(names))] })
		for _, name := range names {
			if hits[name] < messages/30 {
				t.Errorf("%s injected %d times only", name, hits[name])
			}
		}
	})
}
