// Package counts says what a count of instructions came to: per message of each arm on
// each kernel, and by how much they differ. A boot is the unit: what a seed draws once
// (hashes, layouts) is drawn anew by the next, and within a boot nothing varies that
// could tell how much that is.
package counts

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/stat"
	"netab/results"
)

// Schema names the format of a Summary as JSON.
const Schema = "netab/count/1"

// Blind is what no count sees.
const Blind = "It counts how long the path is; it sees no caches, no locks and no parallelism, and says nothing of time."

// confidence of the intervals.
const alpha = 0.05

// A Summary is what a count came to.
type Summary struct {
	Schema      string       `json:"schema"`
	ID          string       `json:"id"`
	Scenario    string       `json:"scenario"`
	Unit        string       `json:"unit"`
	Arms        []Arm        `json:"arms"`
	Comparisons []Comparison `json:"comparisons"`
	Warnings    []string     `json:"warnings,omitempty"`
}

// An Arm is one on one kernel.
type Arm struct {
	Name   string  `json:"name"`
	Kernel string  `json:"kernel"`
	Boots  []Boot  `json:"boots"`
	Failed int     `json:"failed,omitempty"` // boots
	Mean   float64 `json:"mean"`             // instructions a unit
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
	SE     float64 `json:"se"`
	ByRole Roles   `json:"by_role"`
	Modes  []Mode  `json:"modes,omitempty"`
	Turns  bool    `json:"one_thread,omitempty"`
}

// A Boot is one's count.
type Boot struct {
	Seed         uint64  `json:"seed"`
	Instructions float64 `json:"instructions"` // a unit
	total        int64
	calls, acks  int64
}

// Roles are instructions a unit, as the scheduler bills them to threads; elsewhere is
// what is neither's.
type Roles struct {
	Source    float64 `json:"source"`
	Sink      float64 `json:"sink"`
	Elsewhere float64 `json:"elsewhere"`
}

// A Mode is boots that did their work in the same steps.
type Mode struct {
	Seeds    []uint64 `json:"seeds"`
	Mean     float64  `json:"mean"`
	Calls    int64    `json:"receive_calls"`
	Segments int64    `json:"segments"`
}

// A Comparison is an arm against another.
type Comparison struct {
	Baseline string  `json:"baseline"`
	Arm      string  `json:"arm"`
	Change   float64 `json:"change"` // relative
	Lo       float64 `json:"lo"`
	Hi       float64 `json:"hi"`
	SE       float64 `json:"se"`
	// Identical are how many of Paired boots of equal seeds had the same number of
	// instructions, to the digit.
	Identical int        `json:"identical"`
	Paired    int        `json:"paired"`
	Groups    []Group    `json:"groups,omitempty"`
	Functions []Function `json:"functions,omitempty"`
}

// A Group is a role in a context, of logged boots.
type Group struct {
	Role    string  `json:"role"`
	Context string  `json:"context"`
	From    float64 `json:"from"`
	To      float64 `json:"to"`
}

// A Function is what one had a unit, before and after; the largest differences come
// first.
type Function struct {
	Role     string  `json:"role"`
	Context  string  `json:"context"`
	Function string  `json:"function"`
	From     float64 `json:"from"`
	To       float64 `json:"to"`
}

// Summarize judges a count.
func Summarize(c *results.Count) Summary {
	s := Summary{Schema: Schema, ID: c.ID, Scenario: c.Name, Unit: c.Unit, Comparisons: []Comparison{}}
	for i := range c.Kinds {
		s.Arms = append(s.Arms, armOf(c, i))
	}
	for i := range c.Kinds {
		if base := baselineOf(c, i); base != i {
			s.compare(c, base, i)
		}
	}
	s.warn(c)
	return s
}

// baselineOf is what a kind is compared with: the same arm on the first kernel, and on
// that kernel the first arm.
func baselineOf(c *results.Count, i int) int {
	k := c.Kinds[i]
	if k.Kernel == c.Kinds[0].Kernel {
		return 0
	}
	at := slices.IndexFunc(c.Kinds, func(o results.CountKind) bool { return o.Arm == k.Arm })
	return max(at, 0)
}

func armOf(c *results.Count, kind int) Arm {
	k := c.Kinds[kind]
	kernel := c.Kernels[k.Kernel]
	a := Arm{Name: k.Arm, Kernel: cmp.Or(kernel.Release, kernel.Ref), Boots: []Boot{}}
	var values []float64
	for _, b := range c.Boots {
		if b.Kind != kind {
			continue
		}
		if !b.Finished() {
			a.Failed++
			continue
		}
		per := func(n int64) float64 { return float64(n) / float64(b.Units) }
		a.Boots = append(a.Boots, Boot{Seed: b.Seed, Instructions: per(b.Instructions), total: b.Instructions, calls: b.Calls, acks: b.Acks})
		values = append(values, per(b.Instructions))
		a.ByRole.Source += per(b.Source)
		a.ByRole.Sink += per(b.Sink)
		a.ByRole.Elsewhere += per(b.Instructions - b.Source - b.Sink)
		a.Turns = b.Turns
	}
	if n := float64(len(values)); n > 0 {
		a.ByRole = Roles{a.ByRole.Source / n, a.ByRole.Sink / n, a.ByRole.Elsewhere / n}
	}
	sample := stat.NewSample(values)
	a.Mean, a.Lo, a.Hi = sample.Mean, sample.Mean, sample.Mean
	if len(values) > 1 {
		a.SE = sample.SE()
		h := stat.Critical(alpha, sample.DF()) * a.SE
		a.Lo, a.Hi = a.Mean-h, a.Mean+h
	}
	a.Modes = modesOf(a.Boots)
	return a
}

// modesOf groups boots by how often the sink received and how many segments came: where
// that differs, another thing was done. A single group is none.
func modesOf(boots []Boot) []Mode {
	var out []Mode
	for _, b := range boots {
		i := slices.IndexFunc(out, func(m Mode) bool { return m.Calls == b.calls && m.Segments == b.acks })
		if i < 0 {
			i = len(out)
			out = append(out, Mode{Calls: b.calls, Segments: b.acks})
		}
		m := &out[i]
		m.Mean = (m.Mean*float64(len(m.Seeds)) + b.Instructions) / float64(len(m.Seeds)+1)
		m.Seeds = append(m.Seeds, b.Seed)
	}
	if len(out) < 2 {
		return nil
	}
	slices.SortFunc(out, func(a, b Mode) int { return cmp.Compare(a.Mean, b.Mean) })
	return out
}

func (a *Arm) title() string { return a.Name + " on " + a.Kernel }

func (a *Arm) values() (out []float64) {
	for _, b := range a.Boots {
		out = append(out, b.Instructions)
	}
	return out
}

func (s *Summary) compare(c *results.Count, base, arm int) {
	a, b := &s.Arms[base], &s.Arms[arm]
	if len(a.Boots) == 0 || len(b.Boots) == 0 || a.Mean == 0 {
		return
	}
	out := Comparison{Baseline: a.title(), Arm: b.title(), Change: b.Mean/a.Mean - 1}
	out.Lo, out.Hi = out.Change, out.Change
	if w := stat.Welch(stat.NewSample(a.values()), stat.NewSample(b.values())); w.OK {
		// Of a ratio, to the first order: what the baseline's error adds grows with it.
		se := math.Hypot(b.SE, a.SE*b.Mean/a.Mean) / a.Mean
		h := stat.Critical(alpha, max(w.DF, 1)) * se
		out.SE, out.Lo, out.Hi = se, out.Change-h, out.Change+h
	}
	for _, x := range a.Boots {
		i := slices.IndexFunc(b.Boots, func(y Boot) bool { return y.Seed == x.Seed })
		if i < 0 {
			continue
		}
		out.Paired++
		if b.Boots[i].total == x.total {
			out.Identical++
		}
	}
	out.Groups, out.Functions = functionsOf(c, base, arm)
	s.Comparisons = append(s.Comparisons, out)
}

type functionKey struct{ role, context, function string }

// logged are what each function had a unit, in the first boot of a kind that was logged.
func logged(c *results.Count, kind int) map[functionKey]float64 {
	for _, b := range c.Boots {
		if b.Kind != kind || !b.Finished() || b.Functions == nil {
			continue
		}
		out := map[functionKey]float64{}
		for _, f := range b.Functions {
			// What compilers make of a function (.isra.0, .constprop.0) has another name in the
			// next kernel.
			name, _, _ := strings.Cut(f.Function, ".")
			out[functionKey{f.Role, f.Context, cmp.Or(name, f.Function)}] += float64(f.Instructions) / float64(b.Units)
		}
		return out
	}
	return nil
}

func functionsOf(c *results.Count, base, arm int) (groups []Group, functions []Function) {
	from, to := logged(c, base), logged(c, arm)
	if from == nil || to == nil {
		return nil, nil
	}
	seen := map[functionKey]bool{}
	byGroup := map[functionKey]*Group{}
	for _, m := range []map[functionKey]float64{from, to} {
		for k := range m {
			if seen[k] {
				continue
			}
			seen[k] = true
			functions = append(functions, Function{k.role, k.context, k.function, from[k], to[k]})
			g := functionKey{role: k.role, context: k.context}
			if byGroup[g] == nil {
				byGroup[g] = &Group{Role: k.role, Context: k.context}
			}
			byGroup[g].From += from[k]
			byGroup[g].To += to[k]
		}
	}
	slices.SortFunc(functions, func(a, b Function) int {
		return cmp.Or(cmp.Compare(math.Abs(b.To-b.From), math.Abs(a.To-a.From)), strings.Compare(a.Function, b.Function), strings.Compare(a.Role, b.Role), strings.Compare(a.Context, b.Context))
	})
	for _, g := range byGroup {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(math.Abs(b.To-b.From), math.Abs(a.To-a.From)), strings.Compare(a.Role, b.Role), strings.Compare(a.Context, b.Context))
	})
	return groups, functions
}

// elsewhere is the share from which on what neither role did is worth a line.
const elsewhere = 0.05

func (s *Summary) warn(c *results.Count) {
	for i := range c.Kinds {
		a := &s.Arms[i]
		lost, units := int64(0), int64(0)
		for _, b := range c.Boots {
			if b.Kind == i && b.Finished() {
				lost, units = lost+b.Lost, units+b.Units
			}
		}
		if lost > 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d of %d were lost: their instructions are billed to those that came", a.title(), lost, lost+units))
		}
		if a.Failed > 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d of %d boots failed", a.title(), a.Failed, a.Failed+len(a.Boots)))
		}
		if len(a.Boots) == 1 {
			s.Warnings = append(s.Warnings, a.title()+": one boot: how far seeds are apart is not known (--seeds)")
		}
		if a.Mean > 0 && a.ByRole.Elsewhere > elsewhere*a.Mean {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %.0f instructions a %s were executed by neither role's thread, such as in threads of the kernel", a.title(), a.ByRole.Elsewhere, s.Unit))
		}
	}
}
