package confounder

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results"
)

// placedDifferently lists the arms of two runs whose threads were pinned to
// other CPUs. The same words of a scenario ("distinct cores") come to other
// CPUs on another machine, or with other CPUs isolated. It may or may not
// matter: another scenario's placement blocks by itself.
func placedDifferently(a, b *results.Run, declared []string) []Confounder {
	d := differences{declared: declared}
	for i, x := range a.Header.Design.Arms {
		k := b.Header.Design.ArmAt(x.Name)
		if k < 0 {
			continue
		}
		if p, q := pinnedAt(a, i), pinnedAt(b, k); p != "" && q != "" {
			d.plain("cpus of "+x.Name, p, q)
		}
	}
	return d.out
}

// pinnedAt says where the threads of an arm were pinned, "" where no trial
// tells. Trials that differ in it are all named.
func pinnedAt(run *results.Run, arm int) string {
	var seen []string
	for _, t := range run.Trials {
		for _, at := range t.Arms {
			if at.Arm != arm || t.Invalid != "" {
				continue
			}
			text := pinned(at.Source, at.Sink)
			for _, name := range slices.Sorted(maps.Keys(at.Beside)) {
				text += fmt.Sprintf(", beside it %s: %s", name, pinned(at.Beside[name].Source, at.Beside[name].Sink))
			}
			if !slices.Contains(seen, text) {
				seen = append(seen, text)
			}
		}
	}
	slices.Sort(seen)
	return strings.Join(seen, " or ")
}

func pinned(source, sink results.RoleDelta) string {
	return "source " + cpusOf(source) + ", sink " + cpusOf(sink)
}

func cpusOf(r results.RoleDelta) string {
	if len(r.Pinned) == 0 {
		return "free"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Pinned), " ", ","), "[]")
}
