package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// A scenario is data, and may come from anybody: what it sets as root must not
// make it more than that. Sysctls of the families below are what such a scenario
// is about; any other one, and those of the families that can harm a machine or
// weaken it, are set only if whoever runs the scenario names them.
const FreeSysctls = "net.*, vm.* and kernel.sched*"

var freeSysctls = []string{"net/", "vm/", "kernel/sched"}

// guardedSysctls are the exceptions in the families, by the begin of their path,
// each with what it does.
var guardedSysctls = []struct{ prefix, does string }{
	{"net/core/bpf_jit_", "weakens the kernel's own protection"},
	{"net/bridge/bridge-nf-", "can switch the firewall of bridged containers off"},
	{"kernel/sched_rt_", "can let real-time threads hang the machine"},
	{"vm/panic_on_oom", "can make the machine panic"},
	{"vm/memory_failure_", "decides what a broken page of memory kills"},
	{"vm/overcommit_", "can make every program of the machine fail for want of memory"},
	{"vm/nr_hugepages", "takes memory away from all programs of the machine"},
	{"vm/nr_overcommit_hugepages", "takes memory away from all programs of the machine"},
	{"vm/hugetlb_", "decides who may take huge pages"},
	{"vm/min_free_kbytes", "takes memory away from all programs of the machine"},
	{"vm/lowmem_reserve_ratio", "takes memory away from all programs of the machine"},
	{"vm/admin_reserve_kbytes", "can leave no memory to log in with"},
	{"vm/user_reserve_kbytes", "can leave no memory to log in with"},
	{"vm/max_map_count", "can make programs of the machine fail for want of memory"},
	{"vm/oom_", "decides which program is killed when memory runs out"},
	{"vm/mmap_", "weakens the protection of programs"},
	{"vm/legacy_va_layout", "weakens the protection of programs"},
	{"vm/memfd_noexec", "weakens the protection of programs"},
	{"vm/unprivileged_userfaultfd", "weakens the protection of programs"},
	{"vm/drop_caches", "is no setting: what it does cannot be put back"},
	{"vm/compact_memory", "is no setting: what it does cannot be put back"},
	{"vm/stat_refresh", "is no setting: what it does cannot be put back"},
}

// ParseSysctl checks the name of a sysctl, dotted or slashed, and returns its path
// below /proc/sys.
func ParseSysctl(name string) (string, error) { return sysctlPath(name) }

// dotted is the name of a sysctl as people write it, of its path.
func dotted(path string) string { return strings.NewReplacer("/", ".", ".", "/").Replace(path) }

// guarded says what speaks against setting a sysctl (a path) unasked; "" = nothing.
func guarded(path string) string {
	for _, g := range guardedSysctls {
		if strings.HasPrefix(path, g.prefix) {
			return g.does
		}
	}
	if !slices.ContainsFunc(freeSysctls, func(family string) bool { return strings.HasPrefix(path, family) }) {
		return "is none of those that a scenario may set unasked (" + FreeSysctls + ")"
	}
	return ""
}

// Unasked are the faults of knobs that set what nobody but the person who runs the
// scenario may decide; allowed are the sysctls, by their paths, that they named.
// Only Pos, Msg and Hint of the faults are filled in.
func Unasked(knobs []Knob, allowed []string) Errors {
	var out Errors
	for _, k := range knobs {
		if k.Family != "sysctl" || slices.Contains(allowed, k.Name) {
			continue
		}
		if why := guarded(k.Name); why != "" {
			out = append(out, Error{Pos: k.Pos, Msg: fmt.Sprintf("sysctl %s %s", dotted(k.Name), why),
				Hint: "if you know why this scenario sets it, allow it by name: --allow-sysctl " + dotted(k.Name)})
		}
	}
	return out
}

// Unasked is Unasked of all arms, each fault once and with its excerpt.
func (s *Scenario) Unasked(arms []Arm, allowed []string) Errors {
	d := newDecoder(s.sources)
	for _, arm := range arms {
		for _, fault := range Unasked(arm.Knobs, allowed) {
			d.fail(fault.Pos, fault.Msg, fault.Hint)
		}
	}
	_ = d.errs.err() // sorts
	return d.errs
}
