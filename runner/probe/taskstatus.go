package probe

import "strings"

// switches are the context switches of a thread: the last two lines of
// /proc/PID/task/TID/status (task_context_switch_counts, fs/proc/array.c).
type switches struct {
	Voluntary   int64 // it blocked
	Involuntary int64 // it was preempted
}

func parseTaskStatus(data []byte) (switches, error) {
	var s switches
	found := 0
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		key, value, _ := strings.Cut(text, ":")
		var dst *int64
		switch key {
		case "voluntary_ctxt_switches":
			dst = &s.Voluntary
		case "nonvoluntary_ctxt_switches":
			dst = &s.Involuntary
		default:
			continue
		}
		v, err := counter(strings.TrimSpace(value))
		if err != nil {
			return s, lineError(line, "%s: %w", key, err)
		}
		*dst = v
		found++
	}
	if found != 2 {
		return s, lineError(line, "found %d of the two context switch counts", found)
	}
	return s, nil
}
