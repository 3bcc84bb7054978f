package nesting

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/parser"
)

// TestYAML: whatever makes the parser call itself is counted, and nothing of
// what people write.
func TestYAML(t *testing.T) {
	const n = 100_000
	deep := map[string]string{
		"brackets":           strings.Repeat("[", n),
		"braces":             strings.Repeat("{a: ", n),
		"a value":            "a: " + strings.Repeat("[", Most+1) + strings.Repeat("]", Most+1),
		"a quoted bracket":   strings.Repeat("[ ']', ", n),
		"a comment":          strings.Repeat("[ # ]\n", n),
		"entries":            strings.Repeat("- ", n),
		"complex keys":       strings.Repeat("? ", n),
		"anchors":            strings.Repeat("&a ", n),
		"anchors over lines": strings.Repeat("&a\n", n),
		"tags":               strings.Repeat("!!seq ", n),
		"tags in brackets":   "[" + strings.Repeat("!!seq ", n),
		"keys in a line":     strings.Repeat("a: ", n),
		"keys in braces":     "{" + strings.Repeat("a:\n", n),
		"indentation":        indented(Most + 2),
	}
	for name, src := range deep {
		err := YAML([]byte(src))
		if d, ok := errors.AsType[*Deep](err); !ok || d.Line < 1 || d.Column < 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	flat := map[string]string{
		"nothing":     "",
		"a list":      strings.Repeat("- a\n", n),
		"maps":        strings.Repeat("- {a: 1, b: [1, 2], c: &x {d: *x}}\n", 1000),
		"keys":        strings.Repeat("a: 1\n", n),
		"a flow list": "[" + strings.Repeat("{a: 1}, ", n) + "]",
		"texts":       "a: '" + strings.Repeat("[", n) + "'\nb: |\n" + strings.Repeat("  - - [\n", 1000),
		"a comment":   "# " + strings.Repeat("[", n) + "\na: 1\n",
		"indentation": indented(Most / 2),
		"anchors":     strings.Repeat("- &a !!str x\n- *a\n", 1000),
		"empty items": strings.Repeat("-\n", 1000),
	}
	builtin, _ := filepath.Glob("../../scenarios/builtin/*.yaml")
	if len(builtin) == 0 {
		t.Error("no built-in scenarios")
	}
	for _, file := range builtin {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		flat[file] = string(src)
	}
	for name, src := range flat {
		if err := YAML([]byte(src)); err != nil {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]int{
		"":                                      0,
		`{"a":[1,{"b":"]["}]}`:                  0,
		strings.Repeat("[", Most):               0,
		strings.Repeat("[", Most+1):             Most + 1,
		strings.Repeat(`{"a":`, Most+1):         5*Most + 1,
		`"` + strings.Repeat("[", 2*Most) + `"`: 0,
		`"\"` + strings.Repeat("[", 2*Most):     0,
		strings.Repeat(`[1],`, 2*Most):          0,
	} {
		if got := JSON([]byte(text)); got != want {
			t.Errorf("%.30s: byte %d, want %d", text, got, want)
		}
	}
}

// FuzzYAML: what is not too deep is parsed without a stack that grows with it:
// the parser is told nothing more, so all that can be seen is that it ends.
func FuzzYAML(f *testing.F) {
	for _, src := range []string{"a: [b, {c: d}]", "- - ? &a !!str b\n", "{a: b: c}", "'[' # ]\n[", "a: |\n  [[\n", indented(5)} {
		f.Add([]byte(src), uint8(3))
	}
	f.Fuzz(func(t *testing.T, src []byte, times uint8) {
		if len(src) > 1<<10 {
			return
		}
		// What nests when it is repeated is what the bound is for.
		text := []byte(strings.Repeat(string(src), 1+int(times)))
		if YAML(text) != nil {
			return
		}
		defer func() { _ = recover() }() // the parser's own faults, which its callers catch
		_, _ = parser.ParseBytes(text, 0)
	})
}
