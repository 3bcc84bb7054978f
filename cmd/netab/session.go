package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"netab/analysis/prose"
	"netab/runner/host"
	"netab/runner/knob"
)

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
	locks   []*knob.Lock // the machine's, and the journal's
	journal *knob.Journal
	working bool // it counts as something that has to be ended in order
}

// lookSession is for --dry-run, which changes nothing and needs no lock. What
// another run has borrowed meanwhile is not what the machine will be like
// afterwards, so that is said.
func lookSession(out io.Writer) *session {
	if n := borrowedNow(); n > 0 {
		writef(out, "netab: note: a run that is at work, or was killed, has changed %s of this machine: what is \"now\" may be its value\n", prose.Counted(n, "setting"))
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

// openSession takes the locks and looks after what an earlier run left behind.
func openSession(ctx context.Context, restore bool, out io.Writer) (*session, error) {
	s, err := sessionWith(knob.LockFile.Acquire)
	if err != nil {
		return nil, failed(err)
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
// killed run, which hold the locks until they are gone.
func waitSession(ctx context.Context, out io.Writer) (*session, error) {
	s, err := sessionWith(func(l knob.LockFile) (*knob.Lock, error) {
		lock, err := l.Acquire()
		if errors.Is(err, knob.ErrLocked) {
			writef(out, "waiting: %v\n", err)
			lock, err = l.Wait(ctx)
		}
		return lock, err
	})
	return s, failed(err)
}

// sessionWith takes the machine's lock, and then the journal's: whoever holds
// another lock of the machine (in a private /run, or by NETAB_LOCK) and has changed
// something that the same journal remembers must not find it put back.
func sessionWith(take func(knob.LockFile) (*knob.Lock, error)) (s *session, err error) {
	s = &session{working: true}
	working.Add(1)
	defer func() {
		if err != nil {
			s.close()
			s = nil
		}
	}()
	machine, err := knob.MachineLock(os.Getenv("NETAB_LOCK"))
	if err != nil {
		return s, err
	}
	lock, err := take(machine)
	if err != nil {
		return s, err
	}
	s.locks = append(s.locks, lock)
	if err := s.lockJournal(take); err != nil {
		return s, err
	}
	s.journal, err = knob.Open(stateDir(), knob.Options{Host: placeHost, Undo: knob.Undos()})
	return s, err
}

// lockJournal takes the journal's lock. Only who can change the machine makes a
// place for one.
func (s *session) lockJournal(take func(knob.LockFile) (*knob.Lock, error)) error {
	file, err := knob.StateLock(stateDir(), host.Privileged())
	var lock *knob.Lock
	if err == nil {
		lock, err = take(file)
	}
	switch {
	case errors.Is(err, unix.EROFS), errors.Is(err, fs.ErrNotExist) && !host.Privileged():
		return nil // no journal can be begun there
	case err != nil:
		return err
	}
	s.locks = append(s.locks, lock)
	return nil
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
	for _, l := range s.locks {
		l.Release()
	}
	if s.working {
		s.working = false
		working.Add(-1)
	}
}

// lockFiles are what agents inherit; none of a session that starts none.
func (s *session) lockFiles() []*os.File {
	var files []*os.File
	for _, l := range s.locks {
		files = append(files, l.File())
	}
	return files
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
		writeln(out, r)
	}
	return errors.Join(errs...)
}
