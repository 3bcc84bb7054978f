package prose

import (
	"fmt"
	"strings"
)

// Count writes small numbers as words.
func Count(n int) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six"}
	if n >= 0 && n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}

// Counted writes a number of things: 1 flow, 2 flows.
func Counted(n int, noun string) string { return fmt.Sprintf("%d %s", n, Plural(n, noun)) }

// Plural is the noun for so many.
func Plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// Capital begins a sentence with it.
func Capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Lower takes the capital of a sentence away: that of "CPU time" stays.
func Lower(s string) string {
	if len(s) > 1 && 'A' <= s[0] && s[0] <= 'Z' && 'a' <= s[1] && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// Typographic makes the hyphen of a negative number a minus sign and keeps a
// number and its % on one line, for the page; hyphens inside words and names
// stay.
func Typographic(s string) string {
	out := []rune(strings.ReplaceAll(s, " %", "\u00a0%"))
	for i, r := range out {
		starts := i == 0 || out[i-1] == ' ' || out[i-1] == '(' || out[i-1] == '\u00a0'
		if r == '-' && starts && i+1 < len(out) && out[i+1] >= '0' && out[i+1] <= '9' {
			out[i] = '\u2212'
		}
	}
	return string(out)
}
