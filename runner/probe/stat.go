package probe

import (
	"strconv"
	"strings"
)

// CPUTimes is where one CPU spent its time since boot, in nanoseconds. The
// unit printed is 10 ms; without CONFIG_IRQ_TIME_ACCOUNTING and without
// full dynticks the kernel only samples at its ticks, so a short delta is
// right to some ticks and no better.
type CPUTimes struct {
	User    int64 // Guest included (account_guest_time, kernel/sched/cputime.c)
	Nice    int64 // GuestNice included
	System  int64
	Idle    int64
	IOWait  int64 // idle with I/O outstanding; may go backwards
	IRQ     int64
	Softirq int64
	Steal   int64 // wanted to run, but the hypervisor ran someone else
	Guest   int64
}

// Busy is the time in which the CPU ran anything of this machine.
func (t CPUTimes) Busy() int64 { return t.User + t.Nice + t.System + t.IRQ + t.Softirq }

// Sub is the time between two readings.
func (t CPUTimes) Sub(before CPUTimes) CPUTimes {
	return CPUTimes{
		User: t.User - before.User, Nice: t.Nice - before.Nice, System: t.System - before.System,
		Idle: t.Idle - before.Idle, IOWait: t.IOWait - before.IOWait,
		IRQ: t.IRQ - before.IRQ, Softirq: t.Softirq - before.Softirq,
		Steal: t.Steal - before.Steal, Guest: t.Guest - before.Guest,
	}
}

// ReadStat reads the per-CPU rows of /proc/stat, by CPU; only CPUs that are
// online have one.
func ReadStat(fr FileReader) (map[int]CPUTimes, error) {
	return read(fr, "/proc/stat", parseStat)
}

// Columns of show_stat, fs/proc/stat.c: user nice system idle iowait irq
// softirq steal (2.6.11) guest (2.6.24) guest_nice (2.6.33).
func parseStat(data []byte) (map[int]CPUTimes, error) {
	cpus := make(map[int]CPUTimes)
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		rest, ok := strings.CutPrefix(text, "cpu")
		if !ok {
			break // the cpu rows come first; the intr row behind them is long
		}
		if strings.HasPrefix(rest, " ") {
			continue // the sum of all
		}
		fields := strings.Fields(rest)
		if len(fields) < 8 {
			return nil, lineError(line, "%d columns, want cpuN and at least 7", len(fields))
		}
		cpu, err := strconv.ParseUint(fields[0], 10, 31)
		if err != nil {
			return nil, lineError(line, "cpu%s: %w", fields[0], err)
		}
		var ns [9]int64
		for i := range min(len(fields)-1, len(ns)) {
			ticks, err := counter(fields[i+1])
			if err != nil {
				return nil, lineError(line, "column %d: %w", i+1, err)
			}
			ns[i] = ticks * tickNS
		}
		cpus[int(cpu)] = CPUTimes{
			User: ns[0], Nice: ns[1], System: ns[2], Idle: ns[3], IOWait: ns[4],
			IRQ: ns[5], Softirq: ns[6], Steal: ns[7], Guest: ns[8],
		}
	}
	if len(cpus) == 0 {
		return nil, lineError(1, "no cpuN rows")
	}
	return cpus, nil
}
