package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netab/results"
	"netab/runner/agent"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/paths"
	"netab/runner/place"
	"netab/runner/topology"
	"netab/scenarios"
)

// A found is what the places were asked: all that the arrangement goes by.
type found struct {
	own     [][]scenarios.Knob // by arm: the settings of namespaces of its own
	shared  []*switched        // all others, in the order of their first use; unset for arms that do not name them
	devices devices            // of the first arm
	notes   []string
	clocks  []clockBound
	rooms   []room
}

// A room is what a place has left.
type room struct {
	files  results.Files
	limits host.Limits
}

// A clockBound is how well the clock of a place is known, by its name.
type clockBound struct {
	place string
	bound time.Duration
}

// A discovery asks them. It changes nothing outside of namespaces of netab's own.
type discovery struct {
	found  found
	arms   []scenarios.Arm
	at     place.Pair
	scouts map[place.Place]*agent.Agent // of each place, for what only a process there knows
	means  map[place.Place]host.Means
}

// discover finds out whether the arms can be measured, classifies every knob, and tries
// each arm's own settings once in a throw-away namespace, so that what device or kernel
// lacks is said before anything is changed.
func discover(ctx context.Context, arms []scenarios.Arm, at place.Pair) (*found, error) {
	d := &discovery{arms: arms, at: at, scouts: map[place.Place]*agent.Agent{}, means: map[place.Place]host.Means{}}
	defer d.close(ctx)
	if err := d.sendScouts(ctx); err != nil {
		return nil, d.ofEach(func(int) error { return err })
	}
	if err := d.room(); err != nil {
		return nil, err
	}
	if err := d.ofEach(d.traffic); err != nil {
		return nil, err
	}
	d.found.own = make([][]scenarios.Knob, len(arms))
	try := func(i int) (err error) { d.found.own[i], err = d.rehearse(ctx, i); return err }
	if overNIC(arms) {
		if err := d.checkNIC(); err != nil {
			return nil, err
		}
		try = d.shareNIC
	}
	return &d.found, d.ofEach(try)
}

// ofEach asks something of each arm, and says of which arms it fails.
func (d *discovery) ofEach(ask func(index int) error) error {
	var errs []error
	for i, arm := range d.arms {
		if err := ask(i); err != nil {
			errs = append(errs, fmt.Errorf("arm %s: %w", arm.Name, err))
		}
	}
	return errors.Join(errs...)
}

// sendScouts starts an agent at each place, in a namespace that nobody else uses.
func (d *discovery) sendScouts(ctx context.Context) error {
	for _, p := range d.at.Each() {
		scout, err := p.Start(ctx, agent.Options{})
		if err != nil {
			return err
		}
		d.scouts[p] = scout
		if d.means[p], err = scout.Means(); err != nil {
			return err
		}
		d.found.rooms = append(d.found.rooms, room{p.Host(), d.means[p].Limits})
		if clock := p.Clock(); clock.Bound > 0 {
			d.found.clocks = append(d.found.clocks, clockBound{place.Called(p), clock.Bound})
		}
	}
	return nil
}

func (d *discovery) close(ctx context.Context) {
	for _, scout := range d.scouts {
		_ = scout.Close(ctx) // its process is killed
	}
}

// room holds each arm against what its places have left, and on which CPUs netab may
// run there.
func (d *discovery) room() error {
	v6 := slices.ContainsFunc(d.arms, func(a scenarios.Arm) bool { return a.Config.Topology.Family == "ipv6" })
	var errs []error
	for _, p := range d.at.Each() {
		if v6 {
			_ = d.scouts[p].LoadIPv6() // that there is none is told by preflight
		}
		errs = append(errs, preflight(d.arms, p.Host(), d.means[p].Limits))
	}
	for _, p := range d.at.Each() {
		errs = append(errs, d.scouts[p].MayRunOn(d.cpusAt(p)))
	}
	return errors.Join(errs...)
}

// cpusAt are the CPUs of the roles that are at a place.
func (d *discovery) cpusAt(p place.Place) (cpus []int) {
	for _, arm := range d.arms {
		if d.at.Source == p {
			cpus = append(cpus, arm.CPUs.Source...)
		}
		if d.at.Sink == p {
			cpus = append(cpus, arm.CPUs.Sink...)
		}
	}
	return cpus
}

// traffic tries what an arm's traffic takes of the kernels.
func (d *discovery) traffic(index int) (err error) {
	t := d.arms[index].Config.Traffic
	for _, p := range d.at.Each() {
		scout := d.scouts[p]
		err = errors.Join(err, scout.Require(paths.For(t)...), scout.Congestion(t.Congestion))
		for _, beside := range t.Beside {
			err = errors.Join(err, scout.Congestion(beside.Congestion))
		}
	}
	return err
}

// rehearse builds an arm's topology, applies the knobs that are its own, and takes
// it down again. It returns those knobs; the others are noted as shared.
func (d *discovery) rehearse(ctx context.Context, index int) ([]scenarios.Knob, error) {
	arm := d.arms[index]
	built, err := topology.Build(ctx, d.at, arm.Config.Topology, agent.Options{})
	if err != nil {
		return nil, err
	}
	defer built.Close(ctx)
	var own []scenarios.Knob
	var errs []error
	for _, k := range withDefaults(arm) {
		scope, err := scopeOf(built, k)
		switch {
		case err != nil:
			errs = append(errs, located(k, err))
		case scope != knob.Netns:
			if err := d.share(index, k, spot{place: built.Sink.Place, home: built.Sink.Place.Host(), device: k.Device, scope: scope}); err != nil {
				errs = append(errs, located(k, err))
			}
		default:
			own = append(own, k)
		}
	}
	_, err = applyOwn(built, own)
	errs = append(errs, err)
	if index == 0 {
		for _, side := range []topology.Side{built.Source, built.Sink} {
			errs = append(errs, d.found.devices.describe(side.Agent, side.Device))
		}
	}
	return own, errors.Join(errs...)
}

// A spot is where a shared knob is.
type spot struct {
	place  place.Place
	home   host.Host
	device string
	scope  knob.Scope
	side   side
}

// share notes that an arm wants a value of a knob outside of namespaces of its
// own.
func (d *discovery) share(index int, k scenarios.Knob, where spot) error {
	if means := d.means[where.place]; where.scope != knob.Netns && !means.Privileged {
		return fmt.Errorf("%s: is the machine's, not a namespace's: %s", describe(k), means.NeedsRoot)
	}
	if where.place.Name() != "" && where.scope != knob.Netns {
		return fmt.Errorf("%s: is of %s, and the journal is of this machine: it could not be put back after a kill", describe(k), place.Called(where.place))
	}
	bound, err := knob.Bind(where.home, k, where.device, where.scope)
	if err != nil {
		return err
	}
	for _, b := range bound {
		s, err := d.sharedKnob(b, where)
		if err != nil {
			return err
		}
		s.values[index], s.from[index] = k.Value, k
	}
	return nil
}

func (d *discovery) sharedKnob(b knob.Knob, where spot) (*switched, error) {
	for _, s := range d.found.shared {
		if s.place == where.place && s.side == where.side && s.knob.Spec() == b.Spec() {
			return s, nil
		}
	}
	before, err := b.Read(where.home)
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", b, err)
	}
	s := &switched{place: where.place, home: where.home, side: where.side, knob: b, before: before,
		values: slices.Repeat([]string{unset}, len(d.arms)), from: make([]scenarios.Knob, len(d.arms))}
	d.found.shared = append(d.found.shared, s)
	return s, nil
}
