package probe

import (
	"maps"
	"slices"
	"strings"

	"netab/results"
)

// The files of an Edge, those first that tell most for what they cost.
var EdgeFiles = []string{"/proc/thread-self/net/softnet_stat", "/proc/softirqs", "/proc/stat"}

// An Edge is the machine's counters at the edge of a slice: those that can be read
// in microseconds. /proc/interrupts is none of them, nor is what a thread's status
// says.
type Edge struct {
	Softnet  []Softnet       // nil = not read
	Softirqs Softirqs        // nil = not read
	Totals   *results.Totals // since boot; nil = not read
}

// ReadEdge reads as many of EdgeFiles.
func ReadEdge(fr FileReader, files int) (e Edge, err error) {
	if files > 0 {
		if e.Softnet, err = ReadSoftnet(fr); err != nil {
			return e, err
		}
	}
	if files > 1 {
		if e.Softirqs, err = ReadSoftirqs(fr); err != nil {
			return e, err
		}
	}
	if files > 2 {
		t, err := read(fr, "/proc/stat", parseTotals)
		if err != nil {
			return e, err
		}
		e.Totals = &t
	}
	return e, nil
}

// parseTotals reads the rows "intr", whose first column is the sum of all
// interrupts, and "ctxt" (show_stat, fs/proc/stat.c).
func parseTotals(data []byte) (t results.Totals, err error) {
	line, found := 0, 0
	for text := range strings.Lines(string(data)) {
		line++
		name, rest, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
		into := &t.Interrupts
		switch name {
		case "intr":
			rest, _, _ = strings.Cut(rest, " ")
		case "ctxt":
			into = &t.ContextSwitches
		default:
			continue
		}
		if *into, err = counter(rest); err != nil {
			return t, lineError(line, "%s: %w", name, err)
		}
		found++
	}
	if found != 2 {
		return t, lineError(line, "no rows intr and ctxt")
	}
	return t, nil
}

// Sub is what the machine counted between two readings, in all and by CPU. A CPU
// that went off- or online in between is left out.
func (e Edge) Sub(before Edge) (results.Counters, []results.CPUCounters) {
	var sum results.Counters
	byCPU := map[int]*results.CPUCounters{}
	of := func(cpu int) *results.CPUCounters {
		if byCPU[cpu] == nil {
			byCPU[cpu] = &results.CPUCounters{CPU: cpu}
		}
		return byCPU[cpu]
	}
	if e.Softnet != nil && before.Softnet != nil {
		sum.Softnet = &results.Softnet{}
		e.subSoftnet(before, sum.Softnet, of)
	}
	if e.Softirqs != nil && before.Softirqs != nil {
		sum.Softirqs = &results.Softirqs{}
		for cpu, counts := range e.Softirqs {
			earlier, ok := before.Softirqs[cpu]
			if !ok {
				continue
			}
			if d := subCounts(counts, earlier); len(d) > 0 {
				of(cpu).Softirqs = d
				sum.Softirqs.NetRX += d["NET_RX"]
				sum.Softirqs.NetTX += d["NET_TX"]
			}
		}
	}
	if e.Totals != nil && before.Totals != nil {
		sum.Totals = &results.Totals{Interrupts: e.Totals.Interrupts - before.Totals.Interrupts,
			ContextSwitches: e.Totals.ContextSwitches - before.Totals.ContextSwitches}
	}
	var cpus []results.CPUCounters
	for _, cpu := range slices.Sorted(maps.Keys(byCPU)) {
		cpus = append(cpus, *byCPU[cpu])
	}
	return sum, cpus
}

// subSoftnet takes rows together by their CPU, or, where they do not say it (before
// Linux 5.10), by their order; then they are no CPU's.
func (e Edge) subSoftnet(before Edge, sum *results.Softnet, of func(int) *results.CPUCounters) {
	for i, row := range e.Softnet {
		at := slices.IndexFunc(before.Softnet, func(b Softnet) bool { return b.CPU == row.CPU })
		if row.CPU < 0 && len(e.Softnet) == len(before.Softnet) {
			at = i
		}
		if at < 0 {
			continue
		}
		b := before.Softnet[at]
		d := results.CPUCounters{CPU: row.CPU, Processed: delta32(row.Processed, b.Processed), Dropped: delta32(row.Dropped, b.Dropped),
			TimeSqueeze: delta32(row.TimeSqueeze, b.TimeSqueeze), ReceivedRPS: delta32(row.ReceivedRPS, b.ReceivedRPS)}
		sum.Processed += d.Processed
		sum.Dropped += d.Dropped
		sum.TimeSqueeze += d.TimeSqueeze
		sum.ReceivedRPS += d.ReceivedRPS
		if row.CPU >= 0 && d.Processed+d.Dropped+d.TimeSqueeze+d.ReceivedRPS != 0 {
			*of(row.CPU) = d
		}
	}
}
