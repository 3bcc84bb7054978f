package scenarios

import (
	"strings"
	"testing"
)

// twoCPUs is the smallest machine that every built-in scenario must fit.
var twoCPUs = CPUs{Online: []int{0, 1}}

// fourCPUs are four online, of which two are this process's to run on.
var fourCPUs = CPUs{Online: []int{0, 1, 2, 3}, Allowed: []int{0, 1}}

// server is two nodes of four cores with two threads each; thread 2 of core n
// is n+8; core 7 is isolated.
func server() CPUs {
	c := CPUs{Node: map[int]int{}, Siblings: map[int][]int{}, Isolated: []int{7, 15}}
	for cpu := range 16 {
		c.Online = append(c.Online, cpu)
		c.Node[cpu] = cpu % 8 / 4
		c.Siblings[cpu] = []int{cpu % 8, cpu%8 + 8}
	}
	return c
}

func TestBuiltinsExpand(t *testing.T) {
	builtins := Builtins()
	if len(builtins) < 39 {
		t.Fatalf("%d built-in scenarios, want 39 or more", len(builtins))
	}
	for _, b := range builtins {
		for machine, cpus := range map[string]CPUs{"two CPUs": twoCPUs, "server": server()} {
			src, ok := BuiltinSource(b.Name)
			if !ok {
				t.Fatalf("%s is listed but has no source", b.Name)
			}
			s, err := Parse(b.Name+".yaml", src)
			if err != nil {
				t.Errorf("%s: %v", b.Name, err)
				continue
			}
			arms, err := Expand(s, cpus)
			if err != nil {
				t.Errorf("%s on %s: %v", b.Name, machine, err)
				continue
			}
			if s.Name != b.Name {
				t.Errorf("%s: the scenario calls itself %s", b.Name, s.Name)
			}
			if n := strings.Count(strings.TrimSpace(b.Question), "\n"); n > 1 {
				t.Errorf("%s: the question has %d lines, want two", b.Name, n+1)
			}
			if !strings.HasPrefix(string(src), "# ") {
				t.Errorf("%s: no comment at the top teaches what it is about", b.Name)
			}
			for _, arm := range arms {
				// What zerocopy costs where it cannot help is what this one shows.
				if notes := Notes(arm); len(notes) > 0 && b.Name != "zerocopy-size" {
					t.Errorf("%s, arm %s: a built-in scenario should not need notes: %q", b.Name, arm.Name, notes)
				}
			}
		}
	}
}
