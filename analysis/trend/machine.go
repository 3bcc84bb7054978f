package trend

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results"
)

// comparableFacts make figures incomparable, as between two runs (package
// analysis, confounders): where one differs, another series begins.
var comparableFacts = []string{factCPU, "online cpus", "virtualization", "architecture", "debug options"}

// A machine is where a run was measured, as far as it makes a series.
type machine struct {
	key   string   // the same for all runs of a series, with comparableFacts after the first "\x00"
	label string   // for people: the name, else the newest hostname
	names []string // by which a filter may ask for it
}

// unknownMachine is that of runs that tell nothing of theirs.
var unknownMachine = &machine{key: "\x00"}

// known is the machine, or that of runs that tell nothing.
func (m *machine) known() *machine {
	if m == nil {
		return unknownMachine
	}
	return m
}

// machinesOf are the machines of runs in order of time, nil where a run tells
// nothing.
func machinesOf(runs []results.Digest) []*machine {
	var seen []results.Sighting
	var at []int // their runs
	for i := range runs {
		if f := runs[i].Facts; f != nil {
			seen = append(seen, results.Sighting{Boot: runs[i].Boot, Identity: identityOf(f)})
			at = append(at, i)
		}
	}
	groups := results.Machines(seen)
	bases, labels, names := nameGroups(seen, groups)
	out := make([]*machine, len(runs))
	var last *machine
	var lastFacts map[string]string
	lastBoot := false
	for k, g := range groups {
		facts, boot := runs[at[k]].Facts, results.IsBoot(runs[at[k]].ID)
		if last == nil || groups[k-1] != g || lastBoot != boot || !maps.Equal(lastFacts, facts) {
			parts := []string{bases[g]}
			for _, name := range comparableFacts {
				parts = append(parts, facts[name])
			}
			if facts[factEmulated] != "" {
				parts = append(parts, facts[factEmulated])
			}
			if lastBoot = boot; boot {
				// Kernels take turns in a campaign, where each has a history of its own.
				parts = append(parts, facts[factKernel])
			}
			last, lastFacts = &machine{strings.Join(parts, "\x00"), labels[g], names[g]}, facts
		}
		out[at[k]] = last
	}
	return out
}

func identityOf(facts map[string]string) results.Identity {
	m := results.Machine{Name: facts[factName], MachineID: facts[factMachineID], CPUModel: facts[factCPU], Board: facts[factBoard], Hostname: facts[factHost]}
	return m.Identity()
}

// nameGroups gives each machine a base of its key that stays as it is when runs
// are added, a label, and the names that it had.
func nameGroups(seen []results.Sighting, groups []int) (bases, labels map[int]string, names map[int][]string) {
	bases, labels, names = map[int]string{}, map[int]string{}, map[int][]string{}
	taken := map[string]bool{}
	newest := map[int]results.Identity{}
	for i, g := range groups {
		id := seen[i].Identity
		if _, ok := bases[g]; !ok {
			base := id.Host
			if taken[base] {
				base = strings.Join([]string{id.Host, id.Name, id.MachineID, id.Hardware}, "\x01")
				base = strings.ReplaceAll(base, "\x00", "\x01")
			}
			bases[g], taken[base] = base, true
		}
		if newest[g].Name == "" || id.Name != "" {
			newest[g] = id
		}
		for _, name := range []string{id.Name, id.Host} {
			if name != "" && !slices.Contains(names[g], name) {
				names[g] = append(names[g], name)
			}
		}
	}
	clash := map[string]int{}
	for _, id := range newest {
		clash[shortLabel(id)]++
	}
	for g, id := range newest {
		if labels[g] = shortLabel(id); clash[labels[g]] > 1 {
			labels[g] = id.String()
		}
	}
	return bases, labels, names
}

func shortLabel(id results.Identity) string {
	if id.Name != "" {
		return id.Name
	}
	return id.Host
}

// nameMachines adds to the labels of machines more of what they are, where one
// was rebuilt into another.
func nameMachines(columns []*column) {
	kinds := map[string]map[string]bool{}
	for _, c := range columns {
		if kinds[c.host] == nil {
			kinds[c.host] = map[string]bool{}
		}
		kinds[c.host][c.machine] = true
	}
	for _, c := range columns {
		if len(kinds[c.host]) < 2 {
			continue
		}
		parts := strings.Split(c.machine, "\x00")[1:]
		c.host += " (" + strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ") + ")"
	}
}

// cpuKnown says whether the series' runs tell their CPU model.
func (c *column) cpuKnown() bool {
	_, facts, _ := strings.Cut(c.machine, "\x00")
	return !strings.HasPrefix(facts+"\x00", "\x00")
}

// newer finds for a scenario on a machine the newest run after a point that is
// no point itself: the series does not tell of it, and must not pass for it.
type newer struct {
	of      map[[2]string]int // the newest such run of a scenario and a machine
	unknown int               // and the newest of which neither is known; -1 = none
	runs    []results.Digest
}

func findNewer(runs []results.Digest, machines []*machine) newer {
	n := newer{of: map[[2]string]int{}, unknown: -1, runs: runs}
	for i := range runs { // in order of time
		switch r := &runs[i]; {
		case r.Unused == "":
		case r.Scenario != "" && machines[i] != nil:
			n.of[[2]string{r.Scenario, machines[i].key}] = i
		case r.Run == "": // unreadable; copies have an id
			n.unknown = i
		}
	}
	return n
}

// after is that run, nil without one.
func (n newer) after(c *column) *Unused {
	at := n.unknown
	if i, ok := n.of[[2]string{c.scenario, c.machine}]; ok {
		at = max(at, i)
	}
	newest := c.ended()
	var after *Unused
	if at >= 0 && n.runs[at].Started.After(newest) {
		after, newest = &Unused{n.runs[at].ID, n.runs[at].Unused}, n.runs[at].Started
	}
	if c.missing != nil && c.missing.Started.After(newest) {
		after = &Unused{c.missing.ID, "it has no figure of this"}
	}
	return after
}

func (u *Unused) sentence() string {
	return fmt.Sprintf("Run %s was begun later and is no point: %s.", u.Run, u.Why)
}
