package traffic

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// policies are the scheduler's by the names that scenarios have for them.
var policies = map[string]uint32{
	"": unix.SCHED_NORMAL, "other": unix.SCHED_NORMAL, "batch": unix.SCHED_BATCH, "idle": unix.SCHED_IDLE, "fifo": unix.SCHED_FIFO, "round-robin": unix.SCHED_RR,
}

// realTime says whether the policy is one that takes a CPU from all others.
func (p *Path) realTime() bool { return p.Policy == "fifo" || p.Policy == "round-robin" }

// privileged says whether the kernel lets only some have it so.
func (p *Path) privileged() bool { return p.realTime() || p.Nice < 0 }

// schedule gives the calling thread the role's policy and niceness; a role that names
// neither keeps what netab was started with.
func (p *Path) schedule() error {
	if p.Policy == "" && p.Nice == 0 {
		return nil
	}
	attr := unix.SchedAttr{Policy: policies[p.Policy], Nice: int32(p.Nice)}
	if p.realTime() {
		attr.Priority = 1
	}
	err := unix.SchedSetAttr(0, &attr, 0)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("scheduling policy %s, niceness %d: %w: it takes CAP_SYS_NICE of the machine, which no user namespace gives", p.name(), p.Nice, err)
	}
	if err != nil {
		return fmt.Errorf("scheduling policy %s, niceness %d: %w", p.name(), p.Nice, err)
	}
	return nil
}

func (p *Path) name() string {
	if p.Policy == "" {
		return "other"
	}
	return p.Policy
}
