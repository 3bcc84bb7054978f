package runner

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/knob"
	"netab/runner/packet"
	"netab/runner/topology"
	"netab/scenarios"
)

// withDefaults adds what netab sets in its own namespaces unless the scenario
// says otherwise.
func withDefaults(arm scenarios.Arm) []scenarios.Knob {
	t, loopback := arm.Config.Traffic, arm.Config.Topology.Kind == vocab.Loopback
	defaults := map[string]string{}
	if t.Protocol == vocab.TCP {
		// A flow that waits for its turn idles past the least retransmission
		// timeout, which must not shrink its window.
		defaults["net/ipv4/tcp_slow_start_after_idle"] = "0"
	}
	if t.Kind == vocab.CRR || t.Kind == vocab.Conn {
		// A socket for each message: every port there is, and those of closed
		// connections again after a second.
		defaults["net/ipv4/ip_local_port_range"] = "1024 65535"
		defaults["net/ipv4/tcp_tw_reuse"] = "1"
	}
	if t.Source.Path == "packet" && loopback {
		maps.Copy(defaults, packet.Sysctls("lo", arm.Config.Topology.Family == "ipv6"))
	}
	var out []scenarios.Knob
	for _, name := range slices.Sorted(maps.Keys(defaults)) {
		named := func(k scenarios.Knob) bool { return k.Family == "sysctl" && k.Name == name }
		if !slices.ContainsFunc(arm.Knobs, named) {
			out = append(out, scenarios.Knob{Family: "sysctl", Name: name, Value: defaults[name]})
		}
	}
	return append(out, arm.Knobs...)
}

// scopeOf says what a change of the knob touches, for an arm on this topology.
func scopeOf(built *topology.Built, k scenarios.Knob) (knob.Scope, error) {
	switch knob.SubjectOf(k.Family) {
	case knob.OfNamespace:
		sides := sidesOf(built, k)
		return knob.SysctlScope(sides[len(sides)-1].Agent, k.Name)
	case knob.OfMachine:
		return knob.Host, nil
	}
	if len(devicesOf(built, k)) > 0 {
		return knob.Netns, nil
	}
	return knob.Device, nil
}

// sidesOf are the sides on which a knob is to be set: both for a
// sysctl, each namespace once, but for one of a device of one side, which the
// other has not.
func sidesOf(built *topology.Built, k scenarios.Knob) []topology.Side {
	if knob.SubjectOf(k.Family) != knob.OfNamespace {
		return devicesOf(built, k)
	}
	if device, ok := knob.DeviceOf(k.Name); ok {
		if own := devicesOf(built, scenarios.Knob{Device: device}); len(own) > 0 {
			return own
		}
	}
	if built.Source.Agent == built.Sink.Agent {
		return []topology.Side{built.Sink}
	}
	return []topology.Side{built.Source, built.Sink}
}

// devicesOf resolves a device key; none = not a device of the topology.
func devicesOf(built *topology.Built, k scenarios.Knob) []topology.Side {
	both := []topology.Side{built.Source, built.Sink}
	if built.Source.Agent == built.Sink.Agent {
		both = both[1:]
	}
	var out []topology.Side
	switch k.Device {
	case "source":
		return []topology.Side{built.Source}
	case "sink":
		return []topology.Side{built.Sink}
	case "both":
		return both
	case "lo":
		for _, s := range both {
			s.Device = "lo"
			out = append(out, s)
		}
		return out
	}
	for _, s := range both {
		if s.Device == k.Device {
			out = append(out, s)
		}
	}
	return out
}

// applyOwn sets knobs in the arm's own namespaces, in their order as far as it
// works. Beside an error the settings are those made so far.
func applyOwn(built *topology.Built, knobs []scenarios.Knob) ([]results.Setting, error) {
	settings := make([][]results.Setting, len(knobs))
	errs := make([]error, len(knobs))
	knob.Passes(len(knobs), func(_, i int) (open, changed bool) {
		made, err := applyOne(built, knobs[i])
		for n, s := range made {
			changed = changed || s.Before != s.After
			if n < len(settings[i]) && settings[i][n].Knob == s.Knob {
				made[n].Before = settings[i][n].Before // not what an earlier pass made of it
			}
		}
		settings[i], errs[i] = made, located(knobs[i], err)
		return err != nil, changed
	})
	return slices.Concat(settings...), errors.Join(errs...)
}

func applyOne(built *topology.Built, k scenarios.Knob) ([]results.Setting, error) {
	var out []results.Setting
	for _, side := range sidesOf(built, k) {
		bound, err := knob.Bind(side.Agent, k, side.Device, knob.Netns)
		if err != nil {
			return out, err
		}
		for _, b := range bound {
			s, err := knob.Apply(side.Agent, b, k.Value)
			if err != nil {
				return out, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// located adds to an error where the scenario sets the knob.
func located(k scenarios.Knob, err error) error {
	if err == nil || k.Pos.Line == 0 {
		return err
	}
	return fmt.Errorf("%s:%d:%d: %w", cmp.Or(k.Pos.File, "scenario"), k.Pos.Line, k.Pos.Column, err)
}

// describe is a knob of the scenario for people: "sink rps_cpus = 1".
func describe(k scenarios.Knob) string {
	name := k.Name
	if k.Family == "sysctl" && !strings.Contains(name, ".") {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return strings.Join(slices.DeleteFunc([]string{k.Device, k.Queue, k.Family, name, "=", cmp.Or(k.Value, "none")},
		func(s string) bool { return s == "" }), " ")
}
