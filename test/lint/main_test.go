package main

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// TestAnalyzers: a linter that has stopped looking would be quiet too.
func TestAnalyzers(t *testing.T) {
	for _, a := range analyzers {
		t.Run(a.Name, func(t *testing.T) { analysistest.Run(t, analysistest.TestData(), a, a.Name) })
	}
}
