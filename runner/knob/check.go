package knob

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a journal says is done as root. So each line is checked when it is read as
// it was when it was written, by the code that checks what a scenario says: a knob
// and its values by FromSpec and Knob.Check, anything else by the function that
// reads its data. What passes names a file of the knob's family and no other.

const (
	maxLine  = 32 << 20 // of a line
	maxDepth = 16       // of a line's JSON; netab writes 5
	maxID    = 1 << 30
	maxName  = 256      // of a text for people
	maxValue = 64 << 10 // of a knob's value: lists of ports are long
)

// line is a record as it is written: one line, which parseRecord reads again.
func (r record) line() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, errors.New(oneLine(err))
	}
	text, err := json.Marshal(r)
	if err == nil && len(text) >= maxLine {
		err = fmt.Errorf("its line would have more than %d MiB", maxLine>>20)
	}
	return append(text, '\n'), err
}

// check says what is wrong with a line beyond its form.
func (r record) check() error {
	err := r.Site.check()
	switch r.Kind {
	case kindBegin:
		return r.Owner.check()
	case kindKnob:
		k, specErr := FromSpec(*r.Spec)
		if specErr != nil {
			return specErr
		}
		if r.Place != "" {
			err = errors.Join(err, checkNetnsName(r.Place))
		}
		if r.Spec.Scope == Netns {
			err = errors.Join(err, fmt.Errorf("%s: of a namespace of netab's own: there is nothing to put back", k))
		}
		return errors.Join(err, k.Check(*r.Before), checkText(r.With, maxName))
	case kindValue:
		return checkValue(*r.Value)
	case kindUndo:
		return errors.Join(err, checkText(r.Undo, maxName), checkText(r.What, maxName), checkUndo(r.Undo, r.Data))
	}
	return nil
}

func (s *Site) check() error {
	if s == nil {
		return nil
	}
	return checkText(s.Boot, maxName)
}

func (o Owner) check() error {
	return errors.Join(checkText(o.Run, maxName), checkText(o.BootID, maxName), checkText(o.Version, maxName))
}

// checkUndo checks the data of the kinds that this package undoes.
func checkUndo(kind string, data json.RawMessage) error {
	var err error
	switch kind {
	case UndoNetns:
		_, err = parseNetns(data)
	case UndoDevice:
		_, err = parseMovedDevice(data)
	}
	return err
}

// checkText refuses what would not be one line on a terminal or in JSON.
func checkText(s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("a text of %d bytes, where %d are enough", len(s), most)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%.80q holds what cannot be printed", s)
	}
	return nil
}

// checkValue refuses what is not the text of a kernel setting.
func checkValue(v string) error {
	if err := checkText(strings.ReplaceAll(v, "\t", " "), maxValue); err != nil {
		return fmt.Errorf("not a value: %w", err)
	}
	return nil
}

// tame makes a text of others' fit to be shown.
func tame(s string) string {
	if runes := []rune(s); len(runes) > maxName {
		s = string(runes[:maxName]) + "..."
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
