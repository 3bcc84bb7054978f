package probe

import (
	"maps"
	"slices"

	"netab/results"
)

// A Machine is the host-wide counters at one moment, by CPU. They are the same
// whatever namespace they are read from.
type Machine struct {
	Times    map[int]CPUTimes
	Softirqs Softirqs
	Softnet  map[int]Softnet
	// Interrupts by CPU and name; those of devices are one sum.
	Interrupts map[int]map[string]uint32
	MHz        map[int]float64 // absent where unknown
	others     []reading       // of machineFiles
}

// machineFiles read what else is counted of the whole machine. A new one is a Go file
// that adds itself here, as throttle.go does, and the field of results.HostDelta that
// its reading adds to.
var machineFiles []func(FileReader) (reading, error)

// A reading is what one of them said at one moment.
type reading interface {
	// since puts what was counted since an earlier one into a delta.
	since(before reading, d *results.HostDelta)
}

// ReadMachine reads the host-wide counters. It costs a millisecond or two on a
// small machine: for the edges of a trial, not for slices.
func ReadMachine(fr FileReader) (Machine, error) {
	times, err := ReadStat(fr)
	if err != nil {
		return Machine{}, err
	}
	rows, err := ReadSoftnet(fr)
	if err != nil {
		return Machine{}, err
	}
	softirqs, err := ReadSoftirqs(fr)
	if err != nil {
		return Machine{}, err
	}
	interrupts, err := ReadInterrupts(fr)
	if err != nil && !isNotExist(err) { // a container may hide it
		return Machine{}, err
	}
	var others []reading
	for _, read := range machineFiles {
		r, err := read(fr)
		if err != nil {
			return Machine{}, err
		}
		others = append(others, r)
	}
	online := slices.Sorted(maps.Keys(times))
	mhz, err := ReadMHz(fr, online)
	if err != nil {
		return Machine{}, err
	}
	return Machine{Times: times, Softirqs: softirqs, Softnet: softnetByCPU(rows, online), Interrupts: interruptsByCPU(interrupts), MHz: mhz, others: others}, nil
}

// softnetByCPU gives rows without a CPU column (before Linux 5.10) the online
// CPUs in their order, which is the order of softnet_get_online.
func softnetByCPU(rows []Softnet, online []int) map[int]Softnet {
	byCPU := make(map[int]Softnet, len(rows))
	for i, row := range rows {
		if row.CPU < 0 && i < len(online) {
			row.CPU = online[i]
		}
		byCPU[row.CPU] = row
	}
	return byCPU
}

// interruptsByCPU adds up those of devices: which there are differs from boot to
// boot, and thousands of rows say no more than their sum.
func interruptsByCPU(all []Interrupt) map[int]map[string]uint32 {
	out := map[int]map[string]uint32{}
	for _, i := range all {
		name := i.Name
		if i.IRQ >= 0 {
			name = "device"
		}
		for cpu, n := range i.Counts {
			if out[cpu] == nil {
				out[cpu] = map[string]uint32{}
			}
			out[cpu][name] += n
		}
	}
	return out
}

// Sub is what each CPU did between two readings. A CPU that went off- or
// online in between is left out, because its counters do not span the stretch.
func (m Machine) Sub(before Machine) []results.CPUDelta {
	var deltas []results.CPUDelta
	for _, cpu := range slices.Sorted(maps.Keys(m.Times)) {
		if _, ok := before.Times[cpu]; !ok {
			continue
		}
		deltas = append(deltas, m.subCPU(before, cpu))
	}
	return deltas
}

func (m Machine) subCPU(before Machine, cpu int) results.CPUDelta {
	t := m.Times[cpu].Sub(before.Times[cpu])
	d := results.CPUDelta{
		CPU:    cpu,
		BusyNS: t.Busy(), UserNS: t.User + t.Nice, SystemNS: t.System,
		IRQNS: t.IRQ, SoftirqNS: t.Softirq, StealNS: t.Steal,
		Softirqs:   subCounts(m.Softirqs[cpu], before.Softirqs[cpu]),
		Interrupts: subCounts(m.Interrupts[cpu], before.Interrupts[cpu]),
		MHz:        meanMHz(m.MHz[cpu], before.MHz[cpu]),
	}
	a, okA := m.Softnet[cpu]
	b, okB := before.Softnet[cpu]
	if okA && okB {
		d.Processed = delta32(a.Processed, b.Processed)
		d.Dropped = delta32(a.Dropped, b.Dropped)
		d.TimeSqueeze = delta32(a.TimeSqueeze, b.TimeSqueeze)
		d.ReceivedRPS = delta32(a.ReceivedRPS, b.ReceivedRPS)
		d.FlowLimit = delta32(a.FlowLimit, b.FlowLimit)
	}
	return d
}

// HostDelta is Sub with the sum of steal. OwnNS and ForeignNS are for the
// caller to fill in, who knows which threads are netab's: see
// Processes.Foreign.
func (m Machine) HostDelta(before Machine) results.HostDelta {
	host := results.HostDelta{CPUs: m.Sub(before)}
	for _, cpu := range host.CPUs {
		host.StealNS += cpu.StealNS
	}
	for i, r := range m.others {
		if i < len(before.others) {
			r.since(before.others[i], &host)
		}
	}
	return host
}

// SoftnetDropped sums the backlog drops of all CPUs.
func SoftnetDropped(cpus []results.CPUDelta) int64 {
	var n int64
	for _, cpu := range cpus {
		n += cpu.Dropped
	}
	return n
}

func subCounts(after, before map[string]uint32) map[string]int64 {
	delta := make(map[string]int64)
	for name, v := range after {
		if d := delta32(v, before[name]); d != 0 {
			delta[name] = d
		}
	}
	return delta
}

// meanMHz is 0, unknown, unless both edges are known.
func meanMHz(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return (a + b) / 2
}
