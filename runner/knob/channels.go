package knob

import (
	"fmt"
	"strconv"
	"time"

	"netab/runner/host"
)

// A Collateraler is a knob whose write makes the kernel or the driver change
// others as well. The journal remembers those before the first write.
type Collateraler interface {
	// Collateral lists the knobs, as they are now, that a write may disturb.
	Collateral(h host.Host) ([]Knob, error)
}

// channels is a device's number of queues of one kind: rx, tx or combined.
type channels struct{ spec Spec }

var _ Collateraler = channels{}

func newChannels(spec Spec) (Knob, error) {
	if err := checkDeviceName(spec.Device); err != nil {
		return nil, err
	}
	k := channels{spec}
	if _, _, err := k.field(&host.Channels{}); err != nil {
		return nil, err
	}
	return k, nil
}

func (k channels) String() string { return k.spec.Device + " channels " + k.spec.Name }
func (k channels) Scope() Scope   { return k.spec.Scope }
func (k channels) Spec() Spec     { return k.spec }

// SlowSwitch: drivers stop the device, free its rings and interrupts, and make
// new ones; packets are lost and flows back off.
func (k channels) SlowSwitch() bool { return true }

// Settle covers the time in which a link that went down with its rings comes
// up again and TCP has sent its first retransmissions (200 ms RTO minimum).
func (k channels) Settle() time.Duration { return 500 * time.Millisecond }

// field picks the count of the knob's kind, and its limit.
func (k channels) field(c *host.Channels) (count *int, most int, err error) {
	switch k.spec.Name {
	case "rx":
		return &c.RX, c.MaxRX, nil
	case "tx":
		return &c.TX, c.MaxTX, nil
	case "combined":
		return &c.Combined, c.MaxCombined, nil
	}
	return nil, 0, fmt.Errorf("%s: %q is none of rx, tx, combined", k, k.spec.Name)
}

func (k channels) Read(h host.Host) (string, error) {
	c, err := h.Channels(k.spec.Device)
	if err != nil {
		return "", err
	}
	count, most, err := k.field(&c)
	if err != nil {
		return "", err
	}
	if most == 0 {
		return "", fmt.Errorf("the device has no %s channels; it has rx up to %d, tx up to %d, combined up to %d",
			k.spec.Name, c.MaxRX, c.MaxTX, c.MaxCombined)
	}
	return strconv.Itoa(*count), nil
}

func (k channels) Write(h host.Host, value string) error {
	if err := k.Check(value); err != nil {
		return err
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return err
	}
	c, err := h.Channels(k.spec.Device)
	if err != nil {
		return err
	}
	count, most, err := k.field(&c)
	if err != nil {
		return err
	}
	if n > most {
		return fmt.Errorf("the device has at most %d", most)
	}
	*count = n
	return h.SetChannels(k.spec.Device, c)
}

// Check implements Knob.
func (k channels) Check(value string) error {
	if _, err := strconv.ParseUint(value, 10, 16); err != nil {
		return fmt.Errorf("%q is not a queue count", value)
	}
	return nil
}

func (k channels) Equal(asked, got string) bool { return asUint(asked) == asUint(got) }

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

func bindChannels(h host.Host, device, name, value string, scope Scope) ([]Knob, error) {
	if err := checkDevice(h, device); err != nil {
		return nil, fmt.Errorf("%s channels %s: %w", device, name, err)
	}
	made, err := newChannels(Spec{Family: familyChannels, Device: device, Name: name, Scope: scope})
	if err != nil {
		return nil, err
	}
	if err := readable(h, made); err != nil {
		return nil, err
	}
	k := made.(channels)
	c, err := h.Channels(device)
	if err != nil {
		return nil, explain(k, "read", err)
	}
	_, most, err := k.field(&c)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(value); err == nil && n > most {
		return nil, fmt.Errorf("%s: %d asked for; the device has at most %d", k, n, most)
	}
	return []Knob{k}, nil
}
