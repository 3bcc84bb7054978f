package knob

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"netab/results"
	"netab/runner/host"
)

// A Journal remembers what host and device knobs were before a run touched
// them, and what else a run has to undo, in a file of JSON lines that is
// synced before each change. So whatever ends the run, SIGKILL and power cuts
// included, Restore of a later process puts everything back.
//
// The journal trusts no memory: what it needs for restoring it can read from
// the file. It is safe for concurrent use.
type Journal struct {
	mu      sync.Mutex
	store   storage
	opts    Options
	owner   *Owner // set by Begin
	begun   bool   // the begin line is in the file
	lastID  int
	entries []*Entry             // of this boot, done ones too, in the order of the changes
	stale   []Entry              // known to be of an earlier boot
	faults  []string             // damaged lines
	hosts   map[string]host.Host // by place, as given to Set
	open    map[string]host.Host // by place, opened by a Restore under way
}

// Options are what a Journal needs of the world around it.
type Options struct {
	// Here is where this process is; zero = find out.
	Here Site
	// Host opens a place for Restore: "" is this machine's initial namespace,
	// anything else the named namespace of At. An error that is
	// fs.ErrNotExist says that the namespace is gone. Without Host only what
	// was Set by this very Journal can be restored, at the hosts given there.
	Host func(place string) (host.Host, error)
	// Undo holds the undo functions by kind, for entries made by Record.
	Undo map[string]UndoFunc
	// Step, in tests, is told every step at which a crash would matter, and
	// makes the step fail by returning an error.
	Step func(step string) error
}

// fileName is the journal's name in its state directory.
const fileName = "journal.jsonl"

// Open reads the journal of a state directory. A directory or file that does
// not exist is an empty journal; nothing is made before the first change.
func Open(dir string, opts Options) (*Journal, error) {
	if opts.Here == (Site{}) {
		here, err := hereNow()
		if err != nil {
			return nil, fmt.Errorf("journal: find out the namespaces of this process: %w", err)
		}
		opts.Here = here
	}
	j := &Journal{
		opts:  opts,
		store: storage{path: filepath.Join(dir, fileName), step: opts.Step},
		hosts: map[string]host.Host{},
		open:  map[string]host.Host{},
	}
	data, err := j.store.load()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lines, faults, _, err := parseJournal(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", j.store.path, err)
	}
	entries, more := entriesOf(lines)
	if !allOfOtherBoots(lines, entries, opts.Here) {
		j.faults = append(faults, more...)
	}
	for _, e := range entries {
		j.lastID = max(j.lastID, e.ID)
		switch {
		case !e.Site.otherBoot(opts.Here):
			j.entries = append(j.entries, e)
		case !e.done:
			j.stale = append(j.stale, *e)
		}
	}
	return j, nil
}

// allOfOtherBoots says whether a journal speaks of earlier boots only, so that
// damage in it (a power cut may leave blocks of zeros) hides nothing that
// could be put back.
func allOfOtherBoots(lines []record, entries []*Entry, here Site) bool {
	known := false
	for _, r := range lines {
		if r.Kind == kindBegin {
			if r.Owner.BootID == here.Boot {
				return false
			}
			known = true
		}
	}
	for _, e := range entries {
		if !e.Site.otherBoot(here) {
			return false
		}
		known = true
	}
	return known
}

// Path is the journal's file.
func (j *Journal) Path() string { return j.store.path }

// Pending lists what is not put back yet, in the order in which it was
// changed. Entries of an earlier boot are not among it: that kernel's state is
// gone.
func (j *Journal) Pending() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var pending []Entry
	for _, e := range j.entries {
		if !e.done {
			pending = append(pending, *e)
		}
	}
	return pending
}

// Stale lists what an earlier boot left behind; there is nothing to put back.
func (j *Journal) Stale() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.stale)
}

// ErrPending says that an earlier run was not restored.
var ErrPending = errors.New("an earlier run was not restored: run netab restore")

// Begin names the run that the next changes belong to. It fails with
// ErrPending while an earlier run's changes are not put back. Nothing is
// written yet: a run that borrows nothing leaves no trace.
func (j *Journal) Begin(owner Owner) error {
	if p := j.Pending(); len(p) > 0 {
		return fmt.Errorf("%s of %s: %w", changesOf(len(p)), p[0].Owner, ErrPending)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.faults) > 0 {
		return fmt.Errorf("journal %s is damaged (%s): %w", j.store.path, strings.Join(j.faults, "; "), ErrPending)
	}
	// What a file still holds is done, or of a boot that is gone.
	if err := j.store.remove(); err != nil {
		return fmt.Errorf("journal: clear the one of an earlier run: %w", err)
	}
	j.forget()
	if owner.BootID == "" {
		owner.BootID = j.opts.Here.Boot
	}
	j.owner = &owner
	return nil
}

// Set writes a knob, reads it back and compares. Unless the knob dies with a
// namespace of ours anyway, its old value is on disk before it is written.
func (j *Journal) Set(h host.Host, k Knob, value string) (results.Setting, error) {
	if k.Scope() == Netns {
		return Apply(h, k, value)
	}
	if err := j.Borrow(h, k, value); err != nil {
		return setting(k, "", value), err
	}
	before, err := k.Read(h)
	if err != nil {
		return setting(k, "", value), explain(k, "read", err)
	}
	s, after, err := change(h, k, before, value, j.opts.Step)
	if errors.Is(err, ErrRefused) {
		// The kernel made something else of it; that was us, too.
		if more := j.Borrow(h, k, after); more != nil {
			err = fmt.Errorf("%w; %w", err, more)
		}
	}
	return s, err
}

// Borrow remembers a knob's value, and the values that will be written, on
// disk, and writes nothing. It is for those who then write by themselves, at
// slice boundaries.
func (j *Journal) Borrow(h host.Host, k Knob, values ...string) error {
	if k.Scope() == Netns {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	lines, err := j.remember(h, k, values)
	if err != nil || len(lines) == 0 {
		return err
	}
	return j.commit(lines)
}

// Covers says whether values may be written to a knob: each must be on disk already,
// as one that was found or as one that was announced. A namespace of our own has
// nothing to put back.
func (j *Journal) Covers(h host.Host, k Knob, values ...string) error {
	if k.Scope() == Netns {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.find(h, k)
	if e == nil {
		return fmt.Errorf("%s: not in the journal, so it is not changed", k)
	}
	for _, v := range values {
		if v != e.Before && !slices.Contains(e.Values, v) {
			return fmt.Errorf("%s: %q is not in the journal, so it is not written", k, told(k, v))
		}
	}
	return nil
}

// remember makes the lines for a knob, collateral first, so that it is put
// back last.
func (j *Journal) remember(h host.Host, k Knob, values []string) ([]record, error) {
	if e := j.find(h, k); e != nil {
		fresh := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return slices.Contains(e.Values, v) })
		return valueLines(e.ID, fresh), nil
	}
	before, err := k.Read(h)
	if err != nil {
		return nil, explain(k, "read", err)
	}
	lines, err := j.rememberCollateral(h, k)
	if err != nil {
		return nil, err
	}
	lines = append(lines, j.knobLine(h, k, before, ""))
	for _, v := range values {
		if err := k.Check(v); err != nil {
			return nil, explain(k, "remember", err)
		}
	}
	return append(lines, valueLines(j.lastID, values)...), nil
}

func (j *Journal) rememberCollateral(h host.Host, k Knob) ([]record, error) {
	c, ok := k.(Collateraler)
	if !ok {
		return nil, nil
	}
	others, err := c.Collateral(h)
	if err != nil {
		return nil, explain(k, "find what it changes along with it", err)
	}
	var lines []record
	for _, o := range others {
		if j.find(h, o) != nil {
			continue
		}
		// What cannot be read has no value to lose (xps_cpus of a single queue).
		// Nor has what could not be written (an interrupt of no CPU).
		if before, err := o.Read(h); err == nil && o.Check(before) == nil {
			lines = append(lines, j.knobLine(h, o, before, k.String()))
		}
	}
	return lines, nil
}

func (j *Journal) knobLine(h host.Host, k Knob, before, with string) record {
	place := placeOf(h)
	j.hosts[place] = h
	j.lastID++
	spec := k.Spec()
	return record{Kind: kindKnob, ID: j.lastID, Site: &j.opts.Here, Place: place, Spec: &spec, Before: &before, With: with}
}

func valueLines(id int, values []string) []record {
	var lines []record
	for _, v := range values {
		lines = append(lines, record{Kind: kindValue, ID: id, Value: &v})
	}
	return lines
}

// find looks for the pending entry of a knob.
func (j *Journal) find(h host.Host, k Knob) *Entry {
	place, spec := placeOf(h), k.Spec()
	for _, e := range j.entries {
		if !e.done && e.isKnob() && e.Place == place && e.Spec == spec {
			return e
		}
	}
	return nil
}

// Record remembers something other than a knob that has to be undone, on
// disk, before the caller does it. kind names an UndoFunc of Options.Undo,
// what names the thing for people, data is what the function needs. Done with
// the returned number says that the caller has undone it already.
func (j *Journal) Record(kind, what string, data any) (id int, err error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return 0, fmt.Errorf("journal: %s: %w", what, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lastID++
	id = j.lastID
	return id, j.commit([]record{{Kind: kindUndo, ID: id, Site: &j.opts.Here, Undo: kind, What: what, Data: raw}})
}

// Done marks an entry as put back by other means than Restore.
func (j *Journal) Done(id int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := lastIndex(j.entries, id)
	if i < 0 {
		return fmt.Errorf("journal: no entry %d", id)
	}
	return j.markDone(j.entries[i], "")
}

// markDone needs no sync: if the line is lost, the entry is put back once more.
func (j *Journal) markDone(e *Entry, note string) error {
	e.done = true
	return j.store.append(false, record{Kind: kindDone, ID: e.ID, Note: note})
}

// commit puts lines on disk and then takes them over as entries.
func (j *Journal) commit(lines []record) error {
	if !j.begun {
		if j.owner == nil {
			return errors.New("journal: a change before Begin")
		}
		lines = append([]record{{Kind: kindBegin, Owner: j.owner}}, lines...)
	}
	if err := j.store.append(true, lines...); err != nil {
		return fmt.Errorf("journal %s: cannot remember the old value, so nothing was changed: %w", j.store.path, err)
	}
	j.begun = true
	for _, r := range lines {
		switch r.Kind {
		case kindValue:
			e := j.entries[lastIndex(j.entries, r.ID)]
			e.Values = append(e.Values, *r.Value)
		case kindKnob, kindUndo:
			made, _ := entriesOf([]record{{Kind: kindBegin, Owner: j.owner}, r})
			j.entries = append(j.entries, made...)
		}
	}
	return nil
}

// Close closes the file and leaves it as it is.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.store.close()
}
