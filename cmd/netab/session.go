package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"netab/analysis"
	"netab/runner/host"
	"netab/runner/knob"
)

// lockPath is one file for everybody on the machine: two runs never measure at
// once, whoever starts them.
func lockPath() string { return cmp.Or(os.Getenv("NETAB_LOCK"), "/tmp/netab.lock") }

// stateDir is where the journal lies. An ordinary user can change nothing that
// needs one, but is not refused a place for it.
func stateDir() string {
	if dir := os.Getenv("NETAB_STATE"); dir != "" {
		return dir
	}
	if host.Privileged() {
		return "/var/lib/netab"
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(cmp.Or(os.Getenv("XDG_STATE_HOME"), filepath.Join(home, ".local", "state")), "netab")
}

// A session is the right to measure on this machine, and the memory of what
// has to be put back. The zero session is the right to look.
type session struct {
	lock    *knob.Lock
	journal *knob.Journal
}

// lookSession is for --dry-run, which changes nothing and needs no lock. What
// another run has borrowed meanwhile is not what the machine will be like
// afterwards, so that is said.
func lookSession(out io.Writer) *session {
	if n := borrowedNow(); n > 0 {
		fmt.Fprintf(out, "netab: note: a run that is at work, or was killed, has changed %s of this machine: what is \"now\" may be its value\n", analysis.Counted(n, "setting"))
	}
	return &session{}
}

// borrowedNow counts what is changed at this moment and not put back yet, by
// whichever run.
func borrowedNow() int {
	j, err := knob.Open(stateDir(), knob.Options{Host: placeHost, Undo: knob.Undos()})
	if err != nil {
		return 0 // whoever has to change something will say it
	}
	defer j.Close()
	return len(j.Pending())
}

// openSession takes the lock and looks after what an earlier run left behind.
func openSession(ctx context.Context, restore bool, out io.Writer) (*session, error) {
	lock, err := knob.Acquire(lockPath(), false)
	if err != nil {
		return nil, failed(err)
	}
	s, err := sessionWith(lock)
	if err != nil {
		return nil, err
	}
	if !restore || len(s.journal.Pending()) == 0 {
		return s, nil
	}
	if err := printRestored(out, s.journal.Restore(ctx)); err != nil {
		s.close()
		return nil, failed(err)
	}
	return s, nil
}

// waitSession is openSession for netab restore: it waits for the agents of a
// killed run, which hold the lock until they are gone.
func waitSession(ctx context.Context, out io.Writer) (*session, error) {
	lock, err := knob.Acquire(lockPath(), false)
	if errors.Is(err, knob.ErrLocked) {
		fmt.Fprintf(out, "waiting: %v\n", err)
		lock, err = knob.AcquireContext(ctx, lockPath())
	}
	if err != nil {
		return nil, failed(err)
	}
	return sessionWith(lock)
}

func sessionWith(lock *knob.Lock) (*session, error) {
	s := &session{lock: lock}
	var err error
	s.journal, err = knob.Open(stateDir(), knob.Options{Host: placeHost, Undo: knob.Undos()})
	if err != nil {
		s.close()
		return nil, failed(err)
	}
	return s, nil
}

func (s *session) begin(run string) error {
	if s.journal == nil {
		return nil
	}
	owner, err := knob.Self(run, build().Version, time.Now())
	if err != nil {
		return err
	}
	err = s.journal.Begin(owner)
	if errors.Is(err, knob.ErrPending) {
		return fmt.Errorf("%w (or netab run --restore)", err)
	}
	return err
}

func (s *session) close() {
	if s.journal != nil {
		s.journal.Close()
	}
	if s.lock != nil {
		s.lock.Release()
	}
}

// lockFile is what agents inherit; nil of a session that starts none.
func (s *session) lockFile() *os.File {
	if s.lock == nil {
		return nil
	}
	return s.lock.File()
}

// placeHost opens the place of a journal entry.
func placeHost(place string) (host.Host, error) {
	if place == "" {
		return host.Local{}, nil
	}
	return nil, fmt.Errorf("namespace %s: %w", place, os.ErrNotExist)
}

// printRestored says what was put back and fails if anything could not be.
func printRestored(out io.Writer, found []knob.Result) error {
	var errs []error
	for _, r := range found {
		if r.Err != nil {
			errs = append(errs, r.Err)
			continue
		}
		fmt.Fprintln(out, r)
	}
	return errors.Join(errs...)
}
