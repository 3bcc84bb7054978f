package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCPU is the largest CPU number taken; Linux is built for 8192 CPUs at most
// (NR_CPUS_RANGE_END of x86). It keeps "0-4000000000" from filling the memory.
const maxCPU = 8191

// ParseCPUList parses the kernel's list format, "0-3,8". The CPUs come in the
// order written, each once; an empty list is nil.
func ParseCPUList(list string) ([]int, error) {
	list = strings.TrimSpace(list)
	if list == "" {
		return nil, nil
	}
	var out []int
	for part := range strings.SplitSeq(list, ",") {
		lo, hi, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := cpuNumber(lo)
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = cpuNumber(hi); err != nil {
				return nil, err
			}
		}
		if last < first {
			return nil, fmt.Errorf("CPU range %d-%d runs backwards", first, last)
		}
		for cpu := first; cpu <= last; cpu++ {
			out = append(out, cpu)
		}
		if len(out) > maxCPU { // the same range again and again
			out = unique(out)
		}
	}
	return unique(out), nil
}

func cpuNumber(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a CPU number", s)
	}
	if n > maxCPU {
		return 0, fmt.Errorf("CPU %d is beyond %d, the most that Linux knows", n, maxCPU)
	}
	return int(n), nil
}

// FormatCPUList writes CPUs in the kernel's list format: sorted, each once,
// neighbours as ranges. An empty set is "".
func FormatCPUList(cpus []int) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(cpus)))
	var b strings.Builder
	for i := 0; i < len(sorted); {
		j := i
		for j+1 < len(sorted) && sorted[j+1] == sorted[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(sorted[i]))
		if j > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(sorted[j]))
		}
		i = j + 1
	}
	return b.String()
}

// unique drops repeated CPUs and keeps the order of the first ones.
func unique(cpus []int) []int {
	seen := make(map[int]bool, len(cpus))
	var out []int
	for _, cpu := range cpus {
		if !seen[cpu] {
			seen[cpu] = true
			out = append(out, cpu)
		}
	}
	return out
}
