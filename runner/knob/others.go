package knob

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OtherRuns names the runs, beside this process's, that have agents at work on
// this machine, as far as /proc shows: whatever lock they hold, they use the CPUs
// that a run is about to measure on. Names are as anybody made them: a notice can
// be forged, and so it is one and keeps nobody from measuring.
func OtherRuns() []string { return otherRuns("/proc", os.Getpid(), time.Now()) }

func otherRuns(proc string, self int, now time.Time) (runs []string) {
	processes, _ := filepath.Glob(proc + "/[0-9]*")
	var pids []int
	for _, p := range processes {
		cmdline, err := os.ReadFile(filepath.Join(p, "cmdline"))
		if err != nil || !bytes.Equal(cmdline, agentCommand) {
			continue
		}
		agent, err := strconv.Atoi(filepath.Base(p))
		if err != nil {
			continue
		}
		switch parent := parentOf(proc, agent); {
		case agent == self || parent == self:
		case parent <= 1: // outlived its run, or of a run that cannot be seen
			pids = append(pids, agent)
		default:
			pids = append(pids, parent)
		}
	}
	slices.Sort(pids)
	for _, pid := range slices.Compact(pids) {
		runs = append(runs, describeProcess(proc, pid, now))
	}
	return runs
}

// agentCommand is the command line that an agent shows (package agent, Starter).
var agentCommand = []byte("netab\x00agent\x00")

// parentOf reads field 4 of /proc/PID/stat; 0 if the process is gone.
func parentOf(proc string, pid int) int {
	data, err := os.ReadFile(fmt.Sprintf("%s/%d/stat", proc, pid))
	if err != nil {
		return 0
	}
	// The second field is the command in parentheses, which may hold anything.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
