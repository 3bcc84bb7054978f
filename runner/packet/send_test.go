package packet

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// paths are all the ways of the tests.
var paths = []struct {
	name string
	make func(testing.TB, bool) path
	ipv6 bool
}{
	{"loopback ipv4", loopback, false},
	{"loopback ipv6", loopback, true},
	{"veth ipv4", veth, false},
	{"veth ipv6", veth, true},
}

// TestArrives sends several rounds of the ring, odd and even payloads, and
// finds each of them at a plain UDP socket, in order, as it was made.
func TestArrives(t *testing.T) {
	for _, way := range paths {
		for _, payload := range []int{0, 1, 64, 1472 - 20} {
			t.Run(way.name, func(t *testing.T) {
				p := way.make(t, way.ipv6)
				p.Payload, p.Batch, p.Slots, p.Ports = payload, 7, 64, 4
				s := p.open(t)
				want := make([]byte, payload)
				for i := range want {
					want[i] = byte(i)
				}
				b := make([]byte, 2048)
				sent := 0
				for sent < 200 {
					bytes, msgs, errno := s.Send()
					if errno != 0 || msgs != 7 || bytes != msgs*int64(payload) {
						t.Fatalf("sent %d bytes, %d datagrams: %v", bytes, msgs, errno)
					}
					for range msgs {
						n, from, ok := p.receive(t, b)
						if !ok {
							t.Fatalf("datagram %d did not arrive", sent)
						}
						if diff := cmp.Diff(want, b[:n]); diff != "" {
							t.Fatalf("payload (-want +got):\n%s", diff)
						}
						if want := 40000 + uint16(sent%64%4); from != want {
							t.Fatalf("datagram %d from port %d, want %d", sent, from, want)
						}
						sent++
					}
				}
				if !p.nothing(t) {
					t.Error("a datagram arrived that was not sent")
				}
			})
		}
	}
}

// Each of the sysctls is needed, and they are enough (TestArrives).
func TestSysctlsAreNeeded(t *testing.T) {
	names := slices.Sorted(maps.Keys(Sysctls("lo", false)))
	if len(names) == 0 {
		t.Fatal("no sysctls for lo")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			p := loopback(t, false)
			must(t, os.WriteFile(filepath.Join("/proc/sys", name), []byte("0"), 0))
			s := p.open(t)
			if _, msgs, errno := s.SendUpTo(3); msgs != 3 || errno != 0 {
				t.Fatalf("sent %d: %v", msgs, errno)
			}
			if !p.nothing(t) {
				t.Errorf("arrives without %s", name)
			}
		})
	}
}

// TestReversePathFilter shows that what distributions set does not matter.
func TestReversePathFilter(t *testing.T) {
	for _, value := range []string{"0", "1", "2"} {
		p := loopback(t, false)
		for _, device := range []string{"all", "lo"} {
			must(t, os.WriteFile("/proc/sys/net/ipv4/conf/"+device+"/rp_filter", []byte(value), 0))
		}
		s := p.open(t)
		s.SendUpTo(1)
		if _, _, ok := p.receive(t, make([]byte, 100)); !ok {
			t.Errorf("nothing arrives with rp_filter %s", value)
		}
	}
}

// TestFloodBalances sends more than the sink's buffer holds before it reads: all
// that was counted as sent is received or was dropped at the sink's socket (or,
// if the machine is busy, in the softnet backlog).
func TestFloodBalances(t *testing.T) {
	for _, way := range paths {
		t.Run(way.name, func(t *testing.T) {
			p := way.make(t, way.ipv6)
			p.Payload = 64
			s := p.open(t)
			before := softnetDropped(t)
			var sent, received int64
			for sent < 30000 {
				_, msgs, errno := s.Send()
				sent += msgs
				if errno != 0 && errno != unix.ENOBUFS && errno != unix.EAGAIN && errno != unix.EINTR {
					t.Fatal(errno)
				}
			}
			for b := make([]byte, 100); ; received++ {
				if _, _, ok := p.within(t, b, 100*time.Millisecond); !ok {
					break
				}
			}
			drops := p.drops(t)
			if drops == 0 {
				t.Error("the sink's buffer did not overflow: nothing is shown")
			}
			if missing := sent - received - drops; missing < 0 || missing > softnetDropped(t)-before {
				t.Errorf("sent %d, received %d, dropped at the socket %d", sent, received, drops)
			}
		})
	}
}

// TestRefused sends frames that the peer of a veth pair does not take. A kernel
// that says so has each of them refused, not sent; one that does not has them
// sent. Either way the device's drops are all of them.
func TestRefused(t *testing.T) {
	p := veth(t, false)
	p.Payload = 1000
	s := p.open(t)
	must(t, unix.Setns(p.sinkNS, unix.CLONE_NEWNET))
	peer, err := netlink.LinkByName("vb")
	must(t, err)
	must(t, netlink.LinkSetMTU(peer, 600))
	must(t, unix.Setns(p.sourceNS, unix.CLONE_NEWNET))
	var tried uint64
	for range 3 {
		_, msgs, errno := s.Send()
		switch {
		case errno == unix.ENOBUFS && msgs == 0:
			tried++
		case errno == 0 && msgs == 32:
			tried += 32
		default:
			t.Fatalf("sent %d, %v", msgs, errno)
		}
	}
	link, err := netlink.LinkByName("va")
	must(t, err)
	if got := link.Attrs().Statistics.TxDropped; got != tried {
		t.Errorf("%d refused or sent, the device dropped %d", tried, got)
	}
}

// holdBack puts a qdisc on the source's device that lets through so many bytes
// per second.
func holdBack(t *testing.T, rate uint64) {
	link, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.QdiscAdd(&netlink.Tbf{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_ROOT},
		Rate: rate, Buffer: uint32(2000 * (1e9 / 64) / rate), Limit: 1 << 20})) // time for 2000 bytes, in ticks of 64 ns
}

// TestWaits sends through a qdisc that holds the frames back, and waits for
// slots without spinning.
func TestWaits(t *testing.T) {
	p := veth(t, false)
	p.Payload, p.Slots, p.Batch, p.Qdisc = 64, 64, 16, true
	const rate, frame = 1e6, 14 + 20 + 8 + 64
	holdBack(t, rate)
	s := p.open(t)
	if s.mask != 63 {
		t.Errorf("%d slots, want 64", s.mask+1)
	}
	waits(t, s, 2000, rate/frame, 2000/frame)
}

// TestWaitsUnprivileged is the same without the right to a larger send buffer:
// the ring is smaller.
func TestWaitsUnprivileged(t *testing.T) {
	p := veth(t, false)
	p.Payload, p.Slots, p.Qdisc = 64, maxSlots, true
	const rate, frame = 1e7, 14 + 20 + 8 + 64
	holdBack(t, rate)
	dropCapability(t, unix.CAP_NET_ADMIN)
	s := p.open(t)
	if s.mask+1 == maxSlots {
		t.Skip("net.core.wmem_max is so large here that nothing is refused")
	}
	waits(t, s, 3*int64(s.mask), rate/frame, 2000/frame)
	p.Ports = maxSlots
	p.Source = netip.AddrPortFrom(p.Source.Addr(), 0)
	if _, err := Open(p.Config); err == nil || !strings.Contains(err.Error(), "wmem_max") {
		t.Errorf("%v, want a hint at wmem_max", err)
	}
}

// waits sends so many datagrams through a qdisc that lets through so many per
// second after the first ones.
func waits(t *testing.T, s *Source, datagrams int64, perSecond, first float64) {
	t.Helper()
	calls, sent := int64(0), int64(0)
	start := time.Now()
	for sent < datagrams {
		_, msgs, errno := s.Send()
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			t.Fatal(errno)
		}
		calls++
		sent += msgs
	}
	// The qdisc reads its clock on whatever CPU the timer fires on, and the clocks of
	// virtual CPUs differ by microseconds: 17 were seen.
	const apart = 200 * time.Microsecond
	if possible := (time.Since(start)+apart).Seconds()*perSecond + first + float64(s.mask) + 1; calls > 3*sent || float64(sent) > possible {
		t.Errorf("%d calls sent %d, of which at most %.0f can have passed", calls, sent, possible)
	}
}

// dropCapability takes a capability from the test's thread.
func dropCapability(t *testing.T, number uint) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	must(t, unix.Capget(&header, &data[0]))
	data[number/32].Effective &^= 1 << (number % 32)
	must(t, unix.Capset(&header, &data[0]))
}

// TestWaitEnds: a source that nothing is taken from comes back all the same.
func TestWaitEnds(t *testing.T) {
	p := veth(t, false)
	p.Payload, p.Slots, p.Qdisc = 1000, 64, true
	holdBack(t, 1000)
	// Go's preemption would interrupt the wait.
	must(t, unix.PthreadSigmask(unix.SIG_BLOCK, &unix.Sigset_t{Val: [16]uint64{1 << (unix.SIGURG - 1)}}, nil))
	s := p.open(t)
	var sent int64
	for range 10 {
		_, msgs, errno := s.Send()
		sent += msgs
		if errno == unix.EAGAIN {
			if msgs != 0 || sent < 64 {
				t.Errorf("gave up after %d of 64 slots", sent)
			}
			return
		}
	}
	t.Errorf("sent %d and never waited", sent)
}

func TestDeviceGone(t *testing.T) {
	p := veth(t, false)
	s := p.open(t)
	link, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.LinkSetDown(link))
	if _, msgs, errno := s.Send(); msgs != 0 || errno != unix.ENETDOWN {
		t.Errorf("down: sent %d, %v", msgs, errno)
	}
	must(t, netlink.LinkDel(link))
	_, _, _ = s.Send() // reports the pending error of the socket
	if _, msgs, errno := s.Send(); msgs != 0 || errno != unix.ENXIO {
		t.Errorf("gone: sent %d, %v", msgs, errno)
	}
}

func TestSmallerMTU(t *testing.T) {
	p := veth(t, false)
	p.Payload = 1000
	s := p.open(t)
	link, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.LinkSetMTU(link, 900))
	for range 2 { // the frame does not stay behind as one that cannot be sent
		if _, msgs, errno := s.Send(); msgs != 0 || errno != unix.EMSGSIZE {
			t.Errorf("sent %d, %v", msgs, errno)
		}
	}
	must(t, netlink.LinkSetMTU(link, 1500))
	if _, msgs, errno := s.Send(); msgs != 32 || errno != 0 {
		t.Errorf("sent %d, %v after the MTU came back", msgs, errno)
	}
}

// TestOneSlot is the smallest ring, whose only slot is sent again and again.
func TestOneSlot(t *testing.T) {
	p := veth(t, true)
	p.Batch, p.Slots = 1, 1
	s := p.open(t)
	for range 3 {
		if _, msgs, errno := s.SendUpTo(5); msgs != 1 || errno != 0 {
			t.Fatalf("sent %d, %v", msgs, errno)
		}
		if _, _, ok := p.receive(t, nil); !ok {
			t.Fatal("did not arrive")
		}
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	p := loopback(t, false)
	s := p.open(t)
	var failed syscall.Errno
	if n := testing.AllocsPerRun(100, func() {
		if _, _, errno := s.Send(); errno != 0 {
			failed = errno
		}
	}); n != 0 || failed != 0 {
		t.Errorf("%v allocations, %v", n, failed)
	}
}

func BenchmarkSend(b *testing.B) {
	p := loopback(b, false)
	p.Payload = 64
	s := p.open(b)
	b.ReportAllocs()
	b.SetBytes(64)
	b.ResetTimer()
	for sent := int64(0); sent < int64(b.N); {
		_, msgs, errno := s.SendUpTo(int(min(32, int64(b.N)-sent)))
		if errno != 0 && errno != unix.ENOBUFS && errno != unix.EAGAIN {
			b.Fatal(errno)
		}
		sent += msgs
	}
}

// drops is the number of datagrams that the sink's socket refused.
func (p path) drops(t *testing.T) int64 {
	var values [9]uint32
	size := uint32(unsafe.Sizeof(values))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(p.sink), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&values)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return int64(values[8]) // SK_MEMINFO_DROPS
}

// softnetDropped is that of the whole machine.
func softnetDropped(t *testing.T) (n int64) {
	data, err := os.ReadFile("/proc/net/softnet_stat")
	must(t, err)
	for line := range strings.Lines(string(data)) {
		var processed, dropped int64
		_, err := fmt.Sscanf(line, "%x %x", &processed, &dropped)
		must(t, err)
		n += dropped
	}
	return n
}
