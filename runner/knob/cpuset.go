package knob

import (
	"strings"

	"netab/results/cpulist"
)

// noCPUs is how an empty CPU set is written for people. Records and journals
// use it too, because "" there means that there was no value.
const noCPUs = "none"

// parseList reads a CPU list as scenarios and the kernel's *_list files write
// it ("0,2-3"). "", "none" and "off" are the empty set. The result is sorted
// and free of duplicates.
func parseList(s string) ([]int, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == noCPUs || s == "off" {
		return nil, nil
	}
	return cpulist.Parse(s)
}

// formatList writes a sorted set as a CPU list, "none" when it is empty.
func formatList(cpus []int) string {
	if len(cpus) == 0 {
		return noCPUs
	}
	return cpulist.Format(cpus)
}
