package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"netab/results/disk"
)

// What netab says, as far as it is held against the truth (the JSON of netab
// gate and netab compare).
type (
	judgement struct {
		Schema  string `json:"schema"`
		Outcome string `json:"outcome"`
		Summary struct {
			Comparisons []comparison `json:"comparisons"`
		} `json:"summary"`
	}
	comparison struct {
		Arm      string  `json:"arm"`
		Judged   bool    `json:"judged"`
		Change   float64 `json:"change"`
		Lo       float64 `json:"lo"`
		Hi       float64 `json:"hi"`
		Verdict  string  `json:"verdict"`
		Withheld string  `json:"withheld"`
		Modes    *struct {
			Kind   string  `json:"kind"`
			Groups []group `json:"groups"`
		} `json:"modes"`
	}
	group struct {
		Label    string             `json:"label"`
		Change   float64            `json:"change"`
		Lo       float64            `json:"lo"`
		Hi       float64            `json:"hi"`
		Verdict  string             `json:"verdict"` // "" = left out: seen too briefly to claim anything
		Canaries map[string]float64 `json:"canaries"`
	}
)

// A seen is what became of one judgement: events that are counted.
type seen struct {
	missed, falseDifference, falseEquivalent, passed, found, open bool
	stateMissed, stateShown                                       bool
}

// A judge asks netab, with a directory of its own to write runs into.
type judge struct{ netab, dir string }

func (j judge) ask(w *world, runs []*run) (seen, error) {
	var files []string
	for _, r := range runs {
		files = append(files, filepath.Join(j.dir, r.id+".jsonl"))
		if err := disk.Write(files[len(files)-1], r.write); err != nil {
			return seen{}, err
		}
	}
	args := append([]string{"gate"}, files...)
	if w.perSide > 0 {
		args = []string{"compare", strings.Join(files[:w.perSide], ","), strings.Join(files[w.perSide:], ","), "--gate"}
	}
	said, err := j.call(append(args, "--json", "--store", filepath.Join(j.dir, "store"))...)
	if err != nil {
		return seen{}, fmt.Errorf("%s: %w", w.name, err)
	}
	return said.against(w)
}

// call has netab judge runs.
func (j judge) call(args ...string) (said judgement, err error) {
	err = j.decode(&said, args...)
	if err == nil && said.Schema != "netab/gate/1" {
		err = fmt.Errorf("netab %s: schema %q", args[0], said.Schema)
	}
	return said, err
}

// decode runs netab, whose exit status is a verdict as long as there is a document.
func (j judge) decode(into any, args ...string) error {
	var out, log bytes.Buffer
	cmd := exec.Command(j.netab, args...)
	cmd.Stdout, cmd.Stderr = &out, &log
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off") // one of thousands, and short-lived
	var status *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &status) {
		return err
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		return fmt.Errorf("netab %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(log.Bytes()))
	}
	return nil
}

// against holds a judgement against the truth.
func (g judgement) against(w *world) (seen, error) {
	s := seen{passed: g.Outcome == "passed", found: true}
	judged := 0
	for _, c := range g.Summary.Comparisons {
		if !c.Judged {
			continue
		}
		judged++
		truth := w.truth
		if w.perSide > 0 { // each arm against itself
			truth = 0
		}
		claim := c.claim(truth, w)
		s.missed = s.missed || claim.missed
		s.falseDifference = s.falseDifference || claim.falseDifference
		s.falseEquivalent = s.falseEquivalent || claim.falseEquivalent
		s.found = s.found && claim.found
		s.open = s.open || claim.open
		s.stateShown = s.stateShown || claim.stateShown
		s.stateMissed = s.stateMissed || claim.stateMissed
	}
	if want := w.judgements(); judged != want {
		return s, fmt.Errorf("%s: %d comparisons were judged, want %d", w.name, judged, want)
	}
	return s, nil
}

func (w *world) judgements() int {
	if w.perSide > 0 { // the baseline's level too
		return w.comparisons + 1
	}
	return w.comparisons
}

// claim is what one comparison says that the truth does not. An interval whose
// verdict is withheld claims nothing.
func (c *comparison) claim(truth float64, w *world) seen {
	shown := w.shown(truth)
	lower := c.Verdict == "regression"
	if w.loss != nil {
		lower = c.Verdict == "improvement"
	}
	higher := !lower && (c.Verdict == "improvement" || c.Verdict == "regression")
	s := seen{
		open:            c.Withheld != "" || c.Verdict != "regression" && c.Verdict != "improvement" && c.Verdict != "equivalent",
		missed:          c.Withheld == "" && (shown < c.Lo || shown > c.Hi),
		falseDifference: lower && shown >= 0 || higher && shown <= 0,
		falseEquivalent: c.Verdict == "equivalent" && math.Abs(truth) >= w.margin(),
		found:           lower && shown < 0 || higher && shown > 0,
	}
	if c.Modes == nil || c.Modes.Kind != "state" || w.states == nil {
		return s
	}
	s.stateShown = len(c.Modes.Groups) > 1
	for _, g := range c.Modes.Groups {
		if g.Verdict == "" {
			continue
		}
		of := truth + w.states.near
		if g.Canaries["distance_ns"] > 200 {
			of = truth + w.states.far
		}
		of = w.shown(of)
		s.stateMissed = s.stateMissed || of < g.Lo || of > g.Hi
	}
	return s
}

// margin is the resolution where the truth is: changes are judged on the scale of
// logarithms, and those that are a hair inside are none of the audit's business.
func (w *world) margin() float64 {
	if w.loss != nil {
		return w.resolution
	}
	return math.Log1p(w.resolution) - 1e-12
}
