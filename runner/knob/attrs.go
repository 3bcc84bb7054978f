package knob

import (
	"fmt"
	"path"
	"time"

	"netab/runner/host"
)

// An attr describes one file of /sys/class/net/DEV.
type attr struct {
	codec  codec
	settle time.Duration
	hint   string
}

// attrs are the device attributes that are knobs.
var attrs = map[string]attr{
	// Read at the end of every poll round, so the next round follows it; a
	// timer armed under the old value runs out first, and nobody sensible
	// arms one for more than some milliseconds.
	familyGROFlushTimeout:   {intCodec{}, 5 * time.Millisecond, "nanoseconds"},
	familyNAPIDeferHardIRQs: {intCodec{}, 5 * time.Millisecond, "a count up to 2147483647"},
	// Only changes where the queue is cut off: a queue longer than that drains
	// at line rate.
	familyTxQueueLen: {intCodec{}, 10 * time.Millisecond, "a count of packets"},
	// The kernel starts or wakes a thread per NAPI, and the scheduler then has
	// to find a place for it: load balancing acts within some ticks.
	familyThreaded: {wordCodec{[]string{"off", "on", "busy-poll"}}, 20 * time.Millisecond,
		"the device needs a NAPI of its own: lo has none, veth only with GRO or XDP on and the link up; busy-poll needs Linux 6.18"},
}

// newAttr makes the knob of one attribute of one device.
func newAttr(spec Spec) (Knob, error) {
	if err := checkDeviceName(spec.Device); err != nil {
		return nil, err
	}
	a, ok := attrs[spec.Family]
	if !ok {
		return nil, fmt.Errorf("%q is not a device attribute", spec.Family)
	}
	return &fileKnob{
		codec:  a.codec,
		spec:   spec,
		name:   spec.Device + " " + spec.Family,
		path:   path.Join(netClass, spec.Device, spec.Family),
		settle: a.settle,
		hint:   a.hint,
	}, nil
}

func bindAttr(h host.Host, a asked) ([]Knob, error) {
	if err := checkDevice(h, a.device); err != nil {
		return nil, fmt.Errorf("%s %s: %w", a.device, a.Family, err)
	}
	k, err := newAttr(a.spec("", ""))
	if err != nil {
		return nil, err
	}
	if err := readable(h, k); err != nil {
		return nil, err
	}
	return []Knob{k}, nil
}
