package crew

import (
	"errors"
	"os"
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

func none() map[string]int { return nil }
