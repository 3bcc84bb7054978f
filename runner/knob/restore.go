package knob

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
)

// Status is how the restoring of one entry went.
type Status string

// The statuses. All but Failed leave nothing to do.
const (
	Restored Status = "restored"
	Already  Status = "already" // was as before: nothing to write
	Gone     Status = "gone"    // the thing does not exist any more
	Stale    Status = "stale"   // of an earlier boot
	Failed   Status = "failed"  // still in the journal
)

// A Result is what became of one entry.
type Result struct {
	Entry  Entry
	Status Status
	Found  string // of a knob: its value before restoring
	After  string // of a knob: as read back
	Note   string // for people, beside a success
	Err    error  // with Failed
}

// String is one line for people.
func (r Result) String() string {
	s := fmt.Sprintf("%s: %s", r.Entry, r.Status)
	if r.Entry.isKnob() && r.Status == Restored {
		s += " to " + r.Entry.Before
	}
	if r.Note != "" {
		s += " (" + r.Note + ")"
	}
	if r.Err != nil {
		s = r.Err.Error()
	}
	return s
}

// Setting is the result in the form of the record of a run.
func (r Result) Setting() results.Setting {
	return results.Setting{Knob: r.Entry.String(), Scope: string(r.Entry.Spec.Scope),
		Before: r.Found, Asked: r.Entry.Before, After: r.After}
}

// An UndoFunc undoes what an entry of its kind announced. It must tolerate
// that the thing was never done (the crash came between journal and deed) and
// that it was undone already; ErrGone says that nothing was left to do.
type UndoFunc func(ctx context.Context, data json.RawMessage) (note string, err error)

// ErrGone is returned by an UndoFunc when there is nothing left to undo.
var ErrGone = errors.New("does not exist any more")

// Restore puts everything back, the last change first, goes on past failures
// and reports each entry. When nothing failed, the journal is removed; what
// failed stays in it, with all that was changed before. A context that ends leaves the rest for the next Restore.
func (j *Journal) Restore(ctx context.Context) []Result {
	j.mu.Lock()
	defer j.mu.Unlock()
	found := j.restoreAll(ctx)
	for _, e := range j.stale {
		found = append(found, Result{Entry: e, Status: Stale, Note: "the machine was booted since; that kernel's state is gone"})
	}
	return j.finish(found)
}

// restoreAll goes backwards, twice if need be: a value may not take while a
// knob that was changed before it is not back yet (tso while sg is off), and
// then all of it is done again in the same order, because entries may overlap.
func (j *Journal) restoreAll(ctx context.Context) []Result {
	var todo []*Entry
	for _, e := range slices.Backward(j.entries) {
		if !e.done {
			todo = append(todo, e)
		}
	}
	defer j.closePlaces(ctx)
	found, again := j.pass(ctx, todo)
	if again {
		second, _ := j.pass(ctx, todo)
		for i := range second {
			second[i] = merge(found[i], second[i])
		}
		found = second
	}
	for i, e := range todo {
		// What was changed before the one that failed stays in the journal, too:
		// putting that one back later may disturb it again (queue counts, masks).
		if found[i].Status == Failed {
			break
		}
		if err := j.markDone(e, found[i].Note); err != nil {
			// The knob is back; only the journal could not be told.
			found[i].Note = joinNotes(found[i].Note, "journal: "+err.Error())
		}
	}
	return found
}

func (j *Journal) pass(ctx context.Context, todo []*Entry) (found []Result, again bool) {
	for _, e := range todo {
		r := Result{Entry: *e}
		if err := ctx.Err(); err != nil {
			r.Status, r.Err = Failed, fmt.Errorf("%s: not restored: %w", e, err)
		} else {
			err := stepper(j.opts.Step).around("restore", func() error {
				r = j.undo(ctx, *e)
				return nil
			})
			if err != nil {
				r.Status, r.Err = Failed, fmt.Errorf("%s: %w", e, err)
			}
		}
		again = again || errors.Is(r.Err, ErrRefused)
		found = append(found, r)
	}
	return found, again
}

// merge is the result of two passes over an entry that was back after the
// first (the second found nothing to do) or only after the second.
func merge(first, second Result) Result {
	nothingToDo := second.Status == Already || second.Status == Gone
	if nothingToDo && first.Status != Failed {
		return first
	}
	if second.Status == Already {
		second.Status = Restored
	}
	second.Found = first.Found
	second.Note = joinNotes(first.Note, second.Note)
	return second
}

func joinNotes(a, b string) string {
	if a == "" || b == "" || a == b {
		return cmp.Or(a, b)
	}
	return a + "; " + b
}

// undo puts one entry back.
func (j *Journal) undo(ctx context.Context, e Entry) Result {
	if e.isKnob() {
		return j.restoreKnob(e)
	}
	r := Result{Entry: e, Status: Restored}
	fn, ok := j.opts.Undo[e.Undo]
	if !ok {
		r.Status = Failed
		r.Err = fmt.Errorf("%s: this netab cannot undo a %q; netab %s wrote it", e, e.Undo, e.Owner.Version)
		return r
	}
	var err error
	r.Note, err = fn(ctx, e.Data)
	switch {
	case errors.Is(err, ErrGone):
		r.Status = Gone
	case err != nil:
		r.Status, r.Err = Failed, fmt.Errorf("%s: %w", e, err)
	}
	return r
}

func (j *Journal) restoreKnob(e Entry) Result {
	r := Result{Entry: e, Status: Failed}
	k, err := FromSpec(e.Spec)
	if err != nil {
		r.Err = fmt.Errorf("%s: %w", e, err)
		return r
	}
	h, note, err := j.hostOf(e)
	r.Note = note
	if err == nil {
		r.Found, err = k.Read(h)
	}
	switch {
	case vanished(err):
		r.Status, r.Note = Gone, joinNotes(r.Note, "nothing left to put back")
		return r
	case err != nil:
		r.Err = explain(k, "read", err)
		return r
	case k.Equal(e.Before, r.Found):
		r.Status, r.After = Already, r.Found
		return r
	}
	if !e.ours(k, r.Found) {
		r.Note = joinNotes(r.Note, fmt.Sprintf("somebody else had changed it to %q meanwhile", r.Found))
	}
	s, err := change(h, k, r.Found, e.Before, j.opts.Step)
	r.After = s.After
	if err != nil {
		r.Err = err
		return r
	}
	r.Status = Restored
	return r
}

// ours says whether a value found at restoring may be our own doing.
func (e Entry) ours(k Knob, found string) bool {
	return e.With != "" || slices.ContainsFunc(e.Values, func(v string) bool { return k.Equal(v, found) })
}

// hostOf opens the place of an entry. A device outlives the namespace that it
// was moved into: when that is gone, the kernel has given a real device back
// to the initial namespace (default_device_exit_net in net/core/dev.c).
func (j *Journal) hostOf(e Entry) (h host.Host, note string, err error) {
	h, err = j.openPlace(e.Place)
	if e.Place == "" || !errors.Is(err, fs.ErrNotExist) {
		return h, "", err
	}
	note = "namespace " + e.Place + " is gone"
	if e.Spec.Scope != Device {
		return nil, note, err
	}
	h, err = j.openPlace("")
	return h, note, err
}

func (j *Journal) openPlace(place string) (host.Host, error) {
	if h, ok := j.open[place]; ok {
		return h, nil
	}
	if j.opts.Host == nil {
		if h, ok := j.hosts[place]; ok {
			return h, nil
		}
		return nil, errors.New("journal: no way to reach its place; this is a fault of netab")
	}
	h, err := j.opts.Host(place)
	if err == nil {
		j.open[place] = h
	}
	return h, err
}

// closePlaces ends what openPlace opened. The hosts given to Set are not ours.
func (j *Journal) closePlaces(ctx context.Context) {
	for place, h := range j.open {
		delete(j.open, place)
		_ = h.Close(ctx) // nothing was left to be flushed
	}
}

// vanished says that a read failed because the thing does not exist any more.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV)
}

// finish ends the journal when nothing is left in it.
func (j *Journal) finish(found []Result) []Result {
	if slices.ContainsFunc(found, func(r Result) bool { return r.Status == Failed }) {
		return found
	}
	file := Result{Entry: Entry{what: "journal " + j.store.path, Undo: "journal"}, Status: Failed}
	if len(j.faults) > 0 {
		as, err := j.store.setAside(".damaged")
		file.Err = fmt.Errorf("%s was damaged (%s): what else it held is unknown; kept as %s", file.Entry, strings.Join(j.faults, "; "), as)
		if err != nil {
			file.Err = fmt.Errorf("%s: %w", file.Entry, err)
		}
		found = append(found, file)
	} else if err := j.store.remove(); err != nil {
		file.Err = fmt.Errorf("%s: everything is back, but: %w", file.Entry, err)
		return append(found, file)
	}
	j.forget()
	return found
}

// Discard gives up what could not be restored: the journal's file is kept
// under another name, which is returned, and nothing is pending any more.
func (j *Journal) Discard() (as string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if as, err = j.store.setAside(".discarded"); err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	j.forget()
	return as, nil
}

// forget is the state of a journal without a file.
func (j *Journal) forget() {
	j.entries, j.stale, j.faults, j.begun = nil, nil, nil, false
}
