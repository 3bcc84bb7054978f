package knob

import (
	"slices"
	"testing"
)

// TestPasses: needs[i] is what must be done before i is; -1 is never.
func TestPasses(t *testing.T) {
	for name, c := range map[string]struct {
		needs  []int
		open   []int
		passes int
	}{
		"nothing":                   {nil, nil, 1},
		"in order":                  {[]int{0, 0, 1}, nil, 1},
		"one waits for a later one": {[]int{1, 1}, nil, 2},
		"backwards":                 {[]int{1, 2, 3, 3}, nil, 4},
		"one is at fault":           {[]int{-1, 1, 2}, []int{0}, 2},
		"all are":                   {[]int{-1, -1}, []int{0, 1}, 1},
		"a ring":                    {[]int{1, 0, 2}, []int{0, 1}, 2},
		"one waits for a fault":     {[]int{1, -1, 2}, []int{0, 1}, 2},
	} {
		done, passes := make([]bool, len(c.needs)), 1
		Passes(len(c.needs), func(pass, i int) (open, changed bool) {
			passes = pass + 1
			ok := done[i] || c.needs[i] == i || c.needs[i] >= 0 && done[c.needs[i]]
			changed, done[i] = ok && !done[i], ok
			return !ok, changed
		})
		var open []int
		for i, ok := range done {
			if !ok {
				open = append(open, i)
			}
		}
		if !slices.Equal(open, c.open) || passes != c.passes {
			t.Errorf("%s: %v open after %d passes; want %v after %d", name, open, passes, c.open, c.passes)
		}
	}
}
