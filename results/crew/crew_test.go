package crew

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestWaitReturnsTheFirstError(t *testing.T) {
	var c Crew
	done := make(chan struct{})
	c.Go(func() error { <-done; return errors.New("later") })
	c.Go(func() error { return nil })
	c.Go(func() error { defer close(done); return nil })
	if err := c.Wait(); err == nil || err.Error() != "later" {
		t.Errorf("Wait: %v", err)
	}
}

// TestPanicOfAGoroutineIsTheWaiters: a goroutine's panic comes to the one who waits,
// after all others have ended, with the place where it was.
func TestPanicOfAGoroutineIsTheWaiters(t *testing.T) {
	var c Crew
	others := 0
	c.Go(func() error { none()["x"] = 1; return nil })
	c.Go(func() error { others++; return errors.New("an error beside it") })
	err := Caught(c.Wait)
	fault, ok := errors.AsType[*Panic](err)
	if !ok || others != 1 {
		t.Fatalf("Wait: %v, %d others", err, others)
	}
	if text := fault.Error(); !strings.Contains(text, "assignment to entry in nil map") || !strings.Contains(text, "crew_test.go:") {
		t.Errorf("the panic does not say what and where it was: %s", text)
	}
	file := fault.Keep()
	defer os.Remove(file)
	if text, _ := os.ReadFile(file); !strings.Contains(string(text), "TestPanicOfAGoroutineIsTheWaiters") {
		t.Errorf("the stack that is kept: %s", text)
	}
}

// TestShare: each number is one worker's, and a panic of one worker is the end of all.
func TestShare(t *testing.T) {
	var done [100]int
	Share(0, len(done), func(next func() (int, bool)) {
		for i, ok := next(); ok; i, ok = next() {
			done[i]++
		}
	})
	if slices.ContainsFunc(done[:], func(n int) bool { return n != 1 }) {
		t.Errorf("done: %v", done)
	}
	last, ended := 0, false
	err := Caught(func() error {
		Share(1, 100, func(next func() (int, bool)) {
			for i, ok := next(); ok; i, ok = next() {
				if last = i; i == 2 {
					panic("the third")
				}
			}
		})
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the third") || last != 2 {
		t.Errorf("%v after number %d", err, last)
	}
	err = Caught(func() error {
		Share(2, 1<<40, func(next func() (int, bool)) {
			if i, _ := next(); i == 0 {
				panic("the first")
			}
			for _, ok := next(); ok; _, ok = next() {
				runtime.Gosched()
			}
			ended = true
		})
		return nil
	})
	if err == nil || !ended {
		t.Errorf("one worker failed, and the other did not end: %v", err)
	}
}

func none() map[string]int { return nil }
