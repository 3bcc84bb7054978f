package results

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// ReadMachine reads what this machine is: everything that differs between two
// machines, or two days on one, and can move a result. What the machine does
// not tell is left empty; an error means that /proc or /sys are not what they
// should be. Offloads and Qdiscs are of the devices of a run and are for the
// caller to fill in.
func ReadMachine(files Files) (Machine, error) {
	kernel, err := readText(files, "/proc/sys/kernel/osrelease")
	if err != nil {
		return Machine{}, err
	}
	topology, err := ReadCPUTopology(files)
	if err != nil {
		return Machine{}, err
	}
	cpu := readCPUModel(files)
	config := readKernelConfig(files, kernel)
	return Machine{
		Hostname:       textOr(files, "/proc/sys/kernel/hostname", ""),
		BootID:         textOr(files, "/proc/sys/kernel/random/boot_id", ""),
		Kernel:         kernel,
		KernelBuild:    textOr(files, "/proc/sys/kernel/version", ""),
		KernelCmdline:  readCmdline(files),
		Arch:           readArch(files),
		CPUModel:       cpu.model,
		Microcode:      cpu.microcode,
		CPUs:           len(topology.Online),
		CPUsOnline:     FormatCPUList(topology.Online),
		CPUsIsolated:   FormatCPUList(topology.Isolated),
		ThreadsPerCore: topology.ThreadsPerCore(),
		Sockets:        topology.Sockets(),
		NUMANodes:      topology.Nodes(),
		MemoryBytes:    readMemory(files),
		Mitigations:    readMitigations(files),
		Clocksource:    textOr(files, clocksource+"current_clocksource", ""),
		Governor:       readGovernor(files),
		Virtualization: readVirtualization(files, cpu),
		IRQTime:        config.state("CONFIG_IRQ_TIME_ACCOUNTING"),
		Debug:          config.debug(),
		Modules:        readModules(files),
		Sysctls:        readSysctls(files),
	}, nil
}

// readCmdline reads the kernel's own parameters. What stands behind "--" is
// for init, says nothing of the kernel, and is nobody else's business.
func readCmdline(files Files) string {
	text := textOr(files, "/proc/cmdline", "")
	text, _, _ = strings.Cut(text+" ", " -- ")
	return strings.TrimSpace(text)
}

// readArch reads the machine name of uname; the file is new in Linux 6.1.
func readArch(files Files) string {
	names := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686"}
	own := runtime.GOARCH
	if name, ok := names[own]; ok {
		own = name
	}
	return textOr(files, "/proc/sys/kernel/arch", own)
}

// A cpuModel is what /proc/cpuinfo tells of the first CPU.
type cpuModel struct {
	model, microcode string
	x86              bool
	hypervisor       bool // x86: CPUID says that a hypervisor is below
}

func readCPUModel(files Files) cpuModel {
	data, err := files.ReadFile("/proc/cpuinfo")
	if err != nil {
		return cpuModel{}
	}
	return parseCPUModel(string(data))
}

// parseCPUModel knows x86 (arch/x86/kernel/cpu/proc.c), arm64, which prints
// numbers instead of a name (arch/arm64/kernel/cpuinfo.c), and the names that
// powerpc ("cpu") and riscv ("uarch") use.
func parseCPUModel(text string) cpuModel {
	first := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		key = strings.TrimSpace(key)
		if _, seen := first[key]; ok && !seen {
			first[key] = strings.TrimSpace(value)
		}
	}
	c := cpuModel{microcode: first["microcode"]}
	flags, x86 := first["flags"]
	c.x86 = x86
	c.hypervisor = slices.Contains(strings.Fields(flags), "hypervisor")
	for _, key := range []string{"model name", "Processor", "cpu", "uarch"} {
		if first[key] != "" {
			c.model = first[key]
			return c
		}
	}
	if part := first["CPU part"]; part != "" {
		c.model = fmt.Sprintf("ARM implementer %s part %s variant %s revision %s",
			first["CPU implementer"], part, first["CPU variant"], first["CPU revision"])
	}
	return c
}

// readMemory reads MemTotal, 0 if it is not told.
func readMemory(files Files) int64 {
	for line := range strings.Lines(textOr(files, "/proc/meminfo", "")) {
		if value, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil || kb < 0 || kb > 1<<50 {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}

// readMitigations reads what the kernel does about each vulnerability of the
// CPU; some cost a lot at each system call.
func readMitigations(files Files) map[string]string {
	paths, _ := files.Glob(sysCPU + "vulnerabilities/*")
	all := make(map[string]string, len(paths))
	for _, p := range paths {
		if text := textOr(files, p, ""); text != "" {
			all[path.Base(p)] = text
		}
	}
	return all
}

// readGovernor reads the frequency governor of all CPUs: "performance", or
// "performance 2, powersave 6" where they differ, or "" without cpufreq.
func readGovernor(files Files) string {
	dirs, _ := files.Glob(sysCPU + "cpu[0-9]*")
	count := make(map[string]int)
	for _, dir := range dirs {
		if governor := textOr(files, dir+"/cpufreq/scaling_governor", ""); governor != "" {
			count[governor]++
		}
	}
	names := slices.Sorted(maps.Keys(count))
	if len(names) == 1 {
		return names[0]
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, count[name])
	}
	return strings.Join(names, ", ")
}
