package knob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
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
	secret bool   // only root may read it
}

// String is one line for people.
func (r Result) String() string {
	s := fmt.Sprintf("%s: %s", r.Entry, r.Status)
	if r.Entry.isKnob() && r.Status == Restored {
		s += " to " + r.told(r.Entry.Before)
	}
	if r.Note != "" {
		s += " (" + r.Note + ")"
	}
	if r.Err != nil {
		s = joined(r.Err)
	}
	return s
}

// Setting is the result in the form of the record of a run.
func (r Result) Setting() results.Setting {
	s := results.Setting{Knob: r.Entry.String(), Scope: string(r.Entry.Spec.Scope),
		Before: r.told(r.Found), Asked: r.told(r.Entry.Before), After: r.told(r.After)}
	if r.Status == Restored || r.Status == Already {
		s.ReadBack = results.AsAsked
	}
	return s
}

func (r Result) told(value string) string {
	if r.secret && value != "" {
		return Kept
	}
	return value
}

// An UndoFunc undoes what an entry of its kind announced, here. It must tolerate
// that the thing was never done (the crash came between journal and deed) and
// that it was undone already; ErrGone says that nothing was left to do. It
// deletes nothing that holds what could not be put back.
type UndoFunc func(ctx context.Context, e Entry, here Site) (note string, err error)

// ErrGone is returned by an UndoFunc when there is nothing left to undo.
var ErrGone = errors.New("does not exist any more")

// ErrElsewhere is under the error of what was changed in another network
// namespace than this one, in which its names mean other things.
var ErrElsewhere = errors.New("not in this one")

// Restore puts everything back, the last change first, goes on past failures
// and reports each entry. When nothing failed, the journal is removed; what
// failed stays in it, with all that was changed before. What was changed in
// another network namespace is not touched, and is one result together. A
// context that ends leaves the rest for the next Restore.
func (j *Journal) Restore(ctx context.Context) []Result {
	j.mu.Lock()
	defer j.mu.Unlock()
	var todo, elsewhere []*Entry
	for _, e := range slices.Backward(j.entries) {
		switch {
		case e.done:
		case e.Site.otherNet(j.opts.Here) && !e.ofMachine():
			elsewhere = append(elsewhere, e)
		default:
			todo = append(todo, e)
		}
	}
	found := j.restoreAll(ctx, todo)
	if len(elsewhere) > 0 {
		found = append(found, j.refuse(elsewhere))
	}
	for _, e := range j.stale {
		found = append(found, Result{Entry: e, Status: Stale, Note: "the machine was booted since; that kernel's state is gone"})
	}
	return j.finish(found)
}

// refuse says where the entries of another network namespace can be put back.
func (j *Journal) refuse(entries []*Entry) Result {
	e := *entries[0]
	what := e.String() + " was"
	if more := len(entries) - 1; more > 0 {
		what = fmt.Sprintf("%s and %d more were", e, more)
	}
	// The way on comes last: it ends in a command line.
	err := fmt.Errorf("%s changed by %s in %s, %w (%s), and is left alone; %s", what, e.Owner, e.Site, ErrElsewhere, j.opts.Here,
		e.Site.whereToGo(j.opts.Here, "/proc", NetnsDir))
	return Result{Entry: e, Status: Failed, Err: err}
}

// restoreAll makes as many passes as help: a value may not take while a knob
// that was changed before it is not back yet (tso while sg is off), and what is
// gone may come back with another (a queue with the number of queues).
func (j *Journal) restoreAll(ctx context.Context, todo []*Entry) []Result {
	defer j.closePlaces(ctx)
	found := make([]Result, len(todo))
	var left leftOut
	Passes(len(todo), func(pass, i int) (open, changed bool) {
		if i == 0 {
			left = leftOut{}
		}
		r := j.restoreOne(ctx, todo[i], &left)
		open, changed = r.Status == Failed || r.Status == Gone, r.Status == Restored
		if pass > 0 {
			r = merge(found[i], r)
		}
		found[i] = r
		return open, changed
	})
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

func (j *Journal) restoreOne(ctx context.Context, e *Entry, left *leftOut) Result {
	r := Result{Entry: *e}
	if e.refused != nil {
		r.Status, r.Err = Failed, e.refused
		return r
	}
	err := ctx.Err()
	if err != nil {
		err = fmt.Errorf("not restored: %w", err)
	} else if err = left.check(*e); err == nil {
		err = stepper(j.opts.Step).around("restore", func() error {
			r = j.undo(ctx, *e)
			return nil
		})
	}
	if err != nil {
		r.Status, r.Err = Failed, fmt.Errorf("%s: %w", e, err)
	}
	if r.Status == Failed {
		left.add(*e)
	}
	return r
}

// leftOut are the devices that could not be brought back in a pass, by name,
// and where they are.
type leftOut map[string]string

func (l *leftOut) add(e Entry) {
	if d, ok := e.movedDevice(); ok {
		(*l)[d.Name] = d.Netns
	}
}

// check says why an entry must wait: a namespace for what is in it, a setting
// for its device.
func (l *leftOut) check(e Entry) error {
	if e.Undo == UndoNetns {
		for device, netns := range *l {
			if netns == e.netnsName() {
				return fmt.Errorf("not deleted: %s is not back", device)
			}
		}
	}
	if _, missing := (*l)[e.Spec.Device]; missing && e.isKnob() {
		return fmt.Errorf("not restored: %s is not back", e.Spec.Device)
	}
	return nil
}

// merge is the result of one pass more over an entry that was back before (the
// last one found nothing to do) or only after it.
func merge(first, second Result) Result {
	nothingToDo := second.Status == Already || second.Status == Gone
	if nothingToDo && first.Status != Failed && first.Status != Gone {
		return first
	}
	if first.Status == Gone && second.Status != Failed {
		return second
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
	err := j.certain(e)
	if err == nil {
		r.Note, err = fn(ctx, e, j.opts.Here)
	}
	switch {
	case errors.Is(err, ErrGone):
		r.Status = Gone
	case err != nil:
		r.Status, r.Err = Failed, fmt.Errorf("%s: %w", e, err)
	}
	return r
}

// certain refuses to delete a namespace while a line of the journal is lost that
// may have spoken of what is in it, and it cannot be looked into from here.
func (j *Journal) certain(e Entry) error {
	if e.Undo == UndoNetns && len(j.faults) > 0 && !e.Site.sameMnt(j.opts.Here) {
		return fmt.Errorf("not deleted: the journal is damaged (%s), and what is in there is not known", strings.Join(j.faults, "; "))
	}
	return nil
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
		if r.Err = e.checkSysfs(h, j.opts.Here); r.Err != nil {
			return r
		}
		if f, ok := k.(interface{ lookSecret(host.Host) }); ok {
			f.lookSecret(h)
		}
		r.secret = IsSecret(k)
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
		r.Note = joinNotes(r.Note, fmt.Sprintf("somebody else had changed it to %q meanwhile", r.told(r.Found)))
	}
	_, r.After, r.Err = change(h, k, r.Found, e.Before, j.opts.Step)
	if r.Err != nil {
		return r
	}
	r.Status = Restored
	return r
}

// checkSysfs makes sure that an existing device's files in /sys are its own. In
// another mount namespace they may be those of a device of another network
// namespace, or missing.
func (e Entry) checkSysfs(h host.Host, here Site) error {
	if e.Spec.Scope != Device || e.Spec.Device == "" || !differs(e.Site.Mnt, here.Mnt) {
		return nil
	}
	links, err := h.Links()
	if err != nil {
		return err
	}
	index := "" // of no device here
	for _, l := range links {
		if l.Name == e.Spec.Device {
			index = strconv.Itoa(l.Index)
		}
	}
	// A file that cannot be read is of no device, too.
	shown, _ := h.ReadFile(path.Join(netClass, e.Spec.Device, "ifindex"))
	if strings.TrimSpace(string(shown)) != index {
		return fmt.Errorf("%s: not restored: /sys shows another network namespace than this one: run it in a mount namespace with a /sys of its own, as ip netns exec makes it", e)
	}
	return nil
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
