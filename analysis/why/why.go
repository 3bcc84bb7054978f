// Package why says where the time of an arm goes, and which of it makes the
// difference between two arms, from the explain trials of a run: pure functions, as
// all that judges.
//
// An arm that goes as fast as it can has a role that is busy all the time: the limit.
// Its rate is what that role's CPU time per byte (or message, or transaction) lets it
// be, so a difference of rates has to be one of that time, and the parts of the time
// say which. Waiting is left out of it: with it, the sum would explain whatever was
// measured. Where the limit's CPU time does not foretell the difference that was
// measured, nothing is claimed.
package why

import (
	"cmp"
	"math"
	"slices"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// An Explanation is what explain trials say of one arm against its baseline. Predicted,
// Measured and Instrument are relative changes (0.07 = +7 %); the parts are in Unit.
type Explanation struct {
	Baseline string `json:"baseline"`
	Arm      string `json:"arm"`
	// Of is the arm of which runs are compared, or modes; Baseline and Arm are then those.
	Of string `json:"of,omitempty"`
	// Modes says that it is modes, and what tells them apart: "state" (of the machine),
	// "level" (the arm's own) or "change" (against the run's baseline).
	Modes string `json:"modes,omitempty"`
	// Role is the arm's limit, BaselineRole the baseline's; "" = none was busy enough.
	Role         vocab.Owner `json:"role"`
	BaselineRole vocab.Owner `json:"baseline_role"`
	Unit         string      `json:"unit"` // ns/KiB, ns/message, ns/transaction
	Trials       int         `json:"trials"`
	// Predicted is what the CPU time of the limiting roles foretells, without what the
	// accounting took of it; Measured is of the blocks of the same trials in which the
	// accounting was off. Nil where nothing foretells anything.
	Predicted   *float64 `json:"predicted"`
	PredictedLo *float64 `json:"predicted_lo"`
	PredictedHi *float64 `json:"predicted_hi"`
	Measured    *float64 `json:"measured"`
	MeasuredLo  *float64 `json:"measured_lo"`
	MeasuredHi  *float64 `json:"measured_hi"`
	// WithPredicted and WithMeasured are the same with the accounting on, its cost and all:
	// how much it changes what it explains.
	WithPredicted *float64 `json:"with_predicted"`
	WithMeasured  *float64 `json:"with_measured"`
	// Gap is Predicted against Measured, trial by trial.
	Gap   *float64 `json:"gap"`
	GapLo *float64 `json:"gap_lo"`
	GapHi *float64 `json:"gap_hi"`
	// Closes: the gap is none that matters, so that the parts are the cause.
	Closes bool `json:"closes"`
	// Instrument is what the accounting changed the rate by, in the same trials.
	Instrument   *float64 `json:"instrument"`
	InstrumentLo *float64 `json:"instrument_lo"`
	InstrumentHi *float64 `json:"instrument_hi"`
	// SampledRole is the one whose time is split into categories and functions; Coverage
	// is how many samples there were of those that there should have been (nil = not
	// known), Unmapped the share of them in functions that no rule knows.
	SampledRole vocab.Owner `json:"sampled_role,omitempty"`
	Coverage    *float64    `json:"coverage"`
	Unmapped    *float64    `json:"unmapped,omitempty"`
	// Other is the other role, which is sampled in fewer trials, and in none of a hurried
	// explanation. Its categories and functions are in Parts too.
	Other *OtherSampled `json:"other_sampled,omitempty"`
	// Busy is the share of its CPUs' time that each role had, baseline and arm.
	Busy  []Busy `json:"busy"`
	Parts []Part `json:"parts"`
	// Split are the parts of the context "task", which has them both: "user" and "system".
	// Empty = no three trials told system calls.
	Split []Part `json:"split,omitempty"`
	// Waiting is for how long each role was ready and had no CPU, per unit. It is in none
	// of the parts, and explains nothing: with it, the sum would explain whatever was
	// measured.
	Waiting []Part   `json:"waiting,omitempty"`
	Text    string   `json:"text"` // one sentence
	Notes   []string `json:"notes,omitempty"`
}

// An OtherSampled is how well the role that is not SampledRole was sampled.
type OtherSampled struct {
	Role     vocab.Owner `json:"role"`
	Coverage *float64    `json:"coverage"`
	Unmapped *float64    `json:"unmapped,omitempty"`
}

// A Busy is how busy a role was.
type Busy struct {
	Role vocab.Owner `json:"role"`
	From float64     `json:"from"` // of the baseline
	To   float64     `json:"to"`
}

// A Part is some of a role's CPU time per unit: of a context, or within it of a
// category, or within that of a function; a category without a context is of all.
type Part struct {
	Role     vocab.Owner `json:"role"`
	Context  string      `json:"context"` // task, irq, net_rx, ...; measuring = what the accounting itself took
	Category string      `json:"category,omitempty"`
	Function string      `json:"function,omitempty"`
	From     float64     `json:"from"`
	To       float64     `json:"to"`
	Delta    float64     `json:"delta"`
	Lo       float64     `json:"lo"`
	Hi       float64     `json:"hi"`
	// Significant: the interval excludes zero, the parts of its kind taken together.
	Significant bool `json:"significant"`
	// FromBytes and ToBytes are how large the function is in the symbol tables of two
	// kernels; 0 = not known. Where they differ it is another one.
	FromBytes int64 `json:"from_bytes,omitempty"`
	ToBytes   int64 `json:"to_bytes,omitempty"`
}

// Changed says whether the function is another one in the other kernel.
func (p *Part) Changed() bool { return p.FromBytes > 0 && p.ToBytes > 0 && p.FromBytes != p.ToBytes }

// Measuring is the context of what the accounting itself took.
const Measuring = "measuring"

const (
	// busyShare of its time makes a role the limit. A saturated sender still blocks a
	// little where the other side is late to make room.
	busyShare = 0.85
	// fewestTrials give an interval.
	fewestTrials = 3
	// falseShare is the share of parts called significant that may be so by chance.
	falseShare = 0.05
)

// Of explains what the explain trials of a run are about. Nil = it has none.
func Of(run *results.Run) []Explanation {
	d := &run.Header.Design
	all := trialsOf(run)
	arms := armsOf(all)
	if len(all) == 0 || len(arms) == 0 {
		return refused(run)
	}
	base := d.ArmAt(d.Baseline)
	if !slices.Contains(arms, base) {
		base = arms[0]
	}
	var out []Explanation
	for _, arm := range arms {
		if arm == base && len(arms) > 1 {
			continue
		}
		out = append(out, explain(run, all, base, arm))
	}
	return out
}

// Ranked are explanations, those of the largest differences first, and behind them those
// of modes.
func Ranked(all []Explanation) []Explanation {
	size := func(e Explanation) float64 {
		if e.Measured == nil {
			return 0
		}
		return math.Abs(math.Log1p(max(*e.Measured, -0.999)))
	}
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b Explanation) int {
		return cmp.Or(cmp.Compare(min(1, len(a.Modes)), min(1, len(b.Modes))), cmp.Compare(size(b), size(a)))
	})
	return out
}

// refused is what is said where no explain trial was measured.
func refused(run *results.Run) []Explanation {
	for _, x := range run.Explains {
		if x.Invalid != "" {
			return []Explanation{{Baseline: run.Header.Design.Baseline, Text: x.Invalid, Busy: []Busy{}, Parts: []Part{}}}
		}
	}
	return nil
}

// A comparing is one arm against another in all explain trials.
type comparing struct {
	trials    []trial
	base, arm int
	unit      unit
	arms      [2]results.Arm
	cores     [2][2]float64 // CPUs that a role may have, of the baseline and the arm
	idles     [2]bool       // the sink waits by spinning
	alpha     float64
	cost      map[costs]float64 // ns of the instruments per event
	user      map[roleOf]splitShare
}

// newComparing takes the trials in which both arms did something.
func newComparing(run *results.Run, all []trial, base, arm int, per unit) *comparing {
	d := &run.Header.Design
	c := &comparing{base: base, arm: arm, arms: [2]results.Arm{d.Arms[base], d.Arms[arm]}, unit: per, alpha: 1 - confidence(d.Confidence)}
	for _, t := range all {
		if t.of(base).on.wall > 0 && t.of(arm).on.wall > 0 && t.of(base).on.units(c.unit) > 0 && t.of(arm).on.units(c.unit) > 0 {
			c.trials = append(c.trials, t)
		}
	}
	for i, a := range []int{base, arm} {
		c.cores[i], c.idles[i] = coresOf(run, a), results.SinkIdles(run.Trials, a)
	}
	c.cost = c.costsOf(c.trials)
	return c
}

// costsOf is what trials tell of the instruments' costs.
func (c *comparing) costsOf(all []trial) map[costs]float64 {
	cost := map[costs]float64{}
	for _, of := range []int{c.base, c.arm} {
		for _, sampled := range []bool{false, true} {
			var trials []trial
			for _, t := range all {
				if t.of(of).on.sampled == sampled {
					trials = append(trials, t)
				}
			}
			var known bool
			if cost[costs{of, sampled}], known = costOf(trials, c.unit, of, c.busier(of), func(a armSums) sums { return a.on }); !known {
				cost[costs{of, sampled}] = cost[costs{of, false}] // trials of versions that sampled all of one
			}
		}
	}
	return cost
}

func explain(run *results.Run, all []trial, base, arm int) Explanation {
	d := &run.Header.Design
	c := newComparing(run, all, base, arm, unitOf(d.Arms[base], d.Arms[arm]))
	e := Explanation{Baseline: record.ArmName(*d, base), Arm: record.ArmName(*d, arm), Unit: c.unit.name, Trials: len(c.trials), Busy: []Busy{}, Parts: []Part{}}
	if base == arm {
		e.Baseline = ""
	}
	if len(c.trials) == 0 {
		e.Text = "not explained: no explain trial has slices of both arms"
		return e
	}
	c.busy(&e)
	c.rates(&e, d.Arms[base], d.Arms[arm])
	c.instrument(&e)
	e.Parts, e.Split, e.Waiting = c.parts(), c.splitParts(all), c.waiting()
	c.sample(&e)
	e.Notes = c.notes(run, &e)
	e.Text = c.sentence(&e)
	return e
}

func confidence(of float64) float64 {
	if of > 0 && of < 1 {
		return of
	}
	return 0.95
}

var roles = [2]vocab.Owner{vocab.SourceTime, vocab.SinkTime}

// busy says how busy each role was, and which is the limit: the one whose CPU time lets
// the least through, if it is busy.
func (c *comparing) busy(e *Explanation) {
	for r, role := range roles {
		b := Busy{Role: role, From: c.share(c.base, 0, r), To: c.share(c.arm, 1, r)}
		e.Busy = append(e.Busy, b)
	}
	e.BaselineRole, e.Role = c.limit(c.base, 0), c.limit(c.arm, 1)
}

// busier is the role of an arm that had more CPU time and did not wait by spinning.
func (c *comparing) busier(arm int) int {
	side := 0
	if arm == c.arm {
		side = 1
	}
	var ns [2]float64
	for _, t := range c.trials {
		for r := range roles {
			ns[r] += t.of(arm).on.roleNS(r)
		}
	}
	if ns[1] > ns[0] && !c.idles[side] {
		return 1
	}
	return 0
}

// limit is the busiest role of an arm, if it is busy.
func (c *comparing) limit(arm, side int) vocab.Owner {
	r := 0
	if c.share(arm, side, 1) > c.share(arm, side, 0) && !c.idles[side] {
		r = 1
	}
	if c.share(arm, side, r) < busyShare {
		return ""
	}
	return roles[r]
}

// share is which part of the CPUs that it may have a role had.
func (c *comparing) share(arm, side, role int) float64 {
	var ns, wall float64
	for _, t := range c.trials {
		ns += t.of(arm).on.roleNS(role)
		wall += t.of(arm).on.wall
	}
	return min(1, ns/(wall*c.cores[side][role]))
}

// rates says what the limiting roles' CPU time foretells, and what was measured.
func (c *comparing) rates(e *Explanation, a, b results.Arm) {
	if c.base == c.arm {
		return
	}
	foretells := e.Role != "" && e.BaselineRole != "" && chains(a) && chains(b)
	var measured, withPredicted, withMeasured []float64
	var both []int // trials that were measured without the accounting, too
	for i, t := range c.trials {
		x, y := t.of(c.base), t.of(c.arm)
		withMeasured = append(withMeasured, c.rate(y.on)-c.rate(x.on))
		if x.off.wall > 0 && y.off.wall > 0 && x.off.units(c.unit) > 0 && y.off.units(c.unit) > 0 {
			measured = append(measured, c.rate(y.off)-c.rate(x.off))
			both = append(both, i)
		}
		if foretells {
			withPredicted = append(withPredicted, c.foretold(t, nil))
		}
	}
	e.WithPredicted, _, _ = c.relative(withPredicted)
	e.WithMeasured, _, _ = c.relative(withMeasured)
	var predicted, gap []float64
	switch {
	case len(measured) < fewestTrials: // what there is, is with the accounting
		predicted, measured = withPredicted, withMeasured
		for i := range withPredicted {
			gap = append(gap, withPredicted[i]-withMeasured[i])
		}
	case foretells:
		predicted = c.learned(len(c.trials), func(i int, cost map[costs]float64) float64 { return c.foretold(c.trials[i], cost) }, func(i int) int { return i })
		gap = c.learned(len(both), func(i int, cost map[costs]float64) float64 { return c.foretold(c.trials[both[i]], cost) - measured[i] }, func(i int) int { return both[i] })
	}
	e.Measured, e.MeasuredLo, e.MeasuredHi = c.relative(measured)
	e.Predicted, e.PredictedLo, e.PredictedHi = c.relative(predicted)
	e.Gap, e.GapLo, e.GapHi = c.relative(gap)
	e.Closes = closes(e)
}

// foretold is by how much the limiting roles' CPU time says that a trial's rates differ.
func (c *comparing) foretold(t trial, cost map[costs]float64) float64 {
	x, y := t.of(c.base).on, t.of(c.arm).on
	return math.Log(c.lets(y, 1, cost[costs{y.arm, y.sampled}])) - math.Log(c.lets(x, 0, cost[costs{x.arm, x.sampled}]))
}

// learned are n values (fewestTrials, or more), by which to judge a mean of terms that all
// have the instruments' costs in them. These were learned from the same trials, so a term
// scatters by more than its share of the mean does: in one trial the blocks with the
// accounting may be fast and those without it slow, but over all trials that is in the
// cost. So the values are the jackknife's, with the cost learned again without each term's
// trial: Tukey's pseudo-values (Biometrika 61, 1974, p. 1), about the mean itself.
func (c *comparing) learned(n int, term func(i int, cost map[costs]float64) float64, trialOf func(i int) int) []float64 {
	mean := func(without int, cost map[costs]float64) float64 {
		sum, terms := 0.0, 0.0
		for i := range n {
			if i != without {
				sum, terms = sum+term(i, cost), terms+1
			}
		}
		return sum / terms
	}
	all, shift := mean(-1, c.cost), 0.0
	values := make([]float64, n)
	for i := range n {
		rest := slices.Delete(slices.Clone(c.trials), trialOf(i), trialOf(i)+1)
		values[i] = float64(n)*all - float64(n-1)*mean(i, c.costsOf(rest))
		shift += (all - values[i]) / float64(n)
	}
	for i := range values {
		values[i] += shift
	}
	return values
}

// rate is the logarithm of units in a ns.
func (c *comparing) rate(s sums) float64 { return math.Log(s.units(c.unit) / s.wall) }

// chains: what does not answer goes as fast as its slower role. Roles that answer take
// turns, and neither is the limit.
func chains(a results.Arm) bool { return !a.Kind.Answers() && !a.Kind.Connects() }

// lets is the rate that the roles' CPU time per unit lets through: the lesser of the
// two, where each event of the accounting costs so much that is not counted. A role that
// sleeps would let more through than it did, and so would a sink that spins.
func (c *comparing) lets(s sums, side int, cost float64) float64 {
	rate := math.Inf(1)
	for r := range roles {
		if ns := s.roleNS(r) - cost*s.eventsOf(r); ns > 0 && (r == 0 || !c.idles[side]) {
			rate = min(rate, c.cores[side][r]*s.units(c.unit)/ns)
		}
	}
	return rate
}

const (
	// gapBound is how far apart what is foretold and what was measured may be: as a
	// change by itself, or as a share of what was measured.
	gapBound = 0.03
	gapShare = 0.25
)

// closes says whether the CPU time explains the difference: the best guess of the gap
// is small, against the difference or at all.
func closes(e *Explanation) bool {
	if e.Gap == nil || e.Measured == nil {
		return false
	}
	return math.Abs(*e.Gap) <= max(gapBound, gapShare*math.Abs(*e.Measured))
}

// relative is the mean of log ratios over trials, with its interval.
func (c *comparing) relative(xs []float64) (mean, lo, hi *float64) {
	if len(xs) == 0 {
		return nil, nil, nil
	}
	return relativeOf(c.interval(xs))
}

// relativeOf brings a difference of logarithms back.
func relativeOf(m, l, h, _ float64) (mean, lo, hi *float64) {
	if !stat.IsFinite(m) || !stat.IsFinite(l) || !stat.IsFinite(h) {
		return nil, nil, nil
	}
	m, l, h = math.Expm1(min(m, 700)), math.Expm1(min(l, 700)), math.Expm1(min(h, 700))
	return &m, &l, &h
}

// interval is Student's over the trials; of fewer than fewestTrials there is none, and
// p is 1.
func (c *comparing) interval(xs []float64) (mean, lo, hi, p float64) {
	s := stat.NewSample(xs)
	if s.N < fewestTrials {
		return s.Mean, s.Mean, s.Mean, 1
	}
	in := s.Interval(c.alpha)
	p, _ = s.P(0)
	return s.Mean, in.Lo, in.Hi, p
}

// costs are of an arm, in trials that are sampled or not.
type costs struct {
	arm     int
	sampled bool
}

// costAt is what the instruments cost at each event.
func (c *comparing) costAt(s sums) float64 { return c.cost[costs{s.arm, s.sampled}] }

// costOf is what the accounting costs an arm at each event, from trials that were
// measured with it and without: the busier role's CPU time per unit differs by so much,
// for so many events more. Of each arm by itself: an event costs whoever waits for the
// CPU that it is on, too, so that with RPS to the sink's CPU the source pays more than
// for its own (250 ns of each event without, 800 with, of datagrams over loopback), and
// with one cost for both what is foretold was 6 points too low.
func costOf(trials []trial, u unit, arm, role int, with func(armSums) sums) (cost float64, known bool) {
	var more, whole, events float64
	for _, t := range trials {
		a := t.of(arm)
		on := with(a)
		if a.off.wall <= 0 || a.off.units(u) <= 0 || on.units(u) <= 0 {
			continue
		}
		more += on.cpu[role]/on.units(u) - a.off.cpu[role]/a.off.units(u)
		whole += on.roleNS(role) / on.units(u)
		events += on.eventsOf(role) / on.units(u)
	}
	if events <= 0 || !(more > 0) { // lost in the noise
		return 0, events > 0
	}
	return min(more, mostCost*whole) / events, true
}

// mostCost is which share of a role's time the accounting may cost.
const mostCost = 0.4

// instrument says by how much the accounting changed the rate.
func (c *comparing) instrument(e *Explanation) {
	var xs []float64
	for _, t := range c.trials {
		var sum, n float64
		for _, arm := range []int{c.base, c.arm} {
			if a := t.of(arm); !a.on.sampled && a.off.wall > 0 && a.off.units(c.unit) > 0 {
				sum += math.Log(a.on.units(c.unit)/a.on.wall) - math.Log(a.off.units(c.unit)/a.off.wall)
				n++
			}
		}
		if n > 0 {
			xs = append(xs, sum/n)
		}
	}
	e.Instrument, e.InstrumentLo, e.InstrumentHi = c.relative(xs)
}

// parts are what each role's CPU time per unit is made of, by context.
func (c *comparing) parts() []Part {
	out := []Part{}
	for r, role := range roles {
		var parts []Part
		var ps []float64
		for _, context := range c.contexts(r) {
			p, pValue := c.part(func(s sums) float64 { return c.contextNS(s, r, context) })
			p.Role, p.Context = role, context
			parts, ps = append(parts, p), append(ps, pValue)
		}
		for i, q := range stat.Discovery(ps) {
			parts[i].Significant = q <= falseShare && c.base != c.arm
		}
		out = append(out, parts...)
	}
	return out
}

// contextNS is a role's time in a context, without what the accounting took of it.
func (c *comparing) contextNS(s sums, role int, context string) float64 {
	switch context {
	case Measuring:
		return c.costAt(s) * s.eventsOf(role)
	case UserTime:
		return c.user[roleOf{s.arm, role}].share * c.contextNS(s, role, task)
	case SystemTime:
		return (1 - c.user[roleOf{s.arm, role}].share) * c.contextNS(s, role, task)
	}
	return max(0, s.ns[role][context]-c.taken(s, role, context))
}

// taken is what the accounting took of a context: at each event of it what an event costs
// by itself, which is what it costs the arm that pays least; what the other arm pays more
// is waiting for memory and for CPUs that do the same, which comes wherever the time is,
// as sampling does.
func (c *comparing) taken(s sums, role int, context string) float64 {
	all := s.roleNS(role)
	if all <= 0 {
		return 0
	}
	own := min(c.costAt(s), c.cost[costs{c.base, false}], c.cost[costs{c.arm, false}])
	return own*s.events[role][context] + (c.costAt(s)-own)*s.eventsOf(role)*s.ns[role][context]/all
}

// part compares a share of the time per unit in both arms: the totals of all trials,
// and an interval over trials.
func (c *comparing) part(of func(sums) float64) (Part, float64) {
	var p Part
	var ns, units [2]float64
	var ds []float64
	for _, t := range c.trials {
		x, y := t.of(c.base).on, t.of(c.arm).on
		ns[0], units[0] = ns[0]+of(x), units[0]+x.units(c.unit)
		ns[1], units[1] = ns[1]+of(y), units[1]+y.units(c.unit)
		ds = append(ds, of(y)/y.units(c.unit)-of(x)/x.units(c.unit))
	}
	p.From, p.To = ns[0]/units[0], ns[1]/units[1]
	p.Delta = p.To - p.From
	mean, lo, hi, pValue := c.interval(ds)
	p.Lo, p.Hi = p.Delta+lo-mean, p.Delta+hi-mean
	return p, pValue
}

// contexts are those that a role had time in, the longest of both arms first, and what
// the accounting took behind them.
func (c *comparing) contexts(role int) []string {
	total := map[string]float64{}
	for _, t := range c.trials {
		for _, arm := range []int{c.base, c.arm} {
			for context, ns := range t.of(arm).on.ns[role] {
				total[context] += ns
			}
		}
	}
	var out []string
	for context := range total {
		out = append(out, context)
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b))
	})
	if c.cost[costs{c.base, false}] > 0 || c.cost[costs{c.arm, false}] > 0 {
		out = append(out, Measuring)
	}
	return out
}
