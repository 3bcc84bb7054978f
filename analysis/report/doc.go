// Package report says what is shown of what was judged: a run, a comparison, a gate
// and a trend are made into pages (package analysis/page), as package calibration
// and package proof make theirs.
//
// It concludes nothing: every number with an interval comes from an
// analysis.Summary. Whoever finds a verdict here that package analysis did not give
// has found a bug. How a page is written is no matter of this package:
//
//	report/export   every page in every format, and records as they are
//	report/html     the one page of HTML with its charts
//	report/figure   how figures are written
package report
