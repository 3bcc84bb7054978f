package probe

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/test/need"
)

func addQdisc(t *testing.T, option string, q netlink.Qdisc) {
	t.Helper()
	err := netlink.QdiscAdd(q)
	if errors.Is(err, unix.ENOENT) {
		need.Option(t, option, err)
	}
	must(t, err)
}

// slowest is a token bucket that lets some 4500 bytes through at once and then
// 1000 a second, with room for limit bytes to wait.
func slowest(t *testing.T, device string, limit uint32) {
	t.Helper()
	const rate = 1000
	addQdisc(t, "NET_SCH_TBF", &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link(t, device).Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       rate, Buffer: uint32(netlink.Xmittime(rate, 4500)), Limit: limit,
	})
}

// The send calls succeed, and each loss stands in four counters: of the bucket,
// of the queue inside it, UdpSndbufErrors and IpOutDiscards.
func TestLedgerOfQdisc(t *testing.T) {
	enterNamespace(t)
	slowest(t, "lo", 2000)
	fd, to := sinkAt(t, "127.0.0.1", 0)
	source := socket(t, unix.AF_INET)
	l := over(t, loopback{}, func(u *UDP) {
		u.Sent = send(t, source, to, 3000, 1000)
		u.Received = received(t, fd, 1000)
	})
	wantLost(t, l, vocab.PlaceQdisc, 2980)
	if l.Received == 0 || l.Dropped[vocab.PlaceQueued]+l.Unexplained > 2 { // one in the bucket, one let out after the sink's last look
		t.Errorf("%+v", l)
	}
}

// A train that is dropped in the qdisc counts as one packet there.
func TestLedgerOfTrainsInQdisc(t *testing.T) {
	enterNamespace(t)
	const size, train = 100, 10
	slowest(t, "lo", 2000)
	fd, to := sinkAt(t, "127.0.0.1", 0)
	source := socket(t, unix.AF_INET)
	must(t, unix.SetsockoptInt(source, unix.SOL_UDP, unix.UDP_SEGMENT, size))
	l := over(t, loopback{}, func(u *UDP) {
		u.Train = train
		u.Sent = train * send(t, source, to, 2000, train*size)
		u.Received = received(t, fd, size)
	})
	wantLost(t, l, vocab.PlaceQdisc, 19_000)
	if l.Received == 0 || l.Dropped[vocab.PlaceQueued]+l.Unexplained > 2*train {
		t.Errorf("%+v", l)
	}
}

// A drop in a class's own queue is its parent's drop too, and one loss. The
// datagrams are cut into fragments: one that does not get in ends the datagram.
func TestLedgerOfFragmentsInClassfulQdisc(t *testing.T) {
	enterNamespace(t)
	lo := link(t, "lo")
	must(t, netlink.LinkSetMTU(lo, 1500))
	must(t, netlink.LinkSetTxQLen(lo, 3)) // pfifo's limit
	at := func(handle, parent uint32) netlink.QdiscAttrs {
		return netlink.QdiscAttrs{LinkIndex: lo.Attrs().Index, Handle: handle, Parent: parent}
	}
	htb := netlink.NewHtb(at(netlink.MakeHandle(1, 0), netlink.HANDLE_ROOT))
	htb.Defcls = 1
	addQdisc(t, "NET_SCH_HTB", htb)
	class := netlink.NewHtbClass(netlink.ClassAttrs{LinkIndex: lo.Attrs().Index, Handle: netlink.MakeHandle(1, 1), Parent: netlink.MakeHandle(1, 0)},
		netlink.HtbClassAttrs{Rate: 8000, Ceil: 8000, Buffer: 20_000, Cbuffer: 20_000})
	must(t, netlink.ClassAdd(class))
	addQdisc(t, "NET_SCHED", &netlink.GenericQdisc{QdiscAttrs: at(netlink.MakeHandle(2, 0), netlink.MakeHandle(1, 1)), QdiscType: "pfifo"})

	fd, to := sinkAt(t, "127.0.0.1", 0)
	source := socket(t, unix.AF_INET)
	l := over(t, loopback{}, func(u *UDP) {
		u.Fragments = 4
		u.Sent = send(t, source, to, 3000, 5000)
		u.Received = received(t, fd, 5000)
	})
	wantLost(t, l, vocab.PlaceQdisc, 1000)
}

// What waits in a qdisc keeps the socket's send buffer full.
func TestLedgerOfSourceSocket(t *testing.T) {
	enterNamespace(t)
	slowest(t, "lo", 1<<20)
	fd, to := sinkAt(t, "127.0.0.1", 0)
	source := socket(t, unix.AF_INET)
	must(t, unix.SetsockoptInt(source, unix.SOL_SOCKET, unix.SO_SNDBUF, 4608))
	l := over(t, loopback{}, func(u *UDP) {
		message := make([]byte, 1000)
		for range 20_000 {
			u.Sent++
			switch err := unix.Sendto(source, message, unix.MSG_DONTWAIT, to); {
			case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOBUFS):
				u.Refused++
			default:
				must(t, err)
			}
		}
		u.Received = received(t, fd, 1000)
	})
	wantLost(t, l, vocab.PlaceSourceSocket, 19_900)
	if l.Received == 0 || l.Dropped[vocab.PlaceQueued] == 0 {
		t.Errorf("some must pass and some wait: %+v", l)
	}
}

// A filter at the sink's device, before IP.
func TestLedgerOfFilter(t *testing.T) {
	p := newVethPair(t)
	p.inSink(t, func() {
		vb := link(t, "vb").Attrs().Index
		addQdisc(t, "NET_SCH_INGRESS", &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: vb, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}})
		err := netlink.FilterAdd(&netlink.BpfFilter{
			FilterAttrs: netlink.FilterAttrs{LinkIndex: vb, Parent: netlink.HANDLE_MIN_INGRESS, Handle: 1, Priority: 1, Protocol: unix.ETH_P_IP},
			Fd:          dropAll(t), Name: "drop", DirectAction: true,
		})
		if errors.Is(err, unix.ENOENT) {
			need.Option(t, "NET_CLS_BPF", err)
		}
		must(t, err)
	})
	fd := socket(t, unix.AF_INET)
	l := over(t, p, func(u *UDP) { u.Sent = send(t, fd, p.to, 1000, 100) })
	wantLost(t, l, vocab.PlaceFilter, 1000)
}

// dropAll loads a program that returns TC_ACT_SHOT.
func dropAll(t *testing.T) int {
	t.Helper()
	program := [...]uint64{unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K | uint64(netlink.TC_ACT_SHOT)<<32, unix.BPF_JMP | unix.BPF_EXIT}
	license := []byte("GPL\x00")
	attr := struct {
		kind, count    uint32
		insns, license uint64
		_              [96]byte
	}{unix.BPF_PROG_TYPE_SCHED_CLS, uint32(len(program)), uint64(uintptr(unsafe.Pointer(&program))), uint64(uintptr(unsafe.Pointer(&license[0]))), [96]byte{}}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&program)
	runtime.KeepAlive(license)
	if errno == unix.EPERM || errno == unix.ENOSYS {
		need.Option(t, "BPF_SYSCALL", errno)
	}
	if errno != 0 {
		t.Fatalf("load a BPF program: %v", errno)
	}
	t.Cleanup(func() { unix.Close(int(fd)) })
	return int(fd)
}
