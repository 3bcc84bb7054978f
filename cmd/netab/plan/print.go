package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/results/cpulist"
	"netab/runner/knob"
)

// A Printer prints as fmt.Printf does, and keeps each argument within its line.
type Printer func(format string, args ...any)

// Print prints a plan for a stream of so many columns.
func (p *Plan) Print(printf Printer, width int) {
	printf("%s\n\n", strings.TrimSuffix(p.question.Name+": "+strings.TrimSpace(p.question.Question), ": "))
	p.printArms(printf)
	p.printDiffers(printf, width)
	p.printChanged(printf)
	p.printSchedule(printf)
	if text := p.sessions(); text != "" {
		printf("%s\n", text)
	}
	if text := p.TooShort(); text != "" {
		printf("%s\n", text)
	} else if len(p.Arms) > 1 {
		printf("%s\n", p.forecast())
	}
}

func (p *Plan) printArms(printf Printer) {
	for i, a := range p.Arms {
		baseline := ""
		if a.Name == p.design.Baseline {
			baseline = ", baseline"
		}
		traffic := p.question.Arms[i].Config.Traffic
		printf("arm %s%s: %s, %s on %s to %s on %s\n", a.Name, baseline, trafficOf(traffic, a.Topology),
			sourceOf(traffic), cpuList(a.Source), sinkOf(traffic), cpuList(a.Sink))
		for _, name := range slices.Sorted(maps.Keys(traffic.Beside)) {
			beside := traffic.Beside[name]
			printf("    beside it %s: %s, %s to %s\n", name, trafficOf(beside, a.Topology), sourceOf(beside), sinkOf(beside))
		}
		for _, k := range a.Own {
			printf("    %s (own namespace)\n", k)
		}
		for _, note := range p.design.Arms[i].Notes {
			printf("    note: %s\n", note)
		}
		if len(a.SharesFlowWith) > 0 {
			printf("    on the same live flow as %s\n", strings.Join(a.SharesFlowWith, ", "))
		}
	}
}

func cpuList(cpus []int) string {
	if len(cpus) == 0 {
		return "any CPU"
	}
	return "CPU " + cpulist.Format(cpus)
}

// printDiffers prints a table of what differs between the arms: a line a setting
// and a column an arm, or the other way round where that is too wide.
func (p *Plan) printDiffers(printf Printer, width int) {
	if len(p.design.Arms) < 2 {
		return
	}
	if len(p.Differs) == 0 {
		printf("\nnothing differs between the arms (an A/A test)\n\n")
		return
	}
	t := table{{"differs"}}
	for _, a := range p.design.Arms {
		t[0] = append(t[0], escape.Visible(a.Name))
	}
	for _, x := range p.Differs {
		row := []string{escape.Visible(x.Path)}
		for _, value := range x.Values {
			row = append(row, escape.Visible(cmp.Or(value, "-")))
		}
		t = append(t, row)
	}
	if other := t.transposed(); t.width() > max(width, other.width()) {
		t = other
	}
	printf("\n")
	for _, line := range t.lines() {
		printf("%s\n", line)
	}
	printf("\n")
}

// printChanged says what is done to the machine.
func (p *Plan) printChanged(printf Printer) {
	for _, s := range p.Borrowed {
		from := "borrowed from the machine"
		if s.Scope == knob.Netns {
			from = "set in the namespaces of the devices"
		}
		printf("%s (%s): %s, now %q; by arm: %s\n", from, s.Scope, s.Knob, s.Before, strings.Join(s.Values, ", "))
	}
	for _, device := range p.Moved {
		printf("%s is moved into a namespace for the run, and back at its end\n", device)
	}
	for _, note := range p.Notes {
		printf("note: %s\n", note)
	}
	if len(p.Borrowed)+len(p.Moved) == 0 {
		printf("nothing of the machine is changed\n")
	}
}

// printSchedule says who is measured when, and until when.
func (p *Plan) printSchedule(printf Printer) {
	printf("\ngrain %s: %s\n", p.Grain, p.Reason)
	printf("slices of %v, the first %v of each not counted; a trial is %s of %s, %v\n",
		p.Slice, p.Settle, prose.Counted(p.Blocks, "block"), prose.Counted(len(p.Arms), "slice"), p.Trial)
	until := fmt.Sprintf("every comparison is decided at a resolution of %.3g %%", 100*p.design.Resolution)
	if len(p.Arms) < 2 {
		until = fmt.Sprintf("the level is known to %.3g %% either way", 100*p.design.Width)
	}
	if len(p.Starts) > 0 {
		until = "all sessions have ended"
	}
	if s := p.design.Shard; s != nil {
		printf("shard %d of %d: %s of the %d that are compared in all, with their part of alpha\n", s.Part, s.Of, prose.Counted(len(p.Arms)-1, "arm"), s.Arms)
	}
	if p.design.RestDecided {
		printf("arms that have their verdict at a look rest, and the time goes to the others\n")
	}
	printf("until %s, at most %v (about %s); seed %d\n", until, p.maxTime, prose.Counted(p.Fit, "trial"), p.seed)
}

// sessions says when sessions are measured; "" of one.
func (p *Plan) sessions() string {
	if len(p.Starts) < 2 {
		return ""
	}
	each, spread := p.question.EachSession(), time.Duration(p.question.Measure.Spread)
	text := fmt.Sprintf("%s of %v, spread over %v: the first at once", prose.Counted(len(p.Starts), "session"), each.Round(time.Second/10), spread)
	const most = 8
	for i, at := range p.Starts[1:] {
		if i == most {
			text += fmt.Sprintf(", %d more", len(p.Starts)-1-most)
			break
		}
		text += ", +" + at.Round(time.Second).String()
	}
	return text + fmt.Sprintf("; over after %v; in between the machine is as it was, and free for others", (p.Starts[len(p.Starts)-1]+each).Round(time.Second))
}

// A table has rows of as many cells.
type table [][]string

// gap is how many blanks are between columns.
const gap = 2

func (t table) widths() []int {
	out := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			out[i] = max(out[i], utf8.RuneCountInString(cell))
		}
	}
	return out
}

func (t table) width() int {
	all := -gap
	for _, w := range t.widths() {
		all += w + gap
	}
	return all
}

func (t table) transposed() table {
	out := make(table, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			out[i] = append(out[i], cell)
		}
	}
	return out
}

// lines are the rows with their cells below each other.
func (t table) lines() (out []string) {
	widths := t.widths()
	for _, row := range t {
		var b strings.Builder
		for i, cell := range row[:len(row)-1] {
			b.WriteString(cell + strings.Repeat(" ", widths[i]+gap-utf8.RuneCountInString(cell)))
		}
		out = append(out, b.String()+row[len(row)-1])
	}
	return out
}
