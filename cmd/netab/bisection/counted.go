package bisection

import (
	"context"
	"fmt"
	"time"

	"netab/cmd/netab/counting"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/runner/guest/kernel"
)

// Counted tests a kernel by the instructions that it takes: the same in every boot with
// the same seed, with nothing of the machine in them.
type Counted struct {
	Counter *counting.Counter
	Arm     string
	Options kernel.Options
	// Question and Logged are of the counter that logs.
	Question *question.Question
	Logged   counting.Options
}

// AtOnce is as many as a Counter boots beside each other: no figure is one of time.
func (c *Counted) AtOnce() int { return 2 }

// Test implements Tester.
func (c *Counted) Test(ctx context.Context, built string, seeds []uint64) ([]float64, error) {
	k, err := kernel.Find(ctx, built, c.Options)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Untestable{err.Error()}
	}
	boots, err := c.Counter.Boots(ctx, []counting.Task{{Arm: c.Arm, Kernel: k}}, seeds)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, b := range boots {
		if b.Units == 0 {
			return nil, &Untestable{fmt.Sprintf("%s: %s", b.End, b.Text)}
		}
		out = append(out, float64(b.Instructions)/float64(b.Units))
	}
	return out, nil
}

// Functions counts both sides of a step once more, with a log of what was executed:
// where the difference lies. The record's kinds are the one before and the one at it.
func (c *Counted) Functions(ctx context.Context, before, at string) (*results.Count, error) {
	o := c.Logged
	o.Functions, o.Arm = true, c.Arm
	if o.Messages == 0 {
		// The log of a message is that of another: it takes fewer to see which functions
		// moved than to tell by how little.
		o.Messages = max(c.Counter.Identity().Messages/5, 1)
	}
	counter, err := counting.New(ctx, c.Question, o)
	if err != nil {
		return nil, err
	}
	record := counter.Identity()
	record.Started = time.Now().UTC()
	var tasks []counting.Task
	for i, built := range []string{before, at} {
		k, err := kernel.Find(ctx, built, c.Options)
		if err != nil {
			return nil, err
		}
		record.Kernels = append(record.Kernels, results.Kernel{Ref: k.Ref, Release: k.Release, Build: k.Build, Arch: k.Arch, Digest: k.Digest})
		record.Kinds = append(record.Kinds, results.CountKind{Arm: c.Arm, Kernel: i})
		tasks = append(tasks, counting.Task{Kind: i, Arm: c.Arm, Kernel: k})
	}
	record.Boots, err = counter.Boots(ctx, tasks, counting.Seeds(1))
	record.Ended = time.Now().UTC()
	return &record, err
}
