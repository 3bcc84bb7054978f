package translate

import (
	"fmt"
	"slices"
	"strings"
)

// getopt reads options as getopt_long(3) does: clusters of letters, values attached or
// in the next word, long ones with = or shortened as far as they are clear. What is no
// option is given to others; it returns what follows "--".
func (r *reader) getopt(words []string, options []option, others func(word string)) (rest []string) {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			return words
		case strings.HasPrefix(word, "--"):
			words = r.long(word, words, options)
		case strings.HasPrefix(word, "-") && len(word) > 1:
			words = r.short(word[1:], words, options)
		default:
			r.typed = word
			others(word)
		}
	}
	return nil
}

func (r *reader) long(word string, words []string, options []option) []string {
	name, value, attached := strings.Cut(word, "=")
	r.typed = word
	o, found := find(options, name)
	if !found {
		var near []string
		var last option
		for _, candidate := range options {
			if i := slices.IndexFunc(candidate.names, func(n string) bool { return strings.HasPrefix(n, name) }); i >= 0 {
				near, last = append(near, candidate.names[i]), candidate
			}
		}
		if len(near) != 1 {
			r.unknown(name, near)
			return words
		}
		o = last
	}
	switch {
	case o.value && !attached:
		if len(words) == 0 {
			r.refuse("its value is missing")
			return words
		}
		value, words = words[0], words[1:]
		r.typed = word + " " + value
	case attached && !o.value && !o.maybe:
		r.refuse("it takes no value")
		return words
	}
	o.does(r, value)
	return words
}

func (r *reader) short(letters string, words []string, options []option) []string {
	for letters != "" {
		name := "-" + letters[:1]
		letters = letters[1:]
		r.typed = name
		o, found := find(options, name)
		switch {
		case !found:
			r.unknown(name, nil)
		case o.perhaps && letters == "" && len(words) > 0 && !strings.HasPrefix(words[0], "-"):
			r.typed += " " + words[0]
			o.does(r, words[0])
			words = words[1:]
		case o.maybe || o.perhaps:
			r.typed += letters
			o.does(r, letters)
			letters = ""
		case !o.value:
			o.does(r, "")
		default:
			value := letters
			if letters = ""; value == "" {
				if len(words) == 0 {
					r.refuse("its value is missing")
					return words
				}
				value, words = words[0], words[1:]
			}
			r.typed = name + " " + value
			o.does(r, value)
		}
	}
	return words
}

func (r *reader) unknown(name string, near []string) {
	text := fmt.Sprintf("netab knows no option %s of %s", name, r.name)
	if len(near) > 1 {
		text = name + " may be any of " + strings.Join(near, ", ")
	}
	r.refuse(text)
}

func find(options []option, name string) (option, bool) {
	for _, o := range options {
		if slices.Contains(o.names, name) {
			return o, true
		}
	}
	return option{}, false
}

func is(names string, does func(*reader, string)) option {
	return option{names: strings.Fields(names), does: does}
}

func takes(names string, does func(*reader, string)) option {
	return option{names: strings.Fields(names), value: true, does: does}
}

func mayTake(names string, does func(*reader, string)) option {
	return option{names: strings.Fields(names), maybe: true, does: does}
}

// stranger is a word that is no option, where none is wanted.
func stranger(r *reader) func(string) {
	return func(string) { r.refuse("no option, and " + r.name + " takes no other words") }
}
