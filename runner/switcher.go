package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netab/results"
	"netab/results/crew"
	"netab/runner/agent"
	"netab/runner/knob"
)

// A switcher has the shared knobs written: constants once, the others whenever the arm
// whose turn begins wants another value. Every knob is borrowed from the machine
// through the journal, with all values that it will have, before its first write. The
// writing is that of hands, each where its knobs are, by the schedule that the traffic
// has; this process sleeps while slices run.
//
// A hand must be gone before anything is put back: it would write again.
type switcher struct {
	knobs    []*switched
	journal  *knob.Journal
	hire     func(spot) (*agent.Agent, error)
	hands    []*hand
	settings map[int][]results.Setting // by arm, as read back last
}

// A hand writes the knobs of one spot.
type hand struct {
	spot  spot
	agent *agent.Agent // nil = not hired, or lost
	knobs []int        // of the switcher's
}

// newSwitcher has hire start the hands.
func newSwitcher(j *knob.Journal, knobs []*switched, hire func(spot) (*agent.Agent, error)) *switcher {
	s := &switcher{knobs: knobs, journal: j, hire: hire, settings: map[int][]results.Setting{}}
	for i, k := range knobs {
		where := spot{place: k.place, side: k.side}
		n := slices.IndexFunc(s.hands, func(h *hand) bool { return h.spot == where })
		if n < 0 {
			n = len(s.hands)
			s.hands = append(s.hands, &hand{spot: where})
		}
		s.hands[n].knobs = append(s.hands[n].knobs, i)
	}
	return s
}

// hand is an agent in the network namespace of a spot, which opens no sockets.
func (r *run) hand(where spot) (*agent.Agent, error) {
	switch o := r.agentOptions(); where.side {
	case sourceSide:
		return r.nic.StartAtSource(r.ctx, o)
	case sinkSide:
		return r.nic.StartAtSink(r.ctx, o)
	default:
		o.Home = true
		return where.place.Start(r.ctx, o)
	}
}

// begin borrows all shared knobs.
func (s *switcher) begin() error {
	for _, k := range s.knobs {
		if err := s.journal.Borrow(k.home, k.knob, k.values...); err != nil {
			return err
		}
	}
	return nil
}

// rehearse gives every knob the value of each arm once: what a kernel or device
// refuses is said before the first trial.
func (s *switcher) rehearse(arms int) error {
	for arm := range arms {
		if err := s.start(arm); err != nil {
			return err
		}
	}
	return nil
}

// start has every knob read and given the value of an arm: nothing is taken for
// granted from one session to the next.
func (s *switcher) start(arm int) error {
	settings := make([]results.Setting, len(s.knobs))
	var errs []error
	for _, h := range s.hands {
		values, err := s.valuesOf(h, arm)
		if err != nil {
			return err
		}
		if err := s.ready(h); err != nil {
			return err
		}
		done, err := h.agent.Set(values)
		if err != nil {
			return errors.Join(err, h.dismiss(context.Background()))
		}
		errs = append(errs, s.take(h, arm, done, settings))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.settings[arm] = settings
	return nil
}

// ready hires a hand that is not there.
func (s *switcher) ready(h *hand) (err error) {
	if h.agent != nil {
		return nil
	}
	if h.agent, err = s.hire(h.spot); err != nil {
		return err
	}
	var specs []knob.Spec
	for _, i := range h.knobs {
		specs = append(specs, s.knobs[i].knob.Spec())
	}
	if err := h.agent.Switch(specs); err != nil {
		return errors.Join(err, h.dismiss(context.Background()))
	}
	return nil
}

// dismiss ends the hand's process: when it returns, nothing writes any more.
func (h *hand) dismiss(ctx context.Context) error {
	if h.agent == nil {
		return nil
	}
	err := h.agent.Close(ctx)
	h.agent = nil
	return err
}

// close dismisses all hands.
func (s *switcher) close(ctx context.Context) error {
	var errs []error
	for _, h := range s.hands {
		errs = append(errs, h.dismiss(ctx))
	}
	return errors.Join(errs...)
}

// valuesOf are those of an arm's knobs that a hand writes. None is sent that the
// journal does not hold.
func (s *switcher) valuesOf(h *hand, arm int) ([]string, error) {
	var values []string
	for _, i := range h.knobs {
		k := s.knobs[i]
		if err := s.journal.Covers(k.home, k.knob, k.values[arm]); err != nil {
			return nil, err
		}
		values = append(values, k.values[arm])
	}
	return values, nil
}

// take puts what a hand did into the settings of an arm.
func (s *switcher) take(h *hand, arm int, done agent.Switched, settings []results.Setting) error {
	if len(done.Settings) != len(h.knobs) || len(done.Faults) != len(h.knobs) {
		return fmt.Errorf("agent: %d settings of %d knobs", len(done.Settings), len(h.knobs))
	}
	var errs []error
	for n, i := range h.knobs {
		k := s.knobs[i]
		settings[i] = k.told(done.Settings[n], arm)
		if f := done.Faults[n]; f != nil {
			errs = append(errs, located(k.from[arm], f))
		}
	}
	return errors.Join(errs...)
}

// A following is what became of the knobs in a schedule.
type following struct {
	late map[int]string // by slice: why it must not be counted
	own  int64          // CPU time of the hands
}

// follow has the hands switch at the beginning of every turn. In slices that must not
// be counted the switch was not complete when the settle part was over.
func (s *switcher) follow(turns []turn, arms int, start int64) (following, error) {
	out := following{late: map[int]string{}}
	schedules, followed := make([]agent.FollowArgs, len(s.hands)), make([]*agent.Followed, len(s.hands))
	for n, h := range s.hands {
		var err error
		if schedules[n], err = s.schedule(h, turns, arms, h.spot.place.Clock().There(start)); err != nil {
			return out, err
		}
	}
	var g crew.Crew
	for n, h := range s.hands {
		g.Go(func() (err error) { followed[n], err = h.agent.Follow(schedules[n]); return err })
	}
	if err := g.Wait(); err != nil {
		return out, errors.Join(err, s.close(context.Background()))
	}
	var errs []error
	for n, h := range s.hands {
		out.own += followed[n].OwnCPU
		errs = append(errs, s.learn(h, followed[n]))
		for i, over := range followed[n].Late {
			if i >= 0 && i < len(turns) {
				out.late[turns[i].slice] = fmt.Sprintf("the knobs were switched %v after the settle part", time.Duration(over).Round(time.Microsecond))
			}
		}
	}
	return out, errors.Join(errs...)
}

// schedule is what a hand has to do in turns that begin at an instant of its clock.
func (s *switcher) schedule(h *hand, turns []turn, arms int, start int64) (f agent.FollowArgs, err error) {
	f.Values = make([][]string, arms)
	for arm := range arms {
		if f.Values[arm], err = s.valuesOf(h, arm); err != nil {
			return f, err
		}
	}
	for _, t := range turns {
		f.Turns = append(f.Turns, agent.Turn{Start: start + t.start, Count: start + t.count, Arm: t.arm})
	}
	return f, nil
}

// learn takes over what a hand read back last, by arm.
func (s *switcher) learn(h *hand, f *agent.Followed) error {
	var errs []error
	for arm, done := range f.Arms {
		if s.settings[arm] == nil {
			s.settings[arm] = make([]results.Setting, len(s.knobs))
		}
		errs = append(errs, s.take(h, arm, done, s.settings[arm]))
	}
	return errors.Join(errs...)
}
