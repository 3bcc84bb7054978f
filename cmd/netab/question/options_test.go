package question

import (
	"context"
	"testing"
	"time"

	"netab/results"
	"netab/runner/claim"
)

// What a scenario asks for, and what it is asked with, reaches the runner; one of
// several sessions lets go of the machine between them.
func TestOptions(t *testing.T) {
	load := func(sets ...string) *Question {
		t.Helper()
		q, err := Load("same", append(sets, "measure.seed=7"))
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	left := 0
	here := Here{Store: "s", Machine: results.Machine{Name: "m"}, Netab: results.Build{Version: "v"}, Claim: &claim.Claim{},
		Leave: func(context.Context, time.Time) error { left++; return nil }}
	o, err := load("measure.sessions=3", "measure.spread=1h").Options(here)
	if err != nil {
		t.Fatal(err)
	}
	h := o.Header
	if o.Seed != 7 || h.Seed != 7 || o.Store != "s" || h.Machine.Name != "m" || h.Netab.Version != "v" || h.Source != "builtin:same" || h.Design.Sessions != 3 || len(h.Scenario) == 0 || h.ID == "" || o.Stop == nil {
		t.Errorf("%+v", o)
	}
	if len(o.Starts) != 3 || o.Pause == nil {
		t.Fatalf("%d starts, pause %v", len(o.Starts), o.Pause != nil)
	}
	if _, _, err := o.Pause(t.Context(), time.Now()); err != nil || left != 1 {
		t.Errorf("left %d times, %v", left, err)
	}
	here.Leave, here.Seed = nil, 9
	if o, err = load("measure.sessions=3", "measure.spread=1h").Options(here); err != nil || o.Seed != 9 || o.Pause != nil || len(o.Starts) != 3 {
		t.Errorf("to look: seed %d, pause %v, %d starts, %v", o.Seed, o.Pause != nil, len(o.Starts), err)
	}
	if o, err = load().Options(here); err != nil || o.Starts != nil {
		t.Errorf("one session: %d starts, %v", len(o.Starts), err)
	}
}
