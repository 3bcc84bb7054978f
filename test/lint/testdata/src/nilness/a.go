package nilness

func value(p *int) int {
	if p == nil {
		return *p // want "nil dereference in load"
	}
	return *p
}
