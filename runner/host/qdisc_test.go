package host

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netab/test/need"
)

// message is an RTM_NEWQDISC message without its netlink header, as the kernel
// makes it: both forms of the statistics, the newer first.
func message() []byte {
	kind := nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("tbf"))
	stats := nl.NewRtAttr(nl.TCA_STATS2, nil)
	var queue []byte
	for _, v := range []uint32{3, 3000, 1<<32 - 1, 5, 6} {
		queue = binary.NativeEndian.AppendUint32(queue, v)
	}
	stats.AddRtAttr(nl.TCA_STATS_BASIC, make([]byte, 16))
	stats.AddRtAttr(nl.TCA_STATS_QUEUE, queue)
	old := nl.NewRtAttr(nl.TCA_STATS, make([]byte, 36))
	m := (&nl.TcMsg{Ifindex: 7, Parent: netlink.HANDLE_ROOT}).Serialize()
	for _, a := range []*nl.RtAttr{kind, stats, old} {
		m = append(m, a.Serialize()...)
	}
	return m
}

func TestParseQdisc(t *testing.T) {
	got, err := ParseQdisc(message())
	want := Qdisc{Index: 7, Kind: "tbf", Parent: netlink.HANDLE_ROOT, Drops: 1<<32 - 1, Overlimits: 6, Requeues: 5, Len: 3, Backlog: 3000}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for n := range nl.SizeofTcMsg {
		if _, err := ParseQdisc(message()[:n]); err == nil {
			t.Errorf("%d bytes of a message are accepted", n)
		}
	}
	short := binary.NativeEndian.AppendUint16(message()[:nl.SizeofTcMsg], 99)
	if _, err := ParseQdisc(append(short, 1, 0)); err == nil || !strings.Contains(err.Error(), "99 bytes in 4") {
		t.Errorf("an attribute that is longer than the message: %v", err)
	}
}

func FuzzParseQdisc(f *testing.F) {
	f.Add(message())
	f.Fuzz(func(t *testing.T, m []byte) {
		q, err := ParseQdisc(m)
		if err == nil && len(m) < nl.SizeofTcMsg {
			t.Errorf("%+v of %d bytes", q, len(m))
		}
	})
}

// A limit that holds nothing drops everything; the parent counts it too.
func TestQdiscsOfNamespace(t *testing.T) {
	need.Root(t)
	runtime.LockOSThread() // never unlocked: the namespace ends with the thread
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	tbf := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: lo.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       1000, Buffer: uint32(netlink.Xmittime(1000, 2000)), Limit: 1,
	}
	need.Option(t, "NET_SCH_TBF", netlink.QdiscAdd(tbf))
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const sent = 7
	for range sent {
		if err := unix.Sendto(fd, make([]byte, 100), 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Local{}.Qdiscs()
	if err != nil {
		t.Fatal(err)
	}
	roots := 0
	for _, q := range all {
		if q.Device != "lo" || q.Ingress() {
			t.Errorf("%+v", q)
		}
		if q.Root() {
			roots++
			if q.Kind != "tbf" || q.Drops != sent {
				t.Errorf("dropped %d of %d: %+v", q.Drops, sent, q)
			}
		}
	}
	if roots != 1 {
		t.Errorf("%d roots: %+v", roots, all)
	}
}
