package results

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// A Description is what an arm was asked to be, as facts by their paths:
// "traffic.direction" is "reverse", "topology.mtu" is "9000" (package scenarios,
// Config.Describe). Two arms of one description are one configuration, however
// it was written. A path without a fact is off, or left to the kernel. An empty
// description is none: what was recorded before there were any.
type Description map[string]string

// knobsPart is the part of a description that changes the answer, not the
// question.
const knobsPart = "knobs"

// Part is the part of a description that a path belongs to (topology, traffic,
// placement or knobs), and the path within it.
func Part(path string) (part, rest string) {
	part, rest, _ = strings.Cut(path, ".")
	return part, rest
}

// Hash is a short name of the description, "" of none.
func (d Description) Hash() string { return d.hash(func(string) bool { return true }) }

// Question is a short name of all but the knobs, "" of no description: of
// topology, traffic and placement. Where it is another, two figures are answers
// to different questions; where only knobs differ, they are different answers
// to one.
func (d Description) Question() string {
	return d.hash(func(path string) bool {
		part, _ := Part(path)
		return part != knobsPart
	})
}

// Asked is a short name of all that a design asks: its arms in their order, what
// they are called, all of their settings, and which is the baseline. "" where an
// arm has no description.
func (d *Design) Asked() string {
	h := sha256.New()
	for _, a := range d.Arms {
		hash := a.Description.Hash()
		if hash == "" {
			return ""
		}
		h.Write([]byte(a.Name + "\x00" + hash + "\x00"))
	}
	h.Write([]byte(d.Baseline))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func (d Description) hash(of func(path string) bool) string {
	if len(d) == 0 {
		return ""
	}
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(d)) {
		if of(path) {
			h.Write([]byte(path + "\x00" + d[path] + "\x00"))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Like says whether two arms are alike in the few things that every record says
// of them: what there is to go by where there is no description.
func (a *Arm) Like(b Arm) bool {
	return a.Kind.Or() == b.Kind.Or() && a.Protocol == b.Protocol && a.Topology == b.Topology &&
		a.Message == b.Message && a.Flows == b.Flows && a.Rate == b.Rate
}

// SameQuestion says whether figures of two arms are answers to one question: by
// their descriptions, or by what there is where one of them has none.
func (a *Arm) SameQuestion(b Arm) bool {
	if len(a.Description) == 0 || len(b.Description) == 0 {
		return a.Like(b)
	}
	return a.Description.Question() == b.Description.Question()
}

// A Difference is a fact that descriptions do not agree on.
type Difference struct {
	Path   string   `json:"path"`
	Values []string `json:"values"` // by description; "" = off, or left to the kernel
}

// Differences are the facts that descriptions do not agree on, by path.
func Differences(ds ...Description) []Difference {
	paths := map[string]bool{}
	for _, d := range ds {
		for path := range d {
			paths[path] = true
		}
	}
	out := []Difference{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		x := Difference{Path: path}
		for _, d := range ds {
			x.Values = append(x.Values, d[path])
		}
		if len(slices.Compact(slices.Clone(x.Values))) > 1 {
			out = append(out, x)
		}
	}
	return out
}
