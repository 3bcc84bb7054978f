package runner

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/scenarios"
)

// A declared knob is one that nobody has to have, as far as the arrangement asks.
type declared struct {
	name   string
	settle time.Duration
	slow   bool
}

func (k declared) String() string                 { return k.name }
func (k declared) Scope() knob.Scope              { return knob.Host }
func (k declared) Settle() time.Duration          { return k.settle }
func (k declared) SlowSwitch() bool               { return k.slow }
func (k declared) Read(host.Host) (string, error) { return "", nil }
func (k declared) Write(host.Host, string) error  { return nil }
func (k declared) Check(string) error             { return nil }
func (k declared) Equal(asked, got string) bool   { return asked == got }
func (k declared) Spec() knob.Spec                { return knob.Spec{Name: k.name} }

// TestArrange: who shares a setup, and the grain, follow from what was found.
func TestArrange(t *testing.T) {
	const slice, settle = 100 * time.Millisecond, 5 * time.Millisecond
	budget, governor := declared{name: "budget"}, declared{name: "governor", settle: 50 * time.Millisecond}
	channels := declared{name: "channels", settle: 500 * time.Millisecond, slow: true}
	shared := func(k declared, before string, values ...string) *switched {
		return &switched{knob: k, before: before, values: values, from: make([]scenarios.Knob, len(values))}
	}
	rps := []scenarios.Knob{{Family: "rps_cpus", Device: "sink", Value: "1"}}
	threeSizes := "matrix: {traffic.message: [1000, 2000, 3000]}"
	for _, tt := range []struct {
		name, scenario string
		found          found
		grain          vocab.Grain
		reason         string
		setups         [][]int
		slice, settle  time.Duration
		values         []string // of the first shared knob
	}{
		{name: "settings of their own: side by side", scenario: "arms: {a: {}, b: {}}", found: found{own: [][]scenarios.Knob{nil, rps}},
			grain: vocab.BySlice, reason: "every setting belongs to a namespace", setups: [][]int{{0}, {1}}, slice: slice, settle: settle},
		{name: "a shared knob: one live flow", scenario: "arms: {a: {}, b: {}, c: {}}",
			found: found{shared: []*switched{shared(budget, "300", unset, "600", unset)}},
			grain: vocab.BySliceSwitched, reason: "budget is shared (host): switched at slice boundaries", setups: [][]int{{0, 1, 2}}, slice: slice, settle: settle, values: []string{"300", "600", "300"}},
		{name: "a shared knob, and settings of one's own", scenario: "arms: {a: {}, b: {}, c: {}}",
			found: found{own: [][]scenarios.Knob{nil, rps, nil}, shared: []*switched{shared(budget, "300", unset, "600", "900")}},
			grain: vocab.BySliceSwitched, reason: "budget", setups: [][]int{{0, 2}, {1}}, slice: slice, settle: settle, values: []string{"300", "600", "900"}},
		{name: "a constant is switched nowhere", scenario: threeSizes,
			found: found{shared: []*switched{shared(governor, "powersave", "performance", "performance", "performance")}},
			grain: vocab.BySlice, reason: "every setting", setups: [][]int{{0}, {1}, {2}}, slice: slice, settle: settle, values: []string{"performance", "performance", "performance"}},
		{name: "other traffic is another flow", scenario: threeSizes,
			found: found{shared: []*switched{shared(budget, "300", unset, "600", unset)}},
			grain: vocab.BySliceSwitched, reason: "budget", setups: [][]int{{0}, {1}, {2}}, slice: slice, settle: settle, values: []string{"300", "600", "300"}},
		{name: "a slow one to settle makes slices longer", scenario: "arms: {a: {}, b: {}}",
			found: found{shared: []*switched{shared(budget, "300", unset, "600"), shared(governor, "powersave", unset, "performance")}},
			grain: vocab.BySliceSwitched, reason: "governor", setups: [][]int{{0, 1}}, slice: 200 * time.Millisecond, settle: 50 * time.Millisecond, values: []string{"300", "600"}},
		{name: "one that disturbs flows", scenario: "arms: {a: {}, b: {}}",
			found: found{shared: []*switched{shared(governor, "powersave", unset, "performance"), shared(channels, "4", unset, "1")}},
			grain: vocab.ByTrial, reason: "channels disturbs live flows", setups: [][]int{{0, 1}}, slice: slice, settle: settle, values: []string{"powersave", "performance"}},
	} {
		arms := armsOf(t, tt.scenario)
		if tt.found.own == nil {
			tt.found.own = make([][]scenarios.Knob, len(arms))
		}
		p, err := arrange(Options{Arms: arms, Slice: slice, Settle: settle, Trial: 2 * time.Second, MaxTime: time.Minute}, &tt.found)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var setups [][]int
		for _, s := range p.setups {
			setups = append(setups, s.arms)
		}
		if p.grain != tt.grain || !strings.Contains(p.reason, tt.reason) || fmt.Sprint(setups) != fmt.Sprint(tt.setups) || p.slice != tt.slice || p.settle != tt.settle {
			t.Errorf("%s: %s (%s), setups %v, slices of %v with %v", tt.name, p.grain, p.reason, setups, p.slice, p.settle)
		}
		if tt.values != nil && !slices.Equal(p.shared[0].values, tt.values) {
			t.Errorf("%s: values %v, want %v", tt.name, p.shared[0].values, tt.values)
		}
	}
}

// TestClockBounds: a clock that is not known well enough for the settle part is no
// clock to keep a schedule by.
func TestClockBounds(t *testing.T) {
	arms := armsOf(t, "arms: {a: {}, b: {}}")
	for bound, fine := range map[time.Duration]bool{time.Millisecond: true, 3 * time.Millisecond: false} {
		f := &found{own: make([][]scenarios.Knob, 2), clocks: []clockBound{{"host-b", bound}}}
		_, err := arrange(Options{Arms: arms, Slice: 50 * time.Millisecond, Settle: 5 * time.Millisecond, Trial: time.Second, MaxTime: time.Minute}, f)
		if (err == nil) != fine {
			t.Errorf("known to %v: %v", bound, err)
		}
	}
}

// TestHostsOfATrial: of several places each has its own sum, over all sessions.
func TestHostsOfATrial(t *testing.T) {
	var trial results.Trial
	for range 2 {
		d := hostDeltas{{HostDelta: results.HostDelta{CPUs: []results.CPUDelta{{CPU: 0}}, StealNS: 3}},
			{HostDelta: results.HostDelta{Place: "guest", CPUs: []results.CPUDelta{{CPU: 0}}, StealNS: 5}}}
		d.ofThisProcess(7)
		d.addTo(&trial)
	}
	if len(trial.Others) != 1 || trial.Host.StealNS != 6 || trial.Host.OwnNS != 14 || trial.Host.Place != "" ||
		trial.Others[0].StealNS != 10 || trial.Others[0].OwnNS != 0 || trial.Others[0].Place != "guest" {
		t.Errorf("%+v", trial)
	}
}
