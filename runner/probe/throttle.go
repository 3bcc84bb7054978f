package probe

import (
	"bytes"
	"fmt"
	"strings"

	"netab/results"
)

// A Throttle is what CPU quotas of the control groups around this process did to
// it so far.
type Throttle struct {
	Periods   int64 // that ended while a group had something to run
	Throttled int64 // of them, how many used the quota up
	NS        int64 // for how long groups were kept from CPUs, summed over CPUs
}

func init() {
	machineFiles = append(machineFiles, func(fr FileReader) (reading, error) { return ReadThrottle(fr) })
}

// ReadThrottle reads cpu.stat of every group that a quota may be set on: this
// process's own and those above it. Each counts only what its own quota did, so
// they add up. What cannot be read counts nothing.
func ReadThrottle(files FileReader) (Throttle, error) {
	var sum Throttle
	for _, dir := range results.Cgroups(files, "cpu") {
		data, err := files.ReadFile(dir + "/cpu.stat")
		if err != nil {
			continue // not there, not to be read, or the group is being removed
		}
		t, err := parseCPUStat(data)
		if err != nil {
			return sum, fmt.Errorf("%s/cpu.stat: %w", dir, err)
		}
		sum.Periods += t.Periods
		sum.Throttled += t.Throttled
		sum.NS += t.NS
	}
	return sum, nil
}

// parseCPUStat parses cpu.stat: of v2 with throttled_usec (cpu_extra_stat_show in
// kernel/sched/core.c), of v1 with throttled_time in ns (cpu_cfs_stat_show). A
// group without a controller has no lines of it.
func parseCPUStat(data []byte) (Throttle, error) {
	var t Throttle
	line := 0
	for row := range bytes.Lines(data) {
		line++
		name, value, _ := strings.Cut(strings.TrimSpace(string(row)), " ")
		var to *int64
		unit := int64(1)
		switch name {
		case "nr_periods":
			to = &t.Periods
		case "nr_throttled":
			to = &t.Throttled
		case "throttled_usec":
			to, unit = &t.NS, 1000
		case "throttled_time":
			to = &t.NS
		default:
			continue
		}
		n, err := counter(value)
		if err != nil {
			return t, lineError(line, "%s: %w", name, err)
		}
		*to = n * unit
	}
	return t, nil
}

func (t Throttle) since(before reading, d *results.HostDelta) {
	if b, ok := before.(Throttle); ok {
		d.ThrottledNS = t.Sub(b).NS
	}
}

// Sub is what happened since.
func (t Throttle) Sub(before Throttle) Throttle {
	return Throttle{t.Periods - before.Periods, t.Throttled - before.Throttled, t.NS - before.NS}
}
