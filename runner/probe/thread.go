package probe

import "fmt"

// A Thread is the scheduler's account of one thread: since its start as read,
// or between two readings.
type Thread struct {
	RunNS       int64 // on a CPU; softirqs run on its back included unless CONFIG_IRQ_TIME_ACCOUNTING
	WaitNS      int64 // runnable, but another ran: what noisy neighbours cost
	Voluntary   int64
	Involuntary int64
	Migrations  int64 // 0 where the kernel has no /proc/PID/sched (CONFIG_SCHED_DEBUG)
	CPU         int   // where it ran last; kept as it is by Sub
}

// ReadThread reads a thread of any process.
func ReadThread(fr FileReader, pid, tid int) (Thread, error) {
	task := fmt.Sprintf("/proc/%d/task/%d/", pid, tid)
	times, err := read(fr, task+"schedstat", parseSchedstat)
	if err != nil && !isNotExist(err) { // CONFIG_SCHED_INFO
		return Thread{}, err
	}
	sw, err := read(fr, task+"status", parseTaskStatus)
	if err != nil {
		return Thread{}, err
	}
	stat, err := read(fr, task+"stat", parsePIDStat)
	if err != nil {
		return Thread{}, err
	}
	migrations, err := read(fr, task+"sched", parseSched)
	if err != nil && !isNotExist(err) {
		return Thread{}, err
	}
	return Thread{
		RunNS: times.RunNS, WaitNS: times.WaitNS,
		Voluntary: sw.Voluntary, Involuntary: sw.Involuntary,
		Migrations: migrations, CPU: stat.CPU,
	}, nil
}

// Sub is what the thread did between two readings.
func (t Thread) Sub(before Thread) Thread {
	return Thread{
		RunNS: t.RunNS - before.RunNS, WaitNS: t.WaitNS - before.WaitNS,
		Voluntary: t.Voluntary - before.Voluntary, Involuntary: t.Involuntary - before.Involuntary,
		Migrations: t.Migrations - before.Migrations, CPU: t.CPU,
	}
}
