package probe

import (
	"fmt"
	"strconv"
	"strings"
)

// ReadMHz reads how fast each of the given CPUs runs: from cpufreq where there
// is a driver for it (scaling_cur_freq, kHz), else from the "cpu MHz" lines of
// x86's /proc/cpuinfo (arch/x86/kernel/cpu/proc.c). CPUs of which neither
// knows are absent; in a guest the number is often what the hypervisor
// declared and never moves.
func ReadMHz(fr FileReader, cpus []int) (map[int]float64, error) {
	mhz := make(map[int]float64, len(cpus))
	for _, cpu := range cpus {
		path := fmt.Sprintf("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpu)
		khz, err := read(fr, path, parseKHz)
		if isNotExist(err) {
			break // no cpufreq driver: a CPU alike has none either
		}
		if err != nil {
			return nil, err
		}
		mhz[cpu] = float64(khz) / 1000
	}
	if len(mhz) > 0 {
		return mhz, nil
	}
	return read(fr, "/proc/cpuinfo", parseCPUInfoMHz)
}

func parseKHz(data []byte) (int64, error) {
	return counter(strings.TrimSpace(string(data)))
}

func parseCPUInfoMHz(data []byte) (map[int]float64, error) {
	mhz := make(map[int]float64)
	cpu := -1
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		key, value, _ := strings.Cut(text, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "processor":
			// s390's "processor 0: version = ..." has no number here.
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil {
				return nil, lineError(line, "processor %q is not a number", value)
			}
			cpu = int(n)
		case "cpu MHz":
			f, err := strconv.ParseFloat(value, 64)
			if err != nil || !(f >= 0 && f <= 1e6) || cpu < 0 { // NaN parses too
				return nil, lineError(line, "cpu MHz %q is not a frequency of a processor", value)
			}
			mhz[cpu] = f
		}
	}
	return mhz, nil
}
