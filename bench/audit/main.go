// Command audit holds netab's verdicts against known truth, from outside: it
// writes run files of simulated worlds, has them judged by the binary as anybody
// would (netab gate, netab compare), and prints how often what was said is
// wrong, with the bound of what was promised. It shares no code with the
// analysis, neither worlds nor record types, so that an error there cannot hide
// itself. It is run by `make audit`, and fails where a promise does not hold.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

type options struct {
	netab, only string
	n, jobs     int
	series      int
	seed        uint64
}

func main() {
	var o options
	flag.StringVar(&o.netab, "netab", "bin/netab", "netab to audit")
	flag.StringVar(&o.only, "only", "", "only worlds whose name has this in it")
	flag.IntVar(&o.n, "n", 500, "judgements of each world")
	flag.IntVar(&o.series, "series", 40, "series of each history; 0 = no histories")
	flag.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "netabs that run at once")
	flag.Uint64Var(&o.seed, "seed", 1, "of all that is drawn")
	flag.Parse()
	if err := audit(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

// errPromise ends an audit that found something.
var errPromise = errors.New("netab does not keep all that it promises")

func audit(o options, out io.Writer) error {
	var tallies []*tally
	for _, w := range worlds() {
		if strings.Contains(w.name, o.only) {
			tallies = append(tallies, &tally{world: &w})
		}
	}
	hs := slices.DeleteFunc(histories(), func(h history) bool { return o.series == 0 || !strings.Contains(h.name, o.only) })
	if len(tallies)+len(hs) == 0 || o.n < 1 || o.series < 0 || o.jobs < 1 {
		return fmt.Errorf("nothing to do: no world has %q in its name, or -n, -series or -jobs is too small", o.only)
	}
	dir, err := os.MkdirTemp("", "netab-audit-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	whole := true
	if len(tallies) > 0 {
		if err := judgeAll(o, dir, tallies, out); err != nil {
			return err
		}
		whole = !slices.ContainsFunc(tallies, func(t *tally) bool { return !t.whole() })
	}
	if len(hs) > 0 {
		held, err := followAll(o, judge{o.netab, dir}, hs, out)
		if err != nil {
			return err
		}
		whole = whole && held
	}
	if !whole {
		return errPromise
	}
	return nil
}

// judgeAll fills the tallies and prints each as soon as it and those before it are
// full; each of the jobs takes the next judgement until all are made.
func judgeAll(o options, dir string, tallies []*tally, out io.Writer) error {
	if _, err := io.WriteString(out, heading(columns...)); err != nil {
		return err
	}
	var mu sync.Mutex
	var failed error
	next, printed := 0, 0
	take := func() (i int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, failed == nil && next <= o.n*len(tallies)
	}
	var workers sync.WaitGroup
	for range o.jobs {
		own, err := os.MkdirTemp(dir, "")
		if err != nil {
			return err
		}
		workers.Go(func() {
			j := judge{o.netab, own}
			for i, ok := take(); ok; i, ok = take() {
				t := tallies[i/o.n]
				s, err := j.ask(t.world, t.world.draw(o.seed, uint64(i%o.n)))
				mu.Lock()
				if err == nil {
					t.add(s)
				}
				for err == nil && printed < len(tallies) && tallies[printed].n == o.n {
					_, err = io.WriteString(out, tallies[printed].row())
					printed++
				}
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return failed
}
