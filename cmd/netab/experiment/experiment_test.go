package experiment

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/cmd/netab/question"
	"netab/results"
	"netab/scenarios"
)

func load(t *testing.T, sets ...string) *question.Question {
	t.Helper()
	q, err := question.Load("same", sets)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestNew: so many runs of each share, in an order that the seed draws, each a
// question of its own; whole trials are of the largest share.
func TestNew(t *testing.T) {
	design := Design{Runs: 6, Injected: 3, Slowdowns: []scenarios.Fraction{0.01, 0.05}, Whole: 4, Seed: 7}
	of := func(d Design, sets ...string) *Experiment {
		t.Helper()
		e, err := New(load(t, sets...), d)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := of(design, "measure.sessions=3", "measure.spread=1h", "measure.max_time=10s")
	for share, want := range map[scenarios.Fraction]int{0: 6, 0.01: 3, 0.05: 3} {
		n := 0
		for _, s := range e.order {
			if s == share {
				n++
			}
		}
		q := e.slowed[share]
		if n != want || q == nil || len(q.Arms) != 2 || q.Arms[1].Config.Traffic.Source.Slowdown != share || q.Measure.Sessions != 0 || q.Measure.Spread != 0 {
			t.Errorf("%v: %d runs, want %d; %+v", share, n, want, q)
		}
	}
	if len(e.order) != 12 || e.starts != nil || e.maxTime != 10*time.Second || e.record.Seed != 7 || e.record.Scenario != "same" || e.record.Metric != "goodput" || e.record.MaxTimeS != 10 {
		t.Errorf("%+v", e)
	}
	if m := e.whole.Measure; e.whole.Arms[1].Config.Traffic.Source.Slowdown != 0.05 || m.Grain != "trial" || time.Duration(m.Slice-m.Settle)*sampleSlices != sampleTime {
		t.Errorf("whole trials: %+v", e.whole.Measure)
	}
	if again := of(design, "measure.max_time=10s"); !slices.Equal(again.order, e.order) {
		t.Errorf("the same seed drew %v, then %v", e.order, again.order)
	}
	other := design
	if other.Seed = 8; slices.Equal(of(other).order, e.order) {
		t.Errorf("seeds 7 and 8 drew the same: %v", e.order)
	}
	if e = of(Design{Runs: 2}); e.whole != nil || len(e.order) != 2 || e.record.Seed == 0 {
		t.Errorf("runs alone: %+v", e)
	}
	e = of(Design{Runs: 3, Spread: time.Hour, Seed: 1}, "measure.max_time=10s")
	if len(e.starts) != 3 || e.starts[0] != 0 || e.starts[2] > time.Hour || e.record.SpreadS != 3600 {
		t.Errorf("spread: %v", e.starts)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		sets   []string
		design Design
		says   string
	}{
		"a spread with no room": {[]string{"measure.max_time=30s"}, Design{Runs: 3, Spread: time.Minute}, "--spread 1m0s is shorter than 3 runs of 30s, 1m30s together"},
		"what cannot be slowed": {[]string{"traffic.source.path=pktgen", "traffic.protocol=udp", "traffic.message=1024", "topology.kind=veth"},
			Design{Runs: 1, Injected: 1, Slowdowns: []scenarios.Fraction{0.1}}, "cannot be slowed down (--injected 0 does without)"},
	} {
		q, err := question.Load("same", tc.sets)
		if err == nil {
			_, err = New(q, tc.design)
		}
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}

// TestRunGivesUp: runs that fail in a row end an experiment, and what there is of it
// is kept; one that is interrupted ends at once.
func TestRunGivesUp(t *testing.T) {
	broken := errors.New("no machine to be had")
	for name, tc := range map[string]struct {
		interrupted bool
		asked       int
	}{"failures": {false, 1 + maxFailures}, "interrupted": {true, 2}} {
		t.Run(name, func(t *testing.T) {
			e, err := New(load(t), Design{Runs: 9, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			store, err := results.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			asked := 0
			var said strings.Builder
			_, err = e.Run(ctx, Surroundings{
				Store: store,
				Here: func() (question.Here, error) {
					if asked++; asked == 1 { // for the record
						return question.Here{}, nil
					}
					if tc.interrupted {
						cancel()
					}
					return question.Here{}, broken
				},
				Printf: func(format string, _ ...any) { said.WriteString(format) },
			})
			if !errors.Is(err, broken) || asked != tc.asked {
				t.Errorf("asked %d times, want %d; %v; %s", asked, tc.asked, err, said.String())
			}
		})
	}
}
