package probe

import (
	"math"
	"testing"
)

// fuzz feeds a parser a captured file and what grows out of it. A parser must
// not panic, and what it accepts must satisfy check.
func fuzz[T any](f *testing.F, parse func([]byte) (T, error), check func(t *testing.T, v T), seeds ...string) {
	for _, name := range seeds {
		f.Add(fixture(f, name))
	}
	f.Add([]byte{})
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parse(data)
		if err == nil && check != nil {
			check(t, v)
		}
	})
}

func FuzzSoftnet(f *testing.F) {
	f.Add([]byte("00015c73 00000002 00000d76 00000000 00000000 00000000 00000000 00000000 00000005\n"))
	fuzz(f, parseSoftnet, func(t *testing.T, rows []Softnet) {
		for _, r := range rows {
			if r.CPU < -1 {
				t.Errorf("CPU %d", r.CPU)
			}
		}
	}, "softnet_stat")
}

func FuzzSoftirqs(f *testing.F) {
	fuzz(f, parseSoftirqs, func(t *testing.T, s Softirqs) {
		names := -1
		for cpu, counts := range s {
			if names < 0 {
				names = len(counts)
			}
			if cpu < 0 || len(counts) != names {
				t.Errorf("CPU %d has %d softirqs, another %d", cpu, len(counts), names)
			}
		}
	}, "softirqs")
}

func FuzzStat(f *testing.F) {
	fuzz(f, parseStat, func(t *testing.T, cpus map[int]CPUTimes) {
		if len(cpus) == 0 {
			t.Error("accepted without CPUs")
		}
	}, "stat")
}

func FuzzInterrupts(f *testing.F) {
	fuzz(f, parseInterrupts, func(t *testing.T, all []Interrupt) {
		for _, i := range all {
			if i.Name == "" || i.IRQ < -1 {
				t.Errorf("%+v", i)
			}
		}
	}, "interrupts")
}

func FuzzSNMP(f *testing.F) { fuzz(f, parseSNMP, nil, "snmp", "netstat") }

func FuzzSNMP6(f *testing.F) {
	fuzz(f, parseSNMP6, func(t *testing.T, all map[string]int64) {
		if _, ok := all[""]; ok {
			t.Error("a counter without a name")
		}
	}, "snmp6")
}

func FuzzDevices(f *testing.F) {
	fuzz(f, parseDevices, func(t *testing.T, all map[string]int64) {
		if len(all)%len(deviceColumns) != 0 {
			t.Errorf("%d counters are not whole devices", len(all))
		}
	}, "dev")
}

func FuzzSchedstat(f *testing.F)  { fuzz(f, parseSchedstat, nil, "schedstat") }
func FuzzTaskStatus(f *testing.F) { fuzz(f, parseTaskStatus, nil, "status") }
func FuzzSched(f *testing.F)      { fuzz(f, parseSched, nil, "sched") }

func FuzzPIDStat(f *testing.F) {
	f.Add([]byte("1 (a) b) S 0 0 0 0 0 2097216 0 0 0 0 1 2 3 4 0 0 0 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1"))
	fuzz(f, parsePIDStat, func(t *testing.T, p Process) {
		if p.PID < 0 {
			t.Errorf("%+v", p)
		}
	}, "pid_stat")
}

func FuzzCPUInfo(f *testing.F) {
	fuzz(f, parseCPUInfoMHz, func(t *testing.T, mhz map[int]float64) {
		for cpu, v := range mhz {
			if cpu < 0 || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Errorf("CPU %d: %v MHz", cpu, v)
			}
		}
	}, "cpuinfo")
}
