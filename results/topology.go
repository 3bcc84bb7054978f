package results

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"netab/results/cpulist"
)

// A CPUTopology is how a machine's CPUs lie to each other.
type CPUTopology struct {
	Online   []int
	Allowed  []int         // those of them that this process may run on: less than all under taskset or in a cpuset
	Isolated []int         // by isolcpus= or a cpuset partition: the scheduler keeps off, and RPS refuses them
	Node     map[int]int   // online CPU -> NUMA node; 0 on a machine without nodes
	Siblings map[int][]int // online CPU -> hardware threads of its core, itself included
	Package  map[int]int   // online CPU -> socket
}

const sysCPU = "/sys/devices/system/cpu/"

// ReadCPUTopology reads the topology from /sys/devices/system/cpu and node
// (Documentation/admin-guide/cputopology.rst).
func ReadCPUTopology(files Files) (CPUTopology, error) {
	online, err := readCPUList(files, sysCPU+"online")
	if err != nil {
		return CPUTopology{}, err
	}
	t := CPUTopology{
		Online: online,
		Node:   make(map[int]int, len(online)), Siblings: make(map[int][]int, len(online)), Package: make(map[int]int, len(online)),
	}
	if t.Isolated, err = readCPUList(files, sysCPU+"isolated"); err != nil && !isNotExist(err) {
		return CPUTopology{}, err
	}
	if err := t.readAllowed(files); err != nil {
		return CPUTopology{}, err
	}
	for _, cpu := range online {
		if err := t.readCPU(files, cpu); err != nil {
			return CPUTopology{}, err
		}
	}
	return t, t.readNodes(files)
}

// readAllowed reads the CPUs that this process was started with: the mask of its
// first thread, which netab never pins (task_cpus_allowed in fs/proc/array.c). CPUs
// that isolcpus= keeps from every process until it asks for them are missing in
// that mask, and still there to be asked for, unless somebody took away others
// too.
func (t *CPUTopology) readAllowed(files Files) error {
	t.Allowed = t.Online
	const file, key = "/proc/self/status", "Cpus_allowed_list:"
	for line := range strings.Lines(textOr(files, file, "")) {
		list, ok := strings.CutPrefix(line, key)
		if !ok {
			continue
		}
		mask, err := cpulist.Parse(list)
		if err != nil {
			return fmt.Errorf("%s: %s %w", file, key, err)
		}
		in := func(set []int) func(int) bool { return func(cpu int) bool { return slices.Contains(set, cpu) } }
		missing := slices.DeleteFunc(slices.Clone(t.Online), in(mask))
		barred := slices.DeleteFunc(slices.Clone(missing), in(t.Isolated))
		if len(barred) == 0 {
			return nil
		}
		t.Allowed = slices.DeleteFunc(slices.Clone(t.Online), in(missing))
	}
	return nil
}

// Restricted says whether this process may not run on all CPUs that are online.
func (t CPUTopology) Restricted() bool { return len(t.Allowed) < len(t.Online) }

// readCPU reads one CPU's place. Architectures without a topology directory
// have CPUs that are cores of one socket.
func (t *CPUTopology) readCPU(files Files, cpu int) error {
	dir := fmt.Sprintf("%scpu%d/topology/", sysCPU, cpu)
	siblings, err := readCPUList(files, dir+"thread_siblings_list")
	switch {
	case isNotExist(err):
		siblings = []int{cpu}
	case err != nil:
		return err
	}
	t.Siblings[cpu] = siblings
	t.Package[cpu] = 0
	text, err := readText(files, dir+"physical_package_id")
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	id, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%sphysical_package_id: %q is not a number", dir, text)
	}
	t.Package[cpu] = max(id, 0) // -1: the firmware does not say
	return nil
}

func (t *CPUTopology) readNodes(files Files) error {
	for _, cpu := range t.Online {
		t.Node[cpu] = 0
	}
	dirs, err := files.Glob("/sys/devices/system/node/node[0-9]*")
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		node, err := strconv.Atoi(strings.TrimPrefix(path.Base(dir), "node"))
		if err != nil {
			continue // nodeX with more than digits behind is not a node
		}
		cpus, err := readCPUList(files, dir+"/cpulist")
		if err != nil {
			return err
		}
		for _, cpu := range cpus {
			if slices.Contains(t.Online, cpu) {
				t.Node[cpu] = node
			}
		}
	}
	return nil
}

// ThreadsPerCore is the largest number of online hardware threads of one core.
func (t CPUTopology) ThreadsPerCore() int {
	n := 0
	for _, siblings := range t.Siblings {
		n = max(n, len(siblings))
	}
	return n
}

// Sockets is the number of sockets with online CPUs.
func (t CPUTopology) Sockets() int { return distinct(t.Package) }

// Nodes is the number of NUMA nodes with online CPUs.
func (t CPUTopology) Nodes() int { return distinct(t.Node) }

func distinct(m map[int]int) int {
	seen := make(map[int]bool)
	for _, v := range m {
		seen[v] = true
	}
	return len(seen)
}

func readCPUList(files Files, path string) ([]int, error) {
	text, err := readText(files, path)
	if err != nil {
		return nil, err
	}
	cpus, err := cpulist.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cpus, nil
}
