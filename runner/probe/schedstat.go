package probe

import "strings"

// schedStat is /proc/PID/task/TID/schedstat: "run wait timeslices", ns and ns
// (proc_pid_schedstat, fs/proc/base.c): se.sum_exec_runtime,
// sched_info.run_delay, sched_info.pcount. Exact, and readable unprivileged.
type schedStat struct {
	RunNS, WaitNS int64
}

func parseSchedstat(data []byte) (schedStat, error) {
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return schedStat{}, lineError(1, "%d columns, want run and wait time", len(fields))
	}
	run, err := counter(fields[0])
	if err != nil {
		return schedStat{}, lineError(1, "run time: %w", err)
	}
	wait, err := counter(fields[1])
	if err != nil {
		return schedStat{}, lineError(1, "wait time: %w", err)
	}
	return schedStat{RunNS: run, WaitNS: wait}, nil
}
