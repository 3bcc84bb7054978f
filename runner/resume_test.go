package runner

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/test/busytest"
	"netab/test/need"
)

// A run that was interrupted goes on in its own record: more trials, numbered on, in an
// order that does not begin anew.
func TestResume(t *testing.T) {
	need.Root(t)
	busytest.Retry(t, resumes)
}

func resumes(t *testing.T, by busytest.Stretch) string {
	ctx, stop := context.WithCancelCause(t.Context())
	o := options(t, sideBySide, 1000)
	o.Trial = by.Of(o.Trial)
	o.Progress = func(trials []results.Trial, _ time.Duration) {
		if len(onTime(trials)) == 3 {
			stop(ErrInterrupted)
		}
	}
	broken := 0
	o.Break = func([]results.Trial, time.Duration, bool) Decision {
		broken++
		return Decision{Look: &results.Look{Trials: 3, Alpha: 0.02}}
	}
	first, err := Run(ctx, o)
	if err == nil && first.End.Reason != vocab.Interrupted && len(onTime(first.Trials)) < len(first.Trials) {
		return string(first.End.Reason)
	}
	if err != nil || first.End.Reason != vocab.Interrupted || broken != 1 || len(first.End.Looks) != 1 {
		t.Fatalf("%+v, %d looks where it broke off: %v", first.End, broken, err)
	}
	was := len(first.Trials)
	resume := func(same func(*results.Header) error) (*results.Run, error) {
		w, run, err := results.Resume(filepath.Join(o.Store, o.Header.ID))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		on := options(t, sideBySide, was+3)
		on.Trial = o.Trial
		on.Stop = func(all []results.Trial, _ time.Duration, last bool) Decision {
			return Decision{Stop: last || len(all) >= was+3, Reason: vocab.Decided, Look: &results.Look{Trials: len(all), Alpha: 0.01}}
		}
		on.Store, on.Header = o.Store, o.Header
		on.Resume = &Resume{Run: run, Writer: w, Mark: results.Resumption{After: vocab.Interrupted, ElapsedS: 1, MaxTimeS: 10, Alpha: 0.01, Looks: run.End.Looks}, Same: same}
		return Run(t.Context(), on)
	}
	if _, err := resume(func(now *results.Header) error {
		if now.Plan.Grain == "" || now.Machine.Qdiscs == nil && now.Machine.Offloads == nil {
			t.Errorf("asked before the machine was described: %+v", now)
		}
		return errors.New("another kernel")
	}); err == nil || !strings.Contains(err.Error(), "another kernel") {
		t.Errorf("not refused: %v", err)
	}
	if run, err := results.ReadFile(filepath.Join(o.Store, o.Header.ID)); err != nil || len(run.Resumed) > 0 || run.End == nil {
		t.Errorf("what was refused left something: %+v, %v", run, err)
	}
	second, err := resume(func(*results.Header) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if second.End.Reason != vocab.Decided && len(onTime(second.Trials)) < len(second.Trials) {
		return string(second.End.Reason)
	}
	read, err := results.ReadFile(filepath.Join(o.Store, o.Header.ID))
	if err != nil || len(read.ReadWarnings) > 0 {
		t.Fatal(read.ReadWarnings, err)
	}
	for name, run := range map[string]*results.Run{"in memory": second, "in the record": read} {
		if len(run.Trials) != was+3 || run.Header.ID != first.Header.ID || run.End.Reason != vocab.Decided || len(run.Resumed) != 1 || run.Resumed[0].Trials != was || len(run.End.Looks) != 4 {
			t.Fatalf("%s: %d trials, %+v, %+v", name, len(run.Trials), run.Resumed, run.End)
		}
		for i, trial := range run.Trials {
			session := 0
			if i >= was {
				session = 1
			}
			if trial.Index != i || trial.Session != session {
				t.Errorf("%s: trial %d has index %d and session %d", name, i, trial.Index, trial.Session)
			}
		}
	}
	order := func(trials []results.Trial) (out []int) {
		for _, s := range trials[0].Slices {
			out = append(out, s.Arm)
		}
		return out
	}
	if slices.Equal(order(read.Trials), order(read.Trials[was:])) {
		t.Error("the order began anew")
	}
	return ""
}

// An arm that rests is in no trial from there on, whose blocks are of the others.
func TestRest(t *testing.T) {
	need.Root(t)
	rested := -1
	_, run := measured(t, sideBySide, 6, func(o *Options) {
		rested = -1
		judge := o.Stop
		o.Stop = func(done []results.Trial, elapsed time.Duration, last bool) Decision {
			d := judge(done, elapsed, last)
			if len(done) == 2 {
				d.Rest, rested = []int{1}, 1
			}
			return d
		}
	})
	if rested != 1 || len(run.Trials[0].Order) < 3 {
		t.Fatalf("%d rests of %v", rested, run.Trials[0].Order)
	}
	for i, trial := range run.Trials {
		if busy(trial) {
			continue
		}
		in := func(arms []results.ArmTrial) bool {
			return slices.ContainsFunc(arms, func(a results.ArmTrial) bool { return a.Arm == 1 })
		}
		sliced := slices.ContainsFunc(trial.Slices, func(s results.Slice) bool { return s.Arm == 1 })
		if want := i < 2; in(trial.Arms) != want || sliced != want || slices.Contains(trial.Order, 1) != want {
			t.Errorf("trial %d: arms %v, slices %v, order %v", i, in(trial.Arms), sliced, trial.Order)
		}
	}
	if first, last := run.Trials[0], run.Trials[len(run.Trials)-1]; len(last.Arms) != len(first.Arms)-1 || last.Slices[len(last.Slices)-1].Block < first.Slices[len(first.Slices)-1].Block {
		t.Errorf("%d arms in %d blocks, then %d in %d", len(first.Arms), first.Slices[len(first.Slices)-1].Block, len(last.Arms), last.Slices[len(last.Slices)-1].Block)
	}
}

// Arms that rested go on resting where a run goes on.
func TestResting(t *testing.T) {
	run := &results.Run{Header: results.Header{Design: results.Design{Arms: make([]results.Arm, 4), RestDecided: true}}}
	if got := resting(run); got != nil {
		t.Errorf("before the first trial: %v", got)
	}
	run.Trials = []results.Trial{{Order: []int{3, 0, 1, 2}}, {Order: []int{2, 0}}}
	if got := resting(run); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("%v rest, want 1 and 3", got)
	}
	run.Header.Design.RestDecided = false
	if got := resting(run); got != nil {
		t.Errorf("where none may: %v", got)
	}
}
