package figure

// Of writes a figure where there is one.
func Of[T any](v *T, text func(*T) string) string {
	if v == nil {
		return ""
	}
	return text(v)
}
