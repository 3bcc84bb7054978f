package html

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/analysis/why"
	"netab/results"
)

// A flameView is a differential flame graph that page/flame.js draws. Without a script
// it is not there: the tables of functions say the same.
type flameView struct {
	ID, Title, Note string
	Short           string // on the switch between several
	From, To        string // names of the arms
	Data            template.JS
}

// flameData is what the script reads. A frame is its depth, the index of its name, what
// it had in both arms, the interval of the difference, and whether that holds no zero;
// each stands before all that it calls.
type flameData struct {
	Role   string       `json:"role"`
	From   string       `json:"from"`
	To     string       `json:"to"`
	Unit   string       `json:"unit"`
	Names  []string     `json:"names"`
	Frames [][7]float64 `json:"frames"`
	Exact  bool         `json:"exact,omitempty"` // nothing of it is by chance
}

func newFlame(id string, f why.Flame) (flameView, error) {
	d := flameData{Role: string(f.Role), From: f.Baseline, To: f.Arm, Unit: f.Unit, Exact: f.Exact}
	number := map[string]int{}
	var walk func(fs []why.Frame, depth int)
	walk = func(fs []why.Frame, depth int) {
		for _, x := range fs {
			n, known := number[x.Name]
			if !known {
				n = len(d.Names)
				number[x.Name] = n
				d.Names = append(d.Names, x.Name)
			}
			sure := 0.0
			if x.Sure {
				sure = 1
			}
			d.Frames = append(d.Frames, [7]float64{float64(depth), float64(n), brief(x.From), brief(x.To), brief(x.Lo), brief(x.Hi), sure})
			walk(x.Calls, depth+1)
		}
	}
	walk(f.Roots, 0)
	if f.ByCPU {
		d.Role = "all CPUs"
	}
	data, err := json.Marshal(d)
	if err != nil {
		return flameView{}, fmt.Errorf("report: flame graph %s: %w", id, err)
	}
	from, to := f.Sum()
	v := flameView{ID: id, From: f.Baseline, To: f.Arm, Data: template.JS(escape.JSONText(data))}
	figures := fmt.Sprintf("%s %s with %s, %s with %s", prose.Number(from), f.Unit, f.Baseline, prose.Number(to), f.Arm)
	switch {
	case f.ByCPU:
		v.Short = "By CPU"
		v.Title = "What the CPUs do: " + figures
		v.Note = "Boxes are CPUs, below them whose they were, in which context, and, of a role that was sampled, functions; idle time is left out, and what the accounting took is not. Grey: no change beyond chance, each box by itself."
	case f.Exact:
		v.Title = "Where they are: " + figures
		v.Note = "Boxes are roles, below them contexts, what is done there, and functions; the width is how many instructions, the colour by how many they are more or fewer."
	default:
		v.Short = "By role: " + string(f.Role)
		v.Title = fmt.Sprintf("What the %s does: %s", f.Role, figures)
		v.Note = "A box is a function, below it what it called; its width is its time per unit, its colour by how much that changed. Grey: no change beyond chance, each box by itself, so that of a hundred that are the same five have a colour."
	}
	if f.Left >= 0.0005 {
		v.Note += fmt.Sprintf(" %s of it is in boxes that are too small to show.", prose.Percent(f.Left))
	}
	return v, nil
}

// brief is a number to four digits.
func brief(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	if unit < 1 { // dividing by a power of ten gives the shortest decimals
		inverse := math.Round(1 / unit)
		return math.Round(x*inverse) / inverse
	}
	return math.Round(x/unit) * unit
}

// hasFlames says whether there is anything for flame.js to draw.
func (p *runsPage) hasFlames() bool {
	has := func(ws []whyView) bool {
		return slices.ContainsFunc(ws, func(w whyView) bool { return len(w.Flames) > 0 })
	}
	return p.Compare != nil && has(p.Compare.Why) || slices.ContainsFunc(p.Sections, func(s section) bool { return has(s.Why) })
}

// flamesBetween are those of an explanation of runs against runs.
func flamesBetween(sides []analysis.Side, runs []*results.Run, e *why.Explanation, most int) []why.Flame {
	of := func(label string) (why.Run, bool) {
		g := analysis.RunGroup{Label: label}
		for _, side := range sides {
			for _, r := range runs {
				if side.Label == label && slices.Contains(side.Runs, r.Header.ID) {
					g.Runs = append(g.Runs, r)
				}
			}
		}
		return analysis.Explained(g)
	}
	a, okA := of(e.Baseline)
	b, okB := of(e.Arm)
	if !okA || !okB {
		return nil
	}
	return why.FlamesBetween(a, b, e, most)
}
