package why

import (
	"slices"
	"strings"
	"sync"
)

// Categories are all that a stack may count to, in the order of the rules.
var Categories = sync.OnceValue(func() (out []string) {
	for line := range strings.Lines(ruleText) {
		name, head := strings.CutSuffix(strings.TrimSpace(line), ":")
		if head && !strings.HasPrefix(name, "#") && name != ofCaller && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range []string{ofBPF, userSpace, unmapped} {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
})

// CategoryOf is what a function counts to by its name alone. One that counts to its
// callers counts to none of them here.
func CategoryOf(function string) string {
	switch category := theRules().category(function); category {
	case "", ofCaller:
		return unmapped
	default:
		return category
	}
}
