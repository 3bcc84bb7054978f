package question

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/scenarios"
)

// Design is what analysis needs to know of a scenario.
func (q *Question) Design() results.Design {
	m := q.Measure
	d := results.Design{Name: q.Name, Question: q.Question, Baseline: q.BaselineArm(q.Arms), Metrics: slices.Clone(m.Metrics),
		Confidence: float64(m.Confidence), Resolution: float64(m.Resolution), Width: float64(m.Width),
		MaxTimeS: time.Duration(m.MaxTime).Seconds(), CountDisturbed: m.Disturbed == "count", RestDecided: m.Decided == "rest"}
	thresholds := map[string]float64{}
	for name, share := range q.Gate {
		thresholds[name] = float64(share)
	}
	d.SetThresholds(thresholds)
	if m.Sessions > 1 {
		d.Sessions, d.SpreadS = m.Sessions, time.Duration(m.Spread).Seconds()
	}
	for _, f := range q.Matrix {
		factor := results.Factor{Name: f.Name}
		for _, level := range f.Levels {
			factor.Levels = append(factor.Levels, level.Name)
		}
		d.Factors = append(d.Factors, factor)
	}
	for _, a := range q.Arms {
		d.Arms = append(d.Arms, armOf(a))
	}
	d.Shard = q.shard()
	return d
}

// shard is which part of a question this is; nil = it is all of it.
func (q *Question) shard() *results.Shard {
	shard, err := scenarios.ParseShard(q.Scenario.Shard)
	if err != nil {
		return nil
	}
	whole := q.Whole()
	arms, err := scenarios.Unplaced(whole)
	if err != nil {
		return nil
	}
	all := results.Design{Baseline: whole.BaselineArm(arms)}
	for _, a := range arms {
		all.Arms = append(all.Arms, armOf(a))
	}
	return &results.Shard{Part: shard.Part, Of: shard.Of, Arms: len(arms) - 1, Whole: all.Asked()}
}

func armOf(a scenarios.Arm) results.Arm {
	t := a.Config.Traffic
	out := results.Arm{Name: a.Name, Kind: t.Kind, Protocol: t.Protocol, Message: MeanMessage(t), Flows: len(t.Pairs()),
		Rate: float64(t.Rate), SinkSpins: t.Sink.Wait == "spin", SinkStamps: t.Sink.Timestamp, IdleKnown: true, Topology: a.Config.Topology.Kind, Notes: scenarios.Notes(a),
		Description: a.Config.Describe()}
	out.DescriptionHash = out.Description.Hash()
	if t.LossFree != nil {
		out.LossFree = new(float64(t.LossFree.Loss))
	}
	for name, beside := range t.Beside {
		if out.Beside == nil {
			out.Beside, out.BesideProtocols = map[string]vocab.Kind{}, map[string]vocab.Protocol{}
		}
		out.Beside[name], out.BesideProtocols[name] = beside.Kind, beside.Protocol
	}
	for _, l := range a.Levels {
		out.Levels = append(out.Levels, results.FactorLevel{Factor: l.Factor, Value: l.Level})
	}
	for _, k := range a.Knobs {
		words := []string{k.Device, k.Queue, k.Family, k.Name, "=", cmp.Or(k.Value, "none")}
		out.Knobs = append(out.Knobs, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
	}
	return out
}

// MeanMessage is the size of a message, or the mean where sizes are drawn.
func MeanMessage(t scenarios.Traffic) int {
	total, weights := 0, 0
	for text, weight := range t.Sizes {
		if size, err := strconv.Atoi(text); err == nil {
			total, weights = total+size*weight, weights+weight
		}
	}
	if weights == 0 {
		return int(t.Message)
	}
	return total / weights
}

// DescribeOlder describes the arms of a run that was recorded before there were
// descriptions: by the scenario that it holds, if that still comes to the arms
// that were measured, with the defaults of this version.
func DescribeOlder(run *results.Run) {
	arms := run.Header.Design.Arms
	if len(run.Header.Scenario) == 0 || slices.ContainsFunc(arms, func(a results.Arm) bool { return len(a.Description) > 0 }) {
		return
	}
	s, err := scenarios.Parse("recorded", run.Header.Scenario)
	if err != nil {
		return // of another version
	}
	again, err := scenarios.Unplaced(s)
	if err != nil || len(again) != len(arms) {
		return
	}
	var made []results.Description
	for i, a := range again {
		m := armOf(a)
		if !m.Like(arms[i]) || m.Name != arms[i].Name {
			return
		}
		made = append(made, m.Description)
	}
	for i := range arms {
		arms[i].Description, arms[i].DescriptionHash = made[i], made[i].Hash()
	}
}
