package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"netab/runner"
)

// The wait between sessions is as long as planned, and Ctrl-C ends it.
func TestWaitUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := waitUntil(t.Context(), began.Add(3*time.Hour)); err != nil || time.Since(began) != 3*time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := waitUntil(t.Context(), began); err != nil || time.Since(began) != 3*time.Hour {
			t.Errorf("late: %v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(runner.ErrInterrupted) })
		if err := waitUntil(ctx, time.Now().Add(time.Hour)); !errors.Is(err, runner.ErrInterrupted) || time.Since(began) != 3*time.Hour+time.Minute {
			t.Errorf("interrupted: %v after %v", err, time.Since(began))
		}
	})
}
