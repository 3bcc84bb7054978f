package traffic

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"netab/runner/host"
	"netab/runner/pktgen"
)

// A generator is a small model of pktgen's files with one thread and one
// device; runner/pktgen has the large one, which knows of all orders and
// mistakes. It sends and sleeps as pktgen_xmit and spin do: a delay is heeded when the
// thread looks at it, and that it does not while it sleeps.
type generator struct {
	host.Host

	mu      sync.Mutex
	device  string
	result  string
	sent    int64
	started int64
	since   int64 // instant up to which sent is known; 0 = at rest
	next    int64 // when the next packet is due
	asleep  bool  // until then
	delay   int64
	stopped chan struct{}
	delays  []int64 // as they were set
	resets  int
	broken  bool // the device has gone
}

func (g *generator) Links() ([]host.Link, error) {
	return []host.Link{{Name: "va", MTU: 1500, Up: true}}, nil
}

// advance sends what is due: one packet a microsecond at most.
func (g *generator) advance() {
	if g.since == 0 {
		return
	}
	for now := Now(); g.since < now; {
		if !g.asleep && g.delay > 0 && g.next > g.since {
			g.asleep = true
		}
		if g.asleep && g.next > now {
			g.since = now
			return
		}
		if g.asleep {
			g.since = g.next
		}
		if g.asleep || g.delay > 0 {
			g.next += g.delay
		}
		g.asleep = false
		g.sent++
		g.since += int64(time.Microsecond)
	}
}

func (g *generator) ReadFile(name string) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.advance()
	switch base := filepath.Base(name); {
	case base == "pgctrl":
		return []byte("Packet Generator for packet performance testing. Version: 2.75\n"), nil
	case base == "kpktgend_1":
		running, stopped := "", ""
		if g.since > 0 {
			running = g.device + " "
		} else {
			stopped = g.device + " "
		}
		return fmt.Appendf(nil, "Running: %s\nStopped: %s\nResult: OK: add_device\n", running, stopped), nil
	case base == g.device && !g.broken:
		return fmt.Appendf(nil, "Params: count 0  min_pkt_size: 106  max_pkt_size: 106\n     frags: 0  delay: %d  clone_skb: 0  ifname: %s\nCurrent:\n     pkts-sofar: %d  errors: 0\n     started: %dus  stopped: %dus idle: 0us\nResult: %s\n",
			g.delay, g.device, g.sent, g.started/1000, g.since/1000, g.result), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (g *generator) WriteFile(name string, data []byte) error {
	line := strings.TrimSpace(string(data))
	if filepath.Base(name) == "pgctrl" {
		return g.order(line)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.advance()
	key, value, _ := strings.Cut(line, " ")
	switch key {
	case "add_device":
		g.device = value
	case "delay":
		g.delay, _ = strconv.ParseInt(value, 10, 64)
		g.delays = append(g.delays, g.delay)
	}
	g.result = "OK: " + line
	return nil
}

// order obeys pgctrl: start waits until there is a stop.
func (g *generator) order(order string) error {
	g.mu.Lock()
	g.advance()
	wait := g.stopped
	switch order {
	case "start":
		g.since, g.sent, g.asleep, g.stopped = Now(), 0, false, make(chan struct{})
		g.started, g.next = g.since, g.since
		wait = g.stopped
	case "stop", "reset":
		if g.since > 0 {
			close(g.stopped)
		}
		g.since = 0
		if order == "reset" {
			g.device = ""
			g.resets++
		}
	}
	g.mu.Unlock()
	if order == "start" {
		<-wait
	}
	return nil
}

// newKernelSource is a loop of the path pktgen over the model.
func newKernelSource(t *testing.T, g *generator, rate float64) *loop {
	t.Helper()
	l := &loop{gate: &gate{}, pace: pace{rate: rate, share: 1}}
	l.op = opKernel
	l.kernel = kernelSource{host: g, config: pktgen.Config{Device: "va", CPU: 1, Payload: 64, Delay: starting,
		Source: netip.MustParseAddrPort("198.18.0.1:40000"), Sink: netip.MustParseAddrPort("198.18.0.2:5000")}}
	must(t, pktgen.Setup(g, l.kernel.config))
	return l
}

// runKernel runs the loop over windows as a worker would.
func runKernel(l *loop, windows []Window) error {
	l.meter = newMeter(windows, &thread{schedstat: -1}, nil, false)
	l.windows = windows
	l.gate.open()
	return l.kernel.run(l)
}

// TestKernelSource: pktgen sends in windows, and next to nothing between them.
func TestKernelSource(t *testing.T) {
	for _, rate := range []float64{0, 50_000} {
		retry(t, func(t *testing.T, by stretch) string {
			g := &generator{}
			l := newKernelSource(t, g, rate)
			windows := by.windowsFrom(10*time.Millisecond, 3, 30*time.Millisecond, 10*time.Millisecond, 30*time.Millisecond)
			must(t, runKernel(l, windows))
			l.finish()
			inWindows := int64(0)
			for i := range windows {
				c := counted(l.samples, i)
				inWindows += l.samples[4*i+2].Msgs - l.samples[4*i].Msgs
				// 20 ms at a packet a microsecond, or at the rate.
				want := int64(20_000) * int64(by)
				if rate > 0 {
					want = int64(rate * by.of(20*time.Millisecond).Seconds())
				}
				if c.Msgs < want*8/10 || c.Msgs > want*12/10 {
					return fmt.Sprintf("rate %g: %d packets in the counted part, want about %d", rate, c.Msgs, want)
				}
				if c.Bytes != 64*c.Msgs {
					t.Errorf("%d packets are not %d bytes", c.Msgs, c.Bytes)
				}
			}
			if outside := l.msgs - inWindows; outside > l.msgs/20 {
				return fmt.Sprintf("%d of %d packets outside windows", outside, l.msgs)
			}
			for i := range windows[1:] { // the thread wakes with the window, and not somewhere in it
				settled := l.samples[4*(i+1)+1].Msgs - l.samples[4*(i+1)].Msgs
				want := int64(by.of(10 * time.Millisecond).Microseconds())
				if rate > 0 {
					want = want * int64(rate) / 1e6
				}
				if settled < want*8/10 || settled > want*12/10 {
					return fmt.Sprintf("rate %g: %d packets while window %d settled, want about %d", rate, settled, i+1, want)
				}
			}
			if last := g.delays[len(g.delays)-1]; last != int64(resting) {
				t.Errorf("delays %v: it does not rest at the end", g.delays)
			}
			if g.resets != 1 || g.since != 0 {
				t.Errorf("pktgen was left at work: %d resets", g.resets)
			}
			return ""
		})
	}
}

// What goes wrong in the middle is said, and pktgen stopped.
func TestKernelSourceFails(t *testing.T) {
	g := &generator{}
	l := newKernelSource(t, g, 0)
	time.AfterFunc(25*time.Millisecond, func() {
		g.mu.Lock()
		g.broken = true
		g.mu.Unlock()
	})
	err := runKernel(l, asIs.windowsFrom(10*time.Millisecond, 3, 30*time.Millisecond, 10*time.Millisecond, 30*time.Millisecond))
	if !errors.Is(err, fs.ErrNotExist) || g.resets != 1 || g.since != 0 {
		t.Errorf("%v, %d resets", err, g.resets)
	}
}

// A set that is closed instead of run gives the device back.
func TestKernelSourceClosed(t *testing.T) {
	g := &generator{}
	l := newKernelSource(t, g, 0)
	l.gate.open()
	if err := l.kernel.run(l); err != nil || g.resets != 1 {
		t.Errorf("%v, %d resets", err, g.resets)
	}
}
