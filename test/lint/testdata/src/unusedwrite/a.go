package unusedwrite

type point struct{ x, y int }

func moved(p point) int {
	p.y = 1 // want "unused write to field y"
	return p.x
}
