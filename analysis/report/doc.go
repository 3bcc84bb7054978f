// Package report shows what was judged: a run, a comparison, a gate and a trend
// are made into pages (package analysis/page), which package report/export writes
// in every format; and runs, trends, calibrations and proofs into one
// self-contained page of HTML.
//
// It concludes nothing: every number with an interval comes from an
// analysis.Summary, and what the page draws beside them (slices over time,
// packets, CPUs, settings) is read from the results.Run as it was recorded.
// Whoever finds a verdict here that package analysis did not give has found a
// bug.
//
// The page is ours (html/template, page/), the options of its charts are
// go-echarts', and ECharts itself is embedded from assets/ at build time, so
// that a report opens offline and makes no request to anywhere. The same
// input gives the same bytes: no clock, no random chart ids, maps sorted.
//
// Everything that comes from a record is untrusted text: it reaches the page
// only through html/template or as JSON in a data block, never as markup or
// code.
package report
