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

// armCommand measures one arm of a run again, with its baseline; "" where the run was not
// made by a command that can.
func armCommand(run *results.Run, arm string) string {
	words := run.Header.Command
	if len(words) < 2 || words[1] != "run" || len(run.Header.Design.Arms) < 2 {
		return ""
	}
	out := []string{"netab", "run"}
	for i := 2; i < len(words); i++ {
		switch flag, _, whole := strings.Cut(words[i], "="); flag {
		case "--only", "--shard", "--html", "--store":
			if !whole {
				i++
			}
			continue
		}
		out = append(out, escape.Shell(words[i]))
	}
	return strings.Join(append(out, "--only", escape.Shell(arm)), " ")
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
