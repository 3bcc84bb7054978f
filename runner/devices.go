package runner

import (
	"netab/results"
	"netab/runner/host"
)

// devices is what the record says of the devices on both sides beside the knobs:
// offloads and queueing disciplines, by "device.feature" and device.
type devices struct {
	offloads map[string]string
	qdiscs   map[string]string
}

// recorded are the features that change how much work a packet is.
var recorded = []string{"rx-gro", "rx-gro-hw", "rx-gro-list", "rx-lro", "rx-checksum", "rx-udp-gro-forwarding",
	"tx-generic-segmentation", "tx-tcp-segmentation", "tx-udp-segmentation", "tx-scatter-gather",
	"tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksum-ipv6"}

// describe adds one side.
func (d *devices) describe(h host.Host, device string) error {
	if d.offloads == nil {
		d.offloads, d.qdiscs = map[string]string{}, map[string]string{}
	}
	features, err := host.Features(h, device)
	if err != nil {
		return err
	}
	for _, name := range recorded {
		if f, ok := features[name]; ok {
			d.offloads[device+"."+name] = onOff(f.Active)
		}
	}
	links, err := h.Links()
	for _, l := range links {
		if l.Name == device {
			d.qdiscs[device] = l.Qdisc
		}
	}
	return err
}

func onOff(active bool) string {
	if active {
		return "on"
	}
	return "off"
}

func (d devices) record(m *results.Machine) { m.Offloads, m.Qdiscs = d.offloads, d.qdiscs }
