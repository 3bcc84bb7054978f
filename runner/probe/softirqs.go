package probe

import (
	"fmt"
	"strconv"
	"strings"
)

// Softirqs are counts of softirqs run, by CPU and name (NET_RX, TIMER). The
// kernel keeps them in unsigned int (struct kernel_stat,
// include/linux/kernel_stat.h): they wrap at 2^32.
type Softirqs map[int]map[string]uint32

// ReadSoftirqs reads /proc/softirqs: a row a softirq, a column a possible CPU
// (fs/proc/softirqs.c), so CPUs that are offline are there too.
func ReadSoftirqs(fr FileReader) (Softirqs, error) {
	return read(fr, "/proc/softirqs", parseSoftirqs)
}

func parseSoftirqs(data []byte) (Softirqs, error) {
	header, rest, _ := strings.Cut(string(data), "\n")
	cpus, err := cpuColumns(header)
	if err != nil {
		return nil, lineError(1, "%w", err)
	}
	all := make(Softirqs, len(cpus))
	for _, cpu := range cpus {
		all[cpu] = make(map[string]uint32, 10)
	}
	line := 1
	for text := range strings.Lines(rest) {
		line++
		name, counts, ok := strings.Cut(text, ":")
		fields := strings.Fields(counts)
		if !ok || len(fields) != len(cpus) {
			return nil, lineError(line, "want a name and %d counts, got %q", len(cpus), strings.TrimSpace(text))
		}
		name = strings.TrimSpace(name)
		for i, f := range fields {
			v, err := counter32(f, 10)
			if err != nil {
				return nil, lineError(line, "%s: %w", name, err)
			}
			all[cpus[i]][name] = v
		}
	}
	return all, nil
}

// cpuColumns reads the header line "CPU0 CPU1 CPU4" of /proc/softirqs and
// /proc/interrupts.
func cpuColumns(header string) ([]int, error) {
	fields := strings.Fields(header)
	if len(fields) == 0 {
		return nil, fmt.Errorf("no CPU columns in the header")
	}
	cpus := make([]int, len(fields))
	for i, f := range fields {
		number, ok := strings.CutPrefix(f, "CPU")
		cpu, err := strconv.ParseUint(number, 10, 31)
		if !ok || err != nil {
			return nil, fmt.Errorf("column %q is not CPU and a number", f)
		}
		cpus[i] = int(cpu)
	}
	return cpus, nil
}
