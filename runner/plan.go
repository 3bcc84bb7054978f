package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/packet"
	"netab/runner/paths"
	"netab/runner/topology"
	"netab/scenarios"
)

// A setup is one built topology with its sockets. It serves one arm, or, where
// arms differ only in switched knobs, all arms that are otherwise the same: a
// live flow that the switch alone changes.
type setup struct {
	arms []int
	arm  scenarios.Arm // the first of arms: topology, traffic and placement of all
	own  []scenarios.Knob
}

// A switched knob is shared by several arms: it is written whenever the arm
// whose turn begins wants another value than the one before.
type switched struct {
	knob knob.Knob
	// home is where it is found before the run, borrowed and put back; at is
	// where it is written. They differ for a device that is moved meanwhile.
	home, at host.Host
	side     side
	values   []string         // by arm
	from     []scenarios.Knob // by arm: where the value is written; zero where the arm does not name it
	before   string           // value for arms that do not name it
}

// A side of a path over existing interfaces, on which a shared knob is to be
// written; 0 = the machine.
type side int

const (
	sourceSide side = iota + 1
	sinkSide
)

// told is a setting of an arm as records show it.
func (s switched) told(set results.Setting, arm int) results.Setting {
	set.Before = s.before
	if knob.IsSecret(s.knob) {
		set.Before = knob.Kept
		if s.from[arm].Family == "" { // what it is set to is what it was
			set.Asked, set.After = knob.Kept, knob.Kept
		}
	}
	return set
}

func (s switched) constant() bool {
	return !slices.ContainsFunc(s.values, func(v string) bool { return !s.knob.Equal(v, s.values[0]) })
}

// A plan is what will be done: who shares what, and at which grain arms take
// turns. Making it changes nothing outside of namespaces of our own.
type plan struct {
	arms          []scenarios.Arm
	setups        []*setup
	shared        []*switched // in the order of their first use; constants included
	grain         vocab.Grain
	reason        string
	slice, settle time.Duration
	blocks        int
	counters      *results.CounterPlan // nil = none are read at slices' edges
	devices       devices              // of the first arm
	notes         []string             // for the user, before anything is changed
}

// makePlan classifies every knob, tries each arm's own settings once in a
// throw-away namespace (so that what device or kernel lacks is said before
// anything is changed), and chooses the grain.
func makePlan(ctx context.Context, o Options, s *agent.Starter) (*plan, error) {
	for _, arm := range o.Arms {
		if faults := scenarios.Unasked(arm.Knobs, o.AllowSysctl); len(faults) > 0 {
			return nil, fmt.Errorf("arm %s: %w", arm.Name, faults)
		}
	}
	if err := errors.Join(preflight(o.Arms, results.Root(""), readLimits()), mayRunOn(o.Arms)); err != nil {
		return nil, err
	}
	p := &plan{arms: o.Arms, slice: o.Slice, settle: o.Settle}
	var errs []error
	for _, arm := range p.arms {
		t := arm.Config.Traffic
		err := errors.Join(paths.Require(paths.For(t)...), paths.Congestion(t.Congestion))
		for _, beside := range t.Beside {
			err = errors.Join(err, paths.Congestion(beside.Congestion))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("arm %s: %w", arm.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if p.nic() {
		if err := p.checkNIC(); err != nil {
			return nil, err
		}
	}
	own := make([][]scenarios.Knob, len(p.arms))
	for i, arm := range p.arms {
		var err error
		if p.nic() {
			err = p.shareNIC(ctx, s, i)
		} else {
			own[i], err = p.rehearse(ctx, s, i)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("arm %s: %w", arm.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.fillShared()
	p.group(own)
	p.chooseGrain(o.Trial)
	if o.WholeTrials && p.grain != vocab.ByTrial {
		p.grain, p.reason = vocab.ByTrial, "measure.grain asks for whole trials"
	}
	if err := p.countEnough(o.MaxTime); err != nil {
		return nil, err
	}
	return p, p.fits(o.MaxTime, results.Root(""), readLimits())
}

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

// rehearse builds an arm's path, applies the knobs that are its own, and takes
// it down again. It returns those knobs; the others are noted as shared.
func (p *plan) rehearse(ctx context.Context, s *agent.Starter, index int) ([]scenarios.Knob, error) {
	arm := p.arms[index]
	path, err := topology.Build(ctx, s, arm.Config.Topology, agent.Options{})
	if err != nil {
		return nil, err
	}
	defer path.Close(ctx)
	var own []scenarios.Knob
	var errs []error
	for _, k := range withDefaults(arm) {
		scope, err := scopeOf(path, k)
		switch {
		case err != nil:
			errs = append(errs, located(k, err))
		case scope != knob.Netns:
			if err := p.share(index, k, place{home: host.Local{}, device: k.Device, scope: scope}); err != nil {
				errs = append(errs, located(k, err))
			}
		default:
			own = append(own, k)
		}
	}
	_, err = applyOwn(path, own)
	errs = append(errs, err)
	if index == 0 {
		for _, side := range []topology.Side{path.Source, path.Sink} {
			errs = append(errs, p.devices.describe(side.Agent, side.Device))
		}
	}
	return own, errors.Join(errs...)
}

// A place is where a shared knob is.
type place struct {
	home   host.Host
	device string
	scope  knob.Scope
	side   side
}

// share notes that an arm wants a value of a knob outside of namespaces of its
// own.
func (p *plan) share(index int, k scenarios.Knob, where place) error {
	if where.scope != knob.Netns && !host.Privileged() {
		return fmt.Errorf("%s: is the machine's, not a namespace's: %s", describe(k), host.NeedsRoot())
	}
	bound, err := knob.Bind(where.home, k, where.device, where.scope)
	if err != nil {
		return err
	}
	for _, b := range bound {
		s, err := p.sharedKnob(b, where)
		if err != nil {
			return err
		}
		s.values[index], s.from[index] = k.Value, k
	}
	return nil
}

func (p *plan) sharedKnob(b knob.Knob, where place) (*switched, error) {
	for _, s := range p.shared {
		if s.side == where.side && s.knob.Spec() == b.Spec() {
			return s, nil
		}
	}
	before, err := b.Read(where.home)
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", b, err)
	}
	s := &switched{home: where.home, at: where.home, side: where.side, knob: b, before: before,
		values: slices.Repeat([]string{unset}, len(p.arms)), from: make([]scenarios.Knob, len(p.arms))}
	p.shared = append(p.shared, s)
	return s, nil
}

// unset marks an arm that does not name a shared knob until fillShared gives
// it the value that the machine has.
const unset = "\x00"

func (p *plan) fillShared() {
	for _, s := range p.shared {
		for i, v := range s.values {
			if v == unset {
				s.values[i] = s.before
			}
		}
	}
}

// group makes the setups: one an arm, but where knobs are switched on live
// flows, one for all arms that are the same apart from those knobs.
func (p *plan) group(own [][]scenarios.Knob) {
	switching := slices.ContainsFunc(p.shared, func(s *switched) bool { return !s.constant() })
	for i, arm := range p.arms {
		if switching {
			if s := p.sameAs(arm, own[i]); s != nil {
				s.arms = append(s.arms, i)
				continue
			}
		}
		p.setups = append(p.setups, &setup{arms: []int{i}, arm: arm, own: own[i]})
	}
}

func (p *plan) sameAs(arm scenarios.Arm, own []scenarios.Knob) *setup {
	for _, s := range p.setups {
		a, b := s.arm.Config, arm.Config
		if reflect.DeepEqual(a.Topology, b.Topology) && reflect.DeepEqual(a.Traffic, b.Traffic) &&
			reflect.DeepEqual(s.arm.CPUs, arm.CPUs) && sameSettings(s.own, own) {
			return s
		}
	}
	return nil
}

// sameSettings compares what is set, in whatever order and wherever it is written.
func sameSettings(a, b []scenarios.Knob) bool {
	bare := func(knobs []scenarios.Knob) []scenarios.Knob {
		out := slices.Clone(knobs)
		for i := range out {
			out[i].Pos = scenarios.Pos{}
		}
		slices.SortFunc(out, func(a, b scenarios.Knob) int {
			return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Name, b.Name))
		})
		return out
	}
	return slices.Equal(bare(a), bare(b))
}

// chooseGrain takes the finest grain that the switched knobs allow, and slices
// long enough for the slowest of them to settle.
func (p *plan) chooseGrain(trial time.Duration) {
	p.grain, p.reason = vocab.BySlice, "every setting belongs to a namespace of the arm's own"
	var slowest *switched
	for _, s := range p.shared {
		if s.constant() {
			continue
		}
		if slowest == nil || rank(s) > rank(slowest) {
			slowest = s
		}
	}
	if slowest != nil {
		p.grain = vocab.BySliceSwitched
		p.reason = fmt.Sprintf("%s is shared (%s): switched at slice boundaries", slowest.knob, slowest.knob.Scope())
		if slowest.knob.SlowSwitch() {
			p.grain = vocab.ByTrial
			p.reason = fmt.Sprintf("%s disturbs live flows when it changes: switched between setups", slowest.knob)
		}
		if settle := slowest.knob.Settle(); settle > p.settle && p.grain == vocab.BySliceSwitched {
			p.slice, p.settle = max(p.slice, 4*settle), settle
		}
	}
	p.blocks = blocksPerTrial(trial, p.slice, len(p.arms))
}

func rank(s *switched) time.Duration {
	if s.knob.SlowSwitch() {
		return time.Hour
	}
	return s.knob.Settle()
}

// Record returns the plan as the run file keeps it.
func (p *plan) record() results.Plan {
	return results.Plan{Grain: p.grain, Reason: p.reason, SliceNS: int64(p.slice), SettleNS: int64(p.settle), BlocksPerTrial: p.blocks, WarmupNS: int64(warmup), Counters: p.counters}
}

// located adds to an error where the scenario sets the knob.
func located(k scenarios.Knob, err error) error {
	if err == nil || k.Pos.Line == 0 {
		return err
	}
	return fmt.Errorf("%s:%d:%d: %w", cmp.Or(k.Pos.File, "scenario"), k.Pos.Line, k.Pos.Column, err)
}

// scopeOf says what a change of the knob touches, for an arm on this path.
func scopeOf(path *topology.Path, k scenarios.Knob) (knob.Scope, error) {
	switch knob.SubjectOf(k.Family) {
	case knob.OfNamespace:
		sides := sidesOf(path, k)
		return knob.SysctlScope(sides[len(sides)-1].Agent, k.Name)
	case knob.OfMachine:
		return knob.Host, nil
	}
	if len(devicesOf(path, k)) > 0 {
		return knob.Netns, nil
	}
	return knob.Device, nil
}

// sidesOf are the sides of a path on which a knob is to be set: both for a
// sysctl, each namespace once, but for one of a device of one side, which the
// other has not.
func sidesOf(path *topology.Path, k scenarios.Knob) []topology.Side {
	if knob.SubjectOf(k.Family) != knob.OfNamespace {
		return devicesOf(path, k)
	}
	if device, ok := knob.DeviceOf(k.Name); ok {
		if own := devicesOf(path, scenarios.Knob{Device: device}); len(own) > 0 {
			return own
		}
	}
	if path.Source.Agent == path.Sink.Agent {
		return []topology.Side{path.Sink}
	}
	return []topology.Side{path.Source, path.Sink}
}

// devicesOf resolves a device key on a path; none = not a device of the path.
func devicesOf(path *topology.Path, k scenarios.Knob) []topology.Side {
	both := []topology.Side{path.Source, path.Sink}
	if path.Source.Agent == path.Sink.Agent {
		both = both[1:]
	}
	var out []topology.Side
	switch k.Device {
	case "source":
		return []topology.Side{path.Source}
	case "sink":
		return []topology.Side{path.Sink}
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
func applyOwn(path *topology.Path, knobs []scenarios.Knob) ([]results.Setting, error) {
	settings := make([][]results.Setting, len(knobs))
	errs := make([]error, len(knobs))
	knob.Passes(len(knobs), func(_, i int) (open, changed bool) {
		made, err := applyOne(path, knobs[i])
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

func applyOne(path *topology.Path, k scenarios.Knob) ([]results.Setting, error) {
	var out []results.Setting
	for _, side := range sidesOf(path, k) {
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

// describe is a knob of the scenario for people: "sink rps_cpus = 1".
func describe(k scenarios.Knob) string {
	name := k.Name
	if k.Family == "sysctl" && !strings.Contains(name, ".") {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return strings.Join(slices.DeleteFunc([]string{k.Device, k.Queue, k.Family, name, "=", cmp.Or(k.Value, "none")},
		func(s string) bool { return s == "" }), " ")
}
