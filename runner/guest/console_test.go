package guest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"lines", "one\r\n\r\n  two\nthree", []string{"one", "  two", "three"}},
		{"nothing", "", nil},
		{"a firmware's escapes", "\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16)\n", []string{"SeaBIOS (version 1.16)"}},
		{"colours", "[    0.1] \x1b[1;31mred\x1b[0m text\n", []string{"[    0.1] red text"}},
		{"a title of the terminal", "\x1b]0;owned\x07a\x1b]2;owned\x1b\\b\n", []string{"ab"}},
		{"an escape across writes is one", "a\x1b[3", []string{"a"}},
		{"control characters", "a\x00b\x08c\x7fd\x9be\te\u202e\n", []string{"abcde e"}},
		{"what is no UTF-8", "a\xff\xfe\xc3b \xc3\xbc\n", []string{"ab ü"}},
		{"a long line", strings.Repeat("x", 10*keepBytes) + "\nend\n", []string{strings.Repeat("x", keepBytes), "end"}},
	} {
		var c console
		for i := range len(tt.text) { // a byte a write
			if n, err := c.Write([]byte{tt.text[i]}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if got := c.last(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestConsoleBounds: however much is printed, what is kept is the last of it.
func TestConsoleBounds(t *testing.T) {
	var c console
	for i := range 10 * keepLines {
		fmt.Fprintf(&c, "line %d\n", i)
		if len(c.lines) > 2*keepLines {
			t.Fatalf("%d lines are held", len(c.lines))
		}
	}
	got := c.last()
	if len(got) != keepLines || got[keepLines-1] != fmt.Sprintf("line %d", 10*keepLines-1) {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	got[0] = "changed"
	if c.last()[0] == "changed" {
		t.Error("who asks can change it")
	}
}
