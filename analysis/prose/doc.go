// Package prose writes numbers, quantities and words as people read them. There is one
// way to write each, wherever it stands: in a verdict's sentence, a warning, a page or a
// table. What a figure means is said by those who know (package analysis); how the
// numbers of a column align, by those who draw it (package report).
package prose
