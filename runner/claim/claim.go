// Package claim is the right to measure on this machine: its locks, and the journal of
// what has to be put back.
package claim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/knob"
)

// StateDir is where the journal lies. An ordinary user can change nothing that
// needs one, but is not refused a place for it.
func StateDir() string {
	if dir := os.Getenv("NETAB_STATE"); dir != "" {
		return dir
	}
	if host.Privileged() {
		return "/var/lib/netab"
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(cmp.Or(os.Getenv("XDG_STATE_HOME"), filepath.Join(home, ".local", "state")), "netab")
}

// Borrowed counts what is changed at this moment and not put back yet, by
// whichever run.
func Borrowed() int {
	j, err := openJournal()
	if err != nil {
		return 0 // whoever has to change something will say it
	}
	defer j.Close()
	return len(j.Pending())
}

// A Claim is held by one process at a time. The zero Claim is the right to look.
type Claim struct {
	Journal *knob.Journal // nil where none can be begun
	locks   []*knob.Lock  // the machine's, and the journal's
}

// Take takes the locks, or says who holds them.
func Take() (*Claim, error) { return take(knob.LockFile.Acquire) }

// Await waits for them: for the agents of a killed run, or for another run. told is
// called with who holds one.
func Await(ctx context.Context, told func(error)) (*Claim, error) {
	return take(func(l knob.LockFile) (*knob.Lock, error) {
		lock, err := l.Acquire()
		if errors.Is(err, knob.ErrLocked) {
			told(err)
			lock, err = l.Wait(ctx)
		}
		return lock, err
	})
}

// take takes the machine's lock, and then the journal's: whoever holds another lock
// of the machine (in a private /run, or by NETAB_LOCK) and has changed something that
// the same journal remembers must not find it put back.
func take(one func(knob.LockFile) (*knob.Lock, error)) (c *Claim, err error) {
	c = &Claim{}
	defer func() {
		if err != nil {
			c.Release()
			c, err = nil, notOwnHome(err)
		}
	}()
	machine, err := knob.MachineLock(os.Getenv("NETAB_LOCK"))
	if err != nil {
		return c, err
	}
	lock, err := one(machine)
	if err != nil {
		return c, err
	}
	c.locks = append(c.locks, lock)
	if err := c.lockJournal(one); err != nil {
		return c, err
	}
	c.Journal, err = openJournal()
	return c, err
}

// notOwnHome says what to do where the environment names somebody else's home, as it does
// under setpriv or su -p: that a file there may not be opened tells nobody that.
func notOwnHome(err error) error {
	path := new(fs.PathError)
	if !errors.As(err, &path) || !errors.Is(err, fs.ErrPermission) || host.Privileged() || path.Path != StateDir() {
		return err
	}
	return fmt.Errorf("%w: what is to be put back is remembered there: set HOME, or NETAB_STATE, to a directory of your own", err)
}

// lockJournal takes the journal's lock. Only who can change the machine makes a
// place for one.
func (c *Claim) lockJournal(one func(knob.LockFile) (*knob.Lock, error)) error {
	file, err := knob.StateLock(StateDir(), host.Privileged())
	var lock *knob.Lock
	if err == nil {
		lock, err = one(file)
	}
	switch {
	case errors.Is(err, unix.EROFS), errors.Is(err, fs.ErrNotExist) && !host.Privileged():
		return nil // no journal can be begun there
	case err != nil:
		return err
	}
	c.locks = append(c.locks, lock)
	return nil
}

func openJournal() (*knob.Journal, error) {
	return knob.Open(StateDir(), knob.Options{Host: placeHost, Undo: knob.Undos()})
}

// placeHost opens the place of a journal entry.
func placeHost(place string) (host.Host, error) {
	if place == "" {
		return host.Local{}, nil
	}
	return nil, fmt.Errorf("namespace %s: %w", place, os.ErrNotExist)
}

// Begin has the journal know whose the changes are that follow.
func (c *Claim) Begin(run, version string) error {
	if c.Journal == nil {
		return nil
	}
	owner, err := knob.Self(run, version, time.Now())
	if err != nil {
		return err
	}
	err = c.Journal.Begin(owner)
	if errors.Is(err, knob.ErrPending) {
		return fmt.Errorf("%w (or netab run --restore)", err)
	}
	return err
}

// Files are the locks, which agents inherit; none of a Claim to look.
func (c *Claim) Files() []*os.File {
	var files []*os.File
	for _, l := range c.locks {
		files = append(files, l.File())
	}
	return files
}

// Release lets go of everything.
func (c *Claim) Release() {
	if c.Journal != nil {
		c.Journal.Close()
	}
	for _, l := range c.locks {
		l.Release()
	}
	*c = Claim{}
}
