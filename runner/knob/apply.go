package knob

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
)

// An Error is what went wrong with one knob: in one line what, where, and what
// to do.
type Error struct {
	Knob string // Knob.String
	Op   string // "read", "write \"4\"", "read back"
	Hint string // "" when there is nothing to add
	Err  error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s: %v", e.Knob, e.Op, e.Err)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// hinter is a knob that knows why the kernel may refuse a value.
type hinter interface{ Hint() string }

// explain wraps an error with the knob's name and a hint by its cause.
func explain(k Knob, op string, err error) error {
	e := &Error{Knob: k.String(), Op: op, Err: rootCause(err)}
	switch {
	case errors.Is(err, unix.EROFS):
		e.Hint = "read-only here: a container? run netab where /proc/sys and /sys are writable"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = host.NeedsRoot()
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "this kernel or device lacks it"
	case errors.Is(err, unix.EOVERFLOW):
		e.Hint = "it names a CPU that this machine cannot have: see /sys/devices/system/cpu/possible"
	default:
		if h, ok := k.(hinter); ok {
			e.Hint = h.Hint()
		}
	}
	return e
}

// rootCause drops the path of a file error where the knob's name says it
// already, but keeps what errors.Is needs.
func rootCause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// ErrRefused is under the error of a knob that took a write and yet reads back
// as something else.
var ErrRefused = errors.New("the kernel did not take the value")

// Apply reads a knob, writes a value, reads back and compares. It remembers
// nothing: host and device knobs go through Journal.Set. The Setting is filled
// in as far as it got, also beside an error.
func Apply(h host.Host, k Knob, value string) (results.Setting, error) {
	before, err := k.Read(h)
	if err != nil {
		return setting(k, "", value), explain(k, "read", err)
	}
	if k.Equal(value, before) {
		// Nothing to write, and so nothing that could need privileges.
		return Unchanged(k, value, before), nil
	}
	s, _, err := change(h, k, before, value, nil)
	return s, err
}

// Unchanged is the record of a knob that is found as it is asked for.
func Unchanged(k Knob, asked, found string) results.Setting {
	s := setting(k, found, asked)
	s.ReadBack = results.AsAsked
	if s.After = found; IsSecret(k) {
		s.Before, s.After = s.Asked, s.Asked // which was no secret of the machine's
	}
	return s
}

func setting(k Knob, before, asked string) results.Setting {
	if asked == "" && k.Equal("", noCPUs) {
		asked = noCPUs // an empty CPU set; "" would read as no value at all
	}
	return results.Setting{Knob: k.String(), Scope: string(k.Scope()), Before: told(k, before), Asked: asked}
}

// change is the writing half of Apply; step is told before and after each
// touch of the kernel. The value read back is returned beside the Setting, which
// tells no secrets.
func change(h host.Host, k Knob, before, value string, step stepper) (s results.Setting, after string, err error) {
	s = setting(k, before, value)
	if err := step.around("write", func() error { return k.Write(h, value) }); err != nil {
		return s, "", explain(k, "write "+strconv.Quote(told(k, s.Asked)), err)
	}
	err = step.around("read-back", func() (err error) {
		after, err = k.Read(h)
		return err
	})
	if err != nil {
		return s, after, explain(k, "read back", err)
	}
	if s.After = told(k, after); !k.Equal(value, after) {
		s.ReadBack = results.Different
		return s, after, explain(k, "read back", fmt.Errorf("asked for %q, found %q: %w", told(k, s.Asked), s.After, ErrRefused))
	}
	s.ReadBack = results.AsAsked
	if IsSecret(k) {
		s.After = s.Asked
	}
	return s, after, nil
}
