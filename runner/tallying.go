package runner

import (
	"errors"
	"sync"

	"netab/results"
	"netab/runner/explain/account"
	"netab/runner/explain/hardware"
)

// A tallying reads the CPUs' counters of each setup's roles at the edges of its slices.
type tallying struct {
	open   map[account.Slot]*hardware.Counters
	counts map[int][2]*results.HardwareCounts // by slice: of the source and the sink
	done   sync.WaitGroup
	failed error
}

// newTallying opens the counters of all roles; the error is hardware.ErrNone where the
// machine has none.
func newTallying(setups int, threads map[int]account.Slot) (*tallying, error) {
	t := &tallying{open: map[account.Slot]*hardware.Counters{}, counts: map[int][2]*results.HardwareCounts{}}
	of := map[account.Slot][]int{}
	for number := range setups {
		for _, sink := range []bool{false, true} {
			of[account.Role(number, sink)] = nil
		}
	}
	for id, slot := range threads {
		if _, role := of[slot]; role {
			of[slot] = append(of[slot], id)
		}
	}
	for slot, ids := range of {
		if len(ids) == 0 {
			continue
		}
		c, err := hardware.Open(hardware.Events(), ids)
		if err != nil {
			t.close()
			return nil, err
		}
		t.open[slot] = c
	}
	return t, nil
}

// begin reads at the edges of the turns, of whose setup number says.
func (t *tallying) begin(start int64, turns []turn, number func(arm int) int) {
	t.done.Go(func() {
		for _, turn := range turns {
			if turn.slice < 0 || t.failed != nil {
				continue
			}
			roles := [2]*hardware.Counters{t.open[account.Role(number(turn.arm), false)], t.open[account.Role(number(turn.arm), true)]}
			sleepUntil(start + turn.count)
			before := t.read(roles)
			sleepUntil(start + turn.end)
			after := t.read(roles)
			t.counts[turn.slice] = [2]*results.HardwareCounts{difference(before[0], after[0]), difference(before[1], after[1])}
		}
	})
}

func (t *tallying) read(roles [2]*hardware.Counters) (out [2][]*hardware.Reading) {
	for i, c := range roles {
		if c == nil {
			continue
		}
		var err error
		if out[i], err = c.Read(); err != nil {
			t.failed = errors.Join(t.failed, err)
		}
	}
	return out
}

// difference is nil where nothing was read.
func difference(a, b []*hardware.Reading) *results.HardwareCounts {
	if len(a) != len(hardware.Events()) || len(b) != len(a) {
		return nil
	}
	return &results.HardwareCounts{Cycles: hardware.Between(a[0], b[0]), Instructions: hardware.Between(a[1], b[1]),
		CacheRefs: hardware.Between(a[2], b[2]), CacheMisses: hardware.Between(a[3], b[3])}
}

func (t *tallying) end() error {
	t.done.Wait()
	return t.failed
}

func (t *tallying) close() {
	t.done.Wait()
	for _, c := range t.open {
		_ = c.Close() // the kernel takes it all the same
	}
}
