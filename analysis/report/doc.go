// Package report shows a judged run: on the terminal, as one self-contained
// HTML page, as Markdown for a CI job's summary, and in the export formats
// that other tools read (JSON, CSV, the Go benchmark format).
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
//
// One file holds one format: terminal.go, markdown.go, json.go, csv.go,
// benchfmt.go, html.go (the next one, JUnit, becomes junit.go).
package report
