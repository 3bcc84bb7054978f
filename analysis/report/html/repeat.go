package html

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml"

	"netab/analysis/escape"
	"netab/results"
)

// A repeatView is how to do it again.
type repeatView struct {
	Command  string
	Seed     uint64
	Source   string
	Scenario string
}

func newRepeat(run *results.Run) repeatView {
	h := run.Header
	v := repeatView{Seed: h.Seed, Source: h.Source, Scenario: scenarioText(h.Scenario)}
	words := make([]string, len(h.Command))
	for i, w := range h.Command {
		words[i] = escape.Shell(w)
	}
	v.Command = strings.Join(words, " ")
	return v
}

// scenarioText is the scenario as YAML, or as it stands in the record where
// that cannot be.
func scenarioText(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	if text, err := yaml.JSONToYAML(raw); err == nil {
		return strings.TrimSpace(string(text))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err == nil {
		return b.String()
	}
	return string(raw)
}
