package results

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"netab/results/cpulist"
)

// ReadMachine reads what this machine is: everything that differs between two
// machines, or two days on one, and can move a result. What the machine does
// not tell is left empty; an error means that /proc or /sys are not what they
// should be, or that the name that somebody gave it is none. Offloads and Qdiscs are of the devices of a run and are for the
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
	name, err := readMachineName(files)
	if err != nil {
		return Machine{}, err
	}
	cpu := readCPUModel(files)
	config := readKernelConfig(files, kernel)
	allowed := ""
	if topology.Restricted() {
		allowed = cpulist.Format(topology.Allowed)
	}
	quota, _ := ReadCPUQuota(files)
	return Machine{
		Name:           name,
		MachineID:      readMachineID(files),
		Board:          readBoard(files, cpu),
		Hostname:       textOr(files, "/proc/sys/kernel/hostname", ""),
		BootID:         textOr(files, "/proc/sys/kernel/random/boot_id", ""),
		Kernel:         kernel,
		KernelBuild:    textOr(files, "/proc/sys/kernel/version", ""),
		KernelCmdline:  readCmdline(files),
		Arch:           readArch(files),
		CPUModel:       cpu.model,
		Microcode:      cpu.microcode,
		CPUs:           len(topology.Online),
		CPUsOnline:     cpulist.Format(topology.Online),
		CPUsAllowed:    allowed,
		CPUQuota:       quota.CPUs,
		CPUsIsolated:   cpulist.Format(topology.Isolated),
		ThreadsPerCore: topology.ThreadsPerCore(),
		Sockets:        topology.Sockets(),
		NUMANodes:      topology.Nodes(),
		MemoryBytes:    readMemory(files),
		Mitigations:    readMitigations(files),
		Clocksource:    textOr(files, clocksource+"current_clocksource", ""),
		Governor:       readGovernor(files),
		Virtualization: readVirtualization(files, cpu),
		Emulated:       cpu.emulated(),
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
	model, microcode string // "" = not told
	board            string // where the file names that too
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

// cpuNames are the keys under which architectures print the name of a CPU, what
// says most first: x86 (arch/x86/kernel/cpu/proc.c), loongarch
// (arch/loongarch/kernel/proc.c), mips and alpha (arch/mips/kernel/proc.c), old
// arm, powerpc and sparc, riscv (arch/riscv/kernel/cpu.c), sh.
var cpuNames = []string{"model name", "Model Name", "cpu model", "Processor", "cpu", "uarch", "cpu type"}

// parseCPUModel reads the name of the first CPU, or the numbers that stand in
// its place: arm's (arch/arm64/kernel/cpuinfo.c), riscv's where the device tree
// names none, s390's machine type (arch/s390/kernel/processor.c), one line a
// CPU with the machine's serial number, which is nobody's business, beside it.
func parseCPUModel(text string) cpuModel {
	first := make(map[string]string)
	machineType := ""
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if _, seen := first[key]; ok && !seen {
			first[key] = value
		}
		if _, number, ok := strings.Cut(value, "machine = "); ok && machineType == "" && strings.HasPrefix(key, "processor ") {
			machineType = number
		}
	}
	c := cpuModel{microcode: first["microcode"], board: cmp.Or(first["machine"], first["system type"])}
	flags, x86 := first["flags"]
	c.x86 = x86
	c.hypervisor = slices.Contains(strings.Fields(flags), "hypervisor")
	for _, key := range cpuNames {
		if c.model = first[key]; c.model != "" {
			break
		}
	}
	switch {
	case first["CPU part"] != "":
		// 32-bit arm has a name too, which many cores share ("ARMv7 Processor rev 4").
		numbers := fmt.Sprintf("ARM implementer %s part %s variant %s revision %s",
			first["CPU implementer"], first["CPU part"], first["CPU variant"], first["CPU revision"])
		c.model = strings.TrimPrefix(c.model+", "+numbers, ", ")
	case c.model != "":
	case machineType != "":
		c.model = fmt.Sprintf("%s machine %s", cmp.Or(first["vendor_id"], "s390"), machineType)
	case slices.ContainsFunc([]string{"mvendorid", "marchid", "mimpid"}, func(key string) bool { return !isZero(first[key]) }):
		c.model = fmt.Sprintf("RISC-V vendor %s architecture %s implementation %s", first["mvendorid"], first["marchid"], first["mimpid"])
	}
	return c
}

// emulated says what computes the CPU, where its name tells: QEMU calls its own
// "QEMU TCG CPU version 2.5+" (-cpu max, target/i386/cpu.c). Other models do not tell.
func (c cpuModel) emulated() string {
	if strings.HasPrefix(c.model, "QEMU TCG CPU") {
		return Emulated
	}
	return ""
}

// isZero is of a hexadecimal number; firmware without an answer says 0.
func isZero(number string) bool { return strings.Trim(number, "0x") == "" }

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
