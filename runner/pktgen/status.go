package pktgen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Status is what a device's file says, in the terms of pktgen_if_show and
// show_results of net/core/pktgen.c.
type Status struct {
	Running bool
	Packets int64 // that the driver took
	Errors  int64 // that it did not
	// Started and Stopped are instants of CLOCK_MONOTONIC; while it runs Stopped
	// is when the file was read.
	Started, Stopped time.Duration
	Idle             time.Duration // of that: waiting for the next packet's time, or for the CPU
	// Result is the kernel's own sentence: "Idle", "Starting", "OK: ...", an error.
	Result string
}

// Failed says why nothing was, or could be, sent; nil if it is not known to
// have failed.
func (s Status) Failed() error {
	if s.Result == "Idle" || s.Result == "Starting" || strings.HasPrefix(s.Result, "OK:") {
		return nil
	}
	return errors.New(s.Result)
}

// parse reads a device's file. Newer kernels have lines that are not known here.
func parse(text string) (Status, error) {
	var s Status
	_, current, ok := strings.Cut(text, "\nCurrent:")
	if !ok {
		return s, errors.New(`no "Current:" in the status`)
	}
	if s.Result, ok = findResult(current); !ok {
		return s, errors.New(`no "Result:" in the status`)
	}
	// The result has fields of the same names.
	current, _, _ = strings.Cut(current, "\nResult:")
	values := fields(current)
	for key, to := range map[string]*int64{"pkts-sofar": &s.Packets, "errors": &s.Errors} {
		n, err := number(values, key, "")
		if err != nil {
			return s, err
		}
		*to = n
	}
	for key, to := range map[string]*time.Duration{"started": &s.Started, "stopped": &s.Stopped, "idle": &s.Idle} {
		n, err := number(values, key, "us")
		if err != nil {
			return s, err
		}
		if n > int64(maxDuration/time.Microsecond) {
			return s, fmt.Errorf("%s: %d us are out of range", key, n)
		}
		*to = time.Duration(n) * time.Microsecond
	}
	return s, nil
}

const maxDuration = time.Duration(1<<63 - 1)

// fields are the values that follow words with a colon, the first of each name.
func fields(text string) map[string]string {
	words := strings.Fields(text)
	values := map[string]string{}
	for i, w := range words[:max(len(words)-1, 0)] {
		name, ok := strings.CutSuffix(w, ":")
		if _, known := values[name]; ok && !known {
			values[name] = words[i+1]
		}
	}
	return values
}

func number(values map[string]string, key, unit string) (int64, error) {
	text, ok := values[key]
	if !ok {
		return 0, fmt.Errorf("no %q in the status", key)
	}
	digits, ok := strings.CutSuffix(text, unit)
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || !ok {
		return 0, fmt.Errorf("%s: %q is not a number%s", key, text, map[bool]string{true: " of " + unit}[unit != ""])
	}
	return int64(n), nil
}

// running says whether a thread's file (pktgen_thread_show) has the device in
// its line of running ones.
func running(text, name string) bool {
	for line := range strings.Lines(text) {
		if devices, ok := strings.CutPrefix(line, "Running:"); ok {
			for _, d := range strings.Fields(devices) {
				if d == name {
					return true
				}
			}
		}
	}
	return false
}
