package probe

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results"
	"netab/results/vocab"
)

type counts = map[string]int64

func TestLedger(t *testing.T) {
	tests := []struct {
		name        string
		in          UDP
		dropped     counts
		unexplained int64
	}{
		{
			name: "nothing lost",
			in:   UDP{Sent: 100, Received: 100, Source: Namespace{Net: counts{"UdpOutDatagrams": 100}}},
		},
		{
			name: "receive buffer: InErrors and socket drops are the same losses",
			in: UDP{Sent: 100, Received: 60, SocketDrops: 40,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}},
				Sink:   Namespace{Net: counts{"UdpRcvbufErrors": 40, "UdpInErrors": 40}}},
			dropped: counts{vocab.PlaceReceiveBuffer: 40},
		},
		{
			name: "every kind of UdpInErrors, IPv4 and IPv6",
			in: UDP{Sent: 100, Received: 50, SocketDrops: 20,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 40, "Udp6OutDatagrams": 60}},
				Sink: Namespace{Net: counts{
					"UdpInErrors": 10, "Udp6InErrors": 15, "UdpRcvbufErrors": 4, "Udp6RcvbufErrors": 6,
					"UdpMemErrors": 5, "UdpInCsumErrors": 3, "UdpNoPorts": 25}}},
			dropped: counts{vocab.PlaceReceiveBuffer: 10, vocab.PlaceMemory: 5, vocab.PlaceChecksum: 3, vocab.PlaceSocket: 7, vocab.PlaceNoPort: 25},
		},
		{
			name: "Linux 6.18: the socket counts more than snmp",
			in: UDP{Sent: 100, Received: 60, SocketDrops: 40,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}},
				Sink:   Namespace{Net: counts{"UdpRcvbufErrors": 30, "UdpInErrors": 30}}},
			dropped: counts{vocab.PlaceReceiveBuffer: 30, vocab.PlaceSocket: 10},
		},
		{
			name: "loopback backlog: softnet and lo.rx_dropped are the same losses, other arms' are not ours",
			in: UDP{Sent: 100, Received: 70, SoftnetDropped: 1000,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}, Dev: counts{"lo.rx_dropped": 30}},
				Sink:   Namespace{Net: counts{}, Dev: counts{"lo.rx_dropped": 30}}},
			dropped: counts{vocab.PlaceBacklog: 30},
		},
		{
			name: "veth backlog where veth_xmit reports the drop: five counters, one loss",
			in: UDP{Sent: 100, Received: 60, SocketDrops: 10, SoftnetDropped: 20,
				Source: Namespace{
					Net: counts{"UdpOutDatagrams": 70, "UdpSndbufErrors": 30, "IpOutDiscards": 30},
					Dev: counts{"veth0.tx_dropped": 20}},
				Sink: Namespace{Net: counts{"UdpRcvbufErrors": 10, "UdpInErrors": 10}, Dev: counts{"veth1.rx_dropped": 20}}},
			dropped: counts{vocab.PlaceReceiveBuffer: 10, vocab.PlaceBacklog: 20, vocab.PlaceSourceQueue: 10},
		},
		{
			name: "veth backlog where it does not: three counters, one loss",
			in: UDP{Sent: 100, Received: 60, SoftnetDropped: 20,
				Source: Namespace{
					Net: counts{"UdpOutDatagrams": 80, "UdpSndbufErrors": 20, "IpOutDiscards": 20},
					Dev: counts{"veth0.tx_dropped": 20}},
				Sink: Namespace{Net: counts{}, Dev: counts{"veth1.rx_dropped": 20}}},
			dropped: counts{vocab.PlaceBacklog: 20, vocab.PlaceSourceQueue: 20},
		},
		{
			name: "refused sends are not losses",
			in: UDP{Sent: 100, Received: 99,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100, "UdpSndbufErrors": 500}},
				Sink:   Namespace{Net: counts{}}},
			unexplained: 1,
		},
		{
			name: "devices: ring of the NIC, errors, and a driver's own tx drops",
			in: UDP{Sent: 100, Received: 70, SoftnetDropped: 5,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}, Dev: counts{"eth0.tx_dropped": 20}},
				Sink:   Namespace{Dev: counts{"eth1.rx_dropped": 12, "eth1.rx_errors": 2}}},
			dropped: counts{vocab.PlaceBacklog: 5, vocab.PlaceDevice: 17}, unexplained: 8,
		},
		{
			name: "the same of two NICs: nothing stands in both",
			in: UDP{Sent: 100, Received: 60, SoftnetDropped: 5, Apart: true,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}, Dev: counts{"eth0.tx_dropped": 20}},
				Sink:   Namespace{Dev: counts{"eth1.rx_dropped": 12, "eth1.rx_errors": 2}}},
			dropped: counts{vocab.PlaceBacklog: 5, vocab.PlaceDevice: 29}, unexplained: 6,
		},
		{
			name: "qdisc: UdpSndbufErrors are the same losses; what still waits in it is none",
			in: UDP{Sent: 100, Received: 40,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 43, "UdpSndbufErrors": 57, "IpOutDiscards": 57},
					Dev: counts{"va.qdisc_drops": 55, "va.qdisc_overlimits": 900, "va.qdisc_len": 3, "va.qdisc_backlog_bytes": 3000}},
				Sink: Namespace{Net: counts{}}},
			dropped: counts{vocab.PlaceQdisc: 55, vocab.PlaceQueued: 3, vocab.PlaceSourceQueue: 2},
		},
		{
			name: "refused by the socket and given up, beside a qdisc",
			in: UDP{Sent: 100, Refused: 30, Received: 50,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 50, "UdpSndbufErrors": 50}, Dev: counts{"va.qdisc_drops": 20}},
				Sink:   Namespace{Net: counts{}}},
			dropped: counts{vocab.PlaceSourceSocket: 30, vocab.PlaceQdisc: 20},
		},
		{
			name: "more refused than lost",
			in:   UDP{Sent: 100, Refused: 30, Received: 90, Source: Namespace{Net: counts{"UdpOutDatagrams": 100}}},
			// Somebody sent in our place.
			dropped: counts{vocab.PlaceSourceSocket: 10},
		},
		{
			name: "a packet of 40 datagrams counts as one in the qdisc, and as 40 behind its cutting",
			in: UDP{Sent: 4000, Received: 1900, Train: 40,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 50}, Dev: counts{"va.qdisc_drops": 50}},
				Sink:   Namespace{Net: counts{"UdpRcvbufErrors": 100, "UdpInErrors": 100}}},
			dropped: counts{vocab.PlaceQdisc: 2000, vocab.PlaceReceiveBuffer: 100},
		},
		{
			name: "with UDP_GRO the sink drops them as one too",
			in: UDP{Sent: 4000, Received: 3600, Train: 40, SinkTrain: 40, SocketDrops: 10,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}},
				Sink:   Namespace{Net: counts{"UdpRcvbufErrors": 10, "UdpInErrors": 10}}},
			dropped: counts{vocab.PlaceReceiveBuffer: 400},
		},
		{
			name: "trains are at most so long: the rest is unexplained",
			in: UDP{Sent: 4000, Received: 3000, Train: 10,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 400}},
				Sink:   Namespace{Net: counts{}, Dev: counts{"vb.rx_dropped": 30}}},
			dropped: counts{vocab.PlaceDevice: 300}, unexplained: 700,
		},
		{
			name: "every place gets its least first",
			in: UDP{Sent: 1000, Received: 900, Train: 10, SinkTrain: 10,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}},
				Sink:   Namespace{Net: counts{"UdpRcvbufErrors": 50, "UdpInErrors": 50, "UdpNoPorts": 20}}},
			dropped: counts{vocab.PlaceReceiveBuffer: 80, vocab.PlaceNoPort: 20},
		},
		{
			name: "fragments: between a fifth of the drops and all",
			in: UDP{Sent: 100, Received: 80, Fragments: 5,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 100}},
				Sink:   Namespace{Net: counts{"IpReasmFails": 10}, Dev: counts{"vb.rx_dropped": 60}}},
			dropped: counts{vocab.PlaceDevice: 12, vocab.PlaceReassembly: 8},
		},
		{
			name: "multicast: a packet lost before the sinks is lost to all, one in a buffer to one",
			in: UDP{Sent: 100, Received: 150, Copies: 3,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 70, "UdpSndbufErrors": 30}, Dev: counts{"va.qdisc_drops": 30}},
				Sink:   Namespace{Net: counts{"UdpRcvbufErrors": 57, "UdpInErrors": 57, "UdpIgnoredMulti": 1}}},
			dropped: counts{vocab.PlaceQdisc: 90, vocab.PlaceReceiveBuffer: 57, vocab.PlaceNoPort: 3},
		},
		{
			name: "AF_PACKET: UdpOutDatagrams knows nothing",
			in: UDP{Sent: 100, Received: 70, Around: true,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 2}, Dev: counts{"va.tx_dropped": 10}},
				Sink:   Namespace{Net: counts{"UdpNoPorts": 20}}},
			dropped: counts{vocab.PlaceNoPort: 20, vocab.PlaceDevice: 10},
		},
		{
			name: "the other IP version's counters are not ours",
			in: UDP{Sent: 100, Received: 70, IP: 6,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 7, "Udp6OutDatagrams": 100}},
				Sink:   Namespace{Net: counts{"IpInDiscards": 5, "IpExtInNoRoutes": 5, "UdpNoPorts": 5, "Ip6InDiscards": 10, "Udp6NoPorts": 15}}},
			dropped: counts{vocab.PlaceSinkIP: 10, vocab.PlaceNoPort: 15}, unexplained: 5,
		},
		{
			name: "tc filters, of both ends and of loopback",
			in: UDP{Sent: 100, Received: 70,
				Source: Namespace{Net: counts{"UdpOutDatagrams": 90}, Dev: counts{"va.filter_drops": 10}},
				Sink:   Namespace{Dev: counts{"vb.filter_drops": 20}}},
			dropped: counts{vocab.PlaceFilter: 30},
		},
		{
			name: "sink IP and reassembly",
			in: UDP{Sent: 10, Received: 2, Source: Namespace{Net: counts{"UdpOutDatagrams": 10}},
				Sink: Namespace{Net: counts{"IpInDiscards": 1, "Ip6InHdrErrors": 1, "IpExtInNoRoutes": 1, "TcpExtIPReversePathFilter": 1, "IpReasmFails": 400}}},
			dropped: counts{vocab.PlaceSinkIP: 4, vocab.PlaceReassembly: 4},
		},
		{
			name: "everything lost in the source's queue",
			in: UDP{Sent: 10, Source: Namespace{Net: counts{"UdpSndbufErrors": 10, "IpOutDiscards": 10}},
				Sink: Namespace{Net: counts{}}},
			dropped: counts{vocab.PlaceSourceQueue: 10},
		},
		{
			name:        "no counters at all",
			in:          UDP{Sent: 10, Received: 4},
			unexplained: 6,
		},
		{
			name:        "received what was sent before the stretch",
			in:          UDP{Sent: 10, Received: 12, SocketDrops: 3, Source: Namespace{Net: counts{"UdpOutDatagrams": 10}}},
			unexplained: -2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.dropped == nil {
				tt.dropped = counts{}
			}
			want := results.Ledger{Valid: true, Sent: tt.in.Sent * max(int64(tt.in.Copies), 1), Received: tt.in.Received,
				Dropped: tt.dropped, Unexplained: tt.unexplained}
			if diff := cmp.Diff(want, Ledger(tt.in)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// FuzzLedger: whatever the counters say, the sum balances and no place gets
// more than was lost.
func FuzzLedger(f *testing.F) {
	f.Add(int64(100), int64(60), int64(10), int64(20), int64(70), int64(30), int64(30), int64(20), int64(10), int64(5), int64(3), uint8(0), uint8(0))
	f.Add(int64(100), int64(60), int64(10), int64(20), int64(70), int64(30), int64(30), int64(20), int64(10), int64(5), int64(3), uint8(40), uint8(3))
	f.Fuzz(func(t *testing.T, sent, received, drops, softnet, out, sndbuf, discards, dev, rcvbuf, inErrors, refused int64, train, copies uint8) {
		const bound = 1 << 40
		for _, v := range []*int64{&sent, &received, &drops, &softnet, &out, &sndbuf, &discards, &dev, &rcvbuf, &inErrors, &refused} {
			*v %= bound
		}
		sent, received = max(sent, -sent), max(received, -received)
		l := Ledger(UDP{Sent: sent, Received: received, SocketDrops: drops, SoftnetDropped: softnet, Refused: refused,
			Train: int(train), SinkTrain: int(train / 2), Fragments: int(train % 7), Copies: int(copies),
			IP: int(copies%3) * 2, Around: copies%2 == 1, Apart: train%2 == 1,
			Source: Namespace{Net: counts{"UdpOutDatagrams": out, "UdpSndbufErrors": sndbuf, "IpOutDiscards": discards},
				Dev: counts{"a.tx_dropped": dev, "a.qdisc_drops": sndbuf, "a.qdisc_len": -dev, "a.filter_drops": rcvbuf}},
			Sink: Namespace{Net: counts{"UdpRcvbufErrors": rcvbuf, "UdpInErrors": inErrors, "IpReasmFails": dev},
				Dev: counts{"b.rx_dropped": dev, "b.filter_drops": sndbuf}}})
		sent *= max(int64(copies), 1)
		sum := l.Received + l.Unexplained
		for place, n := range l.Dropped {
			if n <= 0 || n > max(0, sent-received) {
				t.Errorf("%s: %d of %d lost", place, n, sent-received)
			}
			sum += n
		}
		if sum != sent || l.Sent != sent {
			t.Errorf("sum %d, sent %d: %+v", sum, sent, l)
		}
		if received <= sent && l.Unexplained < 0 {
			t.Errorf("more explained than lost: %+v", l)
		}
	})
}
