package packet

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/test/need"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enterNamespace puts the test's thread into a network namespace of its own;
// the thread dies with the test.
func enterNamespace(t testing.TB) {
	t.Helper()
	need.Root(t)
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNET))
}

// A path is what a Source of a test sends over, with a UDP socket at its end.
type path struct {
	Config
	sink             int
	sourceNS, sinkNS int // of a veth pair
}

// loopback is a path over lo with its sysctls set.
func loopback(t testing.TB, ipv6 bool) path {
	enterNamespace(t)
	link, err := netlink.LinkByName("lo")
	must(t, err)
	must(t, netlink.LinkSetUp(link))
	for name, value := range Sysctls("lo", ipv6) {
		must(t, os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0))
	}
	addr := netip.MustParseAddr("127.0.0.1")
	if ipv6 {
		addr = netip.IPv6Loopback()
	}
	return newPath(t, Config{Device: "lo"}, addr, addr)
}

// veth is a path over a veth pair into a second namespace.
func veth(t testing.TB, ipv6 bool) path {
	source, sink := "198.18.0.1/30", "198.18.0.2/30"
	if ipv6 {
		source, sink = "2001:2::1/64", "2001:2::2/64"
	}
	enterNamespace(t)
	sinkNS := thisNamespace(t)
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	sourceNS := thisNamespace(t)
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "vb", PeerNamespace: netlink.NsFd(sinkNS)}
	pair.Name = "va"
	must(t, netlink.LinkAdd(pair))
	sourceMAC := setUp(t, "va", source)
	must(t, unix.Setns(sinkNS, unix.CLONE_NEWNET))
	sinkMAC := setUp(t, "vb", sink)
	waitForRoute(t, netip.MustParsePrefix(sink).Addr())
	p := newPath(t, Config{Device: "va", SourceMAC: sourceMAC, SinkMAC: sinkMAC},
		netip.MustParsePrefix(source).Addr(), netip.MustParsePrefix(sink).Addr())
	must(t, unix.Setns(sourceNS, unix.CLONE_NEWNET))
	p.sourceNS, p.sinkNS = sourceNS, sinkNS
	return p
}

func thisNamespace(t testing.TB) int {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func setUp(t testing.TB, device, address string) (mac [6]byte) {
	link, err := netlink.LinkByName(device)
	must(t, err)
	addr, err := netlink.ParseAddr(address)
	must(t, err)
	addr.Flags = unix.IFA_F_NODAD
	must(t, netlink.AddrAdd(link, addr))
	must(t, netlink.LinkSetUp(link))
	copy(mac[:], link.Attrs().HardwareAddr)
	return mac
}

// waitForRoute waits until the address is taken for a local one: the kernel sets
// the route of an IPv6 address in a work item, a moment after the address.
func waitForRoute(t testing.TB, addr netip.Addr) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		routes, err := netlink.RouteGet(addr.AsSlice())
		if err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no local route to %s: %v, %v", addr, routes, err)
		}
	}
}

// newPath opens the sink in the namespace of the calling thread.
func newPath(t testing.TB, c Config, source, sink netip.Addr) path {
	var to unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte(sink.AsSlice()[:4])}
	family := unix.AF_INET
	if sink.Is6() {
		to, family = &unix.SockaddrInet6{Addr: sink.As16()}, unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20))
	must(t, unix.Bind(fd, to))
	name, err := unix.Getsockname(fd)
	must(t, err)
	c.Source, c.Sink = netip.AddrPortFrom(source, 40000), netip.AddrPortFrom(sink, port(name))
	return path{Config: c, sink: fd}
}

func port(a unix.Sockaddr) uint16 {
	if a, ok := a.(*unix.SockaddrInet4); ok {
		return uint16(a.Port)
	}
	return uint16(a.(*unix.SockaddrInet6).Port)
}

func (p path) open(t testing.TB) *Source {
	t.Helper()
	s, err := Open(p.Config)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// receive takes one datagram that must come, and reports whether it did. A busy
// machine lets it wait for its softirq.
func (p path) receive(t testing.TB, b []byte) (n int, from uint16, ok bool) {
	return p.within(t, b, 5*time.Second)
}

// nothing says that no datagram comes, by waiting a moment for one.
func (p path) nothing(t testing.TB) bool {
	_, _, ok := p.within(t, make([]byte, 100), 50*time.Millisecond)
	return !ok
}

func (p path) within(t testing.TB, b []byte, limit time.Duration) (n int, from uint16, ok bool) {
	for range 2 {
		n, addr, err := unix.Recvfrom(p.sink, b, 0)
		if err == nil {
			return n, port(addr), true
		}
		if !errors.Is(err, unix.EAGAIN) {
			t.Fatal(err)
		}
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(p.sink), Events: unix.POLLIN}}, int(limit.Milliseconds())); err != nil && err != unix.EINTR {
			t.Fatal(err)
		}
	}
	return 0, 0, false
}
