package probe

import (
	"encoding/binary"
	"net"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results/vocab"
)

// A vethPair is two namespaces with a veth pair between them, va at the source
// and vb at the sink; they end with the test's thread.
type vethPair struct {
	source, sink int
	to           unix.Sockaddr // a port of the sink's where nobody listens
}

const sourceAddress, sinkAddress = "192.0.2.1", "192.0.2.2"

// newVethPair leaves the thread in the source's namespace, with the pair ready
// to carry packets.
func newVethPair(t *testing.T) vethPair {
	t.Helper()
	enterNamespace(t)
	p := vethPair{source: thisNamespace(t), to: sockaddr(sinkAddress, 9)}
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	p.sink = thisNamespace(t)
	must(t, unix.Setns(p.source, unix.CLONE_NEWNET))
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "va"}, PeerName: "vb", PeerNamespace: netlink.NsFd(p.sink)}))
	up(t, "va", sourceAddress+"/30")
	p.inSink(t, func() { up(t, "vb", sinkAddress+"/30") })
	fd := socket(t, unix.AF_INET)
	for range 500 { // until the carrier is up and the neighbour known
		send(t, fd, p.to, 1, 1)
		time.Sleep(10 * time.Millisecond)
		if _, sink := p.read(t); sink.Net["UdpNoPorts"] > 0 {
			return p
		}
	}
	t.Fatal("nothing arrived through the veth pair in 5 s")
	return p
}

func (p vethPair) inSink(t *testing.T, f func()) {
	t.Helper()
	must(t, unix.Setns(p.sink, unix.CLONE_NEWNET))
	f()
	must(t, unix.Setns(p.source, unix.CLONE_NEWNET))
}

func (p vethPair) read(t *testing.T) (source, sink Namespace) {
	t.Helper()
	source, _ = loopback{}.read(t)
	p.inSink(t, func() { sink, _ = loopback{}.read(t) })
	return source, sink
}

// sinkSocket opens a sink at the sink's end.
func (p vethPair) sinkSocket(t *testing.T) (fd int, to unix.Sockaddr) {
	t.Helper()
	p.inSink(t, func() { fd, to = sinkAt(t, sinkAddress, 0) })
	return fd, to
}

func thisNamespace(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func up(t *testing.T, device, address string) {
	t.Helper()
	addr, err := netlink.ParseAddr(address)
	must(t, err)
	must(t, netlink.AddrAdd(link(t, device), addr))
	must(t, netlink.LinkSetUp(link(t, device)))
}

func (p vethPair) setNeighbor(t *testing.T, address, mac string) {
	t.Helper()
	hw, err := net.ParseMAC(mac)
	must(t, err)
	must(t, netlink.NeighSet(&netlink.Neigh{LinkIndex: link(t, "va").Attrs().Index, State: netlink.NUD_PERMANENT,
		IP: net.ParseIP(address), HardwareAddr: hw}))
}

func (p vethPair) sinkMAC(t *testing.T) (mac string) {
	t.Helper()
	p.inSink(t, func() { mac = link(t, "vb").Attrs().HardwareAddr.String() })
	return mac
}

// A packet that the peer of a veth pair refuses stands in rx_dropped of the
// one, tx_dropped of the other, and maybe in the source's snmp: one loss.
func TestLedgerOfVethDrop(t *testing.T) {
	p := newVethPair(t)
	p.inSink(t, func() { must(t, netlink.LinkSetMTU(link(t, "vb"), 600)) })
	fd := socket(t, unix.AF_INET)
	l := over(t, p, func(u *UDP) { u.Sent = send(t, fd, p.to, 1000, 1000) })
	wantLost(t, l, vocab.PlaceDevice, 1000)
}

// The same with packets of many datagrams.
func TestLedgerOfTrainsInDevice(t *testing.T) {
	const size, train = 100, 20
	p := newVethPair(t)
	sink, to := p.sinkSocket(t)
	fd := socket(t, unix.AF_INET)
	must(t, unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT, size))
	l := over(t, p, func(u *UDP) {
		u.Train = train
		u.Sent = train * send(t, fd, to, 200, train*size)
		p.inSink(t, func() { must(t, netlink.LinkSetDown(link(t, "vb"))) })
		u.Sent += train * send(t, fd, to, 100, train*size)
		u.Received = received(t, sink, size)
	})
	wantLost(t, l, vocab.PlaceDevice, train*100)
	if l.Received != train*200 {
		t.Errorf("%+v", l)
	}
}

// A device without a carrier takes packets, and drops them.
func TestLedgerOfCarrierLost(t *testing.T) {
	p := newVethPair(t)
	p.inSink(t, func() { must(t, netlink.LinkSetDown(link(t, "vb"))) })
	fd := socket(t, unix.AF_INET)
	l := over(t, p, func(u *UDP) { u.Sent = send(t, fd, p.to, 1000, 1000) })
	wantLost(t, l, vocab.PlaceDevice, 1000)
}

// A qdisc between the call and the device.
func TestLedgerOfVethQdisc(t *testing.T) {
	p := newVethPair(t)
	slowest(t, "va", 2000)
	sink, to := p.sinkSocket(t)
	fd := socket(t, unix.AF_INET)
	l := over(t, p, func(u *UDP) {
		u.Sent = send(t, fd, to, 2000, 1000)
		u.Received = received(t, sink, 1000)
	})
	wantLost(t, l, vocab.PlaceQdisc, 1900)
	if l.Received == 0 {
		t.Errorf("%+v", l)
	}
}

// The sink has no way back to where the datagrams say they are from.
func TestLedgerOfReversePath(t *testing.T) {
	p := newVethPair(t)
	p.inSink(t, func() { must(t, os.WriteFile("/proc/sys/net/ipv4/conf/vb/rp_filter", []byte("1\n"), 0)) })
	must(t, netlink.AddrAdd(link(t, "va"), &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP("198.51.100.1"), Mask: net.CIDRMask(32, 32)}}))
	_, to := p.sinkSocket(t)
	fd := socket(t, unix.AF_INET)
	must(t, unix.Bind(fd, sockaddr("198.51.100.1", 0)))
	l := over(t, p, func(u *UDP) { u.Sent = send(t, fd, to, 1000, 100) })
	wantLost(t, l, vocab.PlaceSinkIP, 1000)
}

// Datagrams for an address that the sink has not, and does not forward to.
func TestLedgerOfForeignAddress(t *testing.T) {
	p := newVethPair(t)
	_, foreign, err := net.ParseCIDR("198.51.100.9/32")
	must(t, err)
	must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link(t, "va").Attrs().Index, Dst: foreign}))
	p.setNeighbor(t, "198.51.100.9", p.sinkMAC(t))
	fd := socket(t, unix.AF_INET)
	l := over(t, p, func(u *UDP) { u.Sent = send(t, fd, sockaddr("198.51.100.9", 9), 1000, 100) })
	wantLost(t, l, vocab.PlaceSinkIP, 1000)
}

// Packets for another MAC address are dropped, and counted nowhere that a
// ledger looks: it must not make up a place.
func TestLedgerUnexplained(t *testing.T) {
	p := newVethPair(t)
	p.setNeighbor(t, sinkAddress, "02:00:00:00:00:99")
	_, to := p.sinkSocket(t)
	fd := socket(t, unix.AF_INET)
	l := over(t, p, func(u *UDP) { u.Sent = send(t, fd, to, 1000, 100) })
	if l.Unexplained != 1000 || len(l.Dropped) != 0 {
		t.Errorf("%+v", l)
	}
}

// Every second datagram has a wrong checksum; they are made by hand and sent
// around UDP. The short ones are found at once, the long ones when they are
// read.
func TestLedgerOfChecksum(t *testing.T) {
	p := newVethPair(t)
	mac, err := net.ParseMAC(p.sinkMAC(t))
	must(t, err)
	const ip = uint16(unix.ETH_P_IP>>8 | unix.ETH_P_IP<<8&0xff00)
	raw := socket(t, unix.AF_PACKET)
	device := &unix.SockaddrLinklayer{Protocol: ip, Ifindex: link(t, "va").Attrs().Index, Halen: 6}
	copy(device.Addr[:], mac)
	for _, size := range []int{20, 1000} {
		sink, to := p.sinkSocket(t)
		l := over(t, p, func(u *UDP) {
			u.Around = true
			for i := range 1000 {
				packet := handmade(to.(*unix.SockaddrInet4), size, i%2 == 0)
				must(t, unix.Sendto(raw, packet, 0, device))
				u.Sent++
			}
			u.Received = received(t, sink, size)
			u.SocketDrops = socketDrops(t, sink)
		})
		wantLost(t, l, vocab.PlaceChecksum, 500)
		if l.Received != 500 {
			t.Errorf("%+v", l)
		}
	}
}

// handmade is an IPv4 packet with a datagram of size bytes.
func handmade(to *unix.SockaddrInet4, size int, good bool) []byte {
	const ipHeader, udpHeader = 20, 8
	b := make([]byte, ipHeader+udpHeader+size)
	b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], net.ParseIP(sourceAddress).To4())
	copy(b[16:], to.Addr[:])
	udp := b[ipHeader:]
	binary.BigEndian.PutUint16(udp[0:], 7777)
	binary.BigEndian.PutUint16(udp[2:], uint16(to.Port))
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	pseudo := append(append([]byte{}, b[12:20]...), 0, unix.IPPROTO_UDP, udp[4], udp[5])
	sum := checksum(append(pseudo, udp...))
	if !good {
		sum ^= 0x0f0f
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	binary.BigEndian.PutUint16(b[10:], checksum(b[:ipHeader]))
	return b
}

// checksum is the internet checksum (RFC 1071) of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
