// Package cpulist reads and writes sets of CPUs in the two forms that the kernel
// has for them: lists ("0-3,8") and hexadecimal masks ("f", "1,00000000").
package cpulist

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Max is the largest CPU number taken: no architecture can be built for more than
// 8192 CPUs (NR_CPUS). It keeps "0-4000000000" from filling the memory.
const Max = 8191

// Parse reads a list into CPUs in ascending order (bitmap_parselist,
// lib/bitmap-str.c; without its strides, which the kernel takes but never prints).
// "" is the empty list, nil.
func Parse(list string) ([]int, error) {
	cpus, err := ParseOrdered(list)
	slices.Sort(cpus)
	return cpus, err
}

// ParseOrdered is Parse with the CPUs in the order written, each where it stands
// first.
func ParseOrdered(list string) ([]int, error) {
	list = strings.TrimSpace(list)
	if list == "" {
		return nil, nil
	}
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		lo, hi, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := number(lo)
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = number(hi); err != nil {
				return nil, err
			}
		}
		if last < first {
			return nil, fmt.Errorf("CPU range %d-%d runs backwards", first, last)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, cpu)
		}
		if len(cpus) > Max { // the same range again and again
			cpus = Unique(cpus)
		}
	}
	return Unique(cpus), nil
}

func number(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a CPU number", s)
	}
	if n > Max {
		return 0, fmt.Errorf("CPU %d is beyond %d, the most that Linux knows", n, Max)
	}
	return int(n), nil
}

// Unique drops repeated CPUs and keeps the order of the first ones.
func Unique(cpus []int) []int {
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

// Format writes CPUs as the kernel prints a list: sorted, each once, neighbours as
// ranges. An empty set is "".
func Format(cpus []int) string {
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

// ParseMask reads a mask as the kernel prints and takes it: hexadecimal in groups
// of 32 bits, commas between them, the highest group first (bitmap_parse and
// "%*pb" in lib/bitmap-str.c). A group may be short.
func ParseMask(mask string) ([]int, error) {
	mask = strings.TrimSpace(mask)
	groups := strings.Split(mask, ",")
	if most := (Max + 1) / 32; len(groups) > most {
		return nil, fmt.Errorf("CPU mask of %d groups is longer than Linux supports (%d)", len(groups), most)
	}
	var cpus []int
	for i, g := range slices.Backward(groups) {
		bits, err := strconv.ParseUint(g, 16, 32)
		if err != nil {
			return nil, fmt.Errorf("CPU mask %q: %q is not a group of up to 8 hexadecimal digits", mask, g)
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

// FormatMask writes a set as a mask. It has no leading zero groups: the kernel
// fills those in, whatever its nr_cpu_ids, but refuses (EOVERFLOW) a group that it
// has no bits for on some versions.
func FormatMask(cpus []int) string {
	if len(cpus) == 0 {
		return "0"
	}
	groups := make([]uint32, slices.Max(cpus)/32+1)
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
