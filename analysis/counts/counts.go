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

// BlindOfTwo is that where two CPUs take turns.
const BlindOfTwo = "It counts how long the path is; it sees no caches and no locks, and the CPUs take turns of 5,000 instructions, which is no parallelism; it says nothing of time."

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
	Lo     float64 `json:"lo"`               // 95 % confidence, over seeds
	Hi     float64 `json:"hi"`
	SE     float64 `json:"se"`
	ByRole Roles   `json:"by_role"`
	Modes  []Mode  `json:"modes"` // none where all boots did their work in the same steps
	Turns  bool    `json:"one_thread,omitempty"`
	// Repeats are of seeds that were booted more than once.
	Repeats *Repeats `json:"repeats,omitempty"`
}

// Repeats are what boots of one seed have in common.
type Repeats struct {
	Seeds     int     `json:"seeds"`     // that were booted again
	Identical int     `json:"identical"` // of these, to the digit
	Apart     float64 `json:"apart"`     // at most, relative
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
	Calls    int64    `json:"receive_calls"` // of the first boot
	Segments int64    `json:"segments"`
	boots    int
}

// Boots are how many there are of it.
func (m *Mode) Boots() int { return m.boots }

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
	Groups    []Group    `json:"groups"`    // none without a log of what was executed
	Functions []Function `json:"functions"` // the largest difference first
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
	for i := range c.Boots {
		b := &c.Boots[i]
		if b.Kind != kind {
			continue
		}
		if !b.Finished() {
			a.Failed++
			continue
		}
		per := func(n int64) float64 { return float64(n) / c.Of(b) }
		a.Boots = append(a.Boots, Boot{Seed: b.Seed, Instructions: per(b.Instructions), total: b.Instructions, calls: b.Calls, acks: b.Acks})
		a.ByRole.Source += per(b.Source)
		a.ByRole.Sink += per(b.Sink)
		a.ByRole.Elsewhere += per(b.Instructions - b.Source - b.Sink)
		a.Turns = b.Turns
	}
	if n := float64(len(a.Boots)); n > 0 {
		a.ByRole = Roles{a.ByRole.Source / n, a.ByRole.Sink / n, a.ByRole.Elsewhere / n}
	}
	values, repeats := a.bySeed()
	a.Repeats = repeats
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

// bySeed is a value a seed, which is the unit: boots of one that differ tell nothing of how
// far seeds are apart.
func (a *Arm) bySeed() (values []float64, r *Repeats) {
	var seeds []uint64
	of := map[uint64][]Boot{}
	for _, b := range a.Boots {
		if of[b.Seed] == nil {
			seeds = append(seeds, b.Seed)
		}
		of[b.Seed] = append(of[b.Seed], b)
	}
	for _, seed := range seeds {
		sum, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
		same := true
		for _, b := range of[seed] {
			sum, lo, hi = sum+b.Instructions, min(lo, b.Instructions), max(hi, b.Instructions)
			same = same && b.total == of[seed][0].total
		}
		n := len(of[seed])
		if same {
			values = append(values, lo)
		} else {
			values = append(values, sum/float64(n))
		}
		if n < 2 {
			continue
		}
		if r == nil {
			r = &Repeats{}
		}
		r.Seeds++
		if same {
			r.Identical++
		}
		r.Apart = max(r.Apart, hi/lo-1)
	}
	return values, r
}

// near is how far apart the numbers of steps may be of boots that did the same: where two
// CPUs take turns, a call more or less is no other way of doing it.
const near = 0.01

func alike(a, b int64) bool { return math.Abs(float64(a-b)) <= near*float64(max(a, b)) }

// modesOf groups boots by how often the sink received and how many segments came: where
// that differs, another thing was done. A single group is none.
func modesOf(boots []Boot) []Mode {
	var out []Mode
	for _, b := range boots {
		i := slices.IndexFunc(out, func(m Mode) bool { return alike(m.Calls, b.calls) && alike(m.Segments, b.acks) })
		if i < 0 {
			i = len(out)
			out = append(out, Mode{Calls: b.calls, Segments: b.acks})
		}
		m := &out[i]
		m.Mean = (m.Mean*float64(m.boots) + b.Instructions) / float64(m.boots+1)
		m.boots++
		if !slices.Contains(m.Seeds, b.Seed) {
			m.Seeds = append(m.Seeds, b.Seed)
		}
	}
	if len(out) < 2 {
		return []Mode{}
	}
	slices.SortFunc(out, func(a, b Mode) int { return cmp.Compare(a.Mean, b.Mean) })
	return out
}

func (a *Arm) title() string { return a.Name + " on " + a.Kernel }

func (s *Summary) compare(c *results.Count, base, arm int) {
	a, b := &s.Arms[base], &s.Arms[arm]
	if len(a.Boots) == 0 || len(b.Boots) == 0 || a.Mean == 0 {
		return
	}
	out := Comparison{Baseline: a.title(), Arm: b.title(), Change: b.Mean/a.Mean - 1}
	out.Lo, out.Hi = out.Change, out.Change
	from, _ := a.bySeed()
	to, _ := b.bySeed()
	if w := stat.Welch(stat.NewSample(from), stat.NewSample(to)); w.OK {
		// Of a ratio, to the first order: what the baseline's error adds grows with it.
		se := math.Hypot(b.SE, a.SE*b.Mean/a.Mean) / a.Mean
		h := stat.Critical(alpha, max(w.DF, 1)) * se
		out.SE, out.Lo, out.Hi = se, out.Change-h, out.Change+h
	}
	for n, x := range a.Boots {
		if slices.ContainsFunc(a.Boots[:n], func(y Boot) bool { return y.Seed == x.Seed }) {
			continue
		}
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

// logged are what each function had a unit, in the boots of a kind that were logged; nil =
// none was.
func logged(c *results.Count, kind int) map[functionKey]float64 {
	var out map[functionKey]float64
	n := 0.0
	for i := range c.Boots {
		b := &c.Boots[i]
		if b.Kind != kind || !b.Finished() || b.Functions == nil {
			continue
		}
		if out == nil {
			out = map[functionKey]float64{}
		}
		n++
		for _, f := range b.Functions {
			// What compilers make of a function (.isra.0, .constprop.0) has another name in the
			// next kernel.
			name, _, _ := strings.Cut(f.Function, ".")
			out[functionKey{f.Role, f.Context, cmp.Or(name, f.Function)}] += float64(f.Instructions) / c.Of(b)
		}
	}
	for k := range out {
		out[k] /= n
	}
	return out
}

func functionsOf(c *results.Count, base, arm int) (groups []Group, functions []Function) {
	from, to := logged(c, base), logged(c, arm)
	if from == nil || to == nil {
		return []Group{}, []Function{}
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
		if seeds, _ := a.bySeed(); len(seeds) == 1 {
			s.Warnings = append(s.Warnings, a.title()+": one seed: how far seeds are apart is not known (--seeds)")
		}
		if r := a.Repeats; r != nil && r.Identical < r.Seeds {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: with the same seed it counted up to %.2g %% more or less when it was booted again (%d of %d seeds were identical): take no difference of that size for one",
				a.title(), 100*r.Apart, r.Identical, r.Seeds))
		}
		if a.Mean > 0 && a.ByRole.Elsewhere > elsewhere*a.Mean {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %.4g instructions a %s were executed by neither role's thread, such as in threads of the kernel", a.title(), a.ByRole.Elsewhere, s.Unit))
		}
	}
}
