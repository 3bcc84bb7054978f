// Package labels shortens names for places where names of any length have no room.
package labels

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const ellipsis = "…"

// Short are names of at most so many letters, for places where names of
// any length have no room. What tells the names apart stays: a set that differs
// at its end is cut at its begin. Names that fit stay whole, and names that
// differ get labels that differ.
func Short(names []string, letters int) []string {
	letters = max(letters, 6)
	var long []string
	for _, name := range names {
		if utf8.RuneCountInString(name) > letters {
			long = append(long, name)
		}
	}
	if long == nil {
		return names
	}
	common := commonPrefix(long)
	for _, cut := range []func(name []rune) string{
		func(name []rune) string { return string(name[:letters-1]) + ellipsis },
		func(name []rune) string { return ellipsis + string(afterBoundary(name, len(name)-letters+1, common)) },
		func(name []rune) string {
			tail := letters / 2
			return string(name[:letters-1-tail]) + ellipsis + string(name[len(name)-tail:])
		},
		func(name []rune) string { // a window just behind what is common
			from := min(common, len(name)-letters+2)
			return ellipsis + string(name[from:from+letters-2]) + ellipsis
		},
	} {
		if out := cutAll(names, letters, cut); apart(names, out) {
			return out
		}
	}
	if values := differing(names); apart(names, values) {
		out := cutAll(values, letters, func(v []rune) string { return string(v[:letters-1]) + ellipsis })
		if apart(names, out) {
			return out
		}
	}
	return numbered(names, letters)
}

// cutAll shortens the names that are too long.
func cutAll(names []string, letters int, cut func(name []rune) string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		if runes := []rune(name); len(runes) > letters {
			out[i] = cut(runes)
		}
	}
	return out
}

// apart says whether labels tell apart what their names do.
func apart(names, labels []string) bool {
	of := map[string]string{}
	for i, label := range labels {
		if name, seen := of[label]; seen && name != names[i] {
			return false
		}
		of[label] = names[i]
	}
	return true
}

// commonPrefix counts the letters with which all names begin.
func commonPrefix(names []string) int {
	first := []rune(names[0])
	n := len(first)
	for _, name := range names[1:] {
		k := 0
		for _, r := range name {
			if k >= n || first[k] != r {
				break
			}
			k++
		}
		n = min(n, k)
	}
	return n
}

const boundaries = ",=:;/ _-.@"

// afterBoundary is the end of a name from a letter on, or from the next word
// on where only what is common to all names goes with it.
func afterBoundary(name []rune, from, common int) []rune {
	for i := from; i < min(common, len(name)); i++ {
		if strings.ContainsRune(", ;", name[i]) {
			return name[i+1:]
		}
	}
	return name[from:]
}

// differing are the parts of names made alike ("message=64,rps=off") that are
// not the same in all of them; the names themselves where they are not alike.
func differing(names []string) []string {
	parts := make([][]string, len(names))
	for i, name := range names {
		parts[i] = strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(boundaries, r) })
		if len(parts[i]) != len(parts[0]) {
			return names
		}
	}
	out := make([]string, len(names))
	for k := range parts[0] {
		same := true
		for i := range parts {
			same = same && parts[i][k] == parts[0][k]
		}
		if same {
			continue
		}
		for i := range parts {
			if out[i] != "" {
				out[i] += ","
			}
			out[i] += parts[i][k]
		}
	}
	return out
}

// numbered is for names that only a part in their middle tells apart, each
// another one: their place in the set does.
func numbered(names []string, letters int) []string {
	place := map[string]int{}
	for _, name := range names {
		if _, seen := place[name]; !seen {
			place[name] = len(place) + 1
		}
	}
	return cutAll(names, letters, func(name []rune) string {
		end := ellipsis + "#" + strconv.Itoa(place[string(name)])
		return string(name[:letters-utf8.RuneCountInString(end)]) + end
	})
}
