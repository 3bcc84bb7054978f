package runner

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/results"
	"netab/results/vocab"
	"netab/test/busytest"
	"netab/test/need"
)

func TestStretches(t *testing.T) {
	for _, blocks := range []int{1, 2, fewestSwitched - 1, fewestSwitched, 19, 40, 41, 200} {
		for seed := range uint64(8) {
			all := stretchesOf(rand.New(rand.NewPCG(seed, 0)), blocks, int(seed))
			at, on, off := 0, 0, 0
			for i, s := range all {
				if s.from != at || s.to <= s.from || i > 0 && s.on == all[i-1].on {
					t.Fatalf("%d blocks: %v", blocks, all)
				}
				if at = s.to; s.on {
					on++
				} else {
					off++
				}
			}
			if at != blocks || blocks >= fewestSwitched && (on == 0 || off == 0) || blocks < fewestSwitched && len(all) != 1 {
				t.Errorf("%d blocks: %v", blocks, all)
			}
		}
	}
}

func TestWas(t *testing.T) {
	// Blocks of one slice of 10, the first stretch off until 30, then on, then off from 60.
	in := &instruments{stretches: []stretch{{0, 3, false}, {3, 6, true}, {6, 9, false}},
		switched: []switching{{stretch: 1, attached: 34, took: 3, ends: 61, ended: 75}}}
	want := []accounting{off, off, off, between, on, on, between, between, off}
	for block, want := range want {
		at := int64(10 * block)
		if got := in.was(turn{slice: block, block: block, start: at, count: at + 2, end: at + 10}); got != want {
			t.Errorf("block %d: %v, want %v", block, got, want)
		}
	}
	in.switched[0].attached = 45 // too late for block 4
	if got := in.was(turn{slice: 4, block: 4, start: 40, count: 42, end: 50}); got != between {
		t.Errorf("a block that began before all was attached: %v", got)
	}
}

// explained lets a run be explained until a trial was measured in time.
func explained(t *testing.T, text string, arms []int, change func(*Options)) *results.Run {
	t.Helper()
	var run *results.Run
	var store string
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
		o := options(t, text, 1)
		o.Trial, store = by.Of(o.Trial), o.Store
		o.Explain = func(trials []results.Trial) *Explaining {
			if len(trials) == 0 {
				t.Error("asked before there are trials")
			}
			return &Explaining{Arms: arms, Time: 300 * time.Millisecond}
		}
		if change != nil {
			change(&o)
		}
		var err error
		if run, err = Run(t.Context(), o); err != nil {
			return err.Error()
		}
		for _, x := range run.Explains {
			if x.Invalid == "" && accountedIn(x) > 0 {
				return ""
			}
		}
		return "no explain trial was measured in time"
	})
	if t.Failed() {
		t.FailNow()
	}
	stored, err := results.ReadFile(filepath.Join(store, run.Header.ID))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Explains, stored.Explains, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what was measured, and what is stored:\n%s", diff)
	}
	return run
}

func accountedIn(x results.Explain) (n int) {
	for _, s := range x.Slices {
		if s.Source != nil {
			n++
		}
	}
	return n
}

// TestExplain: an explain trial tells where the time of its arms' roles is, and is no
// trial of the verdict.
func TestExplain(t *testing.T) {
	need.Root(t)
	run := explained(t, sideBySide, []int{0, 1}, func(o *Options) { o.Trial = 2 * o.Trial })
	if len(run.Trials) == 0 {
		t.Fatal("no trials")
	}
	for _, x := range run.Explains {
		if x.Invalid != "" {
			continue
		}
		var counted [2]int64
		for i, s := range x.Slices {
			if s.Arm > 1 {
				t.Fatalf("slice %d is of arm %d, which nobody asked for", i, s.Arm)
			}
			if s.Source == nil {
				continue
			}
			counted[s.Arm] += s.CountedNS
			if s.RxBytes > 0 && (s.Source.NS["task"] == 0 || s.Sink.NS["task"] == 0) {
				t.Errorf("slice %d: %d bytes were received, and no role's time is known: %v, %v", i, s.RxBytes, s.Source.NS, s.Sink.NS)
			}
		}
		for _, c := range x.CPUs {
			var sum int64
			for _, of := range c.NS {
				for _, ns := range of {
					sum += ns
				}
			}
			if math.Abs(float64(sum-c.CountedNS)) > 0.001*float64(c.CountedNS) || c.CountedNS != counted[c.Arm] {
				t.Errorf("arm %d, CPU %d: its parts are %v of %v, in slices of %v", c.Arm, c.CPU, time.Duration(sum), time.Duration(c.CountedNS), time.Duration(counted[c.Arm]))
			}
		}
	}
}

// TestExplainSharedFlow: arms that share a live flow share its threads, and each has
// its own slices' time.
func TestExplainSharedFlow(t *testing.T) {
	need.Root(t)
	run := explained(t, `
question: q
topology: {kind: loopback}
traffic: {protocol: tcp, message: 16K}
arms:
  a: {}
  b: {knobs: {sysctl: {net.core.netdev_budget: "310"}}}
`, []int{0, 1}, nil)
	if run.Header.Plan.Grain != vocab.BySliceSwitched {
		t.Fatalf("grain %s", run.Header.Plan.Grain)
	}
	seen := map[int]bool{}
	for _, x := range run.Explains {
		for _, s := range x.Slices {
			if s.Source != nil && s.Source.NS["task"] > 0 {
				seen[s.Arm] = true
			}
		}
	}
	if !seen[0] || !seen[1] {
		t.Errorf("time is known of the arms %v only", seen)
	}
}

// TestExplainSampled: trials in between have the stacks of the role that was busier, in
// functions of this kernel.
func TestExplainSampled(t *testing.T) {
	need.Root(t)
	if lines := Explains(); !strings.HasPrefix(lines[1], "sampling: works") {
		t.Skip(lines[1])
	}
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
		o := options(t, sideBySide, 1)
		o.Trial = by.Of(o.Trial)
		o.Explain = func([]results.Trial) *Explaining {
			return &Explaining{Arms: []int{0, 1}, Time: 2 * time.Second, States: true}
		}
		run, err := Run(t.Context(), o)
		if err != nil {
			return err.Error()
		}
		for _, x := range run.Explains {
			if x.Instrument != vocab.Sampling || x.Invalid != "" || accountedIn(x) == 0 {
				continue
			}
			s := x.Samples
			if s == nil || s.Role == "" || len(s.CPUs) == 0 {
				t.Fatalf("trial %d: %+v", x.Index, s)
			}
			if len(s.Sizes) != len(s.Functions) || len(s.Sizes) > 0 && slices.Max(s.Sizes) == 0 {
				t.Errorf("sizes of %d functions: %v", len(s.Functions), s.Sizes)
			}
			var n int64
			for _, stack := range s.Stacks {
				n += stack.N
				if (stack.CPU != nil) != (len(s.CPUs) > 1) || stack.CPU != nil && !slices.Contains(s.CPUs, *stack.CPU) {
					t.Errorf("of CPUs %v a stack is on %v", s.CPUs, stack.CPU)
				}
			}
			if n < 5 {
				continue // of a few slices on a busy machine
			}
			if !slices.ContainsFunc(s.Functions, func(f string) bool {
				return strings.HasPrefix(f, "tcp_") || strings.HasPrefix(f, "do_syscall") || strings.HasPrefix(f, "el0")
			}) {
				t.Errorf("%d samples of the %s, and no function of TCP or of system calls: %v", n, s.Role, s.Functions)
			}
			told := func(s results.Slice) bool { return s.Canaries != nil }
			if slices.ContainsFunc(run.Trials, func(t results.Trial) bool { return slices.ContainsFunc(t.Slices, told) }) &&
				!slices.ContainsFunc(x.Slices, func(s results.ExplainSlice) bool { return s.Canaries != nil }) {
				t.Error("the run has canaries, and the explain trial none, which were asked for")
			}
			return ""
		}
		return "no trial was sampled in time"
	})
}

// TestExplainEvents: a trial of events tells what happened to the flows in the half of
// its blocks that is watched, and the machine is as it was.
func TestExplainEvents(t *testing.T) {
	need.Root(t)
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
		o := options(t, sideBySide, 1)
		o.Trial = by.Of(2 * o.Trial)
		e := &Explaining{Arms: []int{0, 1}}
		o.Explain = func([]results.Trial) *Explaining { return e }
		r, err := prepare(t.Context(), o)
		if err != nil {
			return err.Error()
		}
		defer r.close()
		if err := r.switcher.begin(); err != nil {
			t.Fatal(err)
		}
		r.NoCanaries = true
		const index = 5
		if r.kindOf(index, nil) != vocab.Events {
			t.Fatal("it is of another instrument")
		}
		x := r.explainTrial(index, e)
		if err := r.putBack(t.Context()); err != nil {
			t.Error(err)
		}
		if x.Invalid != "" {
			return x.Invalid
		}
		if !watchedWell(t, x) {
			return "it was not watched in time"
		}
		return ""
	})
}

// watchedWell says whether an explain trial is one of events that was watched in time,
// and holds what it tells against what there is.
func watchedWell(t *testing.T, x results.Explain) bool {
	t.Helper()
	n := 0
	for _, s := range x.Slices {
		if s.Watched && s.RxBytes > 0 {
			n++
		}
		if x.Instrument == vocab.Events && s.Source != nil || s.Watched && s.Between {
			t.Errorf("trial %d, %s: %+v", x.Index, x.Instrument, s)
		}
	}
	if x.Instrument != vocab.Events || x.Invalid != "" || n < 2 {
		return false
	}
	ran := int64(0)
	for _, s := range x.Scheduling {
		ran += s.Runs
	}
	if x.Withheld["scheduling"] == "" && ran == 0 {
		t.Errorf("trial %d: no role ever ran in %d slices that were watched", x.Index, n)
	}
	for _, d := range x.Drops {
		if d.Packets <= 0 || d.Place == "" {
			t.Errorf("trial %d: %+v", x.Index, d)
		}
	}
	return true
}

// TestKindOf: the shortest explanation that has intervals has trials of all instruments.
func TestKindOf(t *testing.T) {
	kinds := func(r *run, b *busiest) (s string) {
		for i := range 16 {
			s += string(r.kindOf(i, b)[0])
		}
		return s
	}
	if got := kinds(&run{}, &busiest{}); got != "asasaeasasasaeas" {
		t.Error(got)
	}
	if got := kinds(&run{}, nil); got != "aaaaaeaaaaaaaeaa" {
		t.Errorf("as long as nobody knows who is busy: %s", got)
	}
	if got := kinds(&run{unwatched: "no", unsampled: "no"}, &busiest{}); got != "aaaaaaaaaaaaaaaa" {
		t.Errorf("where nothing else works: %s", got)
	}
}

// TestSampledIn: the busier role is sampled at the CPUs that it had, and the other in
// some of the later trials.
func TestSampledIn(t *testing.T) {
	r := &run{explains: []results.Explain{{CPUs: []results.ExplainCPU{
		{CPU: 0, Arm: 0, NS: map[vocab.Owner]map[string]int64{vocab.SourceTime: {"task": 70, "net_rx": 20}, vocab.SinkTime: {"task": 2}}},
		{CPU: 1, Arm: 0, NS: map[vocab.Owner]map[string]int64{vocab.SourceTime: {"task": 5}, vocab.SinkTime: {"task": 60}}},
		{CPU: 2, Arm: 1, NS: map[vocab.Owner]map[string]int64{vocab.SinkTime: {"task": 1000}}}, // of an arm that is not asked for
	}}}}
	others := 0
	for index := range 24 {
		want := &busiest{vocab.SourceTime, []int{0}}
		if samplesOther(index) {
			others++
			want = &busiest{vocab.SinkTime, []int{1}}
		}
		if got := r.sampledIn(index, []int{0}); got == nil || got.role != want.role || !slices.Equal(got.cpus, want.cpus) {
			t.Errorf("trial %d: %+v, want %+v", index, got, want)
		}
		if samplesOther(index) && (index < 8 || r.kindOf(index, want) != vocab.Sampling) {
			t.Errorf("trial %d is of the other role", index)
		}
	}
	if others != 2 {
		t.Errorf("%d of 24", others)
	}
	if got := r.sampledIn(11, []int{3}); got != nil {
		t.Errorf("%+v of an arm that nothing is known of", got)
	}
}

// TestExplainNothing: where nothing needs a cause, and where none can be told, the run
// is as it would be without.
func TestExplainNothing(t *testing.T) {
	need.Root(t)
	_, run := measured(t, sideBySide, 1, func(o *Options) {
		o.Explain = func([]results.Trial) *Explaining { return nil }
	})
	if len(run.Explains) > 0 || run.End.Reason != vocab.Decided {
		t.Errorf("%d explain trials; %s", len(run.Explains), run.End.Reason)
	}
}

// TestExplainUnasked: what cannot be told is told to those who asked.
func TestExplainUnasked(t *testing.T) {
	for _, unasked := range []bool{false, true} {
		kept := 0
		r := &run{ctx: t.Context(), Options: Options{Explain: func([]results.Trial) *Explaining {
			return &Explaining{Arms: []int{0}, Time: time.Second, Unasked: unasked}
		}}, keepExplain: func(results.Explain) error { kept++; return nil }}
		if err := r.explain(); err != nil || kept > 0 == unasked {
			t.Errorf("unasked %v: %d explain trials were kept; %v", unasked, kept, err)
		}
	}
}
