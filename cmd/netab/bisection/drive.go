// Package bisection finds the commit, or the kernel of a list, at which a scenario's
// cost moved: it makes the changes that package analysis/culprit asks for, tests them,
// and keeps a record of it, from which it goes on after any end.
//
// It lies below cmd as package experiment does, because it measures and judges in turn.
package bisection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"netab/analysis/culprit"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/crew"
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
	took   map[string]time.Duration
	did    map[string]int
	first  time.Duration // what the first build took
}

// Run goes on until there is an answer, or ctx ends. The record is ended then.
func (b *Bisection) Run(ctx context.Context) (*culprit.Answer, error) {
	if b.Printf == nil {
		b.Printf = func(string, ...any) {}
	}
	if b.Now == nil {
		b.Now = time.Now
	}
	b.search, b.built = culprit.Empty(&b.Record.Header), map[int]string{}
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
	return a, cmp.Or(err, b.Writer.End(end)) // whatever failed fails the end of the record too
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
	if e.Type == results.EventMade {
		b.built[e.Change] = e.Built
	}
	took := time.Duration(e.TookS * float64(time.Second))
	if e.Type == results.EventMade && b.did[e.Type] == 0 {
		b.first = took
	}
	b.took[e.Type] += took
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
	b.search.Next() // as whoever reads the record does
	b.heed(e)
	return nil
}

func (b *Bisection) run(ctx context.Context) (*culprit.Answer, error) {
	for ctx.Err() == nil {
		change, ok := b.search.Next()
		if !ok {
			return b.search.Answer(), nil
		}
		if err := b.next(ctx, change); err != nil {
			return nil, cmp.Or(ctx.Err(), err)
		}
	}
	return nil, ctx.Err()
}

// next makes a change, or tests it: beside the one that it is compared with, where two
// tests do not disturb each other.
func (b *Bisection) next(ctx context.Context, change int) error {
	all, n := []int{change}, max(1, min(b.Tester.AtOnce(), b.search.Wants(change)))
	if other, ahead, ok := b.search.Beside(change); ok && b.Tester.AtOnce() > 1 {
		if n = max(1, min(n, ahead)); ahead == 0 {
			all = append(all, other)
		}
	}
	for _, c := range all {
		if _, made := b.built[c]; made {
			continue
		}
		// What was made may say that it needs no test, or that there is another to be made.
		return b.unless(c, b.make(ctx, c))
	}
	return b.test(ctx, all, n)
}

// unless passes an error on, unless it is of the change alone.
func (b *Bisection) unless(change int, err error) error {
	var not *Untestable
	if errors.As(err, &not) {
		return b.skip(change, not)
	}
	return err
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
	if b.Record.Header.Repo != "" {
		b.Printf("build %s%s\n", b.name(change), b.usually(results.EventMade))
	}
	built, code, err := b.Source.Make(ctx, change)
	if err != nil {
		return err
	}
	if b.Record.Header.Repo != "" {
		if built, err = filepath.Rel(b.Writer.Dir(), built); err != nil {
			return err
		}
	}
	if err := b.keep(results.BisectionEvent{Type: results.EventMade, Change: change, Built: built, Code: code}, began); err != nil {
		return err
	}
	text := ""
	if b.search.TestsOf(change) > 0 {
		text = ": it has the code of one that was tested"
	}
	b.Printf("made %s in %v%s\n", b.name(change), b.Now().Sub(began).Round(time.Second/10), text)
	return nil
}

// usually is what one took so far.
func (b *Bisection) usually(event string) string {
	n := b.did[event]
	if event == results.EventMade {
		n-- // the first makes all
	}
	if n < 1 {
		return ""
	}
	return fmt.Sprintf(" (about %v)", ((b.took[event] - b.first) / time.Duration(n)).Round(time.Second/10))
}

// test tests changes beside each other, each n times.
func (b *Bisection) test(ctx context.Context, all []int, n int) error {
	began := b.Now()
	seeds := make([][]uint64, len(all))
	costs, errs := make([][]float64, len(all)), make([]error, len(all))
	var g crew.Crew
	for i, change := range all {
		built := b.built[change]
		if b.Record.Header.Repo != "" { // it may be gone since
			again, _, err := b.Source.Make(ctx, change)
			if err != nil {
				return b.unless(change, err)
			}
			built = again
		}
		for j := range n {
			seeds[i] = append(seeds[i], uint64(b.search.TestsOf(change)+j+1)) // what has the same code had the ones before
		}
		g.Go(func() error {
			costs[i], errs[i] = b.Tester.Test(ctx, built, seeds[i])
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var failed error
	for i, change := range all { // what one came to is kept, whatever became of the other
		err := errs[i]
		if err == nil {
			err = b.tested(change, seeds[i], costs[i], began)
			began = b.Now() // tests beside each other took their time together
		}
		failed = cmp.Or(failed, b.unless(change, err))
	}
	return failed
}

// tested keeps what tests came to.
func (b *Bisection) tested(change int, seeds []uint64, costs []float64, began time.Time) error {
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
		began = b.Now()
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
	b.search.Next() // what follows from the test
	tests, builds, ok := b.search.Left()
	if !ok || b.did[results.EventTest] == 0 {
		return ""
	}
	took := time.Duration(tests) * b.took[results.EventTest] / time.Duration(b.did[results.EventTest])
	if n := b.did[results.EventMade] - 1; n > 0 && b.Record.Header.Repo != "" { // the first made all
		took += time.Duration(builds) * (b.took[results.EventMade] - b.first) / time.Duration(n)
	}
	return fmt.Sprintf("; about %s more, %v", prose.Counted(tests, "test"), took.Round(time.Second))
}
