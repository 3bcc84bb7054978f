package knob

// Passes does n things in their order, and all of them again as long as some
// are open and the pass before has brought it on. A setting may be refused
// until another, which comes later, has made room for it (a range of ports that
// must lie above the privileged ones). Then what was done already is done again,
// too, in the same order, because things may overlap and the later is the
// stronger. What stays open is at fault itself.
//
// do is told the number of the pass, from 0.
func Passes(n int, do func(pass, i int) (open, changed bool)) {
	for pass, before := 0, n+1; ; pass++ {
		open, moved := 0, false
		for i := range n {
			o, c := do(pass, i)
			if o {
				open++
			}
			moved = moved || c
		}
		if open == 0 || open >= before || !moved {
			return
		}
		before = open
	}
}
