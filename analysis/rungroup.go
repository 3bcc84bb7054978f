package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netab/analysis/confounder"
	"netab/results"
)

// A RunGroup is the runs of one side of a comparison: of one kernel, or one
// run alone.
type RunGroup struct {
	Label string
	Runs  []*results.Run
}

// GroupRuns makes the sides of a comparison: by kernel where kernels differ,
// else each run by itself. The first run's side is what the others are
// compared with. axis says what was grouped by: "kernel" or "run".
func GroupRuns(runs []*results.Run) (groups []RunGroup, axis string) {
	at := map[string]int{}
	for _, r := range runs {
		key := kernelOf(r)
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, RunGroup{Label: cmp.Or(r.Header.Machine.Kernel, "unknown kernel")})
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	axis = "kernel"
	if len(groups) < 2 {
		groups, axis = nil, "run"
		for _, r := range runs {
			groups = append(groups, RunGroup{r.Header.ID, []*results.Run{r}})
		}
	}
	distinct(groups)
	return groups, axis
}

// kernelOf tells kernels apart, two builds of one release too.
func kernelOf(r *results.Run) string {
	m := &r.Header.Machine
	return m.Kernel + "\x00" + m.KernelBuild
}

// NameGroups names sides that somebody put together by what tells them apart:
// their kernels, else their machines, else the one fact of their arms that
// differs, else their order. Names are short, as they stand in every row of a
// table. axis is as of GroupRuns.
func NameGroups(groups []RunGroup) (axis string) {
	axis = "run"
	release := func(r *results.Run) string { return r.Header.Machine.Kernel }
	labels, told := sidesBy(groups, func(r *results.Run) string { return r.Header.Machine.Hostname })
	_, releases := sidesBy(groups, release)
	_, builds := sidesBy(groups, kernelOf)
	switch {
	case releases || builds:
		axis = "kernel"
		labels, told = groupLabels(groups, release), true
	case !told:
		labels, told = sidesBy(groups, oneFact(groups))
	}
	for i := range groups {
		switch {
		case told:
			groups[i].Label = cmp.Or(labels[i], "unknown")
		case i == 0:
			groups[i].Label = "old"
		case len(groups) == 2:
			groups[i].Label = "new"
		default:
			groups[i].Label = fmt.Sprintf("new %d", i)
		}
	}
	distinct(groups)
	return axis
}

// sidesBy are sides as something of their runs tells them apart: ok where all
// runs of a side agree on it, and no two sides.
func sidesBy(groups []RunGroup, of func(*results.Run) string) (labels []string, ok bool) {
	labels = groupLabels(groups, of)
	for i, g := range groups {
		if slices.ContainsFunc(g.Runs, func(r *results.Run) bool { return of(r) != labels[i] }) || slices.Contains(labels[:i], labels[i]) {
			return nil, false
		}
	}
	return labels, true
}

func groupLabels(groups []RunGroup, of func(*results.Run) string) []string {
	var out []string
	for _, g := range groups {
		out = append(out, of(g.Runs[0]))
	}
	return out
}

// oneFact reads the one fact that the sides' arms differ in, "mtu 9000": the
// same for all arms of a run. Where there is none, or more than one, all runs
// read alike.
func oneFact(groups []RunGroup) func(*results.Run) string {
	var designs []results.Design
	for _, g := range groups {
		designs = append(designs, g.Runs[0].Header.Design)
	}
	path, ok := confounder.OneFact(designs)
	if !ok {
		return func(*results.Run) string { return "" }
	}
	name := path[strings.LastIndexAny(path, "./")+1:]
	return func(r *results.Run) string {
		value := ""
		for i, a := range r.Header.Design.Arms {
			text := name + " " + cmp.Or(a.Description[path], "not set")
			if i > 0 && text != value {
				return ""
			}
			value = text
		}
		return value
	}
}

// distinct numbers sides of one name: kernels built twice from one release, a
// run compared with itself.
func distinct(groups []RunGroup) {
	seen := map[string]int{}
	for i := range groups {
		l := groups[i].Label
		if seen[l]++; seen[l] > 1 {
			groups[i].Label = fmt.Sprintf("%s (%d)", l, seen[l])
		}
	}
}
