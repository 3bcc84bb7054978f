package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/results"
	"netab/results/vocab"
)

// A cpuTable is /proc/softirqs and softnet_stat, as rates.
type cpuTable struct {
	loads    []cpuLoad
	Softirqs []string
	Rows     []cpuRow
	Left     int // CPUs not shown
}

type cpuRow struct {
	CPU      int
	Busy     string
	Steal    string
	MHz      string
	Softirqs []string
	Softnet  []string
}

// SoftnetHeads name the columns of cpuRow.Softnet.
func (cpuTable) SoftnetHeads() []string {
	return []string{"processed", "dropped", "time squeeze", "received RPS", "flow limit"}
}

func newCPUTable(run *results.Run) cpuTable {
	all := cpuLoads(run)
	t := cpuTable{loads: busiest(all)}
	t.Left = len(all) - len(t.loads)
	kinds := map[string]bool{}
	for _, c := range t.loads {
		for name := range c.Softirqs {
			kinds[name] = true
		}
	}
	t.Softirqs = slices.Sorted(maps.Keys(kinds))
	for _, c := range t.loads {
		r := cpuRow{CPU: c.CPU, Busy: strconv.FormatFloat(min(c.percent(c.BusyNS), 100), 'f', 1, 64), Steal: strconv.FormatFloat(c.percent(c.StealNS), 'f', 1, 64)}
		for _, name := range t.Softirqs {
			r.Softirqs = append(r.Softirqs, rate(c.perSecond(c.Softirqs[name])))
		}
		for _, n := range []int64{c.Processed, c.Dropped, c.TimeSqueeze, c.ReceivedRPS, c.FlowLimit} {
			r.Softnet = append(r.Softnet, rate(c.perSecond(n)))
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// rate writes events per second: whole numbers from ten on.
func rate(x float64) string {
	if x >= 10 || x == 0 {
		return prose.Grouped(int64(x + 0.5))
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// A settingsView is what was changed, and whether it is back.
type settingsView struct {
	Rows     []settingRow
	Restored []results.Setting
	Errors   []string
	Ended    bool
}

type settingRow struct {
	Arm string
	results.Setting
	Trials string // "" = all
}

// Differs says that the kernel did not take the value as asked.
func (r settingRow) Differs() bool { return !r.Took() }

// allArms stands for every arm where a setting is the same in all of them.
const allArms = -1

// newSettings lists each arm's knobs once, or as often as what was read back
// differed between trials; what all arms share stands first.
func newSettings(run *results.Run) settingsView {
	seen := map[settingKey][]int{}
	arms := map[results.Setting]map[int]bool{}
	of := map[int]int{} // trials in which an arm took part
	var order []settingKey
	for _, t := range run.Trials {
		for _, a := range t.Arms {
			of[a.Arm]++
			for _, k := range a.Knobs {
				id := settingKey{a.Arm, k}
				if seen[id] == nil {
					order = append(order, id)
				}
				if arms[k] == nil {
					arms[k] = map[int]bool{}
				}
				arms[k][a.Arm] = true
				seen[id] = append(seen[id], t.Index)
			}
		}
	}
	var v settingsView
	for _, k := range mergeShared(order, arms, len(of)) {
		r := settingRow{Arm: "all arms", Setting: k.Setting}
		if k.arm != allArms {
			r.Arm = record.ArmName(run.Header.Design, k.arm)
			if len(seen[k]) < of[k.arm] {
				r.Trials = numbers(seen[k])
			}
		}
		v.Rows = append(v.Rows, r)
	}
	if run.End != nil {
		v.Ended, v.Restored, v.Errors = true, run.End.Restored, run.End.RestoreErrors
	}
	return v
}

// A settingKey is one setting of one arm.
type settingKey struct {
	arm int
	results.Setting
}

// mergeShared lists settings that all arms have alike once, and the rest by
// arm.
func mergeShared(order []settingKey, arms map[results.Setting]map[int]bool, all int) []settingKey {
	var out []settingKey
	done := map[results.Setting]bool{}
	for _, k := range order {
		if all > 1 && len(arms[k.Setting]) == all {
			if !done[k.Setting] {
				done[k.Setting] = true
				out = append(out, settingKey{allArms, k.Setting})
			}
			continue
		}
		out = append(out, k)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].arm < out[j].arm })
	return out
}

func machineFacts(m results.Machine) []fact {
	facts := []fact{
		{"Host", m.Hostname}, {"Kernel", strings.TrimSpace(m.Kernel + " " + m.KernelBuild)}, {"Kernel command line", m.KernelCmdline},
		{"Architecture", m.Arch}, {"CPU", m.CPUModel}, {"Microcode", m.Microcode},
		{"CPUs online", fmt.Sprintf("%d (%s)", m.CPUs, m.CPUsOnline)}, {"Allowed CPUs", m.CPUsAllowed}, {"Isolated CPUs", m.CPUsIsolated},
		{"Topology", fmt.Sprintf("%s, %s, %s per core", prose.Counted(m.Sockets, "socket"), prose.Counted(m.NUMANodes, "NUMA node"), prose.Counted(m.ThreadsPerCore, "thread"))},
		{"Memory", prose.Bytes(m.MemoryBytes)}, {"Clock source", m.Clocksource}, {"Frequency governor", m.Governor},
		{"Virtualisation", m.Virtualization}, {"Interrupt time accounting", m.IRQTime},
		{"Debug options", strings.Join(m.Debug, ", ")}, {"Modules in the packet path", strings.Join(m.Modules, ", ")},
		{"Boot", m.BootID}, {"Queueing disciplines", pairs(m.Qdiscs)},
	}
	return present(facts)
}

// machineLists are the long lists, folded on the page.
func machineLists(m results.Machine) []fact {
	return present([]fact{{"Mitigations", pairs(m.Mitigations)}, {"Sysctls", pairs(m.Sysctls)}, {"Offloads", pairs(m.Offloads)}})
}

// pairs lists a map line by line, sorted.
func pairs(m map[string]string) string {
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, k+": "+m[k])
	}
	return strings.Join(lines, "\n")
}

func present(facts []fact) []fact {
	var out []fact
	for _, f := range facts {
		if f.Value != "" && f.Value != "0 B" {
			out = append(out, f)
		}
	}
	return out
}

func runFacts(run *results.Run, s analysis.Summary) []fact {
	h := run.Header
	p := h.Plan
	facts := []fact{
		{"Run", h.ID}, {"Started", h.Started.UTC().Format(time.RFC3339)}, {"Ended", string(s.Ended)},
		{"Trials", fmt.Sprintf("%d used, %d not used", s.Trials, s.Invalid)},
		{"Time", fmt.Sprintf("%s from the first trial to the last, %s of it counted", prose.Seconds(s.DurationS), prose.Seconds(s.MeasuredS))},
		{"Turns", fmt.Sprintf("%s of %s, the first %s of each not counted, %s a trial", grainWords(p.Grain),
			prose.Duration(time.Duration(p.SliceNS)), prose.Duration(time.Duration(p.SettleNS)), prose.Counted(p.BlocksPerTrial, "block"))},
		{"Why so", p.Reason}, {"Counters of the machine", countersText(run)}, {"Confidence", prose.ShortPercent(s.Confidence)}, {"Resolution", prose.ShortPercent(s.Resolution)},
		{"netab", strings.TrimSpace(h.Netab.Version + " " + h.Netab.Revision)},
	}
	return present(facts)
}

// countersText says of how many slices the machine's counters are known; "" where
// none were to be read.
func countersText(run *results.Run) string {
	c := run.Header.Plan.Counters
	if c == nil {
		return ""
	}
	read, all := 0, 0
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			all++
			if run.Trials[i].Slices[k].Counters != nil {
				read++
			}
		}
	}
	var names []string
	for _, file := range c.Files {
		names = append(names, path.Base(file))
	}
	text := "in every block"
	if c.EveryBlocks > 1 {
		text = fmt.Sprintf("in one of %d blocks", c.EveryBlocks)
	}
	return fmt.Sprintf("%s, %s: read for %d of %s", strings.Join(names, ", "), text, read, prose.Counted(all, "slice"))
}

func grainWords(grain vocab.Grain) string {
	switch grain {
	case vocab.BySlice:
		return "arms side by side in slices"
	case vocab.BySliceSwitched:
		return "settings switched between slices"
	case vocab.ByTrial:
		return "a fresh set-up for each arm's turn"
	}
	return string(grain)
}

// A repeatView is how to do it again.
type repeatView struct {
	Command  string
	Seed     uint64
	Source   string
	Scenario string
}

func newRepeat(run *results.Run) repeatView {
	h := run.Header
	v := repeatView{Seed: h.Seed, Source: h.Source, Scenario: scenarioText(h.Scenario)}
	words := make([]string, len(h.Command))
	for i, w := range h.Command {
		words[i] = shellQuote(w)
	}
	v.Command = strings.Join(words, " ")
	return v
}

// scenarioText is the scenario as YAML, or as it stands in the record where
// that cannot be.
func scenarioText(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	if text, err := yaml.JSONToYAML(raw); err == nil {
		return strings.TrimSpace(string(text))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err == nil {
		return b.String()
	}
	return string(raw)
}

// shellQuote writes a word so that a shell reads it back unchanged.
func shellQuote(s string) string {
	plainWord := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r))
	}) < 0
	if plainWord {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// A statsRow is one comparison for those who know statistics.
type statsRow struct {
	Arm, Baseline, Metric               string
	Change, Interval, Verdict           string
	N                                   int
	DF, Alpha, P, PSign                 string
	Robust, Within, Between, HetP, Seen string
	Judged                              bool
}

func statsRows(s analysis.Summary) []statsRow {
	var rows []statsRow
	for _, c := range s.Comparisons {
		sc := figure.ChangeScale([]analysis.Comparison{c}, figure.InfoOf(c.Metric).ScaleFor(figure.Levels(s.Arms, c.Metric)))
		r := statsRow{Arm: c.Arm, Baseline: c.Baseline, Metric: figure.InfoOf(c.Metric).Title, Judged: c.Judged, N: c.N,
			Change: sc.Signed(c.Change) + " " + sc.Unit, Interval: report.VerdictTable{Change: sc}.Interval(&c), Verdict: report.VerdictWords(&c),
			DF: prose.Short(c.DF), Alpha: prose.Short(c.Alpha), P: pValue(c.P), PSign: pValue(c.PSign), HetP: pValue(c.HetP)}
		if c.Untold() {
			r.Change = ""
		}
		r.Robust = figure.Of(c.Robust, func(x *float64) string { return sc.Signed(*x) + " " + sc.Unit })
		r.Seen = figure.Of(c.SmallestDetectable, func(x *float64) string { return "±" + sc.Text(*x) + " " + sc.Unit })
		logPercent := func(x *float64) string { return prose.Short(100**x) + " %" }
		r.Within, r.Between = figure.Of(c.WithinSE, logPercent), figure.Of(c.BetweenSD, logPercent)
		rows = append(rows, r)
	}
	return rows
}

func pValue(p *float64) string {
	switch {
	case p == nil:
		return ""
	case *p < 0.0001:
		return "< 0.0001"
	}
	return strconv.FormatFloat(*p, 'f', 4, 64)
}

// A levelsTable is every metric of every arm.
type levelsTable struct {
	Arms []string
	Rows []levelsRow
}

type levelsRow struct {
	Metric, Unit string
	Cells        []string
}

func newLevelsTable(s analysis.Summary) levelsTable {
	var t levelsTable
	for _, a := range s.Arms {
		t.Arms = append(t.Arms, report.ArmLabel(a))
	}
	for _, name := range figure.MetricNames(s.Arms) {
		m := figure.InfoOf(name)
		sc := m.ScaleFor(figure.Levels(s.Arms, name))
		r := levelsRow{Metric: m.Title, Unit: sc.Unit}
		for _, a := range s.Arms {
			l, ok := a.Metrics[name]
			if !ok {
				r.Cells = append(r.Cells, "")
				continue
			}
			text := sc.Text(l.Mean)
			if l.N > 1 {
				text += " ± " + sc.Text(figure.HalfWidth(l))
			}
			r.Cells = append(r.Cells, text)
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}
