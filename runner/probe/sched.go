package probe

import "strings"

// parseSched reads how often a thread changed its CPU from
// /proc/PID/task/TID/sched: the line "se.nr_migrations : N"
// (proc_sched_show_task, kernel/sched/debug.c; PN_SCHEDSTAT and P_SCHEDSTAT
// write nr_migrations with and without "se." over the versions). The name of
// the thread stands in the first line and may hold anything.
func parseSched(data []byte) (int64, error) {
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		key, value, ok := strings.Cut(text, ":")
		if !ok || line == 1 {
			continue
		}
		if strings.TrimPrefix(strings.TrimSpace(key), "se.") != "nr_migrations" {
			continue
		}
		v, err := counter(strings.TrimSpace(value))
		if err != nil {
			return 0, lineError(line, "nr_migrations: %w", err)
		}
		return v, nil
	}
	return 0, lineError(line, "no nr_migrations")
}
