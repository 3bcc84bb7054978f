package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/cpulist"
	"netab/results/vocab"
	"netab/runner"
	"netab/runner/knob"
	"netab/scenarios"
)

// dryRun prints the plan. Planning tries each arm's settings in throw-away
// namespaces and changes nothing of the machine.
func dryRun(cmd *cobra.Command, l *loaded, o runner.Options, asJSON bool) error {
	p, err := runner.Plan(cmd.Context(), o)
	if err != nil {
		return failed(err)
	}
	starts := runner.SessionStarts(l.Measure.Sessions, time.Duration(l.Measure.Spread), l.eachSession(), o.Seed)
	f := forecast(calibrationsOf(cmd, o.Store, &o.Header.Machine), o.Header.Design)
	if asJSON {
		return failed(writeJSON(cmd.OutOrStdout(), struct {
			*runner.Preview
			Differs  []results.Difference `json:"differs"`            // between the arms, values in their order
			Forecast *analysis.Forecast   `json:"forecast,omitempty"` // by the calibration of this machine
			Fit      int                  `json:"trials_within_max_time"`
			Needed   int                  `json:"trials_needed"`               // for any verdict
			Starts   []time.Duration      `json:"session_starts_ns,omitempty"` // from the first's
		}{p, differs(o.Header.Design.Arms), f.orNil(), fitting(o, p), analysis.FewestTrials(o.Header.Design), starts}, ""))
	}
	printPlan(cmd.OutOrStdout(), l, o, p)
	if text := l.sessionsPlan(starts); text != "" {
		writeln(cmd.OutOrStdout(), text)
	}
	if text := tooShort(o, p); text != "" {
		writeln(cmd.OutOrStdout(), text)
		return nil
	}
	if len(o.Header.Design.Arms) > 1 {
		writeln(cmd.OutOrStdout(), f)
	}
	return nil
}

// fitting is about how many trials the time limit has room for.
func fitting(o runner.Options, p *runner.Preview) int {
	return max(1, int(o.MaxTime/p.Each())) // the first is measured whatever it takes
}

// tooShort says that no verdict can come of a run, and how long it would need;
// "" where one can.
func tooShort(o runner.Options, p *runner.Preview) string {
	fit, needed := fitting(o, p), analysis.FewestTrials(o.Header.Design)
	if fit >= needed {
		return ""
	}
	without := "no verdict"
	if len(o.Header.Design.Arms) < 2 {
		without = "no interval"
	}
	enough := (time.Duration(needed)*p.Each() + time.Second - 1).Truncate(time.Second)
	return fmt.Sprintf("%s can come of this run: its time limit of %v has room for about %s of %v, and %d are needed; give it --max-time %v",
		without, o.MaxTime, prose.Counted(fit, "trial"), p.Each().Round(10*time.Millisecond), needed, enough)
}

// A foretold question is one of which is known how long it will take.
type foretold struct {
	analysis.Forecast
	resolution float64
	of         []string // scenarios that were calibrated
}

func (f foretold) orNil() *analysis.Forecast {
	if f.Trials == 0 {
		return nil
	}
	return &f.Forecast
}

func (f foretold) String() string {
	switch {
	case len(f.of) == 0:
		return "how long that takes is not known: this machine is not calibrated (netab calibrate)"
	case f.Trials == 0: // no two runs undisturbed, or a scatter that no time averages out
		return fmt.Sprintf("how long that takes is not known: the calibration of %s cannot tell; calibrate again on a quiet machine (netab calibrate)", strings.Join(f.of, ", "))
	}
	text := fmt.Sprintf("about %v for %.3g %% (%s), by the calibration of %s", f.Time.Round(time.Second), 100*f.resolution, prose.Counted(f.Trials, "trial"), strings.Join(f.of, ", "))
	if !f.Within {
		text += ": more than --max-time allows"
	}
	return text
}

// forecast says how long the question of a run will take, by what is known of
// this machine.
func forecast(known []*results.Calibration, d results.Design) foretold {
	if len(known) == 0 {
		return foretold{}
	}
	sd, trial, of := calibration.Scatter(known, d)
	return foretold{analysis.Predict(d, sd, trial), d.Resolution, of}
}

func printPlan(w io.Writer, l *loaded, o runner.Options, p *runner.Preview) {
	writeln(w, strings.TrimSuffix(l.Name+": "+strings.TrimSpace(l.Question), ": "))
	writeln(w)
	for i, a := range p.Arms {
		baseline := ""
		if a.Name == o.Header.Design.Baseline {
			baseline = ", baseline"
		}
		traffic := l.arms[i].Config.Traffic
		writef(w, "arm %s%s: %s, %s on %s to %s on %s\n", a.Name, baseline, trafficOf(traffic, a.Topology),
			sourceOf(traffic), cpuList(a.Source), sinkOf(traffic), cpuList(a.Sink))
		for _, name := range slices.Sorted(maps.Keys(traffic.Beside)) {
			beside := traffic.Beside[name]
			writef(w, "    beside it %s: %s, %s to %s\n", name, trafficOf(beside, a.Topology), sourceOf(beside), sinkOf(beside))
		}
		for _, k := range a.Own {
			writef(w, "    %s (own namespace)\n", k)
		}
		for _, note := range o.Header.Design.Arms[i].Notes {
			writef(w, "    note: %s\n", note)
		}
		if len(a.SharesFlowWith) > 0 {
			writef(w, "    on the same live flow as %s\n", strings.Join(a.SharesFlowWith, ", "))
		}
	}
	printDiffers(w, o.Header.Design.Arms)
	for _, s := range p.Borrowed {
		from := "borrowed from the machine"
		if s.Scope == knob.Netns {
			from = "set in the namespaces of the devices"
		}
		writef(w, "%s (%s): %s, now %q; by arm: %s\n", from, s.Scope, s.Knob, s.Before, strings.Join(s.Values, ", "))
	}
	for _, device := range p.Moved {
		writef(w, "%s is moved into a namespace for the run, and back at its end\n", device)
	}
	for _, note := range p.Notes {
		writef(w, "note: %s\n", note)
	}
	if len(p.Borrowed)+len(p.Moved) == 0 {
		writeln(w, "nothing of the machine is changed")
	}
	writef(w, "\ngrain %s: %s\n", p.Grain, p.Reason)
	writef(w, "slices of %v, the first %v of each not counted; a trial is %s of %s, %v\n",
		p.Slice, p.Settle, prose.Counted(p.Blocks, "block"), prose.Counted(len(p.Arms), "slice"), p.Trial)
	until := fmt.Sprintf("every comparison is decided at a resolution of %.3g %%", 100*o.Header.Design.Resolution)
	if len(p.Arms) < 2 {
		until = fmt.Sprintf("the level is known to %.3g %% either way", 100*o.Header.Design.Width)
	}
	if l.Measure.Sessions > 1 {
		until = "all sessions have ended"
	}
	writef(w, "until %s, at most %v (about %s); seed %d\n", until, o.MaxTime, prose.Counted(fitting(o, p), "trial"), o.Seed)
}

// differs are the settings that are not the same in all arms.
func differs(arms []results.Arm) []results.Difference {
	var of []results.Description
	for _, a := range arms {
		of = append(of, a.Description)
	}
	return results.Differences(of...)
}

// printDiffers prints a table of what differs between the arms: a line a setting
// and a column an arm, or the other way round where that is too wide.
func printDiffers(w io.Writer, arms []results.Arm) {
	rows := differs(arms)
	if len(arms) < 2 {
		return
	}
	if len(rows) == 0 {
		writef(w, "\nnothing differs between the arms (an A/A test)\n\n")
		return
	}
	table := [][]string{{"differs"}}
	for _, a := range arms {
		table[0] = append(table[0], a.Name)
	}
	for _, x := range rows {
		row := []string{x.Path}
		for _, value := range x.Values {
			row = append(row, cmp.Or(value, "-"))
		}
		table = append(table, row)
	}
	if other := transposed(table); tableWidth(table) > max(widthOf(w), tableWidth(other)) {
		table = other
	}
	writeln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range table {
		writeRow(t, row)
	}
	_ = t.Flush() // as of the prints around it
	writeln(w)
}

// tableWidth is how wide a table is with two blanks between columns.
func tableWidth(table [][]string) int {
	width := 0
	for _, column := range transposed(table) {
		widest := 0
		for _, cell := range column {
			widest = max(widest, len(cell))
		}
		width += widest + 2
	}
	return width - 2
}

func transposed(table [][]string) [][]string {
	out := make([][]string, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			out[i] = append(out[i], cell)
		}
	}
	return out
}

// trafficOf says what the flows carry: "udp flood over veth, 64 bytes, 2 flows".
func trafficOf(t scenarios.Traffic, topology vocab.Topology) string {
	what := string(t.Protocol)
	if t.Kind != vocab.Stream {
		what += " " + string(t.Kind)
	}
	words := []string{fmt.Sprintf("%s over %s", what, topology), prose.Counted(meanMessage(t), "byte")}
	if len(t.Sizes) > 0 {
		words[1] += " on average"
	}
	words = append(words, prose.Counted(len(t.Pairs()), "flow"))
	if t.Sources+t.Sinks > 2 {
		words = append(words, fmt.Sprintf("%s of %s and %s", t.Pattern, prose.Counted(t.Sources, "source"), prose.Counted(t.Sinks, "sink")))
	}
	if t.Direction != "forward" {
		words = append(words, "direction "+t.Direction)
	}
	switch {
	case t.LossFree != nil:
		words = append(words, fmt.Sprintf("the highest rate between %v/s and %v/s with a loss of at most %.3g %%",
			t.LossFree.From, t.LossFree.To, 100*float64(t.LossFree.Loss)))
	case t.Rate > 0:
		words = append(words, fmt.Sprintf("%v/s", t.Rate))
	}
	return strings.Join(words, ", ")
}

// sourceOf says by which system calls the source sends.
func sourceOf(t scenarios.Traffic) string {
	s := t.Source
	return pathOf("source", s.Path, s.Batch, []option{
		{s.Segment > 0, fmt.Sprintf("segments of %v", s.Segment)}, {s.ZeroCopy, "zerocopy"}, {s.Slowdown > 0, fmt.Sprintf("slowed down by %.3g %%", 100*float64(s.Slowdown))}, {s.Socket != "" && s.Socket != "connected", "socket " + s.Socket},
	})
}

func sinkOf(t scenarios.Traffic) string {
	s := t.Sink
	return pathOf("sink", s.Path, s.Batch, []option{
		{s.GRO, "gro"}, {s.Truncate, "truncate"}, {s.BusyPoll > 0, "busy_poll " + s.BusyPoll.String()}, {s.Wait == "spin", "spinning"}, {s.Socket != "" && s.Socket != "connected", "socket " + s.Socket},
	})
}

// An option of a path is said if it is set.
type option struct {
	set  bool
	text string
}

func pathOf(role, path string, batch int, options []option) string {
	words := []string{path}
	if batch > 0 {
		words[0] += fmt.Sprintf(" by %d", batch)
	}
	for _, o := range options {
		if o.set {
			words = append(words, o.text)
		}
	}
	return fmt.Sprintf("%s (%s)", role, strings.Join(words, ", "))
}

func cpuList(cpus []int) string {
	if len(cpus) == 0 {
		return "any CPU"
	}
	return "CPU " + cpulist.Format(cpus)
}
