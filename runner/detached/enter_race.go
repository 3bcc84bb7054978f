//go:build race

package detached

// Enter does nothing: the race detector's own calls are not nosplit, so under it
// every thread keeps its P.
func Enter() {}

// Leave does nothing.
func Leave() {}
