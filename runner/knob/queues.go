package knob

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/runner/host"
)

// queueHints say why the kernel may not take a CPU set or a count.
var queueHints = map[string]string{
	familyRPSCPUs: "the kernel keeps RPS off isolated, nohz_full and offline CPUs: " +
		"see /sys/devices/system/cpu/{isolated,nohz_full,offline}",
	familyRPSFlowCnt: "the table is bounded; a power of two up to 65536 is safe",
	familyXPSCPUs:    "XPS needs a device with more than one tx queue, and CPUs that exist",
}

// queueKind is the direction of the queues that a family's file is in.
func queueKind(family string) string {
	if family == familyXPSCPUs {
		return "tx"
	}
	return "rx"
}

// newQueue makes the knob of one file of one queue.
func newQueue(spec Spec) (Knob, error) {
	if err := checkDeviceName(spec.Device); err != nil {
		return nil, err
	}
	if !isQueueName(spec.Queue, queueKind(spec.Family)) {
		return nil, fmt.Errorf("%s %s: %q is not a queue of its kind; write %s-0, %[4]s-1 and so on",
			spec.Device, spec.Family, spec.Queue, queueKind(spec.Family))
	}
	k := &fileKnob{
		codec: maskCodec{},
		spec:  spec,
		name:  spec.Device + " " + spec.Queue + " " + spec.Family,
		path:  path.Join(netClass, spec.Device, "queues", spec.Queue, spec.Family),
		// The map is swapped by RCU and looked up per packet; what was queued on
		// another CPU's backlog under the old map is worked off within a few
		// rounds of the softirq.
		settle: 5 * time.Millisecond,
		hint:   queueHints[spec.Family],
	}
	if spec.Family == familyRPSFlowCnt {
		k.codec = flowCountCodec{}
		// The new table starts empty and is filled as flows call recvmsg, so
		// steering needs some rounds more than with a map.
		k.settle = 10 * time.Millisecond
	}
	return k, nil
}

// isQueueName says whether q is kind-N.
func isQueueName(q, kind string) bool {
	number, ok := strings.CutPrefix(q, kind+"-")
	_, err := strconv.ParseUint(number, 10, 16)
	return ok && err == nil
}

// bindQueues finds the queues of a device that a knob speaks of: one, or all
// of the family's direction.
func bindQueues(h host.Host, a asked) ([]Knob, error) {
	queues, err := queuesOf(h, a.device)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", a.device, a.Family, err)
	}
	want := queues
	if a.Queue != "" {
		want = []string{a.Queue}
		if !slices.Contains(queues, a.Queue) {
			return nil, fmt.Errorf("%s %s: no queue %s; there are %s", a.device, a.Family, a.Queue, strings.Join(queues, ", "))
		}
	}
	var knobs []Knob
	for _, q := range want {
		if a.Queue == "" && !isQueueName(q, queueKind(a.Family)) {
			continue
		}
		k, err := newQueue(a.spec(q, ""))
		if err != nil {
			return nil, err
		}
		if err := readable(h, k); err != nil {
			return nil, err
		}
		knobs = append(knobs, k)
	}
	if len(knobs) == 0 {
		return nil, fmt.Errorf("%s %s: the device has no %s queue; there are %s",
			a.device, a.Family, queueKind(a.Family), strings.Join(queues, ", "))
	}
	return knobs, nil
}

// queuesOf lists a device's queues, rx before tx, each in the order of their
// numbers.
func queuesOf(h host.Host, device string) ([]string, error) {
	if err := checkDevice(h, device); err != nil {
		return nil, err
	}
	paths, err := h.Glob(path.Join(netClass, device, "queues", "*"))
	if err != nil {
		return nil, err
	}
	queues := make([]string, len(paths))
	for i, p := range paths {
		queues[i] = path.Base(p)
	}
	sortNatural(queues)
	if len(queues) == 0 {
		return nil, errors.New("the device has no queues")
	}
	return queues, nil
}

// readable is the check at Bind that the kernel has the knob at all. A file
// may be there and yet not be readable: xps_cpus of a device with one tx queue
// gives ENOENT on read (xps_cpus_show in net/core/net-sysfs.c).
func readable(h host.Host, k Knob) error {
	_, err := k.Read(h)
	if errors.Is(err, fs.ErrNotExist) {
		lacks := "this kernel or device lacks it"
		if k.Spec().Family == familyXPSCPUs {
			lacks = "the device has one tx queue; XPS needs two or more"
		}
		return &Error{Knob: k.String(), Op: "read", Hint: lacks, Err: rootCause(err)}
	}
	if err != nil {
		return explain(k, "read", err)
	}
	return nil
}
