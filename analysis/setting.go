package analysis

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"netab/results"
)

// sameSetting says whether a value read back is the value asked for. The
// kernel writes some values in another form than it takes: blanks between the
// numbers of a sysctl, leading zeros and comma groups of a CPU mask.
func sameSetting(s results.Setting) bool {
	a, b := strings.Join(strings.Fields(s.Asked), " "), strings.Join(strings.Fields(s.After), " ")
	if a == b {
		return true
	}
	return isCPUSet(s.Knob) && sameCPUs(a, b)
}

// isCPUSet: only there may "1" and "2" be the same (a list and a mask).
func isCPUSet(knob string) bool {
	return strings.Contains(knob, "_cpus") || strings.Contains(knob, "irq") || strings.Contains(knob, "affinity")
}

func sameCPUs(a, b string) bool {
	la, okA := cpuList(a)
	lb, okB := cpuList(b)
	ma, okMA := cpuMask(a)
	mb, okMB := cpuMask(b)
	switch {
	case okA && okB && slices.Equal(la, lb):
		return true
	case okA && okMB && slices.Equal(la, mb):
		return true
	case okMA && okMB:
		return slices.Equal(ma, mb)
	default:
		return false
	}
}

// cpuList parses "0,2-4" and "" (no CPU).
func cpuList(s string) ([]int, bool) {
	var cpus []int
	if s == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		lo, err1 := strconv.Atoi(from)
		hi, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || lo < 0 || hi < lo || hi >= 1<<16 {
			return nil, false
		}
		for cpu := lo; cpu <= hi; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), true
}

// cpuMask parses what the kernel's %*pb writes: hexadecimal in groups of
// eight digits, "00000000,0000000f".
func cpuMask(s string) ([]int, bool) {
	groups := strings.Split(s, ",")
	for _, g := range groups {
		if len(g) == 0 || len(g) > 8 {
			return nil, false
		}
	}
	for i, g := range groups[1:] {
		groups[i+1] = strings.Repeat("0", 8-len(g)) + g
	}
	mask, ok := new(big.Int).SetString(strings.Join(groups, ""), 16)
	if !ok || mask.Sign() < 0 {
		return nil, false
	}
	var cpus []int
	for cpu := range mask.BitLen() {
		if mask.Bit(cpu) == 1 {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, true
}
