// Package trend finds out when a figure changed over the history of a store,
// and whether the newest runs have left its present level.
//
// A series is a scenario, an arm and a metric on one machine; its points are
// runs in order of time. What makes neighbouring runs alike is taken out
// (whiten.go). Change points are found by E-divisive means with a permutation
// test (edivisive.go), in windows, as Hunter does, and must hold up against all
// of their neighbourhood (hold.go). What is too fresh for that is compared with a
// prediction interval of the present level (tail.go), what is too slow with where
// that level began (anchor.go). Whether any of it is news is asked of shorter
// histories of the same runs (news.go).
//
// It is pure: digests of runs go in, judged series come out, and the same
// digests give the same answer. Reading the store is package results' work,
// showing a trend package report's.
//
// It refuses to fill gaps, to join machines that are not comparable, and to
// call anything a change on the strength of one run.
package trend
