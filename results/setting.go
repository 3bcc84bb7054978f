package results

import (
	"slices"
	"strings"

	"netab/results/cpulist"
)

// A Setting is one knob as it was found, asked for and read back.
type Setting struct {
	Knob   string `json:"knob"`   // "device lo rx-0 rps_cpus", "sysctl net.ipv4.tcp_rmem"
	Scope  string `json:"scope"`  // netns, device, host
	Before string `json:"before"` // "" when it did not exist before
	Asked  string `json:"asked"`
	After  string `json:"after"`
	// ReadBack is what the knob itself says of After: a kernel writes some values in
	// another form than it takes, and rounds others. Runs recorded before 2026-12
	// have none.
	ReadBack ReadBack `json:"read_back,omitempty"`
}

// A ReadBack says whether a value read back is the value asked for.
type ReadBack string

// What a ReadBack may be.
const (
	AsAsked   ReadBack = "as asked"
	Different ReadBack = "different"
)

// Took says whether the kernel took the value. Of older records it is told from the
// texts: blanks between the numbers of a sysctl mean nothing, nor does whether a set
// of CPUs is a list or a mask.
func (s Setting) Took() bool {
	if s.ReadBack != "" {
		return s.ReadBack == AsAsked
	}
	asked, after := strings.Join(strings.Fields(s.Asked), " "), strings.Join(strings.Fields(s.After), " ")
	return asked == after || s.isCPUs() && sameCPUs(asked, after)
}

// isCPUs: only there may "1" and "2" be the same (a list and a mask).
func (s Setting) isCPUs() bool {
	return strings.Contains(s.Knob, "_cpus") || strings.Contains(s.Knob, "irq") || strings.Contains(s.Knob, "affinity")
}

func sameCPUs(a, b string) bool {
	la, badA := cpulist.Parse(a)
	lb, badB := cpulist.Parse(b)
	ma, badMA := cpulist.ParseMask(a)
	mb, badMB := cpulist.ParseMask(b)
	return badA == nil && badB == nil && slices.Equal(la, lb) ||
		badA == nil && badMB == nil && slices.Equal(la, mb) ||
		badMA == nil && badMB == nil && slices.Equal(ma, mb)
}
