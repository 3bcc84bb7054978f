package probe

import (
	"strings"

	"netab/runner/host"
)

// A Namespace is the counters of one network namespace: as read, or the
// differences between two readings.
type Namespace struct {
	Net map[string]int64 // "UdpRcvbufErrors", see ReadNet
	Dev map[string]int64 // "lo.rx_dropped", see ReadDevices; "lo.qdisc_drops", see addQdiscs
}

// A NamespaceReader is where a namespace is read: host.Local in the agent there.
type NamespaceReader interface {
	FileReader
	Qdiscs() ([]host.Qdisc, error)
}

// ReadNamespace reads the namespace of the thread that does nr's reading.
func ReadNamespace(nr NamespaceReader) (Namespace, error) {
	dev, err := ReadDevices(nr)
	if err != nil {
		return Namespace{}, err
	}
	qdiscs, err := nr.Qdiscs()
	if err != nil {
		return Namespace{}, err
	}
	addQdiscs(dev, qdiscs)
	net, err := ReadNet(nr)
	if err != nil {
		return Namespace{}, err
	}
	return Namespace{Net: net, Dev: dev}, nil
}

// Levels among a device's counters.
const (
	qdiscLen     = ".qdisc_len"
	qdiscBacklog = ".qdisc_backlog_bytes"
)

// addQdiscs adds what the devices' qdiscs count. Only the root's is taken: a
// drop in a child stands in all of its parents (htb_enqueue and tbf_enqueue
// count what their child refuses, qdisc_tree_reduce_backlog what it drops
// later, mq_dump sums). What tc's filters before IP drop stands in the qdisc
// that holds them.
func addQdiscs(dev map[string]int64, qdiscs []host.Qdisc) {
	for _, q := range qdiscs {
		switch {
		case q.Root():
			dev[q.Device+".qdisc_drops"] = int64(q.Drops)
			dev[q.Device+".qdisc_overlimits"] = int64(q.Overlimits)
			dev[q.Device+".qdisc_requeues"] = int64(q.Requeues)
			dev[q.Device+qdiscLen] = int64(q.Len)
			dev[q.Device+qdiscBacklog] = int64(q.Backlog)
		case q.Ingress():
			dev[q.Device+".filter_drops"] = int64(q.Drops)
		}
	}
}

// Sub is what was counted between two readings; what did not move is absent.
func (n Namespace) Sub(before Namespace) Namespace {
	dev := subCounters(n.Dev, before.Dev)
	for name, d := range dev {
		if d < 0 && !strings.HasSuffix(name, qdiscLen) && !strings.HasSuffix(name, qdiscBacklog) {
			// The device or its qdisc was made anew and counts from zero. (Should
			// 32 bits of a qdisc have wrapped, too little is said to be dropped.)
			if dev[name] = n.Dev[name]; dev[name] == 0 {
				delete(dev, name)
			}
		}
	}
	return Namespace{Net: subCounters(n.Net, before.Net), Dev: dev}
}

// subCounters takes a name that is missing before as zero: a device that was
// made since, an ICMP type seen for the first time. What is missing after (a
// device that is gone) has no difference.
func subCounters(after, before map[string]int64) map[string]int64 {
	delta := make(map[string]int64)
	for name, v := range after {
		if d := v - before[name]; d != 0 {
			delta[name] = d
		}
	}
	return delta
}
