package runner

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/topology"
	"netab/scenarios"
)

// Existing interfaces cannot stand side by side with themselves: all arms of a
// scenario with topology nic share one pair of namespaces, and what they
// differ in is switched there.

func (p *plan) nic() bool { return p.arms[0].Config.Topology.Kind == vocab.NIC }

// checkNIC refuses arms that cannot share the pair.
func (p *plan) checkNIC() error {
	for _, arm := range p.arms[1:] {
		if !reflect.DeepEqual(arm.Config.Topology, p.arms[0].Config.Topology) {
			return fmt.Errorf("arm %s: with topology nic all arms must have the same topology; use knobs (device mtu, channels) for what differs", arm.Name)
		}
	}
	t := p.arms[0].Config.Topology
	for _, arm := range p.arms {
		for _, k := range arm.Knobs {
			if k.Family == "mtu" && t.MTU > 0 {
				return located(k, errors.New("the MTU is set by the topology and by a knob: keep one"))
			}
		}
	}
	note, err := topology.CheckNIC(t)
	if err != nil {
		return err
	}
	if note != "" {
		p.notes = append(p.notes, note)
	}
	return errors.Join(p.devices.describe(host.Local{}, t.SourceDevice), p.devices.describe(host.Local{}, t.SinkDevice))
}

// shareNIC notes all knobs of an arm. Devices are still at home: their knobs
// are bound and read here, so that the journal knows them as they are put back,
// and written later where the devices then are.
func (p *plan) shareNIC(ctx context.Context, s *agent.Starter, index int) error {
	scratch, err := topology.Build(ctx, s, scenarios.Topology{Kind: vocab.Loopback}, agent.Options{})
	if err != nil {
		return err
	}
	defer scratch.Close(ctx)
	var errs []error
	for _, k := range withDefaults(p.arms[index]) {
		places, err := p.nicPlaces(scratch, k)
		errs = append(errs, located(k, err))
		for _, where := range places {
			errs = append(errs, located(k, p.share(index, k, where)))
		}
	}
	return errors.Join(errs...)
}

// nicPlaces says where a knob is to be set.
func (p *plan) nicPlaces(scratch *topology.Path, k scenarios.Knob) ([]place, error) {
	t := p.arms[0].Config.Topology
	source := place{home: host.Local{}, device: t.SourceDevice, scope: knob.Device, side: sourceSide}
	sink := place{home: host.Local{}, device: t.SinkDevice, scope: knob.Device, side: sinkSide}
	switch subject := knob.SubjectOf(k.Family); {
	case subject == knob.OfMachine:
		return []place{{home: host.Local{}, device: k.Device, scope: knob.Host}}, nil
	case subject == knob.OfNamespace:
		scope, err := knob.SysctlScope(scratch.Sink.Agent, k.Name)
		if err != nil || scope == knob.Host {
			return []place{{home: host.Local{}, scope: scope}}, err
		}
		source.home, source.scope = scratch.Source.Agent, scope
		sink.home, sink.scope = scratch.Sink.Agent, scope
		return []place{source, sink}, nil
	case k.Device == "source" || k.Device == t.SourceDevice:
		return []place{source}, nil
	case k.Device == "sink" || k.Device == t.SinkDevice:
		return []place{sink}, nil
	case k.Device == "both":
		return []place{source, sink}, nil
	case k.Device == "lo":
		return nil, errors.New("lo is not on the path of topology nic")
	}
	return []place{{home: host.Local{}, device: k.Device, scope: knob.Device}}, nil
}

// openNIC moves the interfaces, after their knobs were borrowed at home.
func (r *run) openNIC() error {
	if !r.plan.nic() {
		return nil
	}
	n, err := topology.OpenNIC(r.ctx, r.starter, r.Journal, r.plan.arms[0].Config.Topology, r.agentOptions())
	if err != nil {
		return err
	}
	r.nic = n
	for _, s := range r.plan.shared {
		switch s.side {
		case sourceSide:
			s.at = n.Keeper.Source.Agent
		case sinkSide:
			s.at = n.Keeper.Sink.Agent
		}
	}
	return nil
}
