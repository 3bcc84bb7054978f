package analysis

import (
	"slices"
	"testing"

	"netab/results"
)

// A group's name is in every row of a table: it is short, and says what tells
// the groups apart.
func TestNameGroups(t *testing.T) {
	type run struct{ kernel, build, host, mtu, family string }
	group := func(runs ...run) RunGroup {
		var g RunGroup
		for _, r := range runs {
			d := results.Description{"topology.mtu": r.mtu, "topology.family": r.family}
			g.Runs = append(g.Runs, &results.Run{Header: results.Header{
				ID:      "20260103-030000-loopback-rps-88c7",
				Machine: results.Machine{Kernel: r.kernel, KernelBuild: r.build, Hostname: r.host},
				Design:  results.Design{Arms: []results.Arm{{Name: "a", Description: d}, {Name: "b", Description: d}}},
			}})
		}
		return g
	}
	base := run{"6.18", "#1", "h", "1500", "ipv4"}
	with := func(change func(*run)) run {
		r := base
		change(&r)
		return r
	}
	newer := with(func(r *run) { r.kernel = "6.19" })
	rebuilt := with(func(r *run) { r.build = "#2" })
	elsewhere := with(func(r *run) { r.host = "g" })
	jumbo := with(func(r *run) { r.mtu = "9000" })
	for _, tt := range []struct {
		name   string
		groups []RunGroup
		labels []string
		axis   string
		asked  string
	}{
		{"kernels", []RunGroup{group(base, base), group(newer, newer)}, []string{"6.18", "6.19"}, "kernel", "What changed from kernel 6.18 to kernel 6.19?"},
		{"builds", []RunGroup{group(base, base), group(rebuilt)}, []string{"6.18", "6.18 (2)"}, "kernel", "What changed from kernel 6.18 to kernel 6.18 (2)?"},
		{"machines", []RunGroup{group(base, base), group(elsewhere)}, []string{"h", "g"}, "run", "What changed from h to g?"},
		{"a fact", []RunGroup{group(base, base), group(jumbo, jumbo)}, []string{"mtu 1500", "mtu 9000"}, "run", "What changed from mtu 1500 to mtu 9000?"},
		{"two facts", []RunGroup{group(base, base), group(with(func(r *run) { r.mtu, r.family = "9000", "ipv6" }))}, []string{"old", "new"}, "run", "What changed from old to new?"},
		{"nothing", []RunGroup{group(base, base), group(base, base)}, []string{"old", "new"}, "run", "What changed from old to new?"},
		{"kernels within a group", []RunGroup{group(base, newer), group(newer)}, []string{"old", "new"}, "run", "What changed from old to new?"},
		{"three", []RunGroup{group(base, base), group(base), group(base)}, []string{"old", "new 1", "new 2"}, "run", "What changed from old to new 1, new 2?"},
	} {
		axis := NameGroups(tt.groups)
		var labels []string
		for _, g := range tt.groups {
			labels = append(labels, g.Label)
		}
		if !slices.Equal(labels, tt.labels) || axis != tt.axis {
			t.Errorf("%s: %q by %s, want %q by %s", tt.name, labels, axis, tt.labels, tt.axis)
		}
		if got := (comparing{groups: tt.groups}).question(); got != tt.asked {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.asked)
		}
	}
}
