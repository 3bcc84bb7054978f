package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"netab/results"
)

// A picker finds the runs that a command line names, and reads each once.
type picker struct {
	store *results.Store
	said  io.Writer // what "latest" turns out to be
	// judging refuses "latest" where something was begun after it: a job that
	// measures and then judges must not judge what was measured before.
	judging bool
	given   map[string]string // what was named so far, by the run's id and by its file
	origin  origin            // of the run that was read last
}

func newPicker(cmd *cobra.Command) (*picker, error) {
	store, err := results.Open(storeFlag(cmd))
	return &picker{store: store, said: cmd.ErrOrStderr(), given: map[string]string{}}, err
}

// pickOne finds a run or a campaign by id, unique prefix, path or "latest", and reads it.
func pickOne(cmd *cobra.Command, ref string) (picked, error) {
	p, err := newPicker(cmd)
	if err != nil {
		return picked{}, err
	}
	return p.pick(ref, "")
}

// find is the file of a run or a campaign. Of "latest" it says which that is: the
// newest, of one scenario or ("") of any.
func (p *picker) find(ref, scenario string) (string, error) {
	if ref != "latest" {
		return p.store.Resolve(ref)
	}
	l, err := p.store.Latest(scenario)
	if err != nil {
		return "", err
	}
	if l.Newer != nil && p.judging {
		return "", fmt.Errorf("latest is run %s, and %w; name a run by its id to judge it all the same", l.ID, l.Newer)
	}
	writef(p.said, "latest is run %s of %s, begun %s\n", l.ID, l.Scenario, ago(l.Started, time.Now()))
	if l.Newer != nil {
		writef(p.said, "netab: warning: %v\n", l.Newer)
	}
	return l.Path, nil
}

// open reads a run file, and refuses a run that was named before, under
// whatever name: counted twice it would weigh twice.
func (p *picker) open(ref, path string) (*results.Run, error) {
	run, err := results.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := p.once(ref, path, run.Header.ID); err != nil {
		return nil, err
	}
	p.origin = storedOrigin(p.store, path, run)
	return run, nil
}

// once refuses what was named before.
func (p *picker) once(ref, path, id string) error {
	keys := []string{"id " + id}
	if id == "" {
		keys = nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if real, err = filepath.Abs(real); err == nil {
			keys = append(keys, "file "+real)
		}
	}
	for _, key := range keys {
		if before, again := p.given[key]; again {
			what := fmt.Sprintf("run %s is given twice", id)
			if before != ref {
				what += fmt.Sprintf(", as %s and as %s", before, ref)
			}
			return usage(fmt.Errorf("%s: each run counts once", what))
		}
		p.given[key] = ref
	}
	return nil
}

// ago says how long ago something was, in words.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	say := func(unit time.Duration, name string) string {
		n := int(d / unit)
		if n != 1 {
			name += "s"
		}
		return fmt.Sprintf("%d %s ago", n, name)
	}
	switch {
	case t.IsZero():
		return "at an unknown time"
	case d < 0:
		return "at " + t.Local().Format(time.DateTime)
	case d < 2*time.Minute:
		return say(time.Second, "second")
	case d < 2*time.Hour:
		return say(time.Minute, "minute")
	case d < 48*time.Hour:
		return say(time.Hour, "hour")
	}
	return say(24*time.Hour, "day")
}
