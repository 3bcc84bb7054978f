package stat

import (
	"cmp"
	"slices"
)

// A Point is the mean of some values of y at an x.
type Point struct{ X, Y, Weight float64 }

// Isotonic is the least-squares fit that does not fall, one point for each x, by
// pooling adjacent violators (Ayer et al. 1955).
func Isotonic(points []Point) []Point {
	sorted := slices.Clone(points)
	slices.SortFunc(sorted, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	var levels []Point // one for each x
	for _, p := range sorted {
		if n := len(levels); n > 0 && levels[n-1].X == p.X {
			levels[n-1] = levels[n-1].pool(p)
			continue
		}
		levels = append(levels, p)
	}
	type block struct {
		Point
		size int
	}
	var blocks []block
	for _, p := range levels {
		b := block{p, 1}
		for n := len(blocks); n > 0 && blocks[n-1].Y >= b.Y; n = len(blocks) {
			b = block{blocks[n-1].pool(b.Point), blocks[n-1].size + b.size}
			blocks = blocks[:n-1]
		}
		blocks = append(blocks, b)
	}
	i := 0
	for _, b := range blocks {
		for range b.size {
			levels[i].Y = b.Y
			i++
		}
	}
	return levels
}

func (p Point) pool(o Point) Point {
	n := p.Weight + o.Weight
	return Point{p.X, (p.Y*p.Weight + o.Y*o.Weight) / n, n}
}
