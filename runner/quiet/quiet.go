// Package quiet changes what makes a machine noisy and can be put back: the CPU
// frequency governor, and irqbalance, which moves interrupts while one measures.
//
// Unlike a run's knobs these stay until they are undone or the machine boots, so they
// have a journal of their own (Dir): the one of runs must be empty before a run begins.
// What takes a reboot is only said (Reboots): how a machine is booted is its owner's.
package quiet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/scenarios"
)

// Dir is where the journal lies, below the folder of the runs'.
func Dir(state string) string { return filepath.Join(state, "doctor") }

// Open opens the journal.
func Open(state string) (*knob.Journal, error) {
	undos := knob.Undos()
	undos[undoIrqbalance] = goOn
	return knob.Open(Dir(state), knob.Options{Host: func(place string) (host.Host, error) {
		if place != "" {
			return nil, fmt.Errorf("namespace %s: %w", place, fs.ErrNotExist)
		}
		return host.Local{}, nil
	}, Undo: undos})
}

// A Fix is a change that is offered.
type Fix struct {
	What string // in the imperative: "set the governor of ... to performance"
	Why  string
	do   func(j *knob.Journal) error
}

// Do makes the change, of a journal that has begun.
func (f Fix) Do(j *knob.Journal) error { return f.do(j) }

// Fixes are the changes that this machine needs. An empty list is a quiet one, as far
// as they go.
func Fixes(h host.Host) (out []Fix, err error) {
	if f, err := governors(h); err != nil || f != nil {
		if err != nil {
			return nil, err
		}
		out = append(out, *f)
	}
	pids, err := irqbalances(h)
	for _, pid := range pids {
		out = append(out, Fix{What: fmt.Sprintf("stop irqbalance (pid %d; SIGSTOP, so that it can go on)", pid),
			Why: "it moves interrupts between CPUs every ten seconds", do: func(j *knob.Journal) error { return stop(h, j, pid) }})
	}
	return out, err
}

const performance = "performance"

// governors offers the governor for the cpufreq policies that have another.
func governors(h host.Host) (*Fix, error) {
	files, err := h.Glob("/sys/devices/system/cpu/cpufreq/policy*/scaling_governor")
	if err != nil || len(files) == 0 {
		return nil, err
	}
	knobs, err := knob.Bind(h, scenarios.Knob{Family: "governor", Value: performance}, "", knob.Host)
	if err != nil {
		return nil, nil // no such governor here: nothing to offer
	}
	var others []knob.Knob
	var now []string
	for _, k := range knobs {
		value, err := k.Read(h)
		if err != nil {
			return nil, err
		}
		if value != performance {
			others = append(others, k)
			if !slices.Contains(now, value) {
				now = append(now, value)
			}
		}
	}
	if len(others) == 0 {
		return nil, nil
	}
	return &Fix{What: fmt.Sprintf("set the CPU frequency governor to %s (%d of %d policies have %s)", performance, len(others), len(knobs), strings.Join(now, ", ")),
		Why: "frequencies follow the load, and rates follow frequencies", do: func(j *knob.Journal) error {
			for _, k := range others {
				if _, err := j.Set(h, k, performance); err != nil {
					return err
				}
			}
			return nil
		}}, nil
}

// undoIrqbalance is the kind of the journal's entry of a process that was stopped.
const undoIrqbalance = "irqbalance"

// A stopped names a process for good: its number, and when it started.
type stopped struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// irqbalances are the processes of that name that run.
func irqbalances(h host.Host) (pids []int, err error) {
	files, err := h.Glob("/proc/[0-9]*/comm")
	for _, file := range files {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if p, state, err := look(h, pid); err == nil && p != nil && state != 'T' {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, err
}

// look says when a process started and in which state it is; nil if it is none or not
// irqbalance. Fields: proc_pid_stat(5).
func look(h host.Host, pid int) (*stopped, byte, error) {
	data, err := h.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	open, end := strings.IndexByte(string(data), '('), strings.LastIndexByte(string(data), ')')
	if open < 0 || end < open || string(data[open+1:end]) != "irqbalance" {
		return nil, 0, nil
	}
	fields := strings.Fields(string(data[end+1:]))
	const state, start = 0, 22 - 3 // the first field behind the name, state, is number 3
	if len(fields) <= start {
		return nil, 0, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields)+2)
	}
	began, err := strconv.ParseUint(fields[start], 10, 64)
	return &stopped{PID: pid, Start: began}, fields[state][0], err
}

func stop(h host.Host, j *knob.Journal, pid int) error {
	p, _, err := look(h, pid)
	if err != nil || p == nil {
		return cmp.Or(err, fmt.Errorf("irqbalance (pid %d) has ended meanwhile", pid))
	}
	if _, err := j.Record(undoIrqbalance, fmt.Sprintf("irqbalance (pid %d), stopped", pid), p); err != nil {
		return err
	}
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop irqbalance (pid %d): %w", pid, err)
	}
	return nil
}

// goOn lets a process go on, if it is the one that was stopped.
func goOn(_ context.Context, e knob.Entry, _ knob.Site) (string, error) {
	var was stopped
	if err := json.Unmarshal(e.Data, &was); err != nil || was.PID <= 1 {
		return "", fmt.Errorf("%.80q names no process", e.Data)
	}
	now, _, err := look(host.Local{}, was.PID)
	if err != nil {
		return "", err
	}
	if now == nil || *now != was {
		return "", knob.ErrGone
	}
	return "", unix.Kill(was.PID, unix.SIGCONT)
}

// Reboots are the changes that take another command line of the kernel, each with what
// it is good for; pinned are the CPUs that roles would be put on.
func Reboots(m results.Machine, pinned []int) (args []string, why []string) {
	has := func(name string) bool { return strings.Contains(" "+m.KernelCmdline+" ", " "+name) }
	add := func(arg, reason string) { args, why = append(args, arg), append(why, arg+": "+reason) }
	if m.CPUsIsolated == "" && m.CPUs >= 4 && len(pinned) == 2 {
		add(fmt.Sprintf("isolcpus=%d,%d", pinned[0], pinned[1]), "the scheduler leaves these CPUs to whoever is pinned there")
	}
	if m.ThreadsPerCore > 1 {
		add("nosmt", "no other thread shares a core with a role")
	}
	mitigated := slices.ContainsFunc(slices.Collect(maps.Values(m.Mitigations)), func(v string) bool { return strings.HasPrefix(v, "Mitigation") })
	if mitigated && !has("mitigations=off") {
		add("mitigations=off", "every system call and interrupt costs less; only where nobody else runs code, and the results are those of no machine that keeps them")
	}
	return args, why
}

// RebootCommand is how the command line of the kernel gets these, where it is known.
func RebootCommand(h host.Host, args []string) string {
	there := func(file string) bool { found, err := h.Glob(file); return err == nil && len(found) > 0 }
	all := strings.Join(args, " ")
	switch {
	case there("/usr/sbin/grubby") || there("/sbin/grubby"):
		return fmt.Sprintf("grubby --update-kernel=ALL --args='%s' && reboot", all)
	case there("/usr/sbin/update-grub"):
		return fmt.Sprintf(`mkdir -p /etc/default/grub.d && echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX %s"' >/etc/default/grub.d/netab.cfg && update-grub && reboot`, all)
	}
	return "add to the kernel's command line, and reboot: " + all
}
