package runner

import (
	"errors"
	"fmt"
	"reflect"

	"netab/results/vocab"
	"netab/runner/knob"
	"netab/runner/topology"
	"netab/scenarios"
)

// Existing interfaces cannot stand side by side with themselves: all arms of a
// scenario with topology nic share one pair of namespaces, and what they
// differ in is switched there.

func overNIC(arms []scenarios.Arm) bool { return arms[0].Config.Topology.Kind == vocab.NIC }

func (p *plan) nic() bool { return overNIC(p.arms) }

// checkNIC refuses arms that cannot share the pair.
func (d *discovery) checkNIC() error {
	for _, arm := range d.arms[1:] {
		if !reflect.DeepEqual(arm.Config.Topology, d.arms[0].Config.Topology) {
			return fmt.Errorf("arm %s: with topology nic all arms must have the same topology; use knobs (device mtu, channels) for what differs", arm.Name)
		}
	}
	t := d.arms[0].Config.Topology
	for _, arm := range d.arms {
		for _, k := range arm.Knobs {
			if k.Family == "mtu" && t.MTU > 0 {
				return located(k, errors.New("the MTU is set by the topology and by a knob: keep one"))
			}
		}
	}
	note, err := topology.CheckNIC(d.at, t)
	if err != nil {
		return err
	}
	if note != "" {
		d.found.notes = append(d.found.notes, note)
	}
	return errors.Join(d.found.devices.describe(d.at.Source.Host(), t.SourceDevice), d.found.devices.describe(d.at.Sink.Host(), t.SinkDevice))
}

// shareNIC notes all knobs of an arm. Devices are still at home: their knobs
// are bound and read here, so that the journal knows them as they are put back,
// and written later where the devices then are. The scouts' namespaces stand for
// those that the devices will be in.
func (d *discovery) shareNIC(index int) error {
	var errs []error
	for _, k := range withDefaults(d.arms[index]) {
		spots, err := d.nicSpots(k)
		errs = append(errs, located(k, err))
		for _, where := range spots {
			errs = append(errs, located(k, d.share(index, k, where)))
		}
	}
	return errors.Join(errs...)
}

// nicSpots says where a knob is to be set.
func (d *discovery) nicSpots(k scenarios.Knob) ([]spot, error) {
	t := d.arms[0].Config.Topology
	source := spot{place: d.at.Source, home: d.at.Source.Host(), device: t.SourceDevice, scope: knob.Device, side: sourceSide}
	sink := spot{place: d.at.Sink, home: d.at.Sink.Host(), device: t.SinkDevice, scope: knob.Device, side: sinkSide}
	switch subject := knob.SubjectOf(k.Family); {
	case subject == knob.OfMachine:
		return d.machines(k.Device, knob.Host), nil
	case subject == knob.OfNamespace:
		scope, err := knob.SysctlScope(d.scouts[d.at.Sink], k.Name)
		if err != nil || scope == knob.Host {
			return d.machines("", scope), err
		}
		source.home, source.scope = d.scouts[d.at.Source], scope
		sink.home, sink.scope = d.scouts[d.at.Sink], scope
		return []spot{source, sink}, nil
	case k.Device == "source" || k.Device == t.SourceDevice:
		return []spot{source}, nil
	case k.Device == "sink" || k.Device == t.SinkDevice:
		return []spot{sink}, nil
	case k.Device == "both":
		return []spot{source, sink}, nil
	case k.Device == "lo":
		return nil, errors.New("lo is not on the path of topology nic")
	}
	return d.machines(k.Device, knob.Device), nil
}

// machines are the places themselves, each once.
func (d *discovery) machines(device string, scope knob.Scope) (out []spot) {
	for _, p := range d.at.Each() {
		out = append(out, spot{place: p, home: p.Host(), device: device, scope: scope})
	}
	return out
}

// openNIC moves the interfaces, after their knobs were borrowed at home.
func (r *run) openNIC() error {
	if !r.plan.nic() {
		return nil
	}
	n, err := topology.OpenNIC(r.ctx, r.at, r.Journal, r.plan.arms[0].Config.Topology, r.agentOptions())
	if err != nil {
		return err
	}
	r.nic = n
	return nil
}
