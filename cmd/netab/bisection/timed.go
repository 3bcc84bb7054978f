package bisection

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"netab/analysis"
	"netab/analysis/stat"
	"netab/cmd/netab/kernels"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/runner/campaign"
)

// Timed tests a kernel by the time that a boot of it measures.
type Timed struct {
	Question *question.Question
	Arm      string
	Metric   string
	Options  kernels.Options
	Runs     string // a directory for the boots' records
	// Claim takes the machine for a test, when nobody else has it; release gives it back.
	Claim func() (release func(), err error)

	sets map[string]*kernels.Set // of kernels that were tested: what they are booted in is tried out once
}

// TimedUnit is that of a Timed's costs: the figure itself where less is better, and
// one over it where more is.
func TimedUnit(metric string) (string, error) {
	m, ok := analysis.LookupMetric(metric)
	if !ok {
		return "", fmt.Errorf("there is no metric %q", metric)
	}
	if m.Better == analysis.Higher {
		return fmt.Sprintf("ns per %s of %s", perUnit(m.Unit), m.Name), nil
	}
	return m.Unit, nil
}

// perUnit is what a rate counts.
func perUnit(unit string) string {
	if n := len(unit); n > 2 && unit[n-2:] == "/s" {
		return unit[:n-2]
	}
	return unit
}

// AtOnce is one: two boots beside each other would be timed beside each other.
func (t *Timed) AtOnce() int { return 1 }

// Test implements Tester: a boot for each seed.
func (t *Timed) Test(ctx context.Context, built string, seeds []uint64) ([]float64, error) {
	set := t.sets[built]
	if set == nil {
		var err error
		if set, err = kernels.Find(ctx, t.Question, []string{built}, t.Options); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &Untestable{err.Error()}
		}
		if t.sets == nil {
			t.sets = map[string]*kernels.Set{}
		}
		t.sets[built] = set
	}
	release, err := t.Claim()
	if err != nil {
		return nil, err
	}
	defer release()
	var out []float64
	for _, seed := range seeds {
		cost, err := t.boot(ctx, set, seed)
		if err != nil {
			return nil, err
		}
		out = append(out, cost)
	}
	return out, nil
}

// boot is one, whose record is a campaign of one boot: what ended how is told there as
// in any other.
func (t *Timed) boot(ctx context.Context, set *kernels.Set, seed uint64) (float64, error) {
	h := set.Header(seed)
	h.Planned, h.Started = h.Planned[:1], time.Now().UTC()
	w, err := results.CreateCampaign(t.Runs, results.NewID(filepath.Base(t.Question.Name), h.Started, question.NewSeed()), h)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	c, err := results.ReadCampaign(w.Dir())
	if err != nil {
		return 0, err
	}
	if err := (campaign.Loop{Booter: set}).Run(ctx, w, c); err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if len(c.Boots) == 0 {
		return 0, errors.New("it was not booted")
	}
	b := &c.Boots[len(c.Boots)-1]
	if b.Run == nil {
		if b.End.OfKernel() {
			return 0, &Untestable{fmt.Sprintf("%s: %s", b.End, b.Text)}
		}
		return 0, fmt.Errorf("%s: %s", b.End, b.Text)
	}
	return Cost(b.Run, t.Metric, t.Arm)
}

// Cost is what a unit of an arm's metric cost in a run.
func Cost(run *results.Run, metric, arm string) (float64, error) {
	var xs []float64
	for _, l := range analysis.LevelsByTrial(run, metric, arm) {
		xs = append(xs, l.Value)
	}
	m, _ := analysis.LookupMetric(metric)
	x := stat.NewSample(xs).Mean
	if len(xs) == 0 || !(x > 0) || math.IsInf(x, 0) {
		return 0, &Untestable{fmt.Sprintf("arm %s has no %s there", arm, metric)}
	}
	if m.Better == analysis.Higher {
		return 1e9 / x, nil
	}
	return x, nil
}
