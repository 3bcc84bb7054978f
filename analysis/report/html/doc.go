// Package html writes runs, comparisons, trends, calibrations and proofs as one
// self-contained page with charts. What the page draws beside what was judged
// (slices over time, packets, CPUs, settings) is read from the results.Run as it
// was recorded.
//
// The page is ours (html/template, page/), the options of its charts are
// go-echarts', and ECharts itself is embedded from assets/ at build time, so
// that a report opens offline and makes no request to anywhere. The same
// input gives the same bytes: no clock, no random chart ids, maps sorted.
//
// Everything that comes from a record is untrusted text: it reaches the page
// only through html/template or as JSON in a data block, never as markup or
// code.
package html
