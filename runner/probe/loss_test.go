package probe

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/host"
	"netab/test/busytest"
	"netab/test/need"
)

// The tests of loss_*_test.go lose real datagrams at one place, and the
// kernel's own counters must say how many and where.

// enterNamespace puts the test's goroutine, for the rest of its life, into a
// network namespace of its own whose lo is up. The thread dies with the
// goroutine, and the namespace with it; subtests run elsewhere and must not be
// used.
func enterNamespace(t *testing.T) {
	t.Helper()
	need.Root(t)
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	must(t, netlink.LinkSetUp(link(t, "lo")))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, name string) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(name)
	must(t, err)
	return l
}

// A path is where the two ends' counters are read.
type path interface {
	read(t *testing.T) (source, sink Namespace)
}

type loopback struct{}

func (loopback) read(t *testing.T) (source, sink Namespace) {
	t.Helper()
	n, err := ReadNamespace(host.Local{})
	must(t, err)
	return n, n
}

// over makes the ledger of what traffic does to u.
func over(t *testing.T, p path, traffic func(u *UDP)) results.Ledger {
	t.Helper()
	u := UDP{IP: 4}
	source, sink := p.read(t)
	machine, err := ReadMachine(host.Local{})
	must(t, err)
	traffic(&u)
	machineAfter, err := ReadMachine(host.Local{})
	must(t, err)
	sourceAfter, sinkAfter := p.read(t)
	u.Source, u.Sink = sourceAfter.Sub(source), sinkAfter.Sub(sink)
	u.SoftnetDropped = SoftnetDropped(machineAfter.Sub(machine))
	l := Ledger(u)
	t.Logf("%+v of source %v %v, sink %v %v", l, u.Source.Net, u.Source.Dev, u.Sink.Net, u.Sink.Dev)
	return l
}

// wantLost checks that so many were lost, or at least as many if exactly is
// not known, and that the ledger finds them at the place, to a thousandth.
func wantLost(t *testing.T, l results.Ledger, place string, atLeast int64) {
	t.Helper()
	lost := l.Sent - l.Received
	if lost < atLeast {
		t.Errorf("only %d of %d lost, want %d: the test did not do what it is for", lost, l.Sent, atLeast)
	}
	if off := lost - l.Dropped[place]; off < 0 || off*1000 > l.Sent {
		t.Errorf("%d lost, %d of them at %s: %v, %d unexplained", lost, l.Dropped[place], place, l.Dropped, l.Unexplained)
	}
}

// socket opens a datagram socket that ends with the test.
func socket(t *testing.T, family int) int {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// sinkAt opens a socket that takes all that the tests send, unless its
// receive buffer is then made smaller. port 0 takes any.
func sinkAt(t *testing.T, address string, port int) (fd int, to unix.Sockaddr) {
	t.Helper()
	to = sockaddr(address, port)
	fd = socketLike(t, to)
	must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20))
	must(t, unix.Bind(fd, to))
	to, err := unix.Getsockname(fd)
	must(t, err)
	return fd, to
}

func sockaddr(address string, port int) unix.Sockaddr {
	ip := net.ParseIP(address)
	if v4 := ip.To4(); v4 != nil {
		return &unix.SockaddrInet4{Addr: [4]byte(v4), Port: port}
	}
	return &unix.SockaddrInet6{Addr: [16]byte(ip), Port: port}
}

// send sends n messages.
func send(t *testing.T, fd int, to unix.Sockaddr, n, size int) int64 {
	t.Helper()
	message := make([]byte, size)
	for range n {
		must(t, unix.Sendto(fd, message, 0, to))
	}
	return int64(n)
}

// received reads the datagrams of so many bytes that are there; with UDP_GRO
// a call returns many of them.
func received(t *testing.T, fd int, size int) (n int64) {
	t.Helper()
	buf := make([]byte, 1<<16)
	for {
		m, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return n
		}
		must(t, err)
		n += int64((m + size - 1) / size)
	}
}

// socketDrops reads SK_MEMINFO_DROPS, the last of SO_MEMINFO's nine numbers.
func socketDrops(t *testing.T, fd int) int64 {
	t.Helper()
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return int64(info[8])
}

func TestLedgerOfReceiveBuffer(t *testing.T) {
	enterNamespace(t)
	for _, address := range []string{"127.0.0.1", "::1"} {
		fd, to := sinkAt(t, address, 0)
		must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 20_000))
		source := socketLike(t, to)
		l := over(t, loopback{}, func(u *UDP) {
			u.IP = version(to)
			u.Sent = send(t, source, to, 3000, 1000)
			u.Received = received(t, fd, 1000)
			u.SocketDrops = socketDrops(t, fd)
		})
		wantLost(t, l, vocab.PlaceReceiveBuffer, 2900)
		if l.Received == 0 {
			t.Error("the sink got nothing at all")
		}
	}
}

func version(a unix.Sockaddr) int {
	if _, ok := a.(*unix.SockaddrInet6); ok {
		return 6
	}
	return 4
}

// socketLike opens a socket of the address's family.
func socketLike(t *testing.T, a unix.Sockaddr) int {
	t.Helper()
	if version(a) == 6 {
		return socket(t, unix.AF_INET6)
	}
	return socket(t, unix.AF_INET)
}

// With UDP_GRO a whole train is one entry of the receive buffer, and one
// UdpRcvbufErrors; without it each datagram is.
func TestLedgerOfTrainsInReceiveBuffer(t *testing.T) {
	const size, train = 100, 40
	for _, gro := range []int{0, 1} {
		func() {
			enterNamespace(t)
			fd, to := sinkAt(t, "127.0.0.1", 0)
			must(t, unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, gro))
			must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 100_000))
			source := socket(t, unix.AF_INET)
			must(t, unix.SetsockoptInt(source, unix.SOL_UDP, unix.UDP_SEGMENT, size))
			l := over(t, loopback{}, func(u *UDP) {
				u.Train = train
				if gro == 1 {
					u.SinkTrain = train
				}
				u.Sent = train * send(t, source, to, 200, train*size)
				u.Received = received(t, fd, size)
				u.SocketDrops = socketDrops(t, fd)
			})
			wantLost(t, l, vocab.PlaceReceiveBuffer, 1000)
			if l.Received == 0 {
				t.Error("the sink got nothing at all")
			}
		}()
	}
}

func TestLedgerOfNoPort(t *testing.T) {
	enterNamespace(t)
	for _, address := range []string{"127.0.0.1", "::1"} {
		to := sockaddr(address, 9)
		source := socketLike(t, to)
		l := over(t, loopback{}, func(u *UDP) {
			u.IP = version(to)
			u.Sent = send(t, source, to, 2000, 100)
		})
		wantLost(t, l, vocab.PlaceNoPort, 2000)
	}
}

// Two places at once, and what arrived.
func TestLedgerOfTwoPlaces(t *testing.T) {
	enterNamespace(t)
	fd, to := sinkAt(t, "127.0.0.1", 0)
	must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 20_000))
	source := socket(t, unix.AF_INET)
	l := over(t, loopback{}, func(u *UDP) {
		u.Sent = send(t, source, to, 1000, 1000) + send(t, source, sockaddr("127.0.0.1", 9), 500, 1000)
		u.Received = received(t, fd, 1000)
		u.SocketDrops = socketDrops(t, fd)
	})
	if l.Dropped[vocab.PlaceNoPort] != 500 || l.Dropped[vocab.PlaceReceiveBuffer] != 1000-l.Received || l.Unexplained != 0 || l.Received == 0 {
		t.Errorf("%+v", l)
	}
}

// A socket filter refuses at the socket, and no buffer was full.
func TestLedgerOfSocketFilter(t *testing.T) {
	enterNamespace(t)
	fd, to := sinkAt(t, "127.0.0.1", 0)
	attach(t, fd, []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}})
	source := socket(t, unix.AF_INET)
	l := over(t, loopback{}, func(u *UDP) {
		u.Sent = send(t, source, to, 1000, 100)
		u.Received = received(t, fd, 100)
		u.SocketDrops = socketDrops(t, fd)
	})
	wantLost(t, l, vocab.PlaceSocket, 1000)
}

func attach(t *testing.T, fd int, program []unix.SockFilter) {
	t.Helper()
	must(t, unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}))
}

// Of three sinks of a group one is slow; then a port to which nobody listens.
func TestLedgerOfMulticast(t *testing.T) {
	enterNamespace(t)
	const group = "239.1.2.3"
	_, all, err := net.ParseCIDR("224.0.0.0/4")
	must(t, err)
	must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link(t, "lo").Attrs().Index, Dst: all}))
	var sinks []int
	var to unix.Sockaddr
	port := 0
	for range 3 {
		var fd int
		fd, to = sinkAt(t, group, port)
		port = to.(*unix.SockaddrInet4).Port
		member := &unix.IPMreq{Multiaddr: [4]byte(net.ParseIP(group).To4()), Interface: [4]byte{127, 0, 0, 1}}
		must(t, unix.SetsockoptIPMreq(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, member))
		sinks = append(sinks, fd)
	}
	must(t, unix.SetsockoptInt(sinks[1], unix.SOL_SOCKET, unix.SO_RCVBUF, 20_000))
	source := socket(t, unix.AF_INET)
	must(t, unix.SetsockoptInet4Addr(source, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, [4]byte{127, 0, 0, 1}))
	l := over(t, loopback{}, func(u *UDP) {
		u.Copies = len(sinks)
		u.Sent = send(t, source, to, 1000, 1000)
		for _, fd := range sinks {
			u.Received += received(t, fd, 1000)
			u.SocketDrops += socketDrops(t, fd)
		}
	})
	wantLost(t, l, vocab.PlaceReceiveBuffer, 900)
	if l.Sent != 3000 || l.Received < 2000 {
		t.Errorf("%+v", l)
	}
	l = over(t, loopback{}, func(u *UDP) {
		u.Copies = len(sinks)
		u.Sent = send(t, source, sockaddr(group, 9), 1000, 100)
	})
	wantLost(t, l, vocab.PlaceNoPort, 3000)
}

// A CPU that is given the packets by RPS, and is kept by each longer than the
// source's: its backlog fills.
func TestLedgerOfBacklog(t *testing.T) {
	enterNamespace(t)
	cpus := need.CPUs(t, 2) // one that sends, one with the backlog
	if cpus[1] >= 32 {
		t.Skip("the mask below is one group of 32 CPUs")
	}
	must(t, unix.Unshare(unix.CLONE_NEWNS))
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(t, unix.Mount("sysfs", "/sys", "sysfs", 0, "")) // shows this namespace's lo
	const rps = "/sys/class/net/lo/queues/rx-0/rps_cpus"
	must(t, os.WriteFile(rps, hex(1<<cpus[1]), 0))
	var own unix.CPUSet
	own.Set(cpus[0])
	must(t, unix.SchedSetaffinity(0, &own))

	// Where somebody takes the sender's CPU, it is no faster than the filter.
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string { return overflowBacklog(t, int(by)*6000) })
}

func overflowBacklog(t *testing.T, messages int) string {
	fd, to := sinkAt(t, "127.0.0.1", 0)
	attach(t, fd, slowFilter())
	source := socket(t, unix.AF_INET)
	l := over(t, loopback{}, func(u *UDP) {
		u.Sent = send(t, source, to, messages, 100)
		for wait := 0; ; wait++ { // until the backlog is worked off
			got, drops := received(t, fd, 100), socketDrops(t, fd)
			u.Received, u.SocketDrops = u.Received+got, drops
			if got > 0 {
				wait = 0
			} else if wait > 20 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	if lost := l.Sent - l.Received; lost < 1000 {
		return fmt.Sprintf("only %d of %d lost", lost, l.Sent)
	}
	wantLost(t, l, vocab.PlaceBacklog, 1000)
	if l.Received < 500 {
		t.Errorf("the sink got next to nothing: %+v", l)
	}
	return ""
}

func hex(mask uint32) []byte {
	const digits = "0123456789abcdef"
	var b []byte
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[mask>>shift&15])
	}
	return append(b, '\n')
}

// slowFilter accepts a datagram after 4000 divisions, some ten microseconds.
func slowFilter() []unix.SockFilter {
	var program []unix.SockFilter
	for range 4000 {
		program = append(program, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_DIV | unix.BPF_K, K: 3})
	}
	return append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16})
}
