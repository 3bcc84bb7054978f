package kernels

import (
	"context"
	"time"

	"netab/results"
	"netab/runner"
	"netab/runner/campaign"
	"netab/runner/guest"
	"netab/runner/host"
)

const (
	// turn is how long a guest executes until it is another's turn: short to what a host's
	// CPUs do, long to what it takes to hold one and let another go on, a few milliseconds.
	turn = 250 * time.Millisecond
	// mostTogether is how long guests that are up at once may measure, all together: it is
	// lost where netab is ended meanwhile.
	mostTogether = 5 * time.Minute
	// qemuMemory is what QEMU has in use beside a guest's memory, most of it translated code.
	qemuMemory = 192 << 20
)

// A rotation is guests that are up at once and take turns.
type rotation struct {
	set     *Set
	machine guest.Machine
}

// Gather implements campaign.Gatherer.
func (s *Set) Gather(due []results.PlannedBoot) (campaign.Together, int) {
	if s.turn <= 0 {
		return nil, 1
	}
	room, known := runner.FreeMemory(host.Local{})
	if !known {
		return nil, 1
	}
	n := together(due, s.Each(), room, uint64(s.machine.MemoryMiB)<<20+qemuMemory)
	machine := s.machine
	machine.Rotation = guest.NewRotation(s.turn)
	return &rotation{s, machine}, n
}

// together is how many of the boots that are due are up at once: all of them, or as many
// whole blocks as half of the memory has room for and as may be lost. Part of a block would
// set its kernels apart. The first block is what is left of it, however long that takes.
func together(due []results.PlannedBoot, each time.Duration, room, guest uint64) (n int) {
	most := int(min(room/2/guest, uint64(len(due))))
	for i := range due {
		if i+1 < len(due) && due[i+1].Block == due[i].Block {
			continue
		}
		if i+1 > most || n > 0 && time.Duration(i+1)*each > mostTogether {
			break
		}
		n = i + 1
	}
	return max(n, 1)
}

// Up implements campaign.Together.
func (r *rotation) Up() <-chan struct{} { return r.machine.Rotation.Up() }

// Go implements campaign.Together.
func (r *rotation) Go() { r.machine.Rotation.Go() }

// Boot implements campaign.Booter.
func (r *rotation) Boot(ctx context.Context, n int, seed uint64, line func([]byte) error) (results.Boot, error) {
	return r.set.bootIn(ctx, r.machine, n, seed, line)
}
