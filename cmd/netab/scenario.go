package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/results"
	"netab/results/disk"
	"netab/results/vocab"
	"netab/scenarios"
)

// A loaded scenario is one that is ready to be planned.
type loaded struct {
	*scenarios.Scenario
	source string // file path, or builtin:NAME
	arms   []scenarios.Arm
	// allowed are sysctls that it may set though no scenario may unasked.
	allowed []string
}

// load reads a scenario by name or file, with overrides, for this machine.
func load(ref string, sets []string) (*loaded, error) {
	source, text, err := readScenario(ref)
	if err != nil {
		return nil, err
	}
	s, err := scenarios.ParseWith(source, text, sets)
	if err != nil {
		return nil, err
	}
	arms, err := expand(s)
	if err != nil {
		return nil, err
	}
	l := &loaded{Scenario: s, source: source, arms: arms}
	return l, l.checkMetrics()
}

// expand makes a scenario's arms for this machine.
func expand(s *scenarios.Scenario) ([]scenarios.Arm, error) {
	t, err := results.ReadCPUTopology(results.Root(""))
	if err != nil {
		return nil, failed(err) // the machine's fault, not the scenario's
	}
	return scenarios.Expand(s, scenarios.CPUs{Online: t.Online, Allowed: t.Allowed, Isolated: t.Isolated, Node: t.Node, Siblings: t.Siblings})
}

// checkMetrics refuses metrics that nobody computes: only package analysis
// knows which there are, and after a run it is too late to say so.
func (l *loaded) checkMetrics() error {
	var known []string
	for _, m := range analysis.Metrics() {
		known = append(known, m.Name)
	}
	var faults scenarios.Errors
	for _, name := range gatedMetrics(l.Measure.Metrics, l.Gate) {
		key, path := "measure.metrics", fmt.Sprintf("measure.metrics.%d", slices.Index(l.Measure.Metrics, name))
		if _, gates := l.Gate[name]; gates {
			key, path = "gate", "gate."+name
		}
		fail := func(msg, hint string) { faults = append(faults, l.Fault(path, key+": "+msg, hint)) }
		of, _, beside := strings.Cut(name, ".")
		m, ok := analysis.LookupMetric(name)
		fits := func(a scenarios.Arm) bool { return m.AppliesTo(designArm(a)) }
		if !ok {
			fail(fmt.Sprintf("%q is not a metric", name), scenarios.Suggest(name, known))
		} else if beside && !slices.ContainsFunc(l.arms, func(a scenarios.Arm) bool { _, ok := a.Config.Traffic.Beside[of]; return ok }) {
			fail(fmt.Sprintf("%q: no arm has traffic beside of that name", name), "name it in traffic.beside")
		} else if !slices.ContainsFunc(l.arms, fits) {
			fail(fmt.Sprintf("%q means nothing for this traffic, so it would be measured for nothing", name), "see the metrics of its kind in docs/traffic.md, or leave it off")
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// readScenario finds a scenario and reads it.
func readScenario(ref string) (source string, text []byte, err error) {
	source = sourceNamed(ref)
	if ref == "-" {
		text, err = readAtMost(os.Stdin)
		return source, text, err
	}
	if name, ok := strings.CutPrefix(source, builtinSource); ok && source != ref {
		text, _ := scenarios.BuiltinSource(name)
		return source, text, nil
	}
	f, err := disk.Open(ref)
	if errors.Is(err, fs.ErrNotExist) && !isPath(ref) {
		return "", nil, fmt.Errorf("no scenario is named %q: %s (a file is given by its path)", ref, nearest(ref))
	}
	if err != nil {
		return source, nil, err
	}
	defer f.Close()
	text, err = readAtMost(f)
	return source, text, err
}

const builtinSource = "builtin:"

// sourceNamed is where a scenario comes from that is named so: a path (with a
// slash or .yaml) is a file, a bare word is a built-in one, else a file of that
// name.
func sourceNamed(ref string) string {
	if ref == "-" {
		return "stdin"
	}
	if _, ok := scenarios.BuiltinSource(ref); ok && !isPath(ref) {
		return builtinSource + ref
	}
	return ref
}

func isPath(ref string) bool {
	return strings.Contains(ref, "/") || strings.HasSuffix(ref, ".yaml") || strings.HasSuffix(ref, ".yml")
}

// readAtMost reads what may be a scenario, and one byte more, which is enough
// for the parser to refuse it.
func readAtMost(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, scenarios.MaxFile+1))
}

// nearest is the hint for a name that is not built in.
func nearest(name string) string {
	var names []string
	for _, b := range scenarios.Builtins() {
		names = append(names, b.Name)
	}
	return scenarios.Suggest(name, names)
}

// nameFlags puts the flag that a person typed in place of the --set that it
// stands for.
func nameFlags(err error, flags []string) error {
	if faults, ok := errors.AsType[scenarios.Errors](err); ok {
		for i, f := range faults {
			if f.Pos.File == "--set" && f.Pos.Line <= len(flags) && flags[f.Pos.Line-1] != "--set" {
				faults[i].Pos.File = flags[f.Pos.Line-1]
			}
		}
	}
	return err
}

// badScenario prints every fault of a scenario with its excerpt.
func badScenario(cmd *cobra.Command, err error) error {
	if faults, ok := errors.AsType[scenarios.Errors](err); ok {
		_ = writeWhole(cmd.ErrOrStderr(), escape.Lines(faults.Render()))
		return &statusError{exitUsage, nil}
	}
	return usage(err)
}

// design is what analysis needs to know of a scenario.
func (l *loaded) design() results.Design {
	m := l.Measure
	d := results.Design{Name: l.Name, Question: l.Question, Baseline: l.BaselineArm(l.arms), Metrics: gatedMetrics(m.Metrics, l.Gate), Gate: l.thresholds(),
		Confidence: float64(m.Confidence), Resolution: float64(m.Resolution), Width: float64(m.Width),
		MaxTimeS: time.Duration(m.MaxTime).Seconds(), CountDisturbed: m.Disturbed == "count"}
	if m.Sessions > 1 {
		d.Sessions, d.SpreadS = m.Sessions, time.Duration(m.Spread).Seconds()
	}
	for _, f := range l.Matrix {
		factor := results.Factor{Name: f.Name}
		for _, level := range f.Levels {
			factor.Levels = append(factor.Levels, level.Name)
		}
		d.Factors = append(d.Factors, factor)
	}
	for _, a := range l.arms {
		d.Arms = append(d.Arms, designArm(a))
	}
	return d
}

func designArm(a scenarios.Arm) results.Arm {
	t := a.Config.Traffic
	out := results.Arm{Name: a.Name, Kind: t.Kind, Protocol: t.Protocol, Message: meanMessage(t), Flows: len(t.Pairs()),
		Rate: float64(t.Rate), SinkSpins: t.Sink.Wait == "spin", IdleKnown: true, Topology: a.Config.Topology.Kind, Notes: scenarios.Notes(a),
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
		out.Levels = append(out.Levels, results.Level{Factor: l.Factor, Value: l.Level})
	}
	for _, k := range a.Knobs {
		words := []string{k.Device, k.Queue, k.Family, k.Name, "=", cmp.Or(k.Value, "none")}
		out.Knobs = append(out.Knobs, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
	}
	return out
}

// describeOlder describes the arms of a run that was recorded before there were
// descriptions: by the scenario that it holds, if that still comes to the arms
// that were measured, with the defaults of this version.
func describeOlder(run *results.Run) {
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
		m := designArm(a)
		if !m.Like(arms[i]) || m.Name != arms[i].Name {
			return
		}
		made = append(made, m.Description)
	}
	for i := range arms {
		arms[i].Description, arms[i].DescriptionHash = made[i], made[i].Hash()
	}
}

// meanMessage is the size of a message, or the mean where sizes are drawn.
func meanMessage(t scenarios.Traffic) int {
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
