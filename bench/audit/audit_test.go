package main

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/results"
)

// TestTruth: what worlds draw is, in the long run, what they say that it is.
func TestTruth(t *testing.T) {
	for _, w := range worlds() {
		const n = 200_000
		rng := rand.New(rand.NewPCG(1, 2))
		draw, want := w.effects, 0.0
		if w.loss != nil {
			draw, want = w.loss, w.truth
		}
		sum := 0.0
		for _, x := range draw(rng, n) {
			sum += x
		}
		// Trials that depend on each other make a mean less sure.
		if got := sum / n; math.Abs(got-want) > 0.001 {
			t.Errorf("%s: trials are off by %.4f in the mean, want %.4f", w.name, got, want)
		}
		if s := w.states; s != nil && s.near+s.far != 0 {
			t.Errorf("%s: states are off by %g in the mean", w.name, (s.near+s.far)/2)
		}
	}
}

// TestRunFiles: netab reads what is written, and nothing in it is unknown to it or
// warned of.
func TestRunFiles(t *testing.T) {
	for _, w := range worlds() {
		for _, r := range w.draw(1, 0) {
			var b bytes.Buffer
			if err := r.write(&b); err != nil {
				t.Fatal(err)
			}
			run, err := results.Read(&b)
			if err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			if len(run.Trials) != w.trials || run.End == nil || len(run.ReadWarnings)+len(run.Foreign) != 0 {
				t.Errorf("%s: %d trials, end %v, %v", w.name, len(run.Trials), run.End, run.ReadWarnings)
			}
			if got := run.Trials[0].Slices[0].Canaries != nil; got != (w.states != nil && w.states.canary) {
				t.Errorf("%s: canaries %v", w.name, got)
			}
		}
	}
}

func TestTimeline(t *testing.T) {
	s := states{dwell: time.Second}
	rng := rand.New(rand.NewPCG(1, 2))
	far := 0
	for range 2000 {
		if s.timeline(rng, 20*time.Second)(15 * time.Second) {
			far++
		}
	}
	if far < 900 || far > 1100 {
		t.Errorf("far in %d of 2000", far)
	}
}

func TestClaims(t *testing.T) {
	plain := world{resolution: 0.02}
	lossy := world{resolution: 0.001, loss: bursts(0.1, 0.01)}
	for name, c := range map[string]struct {
		comparison
		truth float64
		world *world
		want  seen
	}{
		"holds, and open":          {comparison{Lo: -0.01, Hi: 0.03, Verdict: "inconclusive"}, 0, &plain, seen{open: true}},
		"a false regression":       {comparison{Lo: -0.03, Hi: -0.01, Verdict: "regression"}, 0, &plain, seen{missed: true, falseDifference: true}},
		"a regression that is one": {comparison{Lo: -0.03, Hi: -0.01, Verdict: "regression"}, -0.02, &plain, seen{found: true}},
		"the wrong sign":           {comparison{Lo: 0.01, Hi: 0.03, Verdict: "improvement"}, -0.02, &plain, seen{missed: true, falseDifference: true}},
		"equivalent, and is not":   {comparison{Lo: -0.01, Hi: 0.01, Verdict: "equivalent"}, -0.03, &plain, seen{missed: true, falseEquivalent: true}},
		"withheld":                 {comparison{Lo: 0.01, Hi: 0.03, Withheld: "why"}, 0, &plain, seen{open: true}},
		"more loss is worse":       {comparison{Lo: 0.001, Hi: 0.003, Verdict: "regression"}, 0.002, &lossy, seen{found: true}},
	} {
		if got := c.claim(c.truth, c.world); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	st := world{resolution: 0.02, states: &states{near: 0.05, far: -0.05}}
	c := comparison{Lo: -0.1, Hi: 0.1, Verdict: "inconclusive"}
	if err := json.Unmarshal([]byte(`{"modes": {"kind": "state", "groups": [{"lo": 0.04, "hi": 0.06, "verdict": "improvement", "canaries": {"distance_ns": 80}}, {"lo": 0.04, "hi": 0.06, "verdict": "improvement", "canaries": {"distance_ns": 300}}, {"lo": 0.2, "hi": 0.2, "canaries": {"distance_ns": 300}}]}}`), &c); err != nil {
		t.Fatal(err)
	}
	if got, want := c.claim(0, &st), (seen{open: true, stateShown: true, stateMissed: true}); got != want {
		t.Errorf("states: %+v, want %+v", got, want)
	}
}

func TestBounds(t *testing.T) {
	w := world{name: "w", trials: 8, comparisons: 1, resolution: 0.02, truth: math.Log1p(0.04), power: true}
	for _, c := range []struct {
		event, seen int
		want        bool
	}{
		{missed, 39, true}, {missed, 40, false}, {found, 430, true}, {found, 429, false}, {open, 500, true}, {passed, 500, true}, {stateMissed, 500, true},
	} {
		tl := tally{world: &w, n: 500}
		tl.seen[found] = 500
		tl.seen[c.event] = c.seen
		if got := tl.whole(); got != c.want {
			t.Errorf("event %d, %d of 500: holds %v, want %v", c.event, c.seen, got, c.want)
		}
		if bold := strings.Contains(tl.row(), "**no**"); bold == c.want {
			t.Errorf("event %d: row %s", c.event, tl.row())
		}
	}
}

// stand is a netab that says the same of every run.
func stand(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netab")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAudit(t *testing.T) {
	const open = `echo '{"schema": "netab/gate/1", "outcome": "inconclusive", "summary": {"comparisons": [{"judged": true, "lo": -1, "hi": 1, "verdict": "inconclusive"}]}}'; exit 3`
	for name, c := range map[string]struct{ body, only, want string }{
		"withholds all":   {open, "AR(1) 0.5 from trial", ""},
		"finds nothing":   {open, "effect of twice the resolution", errPromise.Error()},
		"says nothing":    {"echo broken >&2; exit 5", "AR(1) 0.5 from trial", "broken"},
		"misses a series": {`echo '{"series": []}'`, "nothing changes", "judges 0 series, want 3"},
		"no such world":   {open, "nonsense", "no world has"},
	} {
		var out bytes.Buffer
		err := audit(options{netab: stand(t, c.body), only: c.only, n: 30, jobs: 2, series: 3}, &out)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q\n%s", name, err, c.want, out.String())
		}
	}
}
