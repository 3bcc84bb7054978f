package question

import (
	"time"

	"netab/results"
)

// An Attempt is a run that was begun: the store has a note of it until
// something is recorded, so that nobody takes the run before for this one. A nil
// Attempt is one that no store can note.
type Attempt struct {
	store *results.Store
	note  results.Attempt
}

// Begin makes the note before anything can fail, a kill included.
func Begin(dir, ref string) (*Attempt, error) {
	store, err := results.Open(dir)
	if err != nil {
		return nil, nil // the run will say so; nor is there a run to be judged
	}
	a := &Attempt{store, results.Attempt{Started: time.Now().UTC(), Source: SourceNamed(ref)}}
	return a, a.store.Attempt(a.note)
}

// Of adds the scenario's name.
func (a *Attempt) Of(scenario string) error {
	if a == nil {
		return nil
	}
	a.note.Scenario = scenario
	return a.store.Attempt(a.note)
}

// Failed adds why nothing was recorded.
func (a *Attempt) Failed(why error) {
	if a != nil {
		_ = a.store.AttemptFailed(a.note, why) // the note is there without the reason too
	}
}
