package guest_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/guest/inside"
)

// jobWord begins the arguments of a job: this test's own program is what is booted.
const jobWord = "job"

func TestMain(m *testing.M) {
	if inside.Is() {
		inside.Main()
	}
	if len(os.Args) > 2 && os.Args[1] == jobWord {
		if err := jobs[os.Args[2]](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// jobs are what is run in guests.
var jobs = map[string]func() error{
	// report prints what it finds, leaves a process behind that holds its standard
	// output, and ends with 3.
	"report": func() error {
		if err := report(); err != nil {
			return err
		}
		os.Exit(3)
		return nil
	},
	// crash does that, writes a file as a run does, and then has the kernel panic.
	"crash": func() error {
		if err := report(); err != nil {
			return err
		}
		if err := os.MkdirAll("store/a-run", 0o755); err != nil {
			return err
		}
		file, err := os.Create("store/a-run/run.jsonl")
		if err != nil {
			return err
		}
		for i := range 3 {
			if _, err := fmt.Fprintf(file, `{"line":%d,"long":"%s"}`+"\n", i, strings.Repeat("x", 50_000)); err != nil {
				return err
			}
		}
		time.Sleep(time.Second)
		return trigger('c')
	},
	"report-and-sleep": func() error {
		defer time.Sleep(time.Hour)
		return report()
	},
	"late":   func() error { signal.Ignore(syscall.SIGTERM); time.Sleep(time.Hour); return nil },
	"ends":   func() error { time.Sleep(time.Hour); return nil }, // by SIGTERM
	"sleep":  func() error { time.Sleep(time.Hour); return nil },
	"reset":  func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) },
	"init":   func() error { defer time.Sleep(time.Hour); return syscall.Kill(1, syscall.SIGSEGV) },
	"stdout": func() error { _, err := io.Copy(os.Stdout, endless{}); return err },
	"memory": func() error {
		var all [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
			runtime.KeepAlive(all)
		}
	},
	// hang takes every CPU for itself at a priority that process 1 has not.
	"hang": func() error {
		if err := os.WriteFile("/proc/sys/kernel/sched_rt_runtime_us", []byte("-1"), 0); err != nil {
			return err
		}
		for range 2 * runtime.NumCPU() {
			go func() {
				runtime.LockOSThread()
				_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 99}, 0)
				for n := 0; ; n++ {
					runtime.KeepAlive(n)
				}
			}()
		}
		time.Sleep(time.Hour)
		return nil
	},
}

func report() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	file, err := os.ReadFile("a/file.txt")
	if err != nil {
		return err
	}
	lo, err := os.ReadFile("/sys/class/net/lo/flags")
	if err != nil {
		return err
	}
	orphan := exec.Command("/proc/self/exe", jobWord, "sleep")
	orphan.Stdout = os.Stdout
	orphan.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := orphan.Start(); err != nil {
		return err
	}
	fmt.Printf("in %s with %q, %s=%s, lo %s\n", wd, file, "WORD", os.Getenv("WORD"), strings.TrimSpace(string(lo)))
	fmt.Fprintln(os.Stderr, "said for people")
	fmt.Print("no newline")
	return nil
}

// trigger is a key of sysrq.
func trigger(key byte) error {
	if err := os.WriteFile("/proc/sysrq-trigger", []byte{key}, 0); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

// endless is text without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
