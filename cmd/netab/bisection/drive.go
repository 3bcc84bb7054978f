// Package bisection finds the commit, or the kernel of a list, at which a scenario's
// cost moved: it makes the changes that package analysis/culprit asks for, tests them,
// and keeps a record of it, from which it goes on after any end.
//
// It lies below cmd as package experiment does, because it measures and judges in turn.
package bisection

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"netab/analysis/culprit"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// A Source makes changes testable.
type Source interface {
	// Make makes one: what a Tester is told to test, and a digest of its code. What
	// cannot be made is an *Untestable. What was made before is found again.
	Make(ctx context.Context, change int) (built, code string, err error)
}

// A Tester measures what was made.
type Tester interface {
	// Test is the cost of a unit of what the scenario does, once for each seed. What
	// cannot be tested, by its own fault, is an *Untestable.
	Test(ctx context.Context, built string, seeds []uint64) ([]float64, error)
	// AtOnce is how many tests may run beside each other without disturbing a figure.
	AtOnce() int
}

// A Tester that is byFunction tells where in the kernel a step lies, too.
type byFunction interface {
	Functions(ctx context.Context, before, at string) (*results.Count, error)
}

// An Untestable is the error of a change that does not build or boot: it says nothing
// of the others, and a bisection goes on without it.
type Untestable struct{ Why string }

func (u *Untestable) Error() string { return u.Why }

// A Bisection is one that goes on.
type Bisection struct {
	Record *results.Bisection
	Writer *results.BisectionWriter
	Source Source
	Tester Tester
	// Printf says what was done; nil = nobody wants to know.
	Printf func(format string, args ...any)
	Now    func() time.Time // nil = time.Now

	search *culprit.Search
	built  map[int]string
	tests  map[int]int // by change
	took   map[string]time.Duration
	did    map[string]int
}

// Run goes on until there is an answer, or ctx ends. The record is ended then.
func (b *Bisection) Run(ctx context.Context) (*culprit.Answer, error) {
	if b.Printf == nil {
		b.Printf = func(string, ...any) {}
	}
	if b.Now == nil {
		b.Now = time.Now
	}
	b.search, b.built, b.tests = culprit.Empty(&b.Record.Header), map[int]string{}, map[int]int{}
	b.took, b.did = map[string]time.Duration{}, map[string]int{}
	for _, e := range b.Record.Events {
		b.search.Next()
		b.heed(e)
	}
	a, err := b.run(ctx)
	if err == nil && a != nil {
		b.functions(ctx, a)
	}
	end := results.BisectionEnd{Ended: b.Now().UTC(), Reason: vocab.Decided}
	switch {
	case ctx.Err() != nil:
		end.Reason, err = vocab.Interrupted, nil
	case err != nil:
		end.Reason = vocab.FailedBy(err)
	}
	return a, errors.Join(err, b.Writer.End(end))
}

// FunctionsID is the count, in the bisection's directory, of what a step moved.
const FunctionsID = "functions"

// functions counts both sides of the first step by function. The answer stands without
// it, so that what fails here is said and no more.
func (b *Bisection) functions(ctx context.Context, a *culprit.Answer) {
	c, ok := b.Tester.(byFunction)
	if !ok || len(a.Steps) == 0 {
		return
	}
	var sides [2]string
	for i, change := range []int{a.Steps[0].After, a.Steps[0].At} {
		built, _, err := b.Source.Make(ctx, change)
		if err != nil {
			b.Printf("no functions: %v\n", err)
			return
		}
		sides[i] = built
	}
	count, err := c.Functions(ctx, sides[0], sides[1])
	if err == nil {
		count.ID = FunctionsID
		_, err = results.WriteCount(b.Writer.Dir(), count)
	}
	if err != nil {
		b.Printf("no functions: %v\n", err)
	}
}

// heed takes an event into account.
func (b *Bisection) heed(e results.BisectionEvent) {
	b.search.Heed(e)
	switch e.Type {
	case results.EventMade:
		b.built[e.Change] = e.Built
	case results.EventTest:
		b.tests[e.Change]++
	}
	b.took[e.Type] += time.Duration(e.TookS * float64(time.Second))
	b.did[e.Type]++
}

// keep records an event before anything follows from it.
func (b *Bisection) keep(e results.BisectionEvent, began time.Time) error {
	e.Ended = b.Now().UTC()
	e.TookS = max(0, e.Ended.Sub(began).Seconds())
	if err := b.Writer.Event(e); err != nil {
		return err
	}
	b.Record.Events = append(b.Record.Events, e)
	b.heed(e)
	return nil
}

func (b *Bisection) run(ctx context.Context) (*culprit.Answer, error) {
	for ctx.Err() == nil {
		change, ok := b.search.Next()
		if !ok {
			return b.search.Answer(), nil
		}
		var err error
		if _, made := b.built[change]; !made {
			err = b.make(ctx, change)
		} else {
			err = b.test(ctx, change)
		}
		var not *Untestable
		switch {
		case errors.As(err, &not):
			err = b.skip(change, not)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}

func (b *Bisection) name(change int) string {
	c := b.Record.Header.Changes[change]
	id := c.ID
	if b.Record.Header.Repo != "" && len(id) > 12 {
		id = id[:12]
	}
	if c.Subject != "" {
		id += " (" + c.Subject + ")"
	}
	return id
}

func (b *Bisection) make(ctx context.Context, change int) error {
	began := b.Now()
	built, code, err := b.Source.Make(ctx, change)
	if err != nil {
		return err
	}
	b.Printf("made %s in %v\n", b.name(change), b.Now().Sub(began).Round(time.Second/10))
	if b.Record.Header.Repo != "" {
		if built, err = filepath.Rel(b.Writer.Dir(), built); err != nil {
			return err
		}
	}
	return b.keep(results.BisectionEvent{Type: results.EventMade, Change: change, Built: built, Code: code}, began)
}

func (b *Bisection) test(ctx context.Context, change int) error {
	began := b.Now()
	built := b.built[change]
	if b.Record.Header.Repo != "" { // it may be gone since
		again, _, err := b.Source.Make(ctx, change)
		if err != nil {
			return err
		}
		built = again
	}
	var seeds []uint64
	for i := range max(1, min(b.Tester.AtOnce(), b.search.Wants(change))) {
		seeds = append(seeds, uint64(b.tests[change]+i+1))
	}
	costs, err := b.Tester.Test(ctx, built, seeds)
	if err != nil {
		return err
	}
	if len(costs) != len(seeds) {
		return fmt.Errorf("%d tests of %s came to %d figures", len(seeds), b.name(change), len(costs))
	}
	for i, cost := range costs {
		x := math.Log(cost)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("a test of %s came to a cost of %v, of which there is no logarithm", b.name(change), cost)
		}
		if err := b.keep(results.BisectionEvent{Type: results.EventTest, Change: change, Seed: seeds[i], Cost: x}, began); err != nil {
			return err
		}
		began = b.Now() // tests beside each other took their time together
	}
	b.Printf("test %d: %s: %s%s\n", b.search.Tests(), b.name(change), prose.Number(math.Exp(b.search.Mean(change))), b.left())
	return nil
}

func (b *Bisection) skip(change int, why *Untestable) error {
	if change == 0 || change == len(b.Record.Header.Changes)-1 {
		end := "good"
		if change > 0 {
			end = "bad"
		}
		return fmt.Errorf("the %s end, %s, cannot be tested: %w", end, b.name(change), why)
	}
	b.Printf("skipped %s: %s\n", b.name(change), why.Why)
	return b.keep(results.BisectionEvent{Type: results.EventSkipped, Change: change, Text: why.Why}, b.Now())
}

// left says what it may take still.
func (b *Bisection) left() string {
	tests, ok := b.search.Left()
	if !ok || b.did[results.EventTest] == 0 {
		return ""
	}
	each := b.took[results.EventTest] / time.Duration(b.did[results.EventTest])
	if n := b.did[results.EventMade]; n > 2 && b.Record.Header.Repo != "" { // most tests that are left want a build too
		each += b.took[results.EventMade] / time.Duration(n)
	}
	return fmt.Sprintf("; about %s more, %v", prose.Counted(tests, "test"), (time.Duration(tests) * each).Round(time.Second))
}
