package record

import (
	"strconv"

	"netab/results"
	"netab/results/vocab"
)

// A record may be damaged: which arm a slice is of is not trusted.

// ArmName is the name of an arm by index.
func ArmName(d results.Design, arm int) string {
	if arm >= 0 && arm < len(d.Arms) {
		return d.Arms[arm].Name
	}
	return "arm " + strconv.Itoa(arm)
}

// KindOf is that of an arm by index.
func KindOf(d results.Design, arm int) vocab.Kind {
	if arm < 0 || arm >= len(d.Arms) {
		return ""
	}
	return d.Arms[arm].Kind
}

// FactorLevelOf is an arm's level of a factor.
func FactorLevelOf(d results.Design, arm int, factor string) string {
	if arm < 0 || arm >= len(d.Arms) {
		return ""
	}
	for _, l := range d.Arms[arm].Levels {
		if l.Factor == factor {
			return l.Value
		}
	}
	return ""
}
