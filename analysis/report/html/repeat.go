package html

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml"

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
		words[i] = shellQuote(w)
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

// shellQuote writes a word so that a shell reads it back unchanged.
func shellQuote(s string) string {
	plainWord := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r))
	}) < 0
	if plainWord {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
