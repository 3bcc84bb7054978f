package report

import (
	"bytes"
	"encoding/json"
	"io"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/results"
)

// JSON writes a summary as one document, schema netab/summary/1. Lists are
// never null, so that a reader may loop over them without asking.
func JSON(w io.Writer, s analysis.Summary) error {
	return writeJSON(w, complete(s))
}

// writeJSON writes a document that says all that v does, and is no danger to the
// terminal or the log that it may be printed on.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
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

// RunFile writes a run as the run file that it came from.
func RunFile(w io.Writer, run *results.Run) error {
	var b bytes.Buffer
	if _, err := run.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}
