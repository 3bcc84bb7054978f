// Package reboot carries out a campaign whose boots are of the machine itself: what the
// last boot came to, what is measured on the kernel that is up, and which kernel is
// armed to come up next.
//
// Between two boots nobody is there to remember, and a boot may end in a power cut or a
// panic. So what is about to happen is on disk before it happens, in one small file (a
// State), and everything else follows from the campaign's record: Next reads both, sees
// what came of what it had armed, and does what is due. Wherever it is cut off, the next
// call goes on, and no boot is lost or made twice.
//
// Nothing here goes on for ever: a boot is armed three times at most, and made again once
// where the machine went down in it.
package reboot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/campaign"
)

const (
	// mostMissed is how often a boot is armed and another kernel comes up.
	mostMissed = 3
	// mostDowns is how often the machine may go down in one boot's run.
	mostDowns = 2
	// mostKills is how often netab may be killed in one boot's run.
	mostKills = 3
)

// A Machine is the one that boots.
type Machine struct {
	Up     Up                               // the kernel that is up
	Arm    func(Kernel) error               // makes a kernel the one that comes up next
	Disarm func() error                     // takes that back, as far as it is still to come
	Panic  func(since time.Time) []string   // the last words of a kernel that panicked since then; nil = none
	Save   func(*State) error               // keeps the state, or forgets it (nil), on disk when it returns
	Said   func(format string, args ...any) // what is worth knowing, a line each
	// Loop's Booter measures on the kernel that is up, and its callbacks tell of that.
	Loop campaign.Loop
}

// Next does what is due: it sees what the last boot came to, measures where the kernel
// that was armed is up, and arms the next one, which is returned. nil = nothing is due
// any more, and the campaign has its end. An error that leaves the campaign unfinished,
// with nothing armed, is one to be told and to be tried again; ErrStopped is under one
// that ended it.
func (m *Machine) Next(ctx context.Context, s *State, w *results.CampaignWriter, c *results.Campaign) (*Kernel, error) {
	r := &round{Machine: m, state: s, w: w, c: c}
	here, err := r.look()
	if err == nil && here {
		err = r.measure(ctx)
	}
	if fatal, ok := errors.AsType[*stopped](err); ok {
		return nil, errors.Join(err, r.end(vocab.FailedBy(fatal.error)))
	}
	if err != nil {
		return nil, err
	}
	due, ok := campaign.Next(c.Outcomes())
	if !ok {
		return nil, r.end(vocab.AllBooted)
	}
	return r.arm(due)
}

// ErrStopped is under the error of a campaign that does not go on.
var ErrStopped = errors.New("the campaign is stopped")

type stopped struct{ error }

func (s *stopped) Unwrap() []error { return []error{s.error, ErrStopped} }

func stop(format string, args ...any) error {
	return &stopped{fmt.Errorf(format, args...)}
}

// A round is one call of Next.
type round struct {
	*Machine
	state *State
	w     *results.CampaignWriter
	c     *results.Campaign
}

func (r *round) now() time.Time {
	if r.Loop.Now != nil {
		return r.Loop.Now()
	}
	return time.Now().UTC()
}

// planned is the boot that the step is at.
func (r *round) planned() (results.PlannedBoot, error) {
	all := r.c.Header.Planned
	at := slices.IndexFunc(all, func(p results.PlannedBoot) bool { return p.Number == r.state.Step.Number })
	if at < 0 || all[at].Kernel >= len(r.state.Kernels) {
		return results.PlannedBoot{}, fmt.Errorf("boot %d is none of campaign %s: its state is not of this campaign; netab boots stop forgets it", r.state.Step.Number, r.c.Header.ID)
	}
	return all[at], nil
}

// look sees what came of the last step, and says whether its kernel is up to be
// measured.
func (r *round) look() (here bool, err error) {
	step := &r.state.Step
	if step.Phase == Idle {
		return false, nil
	}
	p, err := r.planned()
	if err != nil {
		return false, err
	}
	if o := r.outcome(p); o.State != results.Missing {
		return false, nil // recorded, and cut off behind that
	}
	same := step.BootID == r.Up.BootID
	switch {
	case step.Phase == Begun:
		return false, r.lost(p, same)
	case same:
		r.Said("boot %d (%s) was armed, and the machine was not rebooted since", p.Number+1, r.state.Kernels[p.Kernel].name())
		return false, nil
	case r.Up.Is(r.state.Kernels[p.Kernel], r.state.By):
		return true, nil
	}
	return false, r.missed(p)
}

func (r *round) outcome(p results.PlannedBoot) results.Outcome {
	all := r.c.Outcomes()
	return all[slices.IndexFunc(all, func(o results.Outcome) bool { return o.Number == p.Number })]
}

// lost records an attempt that was begun, and that nobody was left to record.
func (r *round) lost(p results.PlannedBoot, same bool) error {
	step := &r.state.Step
	if slices.ContainsFunc(r.c.Boots, func(b results.Boot) bool { return b.Number == p.Number && b.Attempt == step.Attempt }) {
		return nil
	}
	b := results.Boot{Number: p.Number, Attempt: step.Attempt, Kernel: p.Kernel, End: vocab.Killed, Started: step.Since, Ended: r.now()}
	if same {
		step.Kills++
		b.Text = "netab was killed in its run"
	} else {
		step.Downs++
		b.Text = "the machine went down in its run: a power cut, a reset or a crash that left no word"
		if words := r.Panic(step.Since); len(words) > 0 {
			b.End, b.Text, b.Console = vocab.Panic, panicText(words), words
		} else if step.Downs >= mostDowns {
			b.End, b.Text = vocab.Reset, fmt.Sprintf("the machine went down in its run %d times, and left no word", step.Downs)
		}
	}
	if err := r.record(b); err != nil {
		return err
	}
	if step.Kills >= mostKills {
		return stop("netab was killed %d times in the run of boot %d: see why (journalctl -k has the OOM killer's victims), and take it up again with netab boots plan --resume %s", step.Kills, p.Number+1, r.c.Header.ID)
	}
	return nil
}

// missed is for an armed kernel in whose place another came up.
func (r *round) missed(p results.PlannedBoot) error {
	step, k := &r.state.Step, r.state.Kernels[p.Kernel]
	step.Missed++
	failed := results.Boot{Number: p.Number, Kernel: p.Kernel, Started: step.Since, Ended: r.now()}
	if words := r.Panic(step.Since); len(words) > 0 {
		failed.End, failed.Text, failed.Console = vocab.Panic, panicText(words), words
		return r.attempt(failed)
	}
	up := r.Up.text(k)
	if step.Missed < mostMissed {
		r.Said("boot %d: %s was armed, and up is %s: a fallback, a crash, or another choice at the boot menu; it is armed again (%d of %d)", p.Number+1, k.name(), up, step.Missed+1, mostMissed)
		return nil
	}
	if !r.state.CameUp {
		return stop("boot %d: %s was armed %d times, and up is %s each time: arming by %s does nothing on this machine, or the kernel does not come up; see that, and take it up again with netab boots plan --resume %s",
			p.Number+1, k.name(), step.Missed, up, r.state.By, r.c.Header.ID)
	}
	failed.End = vocab.Reset
	failed.Text = fmt.Sprintf("it was armed %d times and did not come up: up was %s", step.Missed, up)
	return r.attempt(failed)
}

// attempt records an attempt that came to nothing before anything could be begun.
func (r *round) attempt(b results.Boot) error {
	file, err := r.w.BeginBoot(b.Number)
	if err != nil {
		return err
	}
	b.Attempt = file.Attempt
	return errors.Join(file.Close(), r.record(b))
}

func (r *round) record(b results.Boot) error {
	if err := r.w.AppendBoot(b); err != nil {
		return err
	}
	r.c.Boots = append(r.c.Boots, b)
	if r.Loop.Ends != nil {
		r.Loop.Ends(b)
	}
	return nil
}

func panicText(words []string) string {
	for _, line := range words {
		if _, text, ok := cutText(line, "Kernel panic - not syncing:"); ok {
			return "the kernel panicked: " + text
		}
	}
	return "the kernel panicked"
}

// measure runs what is due on the kernel that is up.
func (r *round) measure(ctx context.Context) error {
	p, err := r.planned()
	if err != nil {
		return err
	}
	r.state.CameUp = true
	l, begins := r.Loop, r.Loop.Begins
	attempt := 0
	l.Begins = func(p results.PlannedBoot, n int) {
		attempt = n
		if begins != nil {
			begins(p, n)
		}
	}
	l.Booter = booterFunc(func(ctx context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error) {
		step := &r.state.Step
		step.Phase, step.Attempt, step.BootID, step.Since = Begun, attempt, r.Up.BootID, r.now()
		if err := r.Save(r.state); err != nil {
			return results.Boot{}, err
		}
		return r.Loop.Booter.Boot(ctx, kernel, seed, line)
	})
	if _, err := l.Boot(ctx, r.w, r.c, p); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

type booterFunc func(ctx context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error)

func (f booterFunc) Boot(ctx context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error) {
	return f(ctx, kernel, seed, line)
}

// arm makes a boot the next.
func (r *round) arm(due results.PlannedBoot) (*Kernel, error) {
	step := Step{Phase: Armed, Number: due.Number, BootID: r.Up.BootID, Since: r.now()}
	if before := r.state.Step; before.Number == due.Number {
		step.Missed, step.Downs, step.Kills = before.Missed, before.Downs, before.Kills
	}
	r.state.Step = step
	if err := r.Save(r.state); err != nil {
		return nil, err
	}
	k := &r.state.Kernels[due.Kernel]
	if err := r.Arm(*k); err != nil {
		r.state.Step.Phase = Idle
		return nil, errors.Join(fmt.Errorf("boot %d cannot be armed: %w", due.Number+1, err), r.Save(r.state))
	}
	return k, nil
}

// end ends the campaign's record, and its time on this machine.
func (r *round) end(reason vocab.End) error {
	return errors.Join(r.Disarm(), r.Loop.End(r.w, r.c, reason), r.Save(nil))
}

// Disarm takes back what a state says is armed, in the boot that is up.
func Disarm(s *State, up Up) error {
	switch {
	case s.By == ByGRUB:
		return DisarmGRUB(s.Env, s.Kernels)
	case s.Step.Phase == Armed && s.Step.BootID == up.BootID:
		return DisarmKexec()
	}
	return nil
}

// name is how a kernel is told from others.
func (k Kernel) name() string {
	if k.Ref == k.Release {
		return k.Ref
	}
	return fmt.Sprintf("%s (%s)", k.Ref, cmp.Or(k.Release, "of an unknown release"))
}
