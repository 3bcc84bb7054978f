package knob

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Self is this process as the owner of a run's changes.
func Self(run, version string, now time.Time) (Owner, error) {
	start, err := processStart("/proc", os.Getpid())
	if err != nil {
		return Owner{}, err
	}
	return Owner{Run: run, PID: os.Getpid(), Start: start, Version: version, Began: now}, nil
}

func (o Owner) String() string {
	if o.Run == "" {
		return "a run that is not known"
	}
	return fmt.Sprintf("run %s since %s", o.Run, o.Began.Format(time.DateTime))
}

// changesOf counts changes for people.
func changesOf(n int) string {
	if n == 1 {
		return "1 change"
	}
	return fmt.Sprintf("%d changes", n)
}

// Alive says whether the owner's process still runs. Entries of a live owner
// are in use and must not be restored by others: the run lock sees to that.
func (o Owner) Alive() bool {
	start, err := processStart("/proc", o.PID)
	return err == nil && start == o.Start
}

// processStart reads field 22 of /proc/PID/stat: the process's start in clock
// ticks since boot (proc_pid_stat(5)). With the PID it names a process for good.
func processStart(proc string, pid int) (uint64, error) {
	path := fmt.Sprintf("%s/%d/stat", proc, pid)
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	// The second field is the command in parentheses, which may hold anything.
	i := bytes.LastIndexByte(data, ')')
	fields := strings.Fields(string(data[i+1:]))
	const start = 22 - 3 // the first field behind the command is number 3
	if i < 0 || len(fields) <= start {
		return 0, fmt.Errorf("%s: %q is not a process's stat", path, data)
	}
	return strconv.ParseUint(fields[start], 10, 64)
}
