package probe

import (
	"strconv"
	"strings"
)

// A Process is one line of /proc/PID/stat (or of a thread's), as far as netab
// needs it.
type Process struct {
	PID, Parent int
	Name        string // at most 15 bytes, of the kernel's threads up to 63
	Kernel      bool   // a kernel thread
	CPUNS       int64  // all its threads, the ended ones too; 10 ms units
	ChildrenNS  int64  // of its children that have ended and were waited for, and theirs
	Started     int64  // ns after boot: tells a process from a later one of the same number
	CPU         int    // where it ran last
}

// Fields of do_task_stat, fs/proc/array.c, counted from the state, which is
// field 3 of proc_pid_stat(5) and our 0.
const (
	statParent    = 1
	statFlags     = 6
	statUTime     = 11 // utime, stime, cutime, cstime
	statStartTime = 19
	statProcessor = 36

	pfKThread = 0x00200000 // PF_KTHREAD, include/linux/sched.h
)

func parsePIDStat(data []byte) (Process, error) {
	text := string(data)
	// The name may hold blanks and parentheses; the last one ends it.
	open, shut := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || shut < open {
		return Process{}, lineError(1, "no name in parentheses")
	}
	pid, err := strconv.ParseUint(strings.TrimSpace(text[:open]), 10, 31)
	if err != nil {
		return Process{}, lineError(1, "process id: %w", err)
	}
	fields := strings.Fields(text[shut+1:])
	if len(fields) <= statProcessor {
		return Process{}, lineError(1, "%d fields behind the name, want more than %d", len(fields), statProcessor)
	}
	// Errors are collected by the first that happens; the numbers are plain.
	number := func(i int) int64 {
		v, e := counter(fields[i])
		if e != nil && err == nil {
			err = lineError(1, "field %d: %w", i+3, e)
		}
		return v
	}
	p := Process{
		PID: int(pid), Parent: int(number(statParent)),
		Name:       text[open+1 : shut],
		Kernel:     number(statFlags)&pfKThread != 0,
		CPUNS:      (number(statUTime) + number(statUTime+1)) * tickNS,
		ChildrenNS: (number(statUTime+2) + number(statUTime+3)) * tickNS,
		Started:    number(statStartTime) * tickNS,
		CPU:        int(number(statProcessor)),
	}
	return p, err
}
