package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"netab/results"
	"netab/runner/knob"
	"netab/runner/traffic"
)

// A switcher writes the shared knobs: constants once, the others whenever the
// arm whose turn begins wants another value. Every knob is borrowed from the
// machine through the journal before its first write.
type switcher struct {
	knobs    []*switched
	journal  *knob.Journal
	current  []string
	settings map[int][]results.Setting // by arm, as read back last
}

func newSwitcher(j *knob.Journal, knobs []*switched) *switcher {
	return &switcher{knobs: knobs, journal: j, current: make([]string, len(knobs)), settings: map[int][]results.Setting{}}
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

// start reads what every knob is now, where it is now, and gives it the value
// of an arm: nothing is taken for granted from one session to the next.
func (s *switcher) start(arm int) error {
	for i, k := range s.knobs {
		now, err := k.knob.Read(k.at)
		if err != nil {
			return fmt.Errorf("%s: read: %w", k.knob, err)
		}
		s.current[i] = now
	}
	return s.set(arm)
}

// set gives every knob the value of an arm, in their order as far as it works;
// what changes is read back.
func (s *switcher) set(arm int) error {
	settings := make([]results.Setting, len(s.knobs))
	errs := make([]error, len(s.knobs))
	known := true // what was read before still holds
	knob.Passes(len(s.knobs), func(pass, i int) (open, changed bool) {
		k, want := s.knobs[i], s.knobs[i].values[arm]
		if known && pass == 0 && k.knob.Equal(want, s.current[i]) {
			settings[i] = knob.Unchanged(k.knob, want, s.current[i])
			return false, false
		}
		var err error
		settings[i], err = knob.Apply(k.at, k.knob, want)
		if errs[i] = located(k.from[arm], err); err != nil {
			return true, false
		}
		changed = settings[i].Before != settings[i].After
		s.current[i] = settings[i].After
		if _, others := k.knob.(knob.Collateraler); others && changed {
			known = false
		}
		return false, changed
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, k := range s.knobs {
		settings[i] = k.told(settings[i], arm)
	}
	s.settings[arm] = settings
	return nil
}

// follow switches at the beginning of every turn until the schedule is over.
// It returns why slices must not be counted: those in whose settle part the
// switch was not complete.
func (s *switcher) follow(ctx context.Context, turns []turn, start int64) (late map[int]string, err error) {
	late = map[int]string{}
	if len(s.knobs) == 0 {
		return late, nil
	}
	for _, t := range turns {
		if !sleepUntil(ctx, start+t.start) {
			return late, context.Cause(ctx)
		}
		if err := s.set(t.arm); err != nil {
			return late, err
		}
		if over := traffic.Now() - (start + t.count); over > 0 {
			late[t.slice] = fmt.Sprintf("the knobs were switched %v after the settle part", time.Duration(over).Round(time.Microsecond))
		}
	}
	return late, nil
}

// sleepUntil waits for an instant of CLOCK_MONOTONIC, or less if ctx ends.
func sleepUntil(ctx context.Context, instant int64) bool {
	timer := time.NewTimer(time.Duration(instant - traffic.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
