// Package place is where the sides of a topology are: this machine, or another that is
// reached from it. Whoever builds a path takes a place for each side; what reads,
// writes or sends there never learns where that is.
//
// A place is narrow on purpose: the files and devices of its machine, agents, and a
// clock. Whatever else is asked of it, an agent there answers. A new one is a file
// here and the line that chooses it.
package place

import (
	"context"
	"time"

	"netab/runner/agent"
	"netab/runner/host"
)

// A Place is one machine, as far as netab may use it. Places are compared: two sides
// are at one place if they hold the same.
type Place interface {
	// Name is what records and errors call it; "" = the machine that netab runs on.
	Name() string
	// Host is the machine there, in its first network namespace.
	Host() host.Host
	// Start starts an agent there and waits until it answers. ctx bounds every later
	// call of it too.
	Start(ctx context.Context, o agent.Options) (*agent.Agent, error)
	// Clock says how its clock and this machine's go together.
	Clock() Clock
	// Close ends the agents that still run there.
	Close(ctx context.Context) error
}

// A Clock is CLOCK_MONOTONIC of a place: schedules are made of this machine's
// instants, and kept by the clock of the place.
type Clock struct {
	Offset time.Duration // by which it is ahead of this machine's
	Bound  time.Duration // by which the offset may be wrong
}

// There is an instant of this machine's clock as the place's.
func (c Clock) There(instant int64) int64 { return instant + int64(c.Offset) }

// A Pair is the places of a path's two sides.
type Pair struct{ Source, Sink Place }

// Both are the sides at one place.
func Both(p Place) Pair { return Pair{p, p} }

// Each are the places of the pair, each once, the source's first.
func (p Pair) Each() []Place {
	if p.Source == p.Sink {
		return []Place{p.Source}
	}
	return []Place{p.Source, p.Sink}
}

// Here says whether both sides are on the machine that netab runs on.
func (p Pair) Here() bool { return p.Source.Name() == "" && p.Sink.Name() == "" }

// Called is a place's name in a sentence.
func Called(p Place) string {
	if p.Name() == "" {
		return "this machine"
	}
	return p.Name()
}
