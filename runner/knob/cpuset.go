package knob

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netab/results"
)

// maxCPUs bounds what the parsers accept: the largest CONFIG_NR_CPUS that any
// architecture offers is 8192. Without a bound "0-4000000000" would be a way to
// eat all memory.
const maxCPUs = 8192

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
	return results.ParseCPUList(s)
}

// formatList writes a sorted set as a CPU list, "none" when it is empty.
func formatList(cpus []int) string {
	if len(cpus) == 0 {
		return noCPUs
	}
	return results.FormatCPUList(cpus)
}

// parseMask reads a mask as the kernel prints and takes it: hexadecimal in
// groups of 32 bits, commas between them, the highest group first
// (bitmap_parse and "%*pb" in lib/bitmap-str.c). A group may be short.
func parseMask(s string) ([]int, error) {
	s = strings.TrimSpace(s)
	groups := strings.Split(s, ",")
	if len(groups) > maxCPUs/32 {
		return nil, fmt.Errorf("CPU mask of %d groups is longer than Linux supports (%d)", len(groups), maxCPUs/32)
	}
	var cpus []int
	for i, g := range slices.Backward(groups) {
		bits, err := strconv.ParseUint(g, 16, 32)
		if err != nil {
			return nil, fmt.Errorf("CPU mask %q: %q is not a group of up to 8 hexadecimal digits", s, g)
		}
		base := 32 * (len(groups) - 1 - i)
		for b := range 32 {
			if bits&(1<<b) != 0 {
				cpus = append(cpus, base+b)
			}
		}
	}
	return cpus, nil
}

// formatMask writes a sorted set as a mask. It has no leading zero groups: the
// kernel fills those in, whatever its nr_cpu_ids, but refuses (EOVERFLOW) a
// group that it has no bits for on some versions.
func formatMask(cpus []int) string {
	if len(cpus) == 0 {
		return "0"
	}
	groups := make([]uint32, cpus[len(cpus)-1]/32+1)
	for _, c := range cpus {
		groups[c/32] |= 1 << (c % 32)
	}
	var b strings.Builder
	for i, g := range slices.Backward(groups) {
		if i == len(groups)-1 {
			fmt.Fprintf(&b, "%x", g)
		} else {
			fmt.Fprintf(&b, ",%08x", g)
		}
	}
	return b.String()
}
