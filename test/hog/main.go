// Command hog takes CPUs away for a while, again and again, as a hypervisor or a
// neighbour does: the suite is run beside it to see what only a quiet machine
// hides. It runs at real-time priority where it may, on every CPU at once, and
// ends after --for, or with the process that started it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	busy := flag.Duration("busy", 20*time.Millisecond, "how long CPUs are taken")
	every := flag.Duration("every", 80*time.Millisecond, "of so long")
	limit := flag.Duration("for", 20*time.Minute, "end after so long, or with the command given as arguments")
	flag.Parse()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGTERM)
	for cpu := range runtime.NumCPU() {
		go take(cpu, *busy, *every)
	}
	if flag.NArg() == 0 {
		select {
		case <-time.After(*limit):
		case <-stop:
		}
		return
	}
	cmd := exec.Command(flag.Arg(0), flag.Args()[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "hog:", err)
		os.Exit(1)
	}
}

// take spins on one CPU.
func take(cpu int, busy, every time.Duration) {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	_ = unix.SchedSetaffinity(0, &set) // a CPU that is not allowed: anywhere
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
	for next := time.Now(); ; next = next.Add(every) {
		for end := next.Add(busy); time.Now().Before(end); {
		}
		time.Sleep(time.Until(next.Add(every)))
	}
}
