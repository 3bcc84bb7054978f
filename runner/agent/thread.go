package agent

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"netab/results/crew"
)

// onItsThread runs loop on the thread whose death ends the agents. The process's
// first thread cannot be that: Go parks it for ever instead of ending it (mexit in
// runtime/proc.go), and it would stand confined for the whole process in
// /proc/self. So it is held while another is found.
func (s *Starter) onItsThread() {
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		s.loop() // the thread ends with this function: it is never unlocked
		return
	}
	found := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(found)
		s.loop()
	}()
	<-found
	runtime.UnlockOSThread()
}

// loop starts agents until it is told to end, or its thread is lost.
func (s *Starter) loop() {
	defer close(s.ended)
	s.err = confine()
	for f := range s.work {
		if !f() {
			return
		}
	}
}

var errLost = errors.New("the thread that starts agents is lost")

// fork starts a process from the Starter's thread, in a namespace if one is
// given.
func (s *Starter) fork(cmd *exec.Cmd, namespace *os.File) error {
	result := make(chan error, 1)
	start := func() (usable bool) {
		err := crew.Caught(func() error {
			if s.err != nil {
				return s.err
			}
			if namespace == nil {
				return cmd.Start()
			}
			cmd.SysProcAttr.Cloneflags &^= syscall.CLONE_NEWNET
			return inNamespace(namespace, cmd.Start)
		})
		result <- err
		_, panicked := errors.AsType[*crew.Panic](err)
		return !panicked && !errors.Is(err, errLost)
	}
	select {
	case s.work <- start:
		return <-result
	case <-s.ended:
		return errLost
	}
}

// inNamespace runs f with the calling thread in another namespace and takes
// the thread back. One that cannot get back is lost, and with it all agents.
func inNamespace(namespace *os.File, f func() error) error {
	home, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		return err
	}
	defer home.Close()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace %s: %w", namespace.Name(), err)
	}
	result := f()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("%w: it cannot return to the first namespace: %w", errLost, err)
	}
	return result
}
