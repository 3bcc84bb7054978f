package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/test/need"
)

// everybody are sinks to which all of so many flows may come.
func everybody(sinks, flows int) (out []End) {
	for i := range sinks {
		e := End{Flow: i}
		for j := range flows {
			if j != i {
				e.From = append(e.From, j)
			}
		}
		out = append(out, e)
	}
	return out
}

func flowsOf(n int) (out []End) {
	for i := range n {
		out = append(out, End{Flow: i})
	}
	return out
}

// TestSharedSockets: several sources to one port, by one socket or several.
func TestSharedSockets(t *testing.T) {
	for _, socket := range []string{"shared", "reuseport"} {
		for _, v6 := range []bool{false, true} {
			for _, verified := range []bool{false, true} {
				t.Run(fmt.Sprint(socket, " ipv6 ", v6, " verify ", verified), func(t *testing.T) {
					sinks := 1
					if socket == "reuseport" {
						sinks = 4
					}
					retry(t, func(t *testing.T, by stretch) string {
						c := Config{Protocol: "udp", IPv6: v6, Message: 200, Rate: 5000, ReceiveBuffer: 200_000, Verify: verified, Sink: Path{Socket: socket}}
						l := newLedger(t)
						r, ok := runs(t, openEnds(t, everybody(sinks, 4), flowsOf(4), c), by.shortRun(2))
						source, sink := r.Groups[0].sums()
						if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, sink.Total.Drops); missing != "" {
							return missing
						}
						if !ok || sink.Counted.Msgs == 0 {
							return "late"
						}
						if sink.Total.Drops == 0 && len(sink.Events) > 0 {
							t.Errorf("events %v", sink.Events)
						}
						ports := map[uint16]bool{}
						for _, e := range r.Groups[0].Ends {
							if e.Sink {
								ports[e.Port] = true
							}
						}
						if len(ports) != 1 {
							t.Errorf("sinks at ports %v", ports)
						}
						return ""
					})
				})
			}
		}
	}
}

// TestSteerByCPU: the n-th socket gets what the n-th CPU received.
func TestSteerByCPU(t *testing.T) {
	cpus := need.CPUs(t, 2)
	const sinks = 2
	for _, cpu := range cpus[:2] {
		retry(t, func(t *testing.T, by stretch) string {
			c := Config{Protocol: "udp", Message: 200, Rate: 5000, Sink: Path{Socket: "reuseport-cpu"}}
			sources := []End{{Flow: 0, CPUs: []int{cpu}}, {Flow: 1, CPUs: []int{cpu}}}
			l := newLedger(t)
			r, ok := runs(t, openEnds(t, everybody(sinks, 2), sources, c), by.shortRun(2))
			source, sink := r.Groups[0].sums()
			if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, sink.Total.Drops); missing != "" {
				return missing
			}
			if !ok || sink.Total.Msgs == 0 {
				return "late"
			}
			for _, e := range r.Groups[0].Ends {
				if e.Sink && e.Flow != cpu%sinks && 10*e.Total.Msgs > sink.Total.Msgs {
					// ksoftirqd of a busy CPU may hand packets on from elsewhere.
					return fmt.Sprintf("CPU %d: sink %d got %d of %d", cpu, e.Flow, e.Total.Msgs, sink.Total.Msgs)
				}
			}
			return ""
		})
	}
}

// TestGroups: different traffic at once, each reported on its own.
func TestGroups(t *testing.T) {
	retry(t, func(t *testing.T, by stretch) string {
		stream := Config{Protocol: "tcp", Message: 64 << 10}
		rpc := Config{Protocol: "tcp", Kind: "rr", Message: 100, Response: 100, NoDelay: true}
		paced := Config{Protocol: "udp", Message: 100, Rate: 1000}
		ends := []End{{Flow: 0}, {Flow: 1}, {Flow: 0, Group: 1}, {Flow: 0, Group: 2}}
		sources := append([]End{}, ends...)
		r, ok := runs(t, openEnds(t, ends, sources, stream, rpc, paced), by.patient(by.shortRun(2), 10*time.Millisecond))
		if !ok {
			return "late"
		}
		for i, flows := range []int{2, 1, 1} {
			source, sink := r.Groups[i].sums()
			if len(r.Groups[i].Ends) != 2*flows {
				t.Errorf("group %d has %d ends", i, len(r.Groups[i].Ends))
			}
			if source.Counted.Msgs == 0 || sink.Counted.Msgs == 0 {
				return fmt.Sprintf("group %d did nothing", i)
			}
			if i == 0 && source.Total.Bytes != sink.Total.Bytes || i > 0 && source.Total.Msgs != sink.Total.Msgs+sink.Total.Drops {
				t.Errorf("group %d: %+v %+v", i, source.Total, sink.Total)
			}
			if (i == 1) != (r.Groups[i].Latency != nil) {
				t.Errorf("group %d: latency %v", i, r.Groups[i].Latency != nil)
			}
		}
		return ""
	})
}

// checkMulticast: to each sink comes all that was sent, or it dropped it.
func checkMulticast(t *testing.T, l ledger, r *Report, sinks int, verified bool) string {
	t.Helper()
	source, _ := r.Groups[0].sums()
	n := 0
	for _, e := range r.Groups[0].Ends {
		if !e.Sink {
			continue
		}
		n++
		if missing := l.check(t, source.Total.Msgs, e.Total.Msgs, e.Total.Drops); missing != "" {
			return missing
		}
		if verified && e.Events["lost"] > e.Total.Drops+softnetDrops(t)-l.softnet {
			t.Errorf("sink %d: %v, dropped %d", e.Flow, e.Events, e.Total.Drops)
		}
		if e.Counted.Msgs == 0 {
			return fmt.Sprintf("sink %d got nothing", e.Flow)
		}
	}
	if n != sinks {
		t.Errorf("%d sinks", n)
	}
	return ""
}

func multicastConfig(v6 bool, rate float64) Config {
	return Config{Kind: "multicast", Protocol: "udp", IPv6: v6, Message: 500, Rate: rate, Verify: true}
}

func TestMulticastLoopback(t *testing.T) {
	need.Root(t)
	group := netip.MustParseAddr("239.255.78.66")
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	for _, rate := range []float64{2000, 0} { // without one, sinks drop
		retry(t, func(t *testing.T, by stretch) string {
			s := NewSet(multicastConfig(false, rate))
			t.Cleanup(s.Close)
			l := newLedger(t)
			sinks := everybody(3, 3)
			for i := range sinks {
				sinks[i].Addr, sinks[i].To, sinks[i].Device = netip.MustParseAddr("127.0.0.1"), netip.AddrPortFrom(group, 0), lo.Attrs().Index
			}
			ports, err := s.Listen(sinks)
			must(t, err)
			_, err = s.Connect([]End{{Flow: 0, To: netip.AddrPortFrom(group, ports[0]), Device: lo.Attrs().Index}})
			must(t, err)
			must(t, s.Accept(sinks))
			must(t, s.Prepare())
			r, ok := runs(t, s, by.shortRun(2))
			if !ok {
				return "late"
			}
			return checkMulticast(t, l, r, 3, true)
		})
	}
}

// elsewhere runs a function in another network namespace.
func elsewhere(t testing.TB, ns int, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and dies with the goroutine
		if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// newVeth makes a veth pair into a new namespace and returns that, and the
// index of each end.
func newVeth(t testing.TB, addrs [2][]string) (ns int, index [2]int) {
	t.Helper()
	need.Root(t)
	made := make(chan int)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
		}
		made <- fd
	}()
	ns = <-made
	t.Cleanup(func() { unix.Close(ns) })
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "vb", PeerNamespace: netlink.NsFd(ns)}
	pair.Name = "va"
	must(t, netlink.LinkAdd(pair))
	t.Cleanup(func() { netlink.LinkDel(pair) })
	up := func(i int) {
		link, err := netlink.LinkByName([]string{"va", "vb"}[i])
		if err != nil {
			t.Error(err)
			return
		}
		index[i] = link.Attrs().Index
		for _, text := range addrs[i] {
			addr, err := netlink.ParseAddr(text)
			if err != nil {
				t.Error(err)
				return
			}
			addr.Flags = unix.IFA_F_NODAD
			if err := netlink.AddrAdd(link, addr); err != nil {
				t.Error(err)
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			t.Error(err)
		}
	}
	elsewhere(t, ns, func() { up(1) })
	up(0)
	return ns, index
}

// TestMulticastVeth sends from one namespace to sinks in another.
func TestMulticastVeth(t *testing.T) {
	ns, index := newVeth(t, [2][]string{{"198.18.7.1/30", "fd00:7::1/64"}, {"198.18.7.2/30", "fd00:7::2/64"}})
	for _, v6 := range []bool{false, true} {
		group, addr := netip.MustParseAddr("239.255.78.66"), netip.MustParseAddr("198.18.7.2")
		if v6 {
			group, addr = netip.MustParseAddr("ff15::4e42"), netip.MustParseAddr("fd00:7::2")
		}
		t.Run(fmt.Sprint("ipv6 ", v6), func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				s := NewSet(multicastConfig(v6, 2000))
				t.Cleanup(s.Close)
				l := newLedger(t)
				sinks := everybody(3, 3)
				for i := range sinks {
					sinks[i].Addr, sinks[i].To, sinks[i].Device = addr, netip.AddrPortFrom(group, 0), index[1]
				}
				var ports []uint16
				var err error
				elsewhere(t, ns, func() { ports, err = s.Listen(sinks) })
				must(t, err)
				source := []End{{Flow: 0, To: netip.AddrPortFrom(group, ports[0]), Device: index[0]}}
				for try := 0; ; try++ { // the kernel makes the route of ff00::/8 in its own time
					if _, err = s.Connect(source); err == nil || !errors.Is(err, unix.ENETUNREACH) || try > 200 {
						break
					}
					s.endpoints = s.endpoints[:len(sinks)]
					time.Sleep(10 * time.Millisecond)
				}
				must(t, err)
				must(t, s.Accept(sinks))
				must(t, s.Prepare())
				r, ok := runs(t, s, by.shortRun(2))
				if !ok {
					return "late"
				}
				return checkMulticast(t, l, r, 3, true)
			})
		})
	}
}
