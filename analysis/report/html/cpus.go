package html

import (
	"maps"
	"slices"
	"strconv"

	"netab/analysis/prose"
	"netab/results"
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
