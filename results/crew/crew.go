// Package crew runs functions side by side in such a way that a panic of one of
// them reaches whoever waits for all. Go ends a process whose goroutine panics, and
// no deferred call of another goroutine runs: devices that a run has moved, and
// settings that it has borrowed, would stay where they are, and the user would get
// a trace of Go's and its exit code.
//
// What no process can catch stays: running out of memory, faults of Go's runtime, a
// kill. Then package knob's journal remembers.
package crew

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"netab/results/disk"
)

// A Panic is a panic as an error, with the stack of the goroutine where it was.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v%s", p.Value, p.place()) }

// Unwrap returns what was panicked with, if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// place is where it was, of the stack that Go prints: the line below the first call
// of ours after that of panic.
func (p *Panic) place() string {
	_, after, ok := strings.Cut(string(p.Stack), "\npanic(")
	if !ok {
		return ""
	}
	lines := strings.Split(after, "\n")
	for _, line := range lines[min(2, len(lines)):] {
		if place, ok := strings.CutPrefix(line, "\t"); ok && !strings.Contains(place, "/src/runtime/") {
			place, _, _ = strings.Cut(place, " +0x")
			return " at " + place
		}
	}
	return ""
}

// Keep writes the stack into a file for a report of the fault, and returns its name;
// "" if it cannot.
func (p *Panic) Keep() string {
	f, err := disk.Temporary("netab-panic-", ".txt")
	if err != nil {
		return ""
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "panic: %v\n\n%s", p.Value, p.Stack); err != nil {
		return ""
	}
	return f.Name()
}

// Caught calls f and returns its error, or its panic as one. A Panic that is handed
// on by Wait keeps its stack.
func Caught(f func() error) error {
	fault, err := caught(f)
	if fault != nil {
		return fault
	}
	return err
}

// caught keeps a panic of f apart from an error that it returns, which may be one
// that tells of a panic elsewhere.
func caught(f func() error) (fault *Panic, err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *Panic:
			fault = v
		default:
			fault = &Panic{v, debug.Stack()}
		}
	}()
	return nil, f()
}

// Reported is Caught for who only says it: of a panic the error tells where it was,
// in one line, and which file has the stack.
func Reported(f func() error) error {
	err := Caught(f)
	fault, ok := errors.AsType[*Panic](err)
	if !ok {
		return err
	}
	err = fmt.Errorf("a fault of netab: %w", fault)
	if file := fault.Keep(); file != "" {
		return fmt.Errorf("%w; its stack is in %s: please report it", err, file)
	}
	return fmt.Errorf("%w; its stack could not be kept (a TMPDIR that can be written to would have it): please report it", err)
}

// A Crew is some functions that run at the same time. The zero Crew is ready.
type Crew struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	err   error
	fault *Panic
}

// Go calls f in a goroutine.
func (c *Crew) Go(f func() error) {
	c.wg.Go(func() {
		fault, err := caught(f)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.fault == nil {
			c.fault = fault
		}
		if c.err == nil {
			c.err = err
		}
	})
}

// Wait waits for all and returns the first error. It panics with a *Panic if one of
// them did.
func (c *Crew) Wait() error {
	c.wg.Wait()
	if c.fault != nil {
		panic(c.fault)
	}
	return c.err
}

// Share divides work that only computes: each of some workers, 0 for one a CPU, takes
// the next of n numbers until next says that there is none. It ends early where
// a worker panics, and panics itself then, as Wait does.
func Share(workers, n int, work func(next func() (int, bool))) {
	var c Crew
	var mu sync.Mutex
	taken := 0
	next := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		taken++
		return taken - 1, taken <= n
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range min(workers, n) {
		c.Go(func() error {
			whole := false
			defer func() {
				if !whole {
					mu.Lock()
					taken = n
					mu.Unlock()
				}
			}()
			work(next)
			whole = true
			return nil
		})
	}
	_ = c.Wait() // the workers have no errors
}
