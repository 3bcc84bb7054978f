package runner

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/runner/knob"
	"netab/test/need"
)

func TestSessionStarts(t *testing.T) {
	for _, tt := range []struct {
		n            int
		spread, each time.Duration
	}{
		{12, 2 * time.Hour, 10 * time.Second}, {2, 3 * time.Second, time.Second}, {6, time.Minute, 10 * time.Second}, {3, time.Minute, time.Hour},
	} {
		for seed := range uint64(50) {
			starts := SessionStarts(tt.n, tt.spread, tt.each, seed)
			if len(starts) != tt.n || starts[0] != 0 || !slices.IsSorted(starts) {
				t.Fatalf("%v: %v", tt, starts)
			}
			for i, at := range starts {
				part := tt.spread / time.Duration(tt.n)
				if from := part * time.Duration(i); at < from-1 || at > max(from+1, from+part-tt.each+1) {
					t.Errorf("%v, seed %d: session %d begins at %v", tt, seed, i, at)
				}
			}
			if !slices.Equal(starts, SessionStarts(tt.n, tt.spread, tt.each, seed)) {
				t.Errorf("%v: another order of the same seed", tt)
			}
		}
	}
	if a, b := SessionStarts(6, time.Hour, time.Second, 1), SessionStarts(6, time.Hour, time.Second, 2); slices.Equal(a, b) {
		t.Error("two seeds, one order")
	}
	if SessionStarts(1, time.Hour, time.Second, 1) != nil || SessionStarts(0, 0, 0, 1) != nil {
		t.Error("one session has starts")
	}
}

// inSessions makes a run of three sessions of a trial or two each, which pause
// judges and ends.
func inSessions(t *testing.T, pause PauseFunc) Options {
	o := options(t, switchedBudget, 1000)
	o.MaxTime = 3 * 100 * time.Millisecond // less than a trial each: one is let in
	o.Starts = []time.Duration{0, time.Hour, 2 * time.Hour}
	o.Pause = pause
	o.Stop = func(_ []results.Trial, _ time.Duration, last bool) Decision {
		return Decision{Stop: last, Reason: "max-time", Look: &results.Look{Trials: 1}}
	}
	return o
}

func budget(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/core/netdev_budget")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Between sessions the machine is as it was, nothing is held, and time stands
// still; each session plans anew.
func TestRunInSessions(t *testing.T) {
	need.Root(t)
	before, began := budget(t), time.Now()
	var waits []time.Duration
	var journals []*knob.Journal
	o := inSessions(t, nil)
	o.Pause = func(_ context.Context, until time.Time) (*knob.Journal, []*os.File, error) {
		waits = append(waits, until.Sub(began).Round(time.Minute))
		if now := budget(t); now != before {
			t.Errorf("between sessions netdev_budget is %s and was %s", now, before)
		}
		if left := o.Journal.Pending(); len(left) > 0 {
			t.Errorf("in the journal: %+v", left)
		}
		j := options(t, switchedBudget, 1).Journal
		journals = append(journals, j)
		return j, nil, nil
	}
	var elapsed time.Duration
	o.Progress = func(_ []results.Trial, e time.Duration) { elapsed = e }
	run, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var of []int
	for _, trial := range run.Trials {
		of = append(of, trial.Session)
	}
	if got := slices.Compact(slices.Clone(of)); !slices.Equal(got, []int{0, 1, 2}) || run.End.Reason != "max-time" {
		t.Errorf("trials of sessions %v, ended %q", of, run.End.Reason)
	}
	if !slices.Equal(waits, []time.Duration{time.Hour, 2 * time.Hour}) {
		t.Errorf("waited until %v", waits)
	}
	if elapsed > time.Minute {
		t.Errorf("measured for %v", elapsed)
	}
	if budget(t) != before || len(run.End.Restored) != 1 || len(journals) != 2 || len(journals[1].Pending()) > 0 {
		t.Errorf("netdev_budget %s, restored %+v", budget(t), run.End.Restored)
	}
	if stored, err := results.ReadFile(o.Store + "/test/run.jsonl"); err != nil || len(stored.Trials) != len(of) || stored.Trials[len(of)-1].Session != 2 {
		t.Errorf("the run file: %+v, %v", stored, err)
	}
}

// Ctrl-C between two sessions ends the run in order: what was measured is judged
// and kept.
func TestInterruptedBetweenSessions(t *testing.T) {
	need.Root(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	o := inSessions(t, func(ctx context.Context, _ time.Time) (*knob.Journal, []*os.File, error) {
		cancel(ErrInterrupted)
		return nil, nil, context.Cause(ctx)
	})
	run, err := Run(ctx, o)
	if err != nil || run.End.Reason != "interrupted" || len(run.Trials) == 0 || len(run.End.Looks) == 0 {
		t.Fatalf("%v, %+v", err, run)
	}
	if stored, err := results.ReadFile(o.Store + "/test/run.jsonl"); err != nil || stored.End == nil || stored.End.Reason != "interrupted" {
		t.Errorf("the run file: %+v, %v", stored, err)
	}
}

// What cannot go on fails, with what was measured kept.
func TestSessionsOnAChangedMachine(t *testing.T) {
	need.Root(t)
	o := inSessions(t, func(context.Context, time.Time) (*knob.Journal, []*os.File, error) { return nil, nil, os.ErrPermission })
	run, err := Run(t.Context(), o)
	if err == nil || len(run.Trials) == 0 || !strings.HasPrefix(string(run.End.Reason), "failed: ") {
		t.Errorf("%v, %+v", err, run)
	}
}
