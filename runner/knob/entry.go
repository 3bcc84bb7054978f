package knob

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// An Entry is one thing that a journal wants put back.
type Entry struct {
	ID    int
	Owner Owner // zero when the line that said so is lost
	Site  Site

	// Of a knob:
	Spec   Spec
	Place  string   // where: "" is this machine's initial namespace, see At
	Before string   // the value to put back
	Values []string // what we may have written
	With   string   // not ours: the kernel changes it along with that knob

	// Of anything else:
	Undo string // its kind
	Data json.RawMessage

	what    string
	done    bool
	refused error // why it is not restored: not what netab writes
}

// String names the entry for people.
func (e Entry) String() string {
	if e.Place != "" {
		return e.what + " in namespace " + e.Place
	}
	return e.what
}

// isKnob tells the two sorts of entries apart.
func (e Entry) isKnob() bool { return e.Undo == "" }

// entriesOf builds the entries of a journal's lines, in their order.
func entriesOf(lines []record) (entries []*Entry, faults []string) {
	var owner Owner
	for _, r := range lines {
		switch r.Kind {
		case kindDamage:
			owner = Owner{} // it may have been the begin line of what follows
		case kindBegin:
			owner = *r.Owner
		case kindKnob:
			e := &Entry{ID: r.ID, Owner: owner, Site: siteOf(r, owner), Spec: *r.Spec, Place: r.Place, Before: *r.Before, With: r.With}
			e.what = describeSpec(e.Spec)
			entries = append(entries, e.checked(r))
		case kindUndo:
			e := &Entry{ID: r.ID, Owner: owner, Site: siteOf(r, owner), Undo: r.Undo, Data: r.Data, what: r.What}
			entries = append(entries, e.checked(r))
		case kindValue, kindDone:
			// The newest of that number: a damaged file may hold it twice.
			i := lastIndex(entries, r.ID)
			if i < 0 {
				faults = append(faults, fmt.Sprintf("a %s line speaks of entry %d, which is not there", r.Kind, r.ID))
				continue
			}
			if r.Kind == kindDone {
				entries[i].done = true
			} else {
				entries[i].Values = append(entries[i].Values, *r.Value)
			}
		}
	}
	return entries, faults
}

// checked notes what is wrong with the entry of a line: it is refused, and others
// are not.
func (e *Entry) checked(r record) *Entry {
	if err := r.check(); err != nil {
		e.refused = fmt.Errorf("entry %d of the journal (%s) is not one that netab writes, and is left alone: %s; "+
			"look at it: netab restore --forget gives it up", e.ID, tame(e.String()), oneLine(err))
		e.what, e.Place = tame(e.what), tame(e.Place)
	}
	return e
}

// oneLine is an error of several, which quotes what may be anything, on one line.
func oneLine(err error) string { return tame(joined(err)) }

// joined is an error of several on one line.
func joined(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// siteOf is where a line's entry was made. An older netab said no more than the
// boot, in the begin line.
func siteOf(r record, owner Owner) Site {
	if r.Site != nil {
		return *r.Site
	}
	return Site{Boot: owner.BootID}
}

// ofMachine says whether the entry means the same in every namespace. Sysctls
// below net/ do not: those that belong to no namespace are seen in the first.
func (e Entry) ofMachine() bool {
	return e.isKnob() && e.Spec.Scope == Host && !(e.Spec.Family == familySysctl && strings.HasPrefix(e.Spec.Name, "net/"))
}

func lastIndex(entries []*Entry, id int) int {
	for i, e := range slices.Backward(entries) {
		if e.ID == id {
			return i
		}
	}
	return -1
}

// describeSpec names a knob, also one that this netab cannot make.
func describeSpec(s Spec) string {
	k, err := FromSpec(s)
	if err != nil {
		return fmt.Sprintf("%s %s %s %s", s.Family, s.Device, s.Queue, s.Name)
	}
	return k.String()
}
