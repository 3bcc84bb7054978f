package report

import (
	"encoding/json"
	"io"

	"netab/analysis"
	"netab/results"
)

// JSON writes a summary as one document, schema netab/summary/1. Lists are
// never null, so that a reader may loop over them without asking.
func JSON(w io.Writer, s analysis.Summary) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(complete(s))
}

// complete replaces lists that are nil by empty ones.
func complete(s analysis.Summary) analysis.Summary {
	if s.Arms == nil {
		s.Arms = []analysis.ArmSummary{}
	}
	if s.Comparisons == nil {
		s.Comparisons = []analysis.Comparison{}
	}
	if s.Metrics == nil {
		s.Metrics = []string{}
	}
	if s.Warnings == nil {
		s.Warnings = []results.Warning{}
	}
	if s.Confounders == nil {
		s.Confounders = []analysis.Confounder{}
	}
	if s.Schema == "" {
		s.Schema = analysis.SchemaSummary
	}
	return s
}
