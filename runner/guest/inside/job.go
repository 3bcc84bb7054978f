package inside

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// environment is what the job finds beside what the host says.
var environment = []string{"PATH=/bin:/sbin", "HOME=/tmp", "TERM=dumb"}

// graceful is how long a job that was told to end may take to do so.
const graceful = 5 * time.Second

// work runs the job, and returns when nothing of it is left.
func work(spec Spec, host *Sender) Exit {
	exit, err := runJob(spec, host)
	if err != nil {
		exit.Fault = err.Error()
	}
	exit.Uptime, _ = strconv.ParseFloat(firstWord("/proc/uptime"), 64)
	return exit
}

func runJob(spec Spec, host *Sender) (exit Exit, err error) {
	if err := copyFiles(FilesDir, WorkDir); err != nil {
		return exit, err
	}
	c, err := start(spec)
	if err != nil {
		return exit, fmt.Errorf("start the job: %w", err)
	}
	var ended []<-chan struct{}
	if spec.Stream == "" {
		ended = append(ended, inBackground(func() { sendLines(c.stdout, host) }))
	} else {
		ended = append(ended, inBackground(func() { sendChunks(c.stdout, host) }))
	}
	ended = append(ended, inBackground(func() { sendChunks(c.stderr, host) }))
	var stream *follower
	if spec.Stream != "" {
		stream = follow(spec.Stream, host.Line)
	}
	status, late := c.wait(spec.Deadline)
	// Whatever it left behind ends with it, and with that the pipes do.
	for _, e := range ended {
		select {
		case <-e:
		case <-time.After(graceful): // it hangs in the kernel
		}
	}
	if stream != nil {
		stream.end()
	}
	exit = Exit{Status: status.ExitStatus(), Late: late}
	if status.Signaled() {
		exit.Status, exit.Signal = 0, int(status.Signal())
	}
	return exit, nil
}

func inBackground(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	return done
}

// A child is the job. It is not started by os/exec: process 1 waits for every
// process, so nobody else may wait for one.
type child struct {
	pid            int
	stdout, stderr *os.File
}

func start(spec Spec) (*child, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	outRead, outWrite, err := pipe()
	if err != nil {
		return nil, err
	}
	defer outWrite.Close()
	errRead, errWrite, err := pipe()
	if err != nil {
		return nil, err
	}
	defer errWrite.Close()
	pid, err := syscall.ForkExec("/init", append([]string{"netab"}, spec.Args...), &syscall.ProcAttr{
		Dir: WorkDir, Env: append(environment, spec.Env...),
		Files: []uintptr{null.Fd(), outWrite.Fd(), errWrite.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	return &child{pid, outRead, errRead}, err
}

// pipe makes a pipe whose ends block, as a program expects its standard output to.
func pipe() (read, write *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// wait waits for the job, at most until its deadline, and then for all other
// processes, which are killed: its orphans are process 1's children.
func (c *child) wait(deadline time.Duration) (status syscall.WaitStatus, late bool) {
	job := make(chan syscall.WaitStatus, 1)
	all := inBackground(func() { reap(c.pid, job) })
	var passed <-chan time.Time
	if deadline > 0 {
		timer := time.NewTimer(deadline)
		defer timer.Stop()
		passed = timer.C
	}
	kill := func(pid int, s syscall.Signal) { _ = syscall.Kill(pid, s) } // it may be gone
	select {
	case status = <-job:
	case <-passed:
		late = true
		kill(c.pid, syscall.SIGTERM)
		select {
		case status = <-job:
		case <-time.After(graceful):
			kill(-1, syscall.SIGKILL) // all but process 1
			select {
			case status = <-job:
			case <-time.After(graceful):
				say("the job cannot be killed: it hangs in the kernel")
				return syscall.WaitStatus(syscall.SIGKILL), true
			}
		}
	}
	for range 50 { // who forks meanwhile is killed next time
		kill(-1, syscall.SIGKILL)
		select {
		case <-all:
			return status, late
		case <-time.After(graceful / 50):
		}
	}
	return status, late
}

// reap waits for every process until there is none left.
func reap(pid int, job chan<- syscall.WaitStatus) {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // ECHILD
			return
		case got == pid:
			job <- status
		}
	}
}

// sendLines sends standard output as the host wants the streamed file.
func sendLines(r io.Reader, host *Sender) {
	lines := bufio.NewReaderSize(r, chunk)
	for {
		text, err := lines.ReadBytes('\n')
		if n := len(text); n > 0 {
			if text[n-1] == '\n' {
				text = text[:n-1]
			}
			if host.Line(text) != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// sendChunks sends what is for people as it comes.
func sendChunks(r io.Reader, host *Sender) {
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		if n > 0 && host.Send(Message{Type: SaidType, Data: buf[:n]}) != nil || err != nil {
			return
		}
	}
}

// copyFiles copies the files of a tree, if it is there: the job's directory is
// another file system than the initramfs.
func copyFiles(from, to string) error {
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && file == from {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o644)
	})
}
