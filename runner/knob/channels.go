package knob

import (
	"time"

	"netab/runner/host"
)

// channelCounts is struct ethtool_channels: cmd, the four maxima, the four counts
// (rx, tx, other, combined).
var channelCounts = ethtoolStruct{
	what: "channels", one: "a queue count", get: 0x3c, set: 0x3d, words: 9,
	numbers: []ethtoolNumber{{"rx", 1, 5}, {"tx", 2, 6}, {"combined", 4, 8}},
	// The time in which a link that went down with its rings comes up again and TCP
	// has sent its first retransmissions (200 ms RTO minimum).
	settle: 500 * time.Millisecond,
}

// channels is a device's number of queues of one kind: rx, tx or combined.
type channels struct{ deviceCount }

var _ Collateraler = channels{}

func newChannels(spec Spec) (Knob, error) {
	k, err := channelCounts.count(spec)
	if err != nil {
		return nil, err
	}
	return channels{k}, nil
}

func bindChannels(h host.Host, a asked) ([]Knob, error) {
	k, err := channelCounts.bind(h, a)
	if err != nil {
		return nil, err
	}
	return []Knob{channels{k}}, nil
}

// Collateral implements Collateraler: queues that go away take their masks
// with them, drivers set XPS anew, and interrupts are asked for again.
func (k channels) Collateral(h host.Host) ([]Knob, error) {
	var knobs []Knob
	queues, err := queuesOf(h, k.spec.Device)
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		for _, family := range []string{familyRPSCPUs, familyRPSFlowCnt, familyXPSCPUs} {
			if !isQueueName(q, queueKind(family)) {
				continue
			}
			m, err := newQueue(Spec{Family: family, Device: k.spec.Device, Queue: q, Scope: k.spec.Scope})
			if err != nil {
				return nil, err
			}
			knobs = append(knobs, m)
		}
	}
	if k.spec.Scope == Netns {
		return knobs, nil // interrupts belong to no namespace
	}
	irqs, err := irqsOf(h, k.spec.Device)
	if err != nil {
		return nil, err
	}
	for _, n := range irqs {
		knobs = append(knobs, irqKnob(n, k.spec.Device))
	}
	return knobs, nil
}
