package html

import (
	"fmt"
	"sort"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/results"
)

// rolesChart stacks the CPU time of the two roles of each arm.
func rolesChart(id string, arms []analysis.ArmSummary) (chart, error) {
	var names, alt []string
	rows := map[string][]any{}
	for _, a := range arms {
		names = append(names, report.ArmLabel(a))
		text := report.ArmLabel(a) + ":"
		for _, m := range []string{figure.CPUSource, figure.CPUSink} {
			l, ok := a.Metrics[m]
			if !ok {
				rows[m] = append(rows[m], nil)
				continue
			}
			rows[m] = append(rows[m], round(100*l.Mean, 1e2))
			text += fmt.Sprintf(" %s %.0f %%", strings.TrimPrefix(m, "cpu_"), 100*l.Mean)
		}
		alt = append(alt, text)
	}
	p := newPlot(valueX("CPU time (% of one CPU)"), categoryY("", names))
	p.XAxisList[0].Scale = nil
	p.series(bar("source", "--role-source", rows[figure.CPUSource]))
	p.series(bar("sink", "--role-sink", rows[figure.CPUSink]))
	p.legend([]string{"source", "sink"})
	return p.finish(chart{ID: id, Title: "CPU time of the roles", Height: max(120+36*len(names), 240),
		Note: "Without precise interrupt accounting, softirq work is billed to the thread that it interrupts: a role's time includes packets processed on its back.",
		Alt:  "CPU time per role. " + strings.Join(alt, "; ") + "."})
}

// maxCPUs bounds the CPUs that are drawn and listed, busiest first.
const maxCPUs = 32

// busyChart shows what whole CPUs did while slices ran, all arms together.
func busyChart(id string, cpus []cpuLoad) (chart, error) {
	parts := []struct {
		name, color string
		of          func(cpuLoad) int64
	}{
		{"user", "--cpu-user", func(c cpuLoad) int64 { return c.UserNS }},
		{"system", "--cpu-system", func(c cpuLoad) int64 { return c.SystemNS }},
		{"interrupt", "--cpu-irq", func(c cpuLoad) int64 { return c.IRQNS }},
		{"softirq", "--cpu-softirq", func(c cpuLoad) int64 { return c.SoftirqNS }},
		{"steal", "--cpu-steal", func(c cpuLoad) int64 { return c.StealNS }},
	}
	var names, legend, alt []string
	for _, c := range cpus {
		names = append(names, fmt.Sprintf("CPU %d", c.CPU))
		alt = append(alt, fmt.Sprintf("CPU %d %.0f %% busy", c.CPU, c.percent(c.BusyNS)))
	}
	p := newPlot(valueX("Share of the time (%)"), categoryY("", names))
	p.XAxisList[0].Scale, p.XAxisList[0].Max = nil, 100
	for _, part := range parts {
		values := make([]any, 0, len(cpus))
		for _, c := range cpus {
			values = append(values, round(c.percent(part.of(c)), 1e2))
		}
		p.series(bar(part.name, part.color, values))
		legend = append(legend, part.name)
	}
	p.legend(legend)
	return p.finish(chart{ID: id, Title: "Whole CPUs", Height: max(120+36*len(names), 240),
		Note: "What the CPUs did while slices ran, all arms together (kernel ticks: good to a few percent).",
		Alt:  "Busy time of whole CPUs. " + strings.Join(alt, "; ") + "."})
}

func bar(name, color string, values []any) charts.SingleSeries {
	s := custom(name, "", color, nil)
	s.Type, s.Stack, s.Data, s.BarMaxWidth = types.ChartBar, "all", values, "22"
	return s
}

// A cpuLoad is one CPU over all valid trials.
type cpuLoad struct {
	results.CPUDelta
	runNS int64 // time that the trials' slices took
}

func (c cpuLoad) percent(ns int64) float64 {
	if c.runNS <= 0 {
		return 0
	}
	return 100 * float64(ns) / float64(c.runNS)
}

// perSecond is the rate of a counter.
func (c cpuLoad) perSecond(n int64) float64 {
	if c.runNS <= 0 {
		return 0
	}
	return float64(n) * 1e9 / float64(c.runNS)
}

// cpuLoads adds up the host's CPUs over valid trials, by CPU number.
func cpuLoads(run *results.Run) []cpuLoad {
	sums := map[int]*cpuLoad{}
	var runNS int64
	for _, t := range run.Trials {
		if t.Invalid != "" {
			continue
		}
		runNS += t.RunNS
		for _, c := range t.Host.CPUs {
			s := sums[c.CPU]
			if s == nil {
				s = &cpuLoad{CPUDelta: results.CPUDelta{CPU: c.CPU, Softirqs: map[string]int64{}}}
				sums[c.CPU] = s
			}
			s.Add(c)
		}
	}
	loads := make([]cpuLoad, 0, len(sums))
	for _, s := range sums {
		s.runNS = runNS
		loads = append(loads, *s)
	}
	sort.Slice(loads, func(i, j int) bool { return loads[i].CPU < loads[j].CPU })
	return loads
}

// busiest keeps the CPUs that had most to do, in order of their number.
func busiest(loads []cpuLoad) []cpuLoad {
	if len(loads) <= maxCPUs {
		return loads
	}
	top := append([]cpuLoad(nil), loads...)
	sort.SliceStable(top, func(i, j int) bool { return top[i].BusyNS > top[j].BusyNS })
	top = top[:maxCPUs]
	sort.Slice(top, func(i, j int) bool { return top[i].CPU < top[j].CPU })
	return top
}
