package agent

import (
	"errors"
	"fmt"
	"syscall"
)

// protocol is the version of what runner and agent say to each other: it goes up
// with every change of a method, its arguments or its answer that the other side
// could misread. On one machine both are the same binary; an agent elsewhere may
// be another build.
const protocol = 1

// A Greeting is the first that either side says.
type Greeting struct{ Protocol int }

// differs is why the sides do not understand each other, in one line; theirs is
// the zero Greeting of who has never heard of it.
func (theirs Greeting) differs() error {
	if theirs.Protocol == protocol {
		return nil
	}
	return fmt.Errorf("runner and agent are of different builds of netab: the other side speaks version %d of their protocol, this one version %d; start the same netab on both",
		theirs.Protocol, protocol)
}

// welcome is an agent's answer to the runner's Greeting, with what is wrong with
// its place, if anything is.
func welcome(runners Greeting, place error) (Greeting, error) {
	if err := runners.differs(); err != nil {
		return Greeting{protocol}, err
	}
	return Greeting{protocol}, place
}

// greet makes sure that an agent is there and speaks this protocol.
func (a *Agent) greet() error {
	theirs, err := call[Greeting](a, "Hello", Greeting{protocol})
	if err != nil && !errors.Is(err, syscall.EPERM) {
		return err
	}
	if differs := theirs.differs(); differs != nil {
		return errDied("Hello", differs)
	}
	return err
}
