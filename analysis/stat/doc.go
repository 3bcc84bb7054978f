// Package stat is the statistics of plain numbers: samples, tests, intervals,
// permutations, clusters. It knows nothing of runs, arms and metrics, which package
// analysis turns into numbers and back into verdicts, and nothing of words, but for
// the names of its methods.
//
// What makes an interval is a Method. Random numbers come from the caller (Seeded),
// so that the same values give the same figures.
package stat

import "math"

// IsFinite says whether x is a number that can be shown.
func IsFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
