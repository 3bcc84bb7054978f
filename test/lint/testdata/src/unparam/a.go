package unparam

func Sum(ns []int) int { return total(ns, len(ns)) }

func total(ns []int, n int) int { // want "total - n is unused"
	sum := 0
	for _, x := range ns {
		sum += x
	}
	return sum
}

func Twice(x int) int { return scaled(x, 2) }

func TwiceMore(x int) int { return scaled(x+1, 2) }

// A parameter that always receives the same is none too many.
func scaled(x, by int) int {
	if x < 0 {
		return -x * by
	}
	return x * by
}
