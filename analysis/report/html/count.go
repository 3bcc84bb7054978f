package html

import (
	"fmt"
	"io"
	"math"
	"slices"

	"netab/analysis/counts"
	"netab/analysis/prose"
	"netab/analysis/why"
	"netab/results/vocab"
)

// A countPage is a count of instructions, ready for page/count.html.tmpl.
type countPage struct {
	frame
	Scenario, ID, Unit string
	Answers            []string
	Arms               []countArm
	Why                []whyView
	Backs              *backView // there is none
	Warnings           []string
	Basis              string
}

type countArm struct{ Name, Mean, Half, Source, Sink, Elsewhere, Boots string }

// same is a difference in instructions that is none: what is counted is counted per
// message.
const same = 0.05

// Count writes the page of a count of instructions: what each arm takes on each kernel,
// and where the differences are, in the tables and graphs that explanations have.
// basis is what the count rests on.
func Count(w io.Writer, s counts.Summary, basis string) error {
	p := &countPage{Scenario: s.Scenario, ID: s.ID, Unit: s.Unit, Warnings: s.Warnings, Basis: basis}
	p.Title = "netab count: " + s.Scenario
	for _, a := range s.Arms {
		row := countArm{Name: a.Name + " on " + a.Kernel, Mean: instructions(a.Mean), Source: instructions(a.ByRole.Source), Sink: instructions(a.ByRole.Sink),
			Elsewhere: instructions(a.ByRole.Elsewhere), Boots: fmt.Sprint(len(a.Boots))}
		if a.Hi > a.Lo {
			row.Half = instructions((a.Hi - a.Lo) / 2)
		}
		p.Arms = append(p.Arms, row)
	}
	detailed := 0
	for _, c := range s.Comparisons {
		if len(c.Functions) > 0 {
			detailed++
		}
	}
	for i, c := range s.Comparisons {
		text := countAnswer(c)
		p.Answers = append(p.Answers, text)
		if len(c.Functions) == 0 {
			continue
		}
		e := explanationOf(c, s.Unit)
		v := whyView{ID: fmt.Sprintf("count-why-%d", i+1), Arm: c.Arm, Baseline: c.Baseline, Text: text, Unit: e.Unit, Folded: len(p.Why) > 0, Bars: newBars(&e)}
		v.add("By context", false, e.Parts, mostRows, func(p why.Part) bool { return p.Category == "" })
		v.add("By what it does", false, e.Parts, mostRows, func(p why.Part) bool { return p.Category != "" && p.Context == "" })
		v.add("By function", true, e.Parts, mostRows, func(p why.Part) bool { return p.Function != "" })
		if len(p.Why) < mostDetailed {
			f := flameOf(c, e.Unit)
			f.Prune(min(framesOfOne, mostFrames/min(detailed, mostDetailed)))
			flame, err := newFlame(v.ID+"-flame", f)
			if err != nil {
				return err
			}
			v.Flames = append(v.Flames, flame)
		}
		p.Why = append(p.Why, v)
	}
	if err := p.embedPlain("report.js", "flame.js"); err != nil {
		return err
	}
	return execute(w, "count.html.tmpl", p)
}

func instructions(x float64) string {
	if math.Abs(x) < 1e5 {
		return fmt.Sprintf("%.1f", x)
	}
	return prose.Grouped(int64(math.Round(x)))
}

func countAnswer(c counts.Comparison) string {
	text := fmt.Sprintf("%s against %s: ", c.Arm, c.Baseline)
	switch {
	case c.Paired > 0 && c.Identical == c.Paired:
		return text + fmt.Sprintf("identical to the digit in %d of %d boots.", c.Identical, c.Paired)
	case c.SE > 0:
		return text + fmt.Sprintf("%s (%s, 95 %% confidence over seeds).", prose.Change(c.Change, false), prose.Interval(c.Lo, c.Hi, false))
	}
	return text + prose.Change(c.Change, false) + "."
}

// explanationOf is a comparison in the parts that explanations have. What was logged is
// one boot of each: its differences are exact, and have no interval.
func explanationOf(c counts.Comparison, unit string) why.Explanation {
	e := why.Explanation{Baseline: c.Baseline, Arm: c.Arm, Unit: "instructions/" + unit}
	part := func(p why.Part) why.Part {
		p.Delta = p.To - p.From
		p.Lo, p.Hi, p.Significant = p.Delta, p.Delta, math.Abs(p.Delta) >= same
		return p
	}
	type at struct{ role, context, category string }
	sums := map[at]*why.Part{}
	var order []at
	add := func(f counts.Function, k at) {
		if sums[k] == nil {
			sums[k] = &why.Part{Role: vocab.Owner(f.Role), Context: k.context, Category: k.category}
			order = append(order, k)
		}
		sums[k].From += f.From
		sums[k].To += f.To
	}
	var functions []why.Part
	for _, f := range c.Functions {
		category := why.CategoryOf(f.Function)
		add(f, at{f.Role, f.Context, category})
		add(f, at{f.Role, "", category})
		if math.Abs(f.To-f.From) >= same {
			functions = append(functions, part(why.Part{Role: vocab.Owner(f.Role), Context: f.Context, Category: category, Function: f.Function, From: f.From, To: f.To}))
		}
	}
	for _, g := range c.Groups {
		e.Parts = append(e.Parts, part(why.Part{Role: vocab.Owner(g.Role), Context: g.Context, From: g.From, To: g.To}))
	}
	var categories []why.Part
	for _, k := range order {
		categories = append(categories, part(*sums[k]))
	}
	largest := func(a, b why.Part) int { return -compareAbs(a.Delta, b.Delta) }
	slices.SortStableFunc(categories, largest)
	slices.SortStableFunc(functions, largest)
	e.Parts = append(append(e.Parts, categories...), functions...)
	return e
}

func compareAbs(a, b float64) int {
	switch a, b = math.Abs(a), math.Abs(b); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// flameOf is a comparison as a tree of roles, contexts, categories and functions: who
// called whom was not logged.
func flameOf(c counts.Comparison, unit string) why.Flame {
	f := why.Flame{Baseline: c.Baseline, Arm: c.Arm, Role: "all", Unit: unit, Exact: true}
	root := &countNode{}
	for _, x := range c.Functions {
		at := root
		for _, name := range []string{x.Role, why.Place(x.Context), why.CategoryOf(x.Function), x.Function} {
			at = at.child(name)
			at.From, at.To = at.From+x.From, at.To+x.To
		}
	}
	f.Roots = root.calls()
	var mark func(fs []why.Frame)
	mark = func(fs []why.Frame) {
		for i := range fs {
			x := &fs[i]
			x.Lo, x.Hi = x.To-x.From, x.To-x.From
			x.Sure = math.Abs(x.Lo) >= same
			mark(x.Calls)
		}
	}
	mark(f.Roots)
	return f
}

// A countNode is a frame in the making.
type countNode struct {
	why.Frame
	children map[string]*countNode
}

func (n *countNode) child(name string) *countNode {
	if n.children == nil {
		n.children = map[string]*countNode{}
	}
	c := n.children[name]
	if c == nil {
		c = &countNode{Frame: why.Frame{Name: name}}
		n.children[name] = c
	}
	return c
}

func (n *countNode) calls() (out []why.Frame) {
	for _, c := range n.children { // they are sorted where the smallest are cut
		c.Calls = c.calls()
		out = append(out, c.Frame)
	}
	return out
}
