package trend

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"netab/analysis"
	"netab/results"
)

// An Overview is what a store knows: the questions that were asked, and the answers.
type Overview struct {
	Runs         int
	Since, Until time.Time
	// Machines, Kernels and Scenarios are all there are, the newest first.
	Machines, Kernels, Scenarios []string
	Questions                    []Question // by their newest run, the newest first
	// Unused are runs of which nobody knows what they asked: unreadable ones and copies.
	Unused []Unused
}

// A Question is what was asked of one machine, of whatever kernels. Runs that do not
// tell what their arms were asked to be are taken together by their scenario, and
// contradict nobody.
type Question struct {
	Scenario, Machine, Asked string
	Kernels                  []string // the newest first
	Runs                     []Asking // in order of time
	Answers                  []Answer
}

// An Asking is a run of a question.
type Asking struct {
	ID, Kernel string
	Started    time.Time
	Unused     string // why it is no point; "" = it is
}

// An Answer is of one arm and metric: changes against a baseline, or, of arms that are
// compared with none, levels.
type Answer struct {
	Arm, Baseline, Metric string
	Difference            bool    // a change in percentage points
	Resolution            float64 // of the newest run that is a point; 0 = it does not tell
	Points                []AnswerPoint
	// Missing says that the newest run that is a point has none of this.
	Missing bool
	// Contradictions are of the newest runs, the newest first.
	Contradictions []Contradicted
}

// An AnswerPoint is what one run says. Of a level there is neither interval nor verdict.
type AnswerPoint struct {
	Run           string
	Value, Lo, Hi float64
	Verdict       analysis.Verdict
}

// Newest is the last point; there is one in every Answer.
func (a *Answer) Newest() AnswerPoint { return a.Points[len(a.Points)-1] }

// A Contradicted run cannot be reconciled with earlier ones under the same kernel, in
// the same state of the machine. Opposed says that one of those is not sure of a change
// in its direction.
type Contradicted struct {
	Run     string
	With    []string
	Opposed bool
}

// Contradicts says whether a question has answers that cannot all be right.
func (q *Question) Contradicts() bool {
	return slices.ContainsFunc(q.Answers, func(a Answer) bool { return len(a.Contradictions) > 0 })
}

const (
	// MaxHeld is how many of a question's newest runs are held against earlier ones.
	MaxHeld = 20
	// MaxEarlier is how many runs a run is held against: the newest ones.
	MaxEarlier = 50
)

// Oversee puts the runs of a store, in order of time, together by question. A run that
// is not the store's own, because others wrote it or can, contradicts nobody; nil = all
// are its own.
func Oversee(runs []results.Digest, own func(id string) bool) Overview {
	asked := map[string]bool{} // each run is asked for once
	known := func(id string) bool {
		is, ok := asked[id]
		if !ok {
			is = own == nil || own(id)
			asked[id] = is
		}
		return is
	}
	o := Overview{Runs: len(runs)}
	machines := machinesOf(runs)
	members := map[questionKey][]int{}
	for i := range runs {
		d := &runs[i]
		if d.Started.After(o.Until) {
			o.Until = d.Started
		}
		if !d.Started.IsZero() && (o.Since.IsZero() || d.Started.Before(o.Since)) {
			o.Since = d.Started
		}
		if d.Scenario == "" {
			o.Unused = append(o.Unused, Unused{d.ID, d.Unused})
			continue
		}
		key := questionKey{machine: machines[i].known().key, asked: d.Asked, scenario: d.Scenario, semantics: d.Semantics}
		if key.asked != "" {
			key.scenario = "" // a file may have another name meanwhile
		}
		members[key] = append(members[key], i)
	}
	newest := func(at []int) int { return at[len(at)-1] }
	var order []questionKey
	for key := range members {
		order = append(order, key)
	}
	slices.SortFunc(order, func(a, b questionKey) int { return newest(members[b]) - newest(members[a]) })
	seen := map[string]bool{}
	kinds := map[string]map[string]bool{} // of machines by their labels, as nameMachines has it
	for _, key := range order {
		label := machines[newest(members[key])].known().label
		if kinds[label] == nil {
			kinds[label] = map[string]bool{}
		}
		kinds[label][machineKind(key.machine)] = true
	}
	for _, key := range order {
		q := newQuestion(runs, members[key], known)
		q.Machine = machines[newest(members[key])].known().label
		if kind := machineKind(key.machine); len(kinds[q.Machine]) > 1 && kind != "" {
			q.Machine += " (" + kind + ")"
		}
		o.Questions = append(o.Questions, q)
		addNew(&o.Machines, seen, "machine ", q.Machine)
		addNew(&o.Scenarios, seen, "scenario ", q.Scenario)
		addNew(&o.Kernels, seen, "kernel ", q.Kernels...)
	}
	return o
}

// machineKind is what a machine's key says of it, but for the kernel that a boot of a
// campaign has there.
func machineKind(key string) string {
	parts := strings.Split(key, "\x00")[1:]
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

type questionKey struct {
	machine, asked, scenario string
	semantics                int
}

// addNew appends what has not been seen yet, of a kind.
func addNew(list *[]string, seen map[string]bool, kind string, more ...string) {
	for _, s := range more {
		if s != "" && !seen[kind+s] {
			seen[kind+s] = true
			*list = append(*list, s)
		}
	}
}

// newQuestion is of these runs, in order of time.
func newQuestion(all []results.Digest, at []int, known func(id string) bool) Question {
	last := &all[at[len(at)-1]]
	q := Question{Scenario: last.Scenario, Asked: last.Asked}
	var used []*results.Digest
	seen := map[string]bool{}
	for _, i := range at {
		d := &all[i]
		q.Runs = append(q.Runs, Asking{ID: d.ID, Kernel: d.Facts[factKernel], Started: d.Started, Unused: d.Unused})
		if d.Unused == "" {
			used = append(used, d)
		}
	}
	for _, r := range slices.Backward(q.Runs) {
		addNew(&q.Kernels, seen, "", r.Kernel)
	}
	if len(used) == 0 {
		return q
	}
	if q.Answers = changesOf(used); len(q.Answers) == 0 {
		q.Answers = levelsOf(used)
	}
	for i := range q.Answers {
		a := &q.Answers[i]
		a.Resolution, _ = resolutionOf(used[len(used)-1], answerKey{a.Arm, a.Baseline, a.Metric})
	}
	if q.Asked != "" {
		q.holdRuns(used, known)
	}
	return q
}

// An answerKey is what an answer is of.
type answerKey struct{ arm, baseline, metric string }

// answers are collected in the order in which they come.
type answers struct {
	list []Answer
	at   map[answerKey]int
}

func (as *answers) of(key answerKey) *Answer {
	i, ok := as.at[key]
	if !ok {
		i = len(as.list)
		m, _ := analysis.LookupMetric(key.metric)
		as.list, as.at[key] = append(as.list, Answer{Arm: key.arm, Baseline: key.baseline, Metric: key.metric, Difference: m.Difference}), i
	}
	return &as.list[i]
}

// done are those that have points; the newest run has to have them all.
func (as *answers) done(newest string) []Answer {
	out := slices.DeleteFunc(as.list, func(a Answer) bool { return len(a.Points) == 0 })
	for i := range out {
		out[i].Missing = out[i].Newest().Run != newest
	}
	return out
}

func changesOf(used []*results.Digest) []Answer {
	as := answers{at: map[answerKey]int{}}
	for _, d := range used {
		for i := range d.Effects {
			e := &d.Effects[i]
			a := as.of(answerKey{e.Arm, e.Baseline, e.Metric})
			a.Points = append(a.Points, AnswerPoint{Run: d.ID, Value: analysis.ShownChange(e), Lo: e.Lo, Hi: e.Hi, Verdict: analysis.Verdict(e.Verdict)})
		}
	}
	return as.done(used[len(used)-1].ID)
}

func levelsOf(used []*results.Digest) []Answer {
	as := answers{at: map[answerKey]int{}}
	for _, d := range used {
		for i, s := range d.Series {
			if s.Judged && !s.Missing && s.Against == "" && i < len(d.Values) {
				a := as.of(answerKey{s.Arm, "", s.Metric})
				a.Points = append(a.Points, AnswerPoint{Run: d.ID, Value: d.Values[i]})
			}
		}
	}
	return as.done(used[len(used)-1].ID)
}

// holdRuns holds the newest runs against what was there before each of them, as
// analysis.Remember does where one is shown.
func (q *Question) holdRuns(used []*results.Digest, known func(id string) bool) {
	at := map[answerKey]*Answer{}
	for i := range q.Answers {
		a := &q.Answers[i]
		at[answerKey{a.Arm, a.Baseline, a.Metric}] = a
	}
	for n := len(used) - 1; n > max(0, len(used)-1-MaxHeld); n-- {
		own := used[n]
		var earlier []*results.Digest // the newest first
		for i := n - 1; i >= 0 && len(earlier) < MaxEarlier; i-- {
			if sameKernel(used[i], own) && known(used[i].ID) {
				earlier = append(earlier, used[i])
			}
		}
		earlier = slices.DeleteFunc(earlier, func(d *results.Digest) bool { return !analysis.SameState(d.State, own.State) })
		for i := range own.Effects {
			e := &own.Effects[i]
			if c := heldAgainst(own, e, earlier); len(c.With) > 0 {
				a := at[answerKey{e.Arm, e.Baseline, e.Metric}]
				a.Contradictions = append(a.Contradictions, c)
			}
		}
	}
}

// sameKernel says whether two runs of a question were under one kernel.
func sameKernel(a, b *results.Digest) bool {
	for _, fact := range []string{factKernel, factBuild, factEmulated} {
		if a.Facts[fact] != b.Facts[fact] {
			return false
		}
	}
	return true
}

func heldAgainst(own *results.Digest, e *results.DigestEffect, earlier []*results.Digest) Contradicted {
	var with []*results.Digest
	var of []*results.DigestEffect
	for _, d := range earlier {
		for i := range d.Effects {
			if o := &d.Effects[i]; o.Arm == e.Arm && o.Baseline == e.Baseline && o.Metric == e.Metric && o.SE > 0 && o.DF >= 1 {
				with, of = append(with, d), append(of, o)
			}
		}
	}
	c := Contradicted{Run: own.ID}
	if !(e.SE > 0 && e.DF >= 1) {
		return c
	}
	resolution, ok := resolutionOf(own, answerKey{e.Arm, e.Baseline, e.Metric})
	if !ok {
		return c
	}
	for i, o := range of {
		if against, opposed := analysis.Contradict(e, o, resolution, len(of)); against {
			c.With, c.Opposed = append(c.With, with[i].ID), c.Opposed || opposed
		}
	}
	return c
}

// resolutionOf is what a run judged by.
func resolutionOf(d *results.Digest, key answerKey) (float64, bool) {
	i := slices.IndexFunc(d.Series, func(s results.SeriesKey) bool { return answerKey{s.Arm, s.Against, s.Metric} == key })
	if i < 0 {
		return 0, false
	}
	return d.Series[i].Resolution, true
}

// FirstContradicted puts answers with contradictions first, where not all are shown.
func (q *Question) FirstContradicted() []Answer {
	out := slices.Clone(q.Answers)
	slices.SortStableFunc(out, func(a, b Answer) int {
		return cmp.Compare(min(len(b.Contradictions), 1), min(len(a.Contradictions), 1))
	})
	return out
}
