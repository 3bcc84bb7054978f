// Package campaign boots kernels in turns: which boot is due, and what is to be
// recorded of it. It knows nothing of guests or machines: a Booter boots.
//
// Everything follows from the record (package results), which is written before the
// next boot begins, or the next boots that are up at once. So a campaign that was cut off goes on where its record ends, and
// the boots that it comes to are those of one that was not.
//
// A boot that fails by its kernel (a panic, a hang) is an outcome of that kernel, as
// a flow that breaks is one of its arm: it counts, and is not tried until it works.
// What says nothing of the kernel, such as QEMU that is missing, is no outcome, and is
// tried again.
package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"netab/results"
	"netab/results/vocab"
)

const (
	// givenUpAfter so many failed boots in a row a kernel is not booted any more.
	givenUpAfter = 3
	// triesOfBoot is how often a boot is tried in one go that says nothing of its kernel.
	triesOfBoot = 3
)

var codeGivenUp = vocab.Doubts("kernel-given-up")

// Order plans so many boots of each kernel: blocks that hold every kernel once, in
// random order, so that what wanders slowly (heat, neighbours) meets all alike. More
// boots of the same seed begin with the same ones.
func Order(kernels, boots int, seed uint64) []results.PlannedBoot {
	rng := rand.New(rand.NewPCG(seed, 0x626f6f7473)) // "boots"
	out := make([]results.PlannedBoot, 0, kernels*boots)
	for block := range boots {
		for _, kernel := range rng.Perm(kernels) {
			out = append(out, results.PlannedBoot{Number: len(out), Block: block, Kernel: kernel, Seed: rng.Uint64()})
		}
	}
	return out
}

// GivenUp says whether a kernel is not booted any more: the last boots of it that have
// an outcome all failed.
func GivenUp(outcomes []results.Outcome, kernel int) bool {
	failed := 0
	for _, o := range outcomes {
		switch {
		case o.Kernel != kernel || o.State == results.Missing:
		case o.State == results.Failed:
			failed++
		default:
			failed = 0
		}
	}
	return failed >= givenUpAfter
}

// Next is the boot that is due; there is none when every boot of the plan has an
// outcome, or its kernel was given up.
func Next(outcomes []results.Outcome) (results.PlannedBoot, bool) {
	if due := due(outcomes); len(due) > 0 {
		return due[0], true
	}
	return results.PlannedBoot{}, false
}

// due are all boots that are.
func due(outcomes []results.Outcome) (out []results.PlannedBoot) {
	for _, o := range outcomes {
		if o.State == results.Missing && !GivenUp(outcomes, o.Kernel) {
			out = append(out, o.PlannedBoot)
		}
	}
	return out
}

// A Booter boots a kernel, by its index, and runs in it what the campaign is about.
// It hands on each line of the run as it comes, and returns when nothing of the boot is
// left. An error means that it cannot boot at all (QEMU is missing), or that a line
// could not be written, and ends the campaign; whatever happened to the kernel is in
// the Boot: how it ended, in words, and its console's last lines.
type Booter interface {
	Boot(ctx context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error)
}

// A Together is a Booter of boots that are up at once and execute in turns: what
// the machine under them does for seconds then meets all of them alike.
type Together interface {
	Booter
	// Up tells of each boot that is up and waits for the others.
	Up() <-chan struct{}
	// Go has them take turns until all are over. No boot begins any more.
	Go()
}

// A Gatherer is a Booter that can have boots up at once.
type Gatherer interface {
	Booter
	// Gather says how many of the boots that are due, the first so many, are to be up at
	// once; one is booted by itself.
	Gather(due []results.PlannedBoot) (Together, int)
}

// A Loop boots what is due until nothing is.
type Loop struct {
	Booter Booter
	// Begins and Ends tell of each boot; nil = nobody wants to know.
	Begins func(p results.PlannedBoot, attempt int)
	Ends   func(results.Boot)
	Now    func() time.Time // nil = time.Now
}

// Run goes on with a campaign, and ends its record. It returns an error where the
// campaign could not go on; then, too, all that was recorded is kept.
func (l Loop) Run(ctx context.Context, w *results.CampaignWriter, c *results.Campaign) error {
	reason, err := l.boots(ctx, w, c)
	return errors.Join(err, l.End(w, c, reason))
}

// End ends the record of a campaign.
func (l Loop) End(w *results.CampaignWriter, c *results.Campaign, reason vocab.End) error {
	end := results.CampaignEnd{Ended: l.now(), Reason: reason, Warnings: givenUp(c)}
	if err := w.End(end); err != nil {
		return err
	}
	c.End = &end
	return nil
}

func (l Loop) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now().UTC()
}

// boots boots what is due, and says why nothing more is.
func (l Loop) boots(ctx context.Context, w *results.CampaignWriter, c *results.Campaign) (vocab.End, error) {
	tries := map[int]int{} // by number of the boot
	for {
		due := due(c.Outcomes())
		switch {
		case len(due) == 0:
			return vocab.AllBooted, nil
		case ctx.Err() != nil:
			return vocab.Interrupted, nil
		}
		before := len(c.Boots)
		if err := l.next(ctx, w, c, due); err != nil {
			return vocab.FailedBy(err), err
		}
		for _, b := range c.Boots[before:] {
			if b.Run != nil || b.End.OfKernel() || ctx.Err() != nil {
				continue
			}
			if tries[b.Number]++; tries[b.Number] == triesOfBoot {
				err := fmt.Errorf("boot %d was tried %d times, and nothing is known of its kernel: %s", b.Number, triesOfBoot, cmp.Or(b.Text, string(b.End)))
				return vocab.FailedBy(err), err
			}
		}
	}
}

// next boots the first of what is due, or as many as may be up at once.
func (l Loop) next(ctx context.Context, w *results.CampaignWriter, c *results.Campaign, due []results.PlannedBoot) error {
	if gatherer, ok := l.Booter.(Gatherer); ok {
		if together, n := gatherer.Gather(due); n > 1 {
			l.Booter = together
			return l.together(ctx, w, c, due[:n], together)
		}
	}
	_, err := l.Boot(ctx, w, c, due[0])
	return err
}

// together has boots up at once. They come up one after the other, so that a kernel that
// does not come up is given up here too. Where one fails and that says nothing of its
// kernel, as where there is no memory for another QEMU, no more are begun. The record is
// written by this goroutine alone.
func (l Loop) together(ctx context.Context, w *results.CampaignWriter, c *results.Campaign, due []results.PlannedBoot, t Together) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type ended struct {
		*attempt
		boot   results.Boot
		failed error
	}
	ends := make(chan ended)
	going, turns, fruitless := 0, 0, false
	var faults []error
	fault := func(err error) {
		faults = append(faults, err)
		cancel()
	}
	over := func(e ended) {
		going--
		e.boot.Together = turns
		b, err := e.end(ctx, w, e.boot, e.failed)
		if b != nil {
			c.Boots = append(c.Boots, *b)
			fruitless = fruitless || b.Run == nil && !b.End.OfKernel()
		}
		// What one more QEMU has no room for is no fault of those that are up.
		if err != nil && (b == nil || turns > 0 || going == 0) {
			fault(err)
		}
	}
	for _, p := range due {
		if fruitless || ctx.Err() != nil {
			break
		}
		if GivenUp(c.Outcomes(), p.Kernel) {
			continue
		}
		select {
		case <-t.Up(): // of one that has ended since
		default:
		}
		a, err := l.begin(w, p)
		if err != nil {
			fault(err)
			break
		}
		going++
		go func() {
			b, failed := a.boot(ctx)
			ends <- ended{a, b, failed}
		}()
		for up := false; !up; {
			select {
			case <-t.Up():
				up = true
			case e := <-ends:
				up = e.attempt == a
				over(e)
			}
		}
	}
	if going > 1 && ctx.Err() == nil {
		turns = going
	}
	t.Go()
	for going > 0 {
		over(<-ends)
	}
	return errors.Join(faults...)
}

// Boot makes one attempt at a boot and records it: for whoever cannot stay until
// nothing is due any more, because it is the machine itself that boots. nil = there was
// nothing to be recorded.
func (l Loop) Boot(ctx context.Context, w *results.CampaignWriter, c *results.Campaign, due results.PlannedBoot) (*results.Boot, error) {
	b, err := l.boot(ctx, w, due)
	if b != nil {
		c.Boots = append(c.Boots, *b)
	}
	return b, err
}

func (l Loop) boot(ctx context.Context, w *results.CampaignWriter, due results.PlannedBoot) (*results.Boot, error) {
	a, err := l.begin(w, due)
	if err != nil {
		return nil, err
	}
	b, failed := a.boot(ctx)
	return a.end(ctx, w, b, failed)
}

// An attempt is one at a boot of the plan.
type attempt struct {
	loop  Loop
	due   results.PlannedBoot
	file  *results.BootWriter
	began time.Time
	torn  error // what came was no run any more: a kernel that fails may say anything
}

func (l Loop) begin(w *results.CampaignWriter, due results.PlannedBoot) (*attempt, error) {
	file, err := w.BeginBoot(due.Number)
	if err != nil {
		return nil, err
	}
	if l.Begins != nil {
		l.Begins(due, file.Attempt)
	}
	return &attempt{loop: l, due: due, file: file, began: l.now()}, nil
}

// boot keeps what the boot measures.
func (a *attempt) boot(ctx context.Context) (results.Boot, error) {
	b, failed := a.loop.Booter.Boot(ctx, a.due.Kernel, a.due.Seed, func(line []byte) error {
		if a.torn != nil {
			return nil
		}
		err := a.file.Line(line)
		if errors.Is(err, results.ErrNoLine) {
			a.torn, err = err, nil
		}
		return err
	})
	if b.Started.IsZero() {
		b.Started = a.began
	}
	if b.Ended.IsZero() {
		b.Ended = a.loop.now()
	}
	return b, failed
}

// end records what became of it; nil = it could not be.
func (a *attempt) end(ctx context.Context, w *results.CampaignWriter, b results.Boot, failed error) (*results.Boot, error) {
	defer a.file.Close()
	b.Number, b.Attempt, b.Kernel, b.File = a.due.Number, a.file.Attempt, a.due.Kernel, a.file.File
	switch {
	case ctx.Err() != nil && !b.End.OfKernel() && b.End != vocab.Finished:
		b.End, failed = vocab.BootInterrupted, nil
	case failed != nil:
		b.End, b.Text = vocab.QEMUFailed, failed.Error()
	default:
		settle(&b, a.file, a.torn)
	}
	if a.file.Empty() {
		b.File = ""
	}
	if err := w.AppendBoot(b); err != nil {
		return nil, errors.Join(failed, err)
	}
	if a.loop.Ends != nil {
		a.loop.Ends(b)
	}
	return &b, failed
}

// settle looks whether a boot that finished left a run. One that did not is a failure
// of its kernel: what every kernel fails at is told by all of them failing alike.
func settle(b *results.Boot, file *results.BootWriter, torn error) {
	if b.End != vocab.Finished {
		return
	}
	fail := func(text string) {
		b.End = vocab.RunFailed
		if b.Text != "" {
			text += "; " + b.Text
		}
		b.Text = text
	}
	run, err := file.Read()
	switch {
	case torn != nil:
		fail("what it sent is no run: " + torn.Error())
	case file.Empty():
		fail("it sent no run")
	case err != nil:
		fail("its run cannot be read: " + err.Error())
	case run.End == nil:
		fail("its run has no end")
	case run.End.Reason.Failed():
		fail("its run " + string(run.End.Reason))
	default:
		b.Run = run
	}
}

// givenUp warns of kernels of which boots were left out.
func givenUp(c *results.Campaign) (ws []results.Warning) {
	all := c.Outcomes()
	for i, k := range c.Header.Kernels {
		if !GivenUp(all, i) {
			continue
		}
		missing, last := 0, ""
		for _, o := range all {
			switch {
			case o.Kernel != i:
			case o.State == results.Missing:
				missing++
			case o.State == results.Failed:
				last = cmp.Or(o.Boot.Text, string(o.Boot.End))
			}
		}
		if missing > 0 {
			ws = append(ws, results.Warning{Code: codeGivenUp, Text: fmt.Sprintf(
				"kernel %s was given up after %d failed boots in a row, the last: %s; %d of its boots were not tried", cmp.Or(k.Release, k.Ref), givenUpAfter, last, missing)})
		}
	}
	return ws
}
