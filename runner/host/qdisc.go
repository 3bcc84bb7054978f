package host

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A Qdisc is a queueing discipline and what it has counted. The counters are 32
// bit and begin at zero with each qdisc.
type Qdisc struct {
	Device     string
	Index      int // of the device
	Kind       string
	Handle     uint32 // 0 = the kernel gave it to the device by itself
	Options    []byte // TCA_OPTIONS
	Parent     uint32 // netlink.HANDLE_ROOT, HANDLE_INGRESS, or a class
	Drops      uint32 // packets; those that a child dropped are in its parents' too
	Overlimits uint32
	Requeues   uint32 // the device would not take a packet that had been dequeued
	Len        uint32 // a level: packets queued now
	Backlog    uint32 // a level: their bytes
}

// SizeofQdiscHead is that of struct tcmsg, with which messages about qdiscs begin.
const SizeofQdiscHead = nl.SizeofTcMsg

// QdiscRoot is the parent of a device's outermost qdisc.
const QdiscRoot = netlink.HANDLE_ROOT

// Root says whether it is the device's outermost one.
func (q Qdisc) Root() bool { return q.Parent == QdiscRoot }

// Ingress says whether it holds the filters before IP (ingress, clsact) and
// queues nothing.
func (q Qdisc) Ingress() bool { return q.Parent == netlink.HANDLE_INGRESS }

// Qdiscs lists the qdiscs of all devices of the namespace. netlink.QdiscList is
// not used: of the two forms of the statistics it keeps the older one, which
// has no requeues, and it decodes options that nobody asks for here.
func (Local) Qdiscs() ([]Qdisc, error) {
	devices, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	names := make(map[int]string, len(devices))
	for _, d := range devices {
		names[d.Index] = d.Name
	}
	messages, err := Local{}.Rtnetlink(NetlinkRequest{Type: unix.RTM_GETQDISC, Flags: unix.NLM_F_DUMP, Body: make([]byte, nl.SizeofTcMsg)})
	if err != nil {
		return nil, fmt.Errorf("list qdiscs: %w", err)
	}
	var out []Qdisc
	for _, m := range messages {
		q, err := ParseQdisc(m)
		if err != nil {
			return nil, fmt.Errorf("list qdiscs: %w", err)
		}
		if q.Device = names[q.Index]; q.Device != "" { // else a device made meanwhile
			out = append(out, q)
		}
	}
	return out, nil
}

// queueStatsSize is that of struct gnet_stats_queue
// (include/uapi/linux/gen_stats.h): qlen, backlog, drops, requeues, overlimits.
const queueStatsSize = 20

// ParseQdisc reads an RTM_NEWQDISC message (tc_fill_qdisc, net/sched/sch_api.c):
// struct tcmsg, then TCA_KIND, TCA_OPTIONS, TCA_STATS2 and others. The device's name is
// not in it.
func ParseQdisc(m []byte) (q Qdisc, err error) {
	if len(m) < nl.SizeofTcMsg {
		return q, fmt.Errorf("a message of %d bytes, want at least %d", len(m), nl.SizeofTcMsg)
	}
	head := nl.DeserializeTcMsg(m)
	q.Index, q.Parent, q.Handle = int(head.Ifindex), head.Parent, head.Handle
	err = Attributes(m[nl.SizeofTcMsg:], func(kind uint16, value []byte) error {
		switch kind {
		case nl.TCA_KIND:
			q.Kind = unix.ByteSliceToString(value)
		case nl.TCA_OPTIONS:
			q.Options = value
		case nl.TCA_STATS2:
			return Attributes(value, q.parseStats)
		}
		return nil
	})
	return q, err
}

func (q *Qdisc) parseStats(kind uint16, value []byte) error {
	if kind != nl.TCA_STATS_QUEUE {
		return nil
	}
	if len(value) < queueStatsSize {
		return fmt.Errorf("%s: statistics of %d bytes, want %d", q.Kind, len(value), queueStatsSize)
	}
	field := func(i int) uint32 { return binary.NativeEndian.Uint32(value[4*i:]) }
	q.Len, q.Backlog, q.Drops, q.Requeues, q.Overlimits = field(0), field(1), field(2), field(3), field(4)
	return nil
}

// Attributes goes through netlink attributes: length, type, value, padding to 4
// bytes. nl.ParseRouteAttr panics if the last one is not padded.
func Attributes(b []byte, f func(kind uint16, value []byte) error) error {
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			return fmt.Errorf("an attribute of %d bytes in %d", size, len(b))
		}
		kind := binary.NativeEndian.Uint16(b[2:]) &^ uint16(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER)
		if err := f(kind, b[unix.SizeofRtAttr:size]); err != nil {
			return err
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return nil
}
