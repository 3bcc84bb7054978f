package agent

import (
	"errors"
	"os"
	"runtime"
	"time"

	"netab/results"
	"netab/runner/knob"
	"netab/runner/traffic"
)

// An agent that switches knobs is one of its own, beside those that send and receive:
// it opens no sockets, lives for a whole session, and keeps a schedule as they do. It
// is given knobs once, and then writes these and no others; the runner has every value
// in its journal before it sends one here.

// A Turn is when an arm's values are due.
type Turn struct {
	Start, Count int64 // instants: of the turn, and of what is counted in it
	Arm          int
}

type (
	// FollowArgs are the values of each arm's knobs, and whose turn it is when.
	FollowArgs struct {
		Values [][]string
		Turns  []Turn
	}
	// A Switched is what became of the knobs, in their order.
	Switched struct {
		Settings []results.Setting
		Faults   []*Fault // nil where there is none
	}
	// A Followed is what became of a schedule. It ends with the first turn that failed.
	Followed struct {
		Arms   map[int]Switched // as read back last
		Late   map[int]int64    // by turn: ns from the end of the settle part to when all was switched
		Failed bool             // the last turn
		OwnCPU int64            // ns that this process used
	}
)

// err is what went wrong with the knobs.
func (s Switched) err() error {
	var errs []error
	for _, f := range s.Faults {
		if f != nil {
			errs = append(errs, f)
		}
	}
	return errors.Join(errs...)
}

// Switch makes the agent ready to switch knobs, and unable to do much else.
func (a *Agent) Switch(specs []knob.Spec) error { return tell(a, "Switch", specs) }

// Set reads what the knobs are now and gives them values.
func (a *Agent) Set(values []string) (Switched, error) { return call[Switched](a, "Set", values) }

// Follow switches the knobs at the beginning of every turn until the schedule is over.
func (a *Agent) Follow(f FollowArgs) (*Followed, error) {
	wait := patience
	if n := len(f.Turns); n > 0 {
		wait += max(0, time.Duration(f.Turns[n-1].Count-traffic.Now()))
	}
	return callWithin[*Followed](a, wait, "Follow", f)
}

// switchKnobs takes the knobs and gives up what they do not need. Nothing is collected
// while slices run (GOGC=off), so garbage goes with each session's first values.
func (s *server) switchKnobs(specs []knob.Spec) (err error) {
	if s.switcher, err = knob.SwitcherOf(s.local, specs); err != nil {
		return err
	}
	return giveUpAllBut(capabilities(knob.Capabilities(specs, os.Geteuid())...))
}

var errNoKnobs = errors.New("no knobs were given to switch")

func (s *server) setKnobs(values []string) (Switched, error) {
	if s.switcher == nil {
		return Switched{}, errNoKnobs
	}
	runtime.GC()
	if err := s.switcher.Look(); err != nil {
		return Switched{}, err
	}
	return s.give(values)
}

func (s *server) give(values []string) (Switched, error) {
	settings, errs, err := s.switcher.Set(values)
	out := Switched{Settings: settings, Faults: make([]*Fault, len(errs))}
	for i, err := range errs {
		out.Faults[i] = fault(err)
	}
	return out, err
}

func (s *server) follow(f FollowArgs) (*Followed, error) {
	if s.switcher == nil {
		return nil, errNoKnobs
	}
	out := &Followed{Arms: map[int]Switched{}, Late: map[int]int64{}}
	own := traffic.ProcessCPU()
	for i, t := range f.Turns {
		if t.Arm < 0 || t.Arm >= len(f.Values) {
			return nil, errors.New("a turn of an arm without values")
		}
		time.Sleep(time.Duration(t.Start - traffic.Now()))
		done, err := s.give(f.Values[t.Arm])
		if err != nil {
			return nil, err
		}
		out.Arms[t.Arm] = done
		if out.Failed = done.err() != nil; out.Failed {
			break
		}
		if over := traffic.Now() - t.Count; over > 0 {
			out.Late[i] = over
		}
	}
	out.OwnCPU = traffic.ProcessCPU() - own
	return out, nil
}
