package vocab

import (
	"fmt"
	"maps"
	"slices"
)

// A Code names a kind of warning for programs: short, and the same for ever. It is
// declared where the warning is raised.
type Code string

// serious says of each code whether it puts the verdict itself in doubt.
var serious = map[Code]bool{}

// Warns declares a code. Two packages may raise one warning, of one severity.
func Warns(code string) Code { return declare(Code(code), false) }

// Doubts declares the code of a warning that puts the verdict itself in doubt: such
// stand first, and cannot be missed.
func Doubts(code string) Code { return declare(Code(code), true) }

func declare(code Code, severe bool) Code {
	if was, known := serious[code]; known && was != severe {
		panic(fmt.Sprintf("warning %s has two severities", code))
	}
	serious[code] = severe
	return code
}

// Serious says whether it puts the verdict itself in doubt. Codes of an older or
// newer netab do not.
func (c Code) Serious() bool { return serious[c] }

// Codes are all that this program knows.
func Codes() []Code { return slices.Sorted(maps.Keys(serious)) }
