package agent

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
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

func (s *Starter) loop() {
	s.err = confine()
	for f := range s.work {
		f()
	}
}

// fork starts a process from the Starter's thread, in a namespace if one is
// given.
func (s *Starter) fork(cmd *exec.Cmd, namespace *os.File) error {
	result := make(chan error, 1)
	s.work <- func() {
		if s.err != nil {
			result <- s.err
			return
		}
		if namespace == nil {
			result <- cmd.Start()
			return
		}
		cmd.SysProcAttr.Cloneflags &^= syscall.CLONE_NEWNET
		result <- inNamespace(namespace, cmd.Start)
	}
	return <-result
}

// inNamespace runs f with the calling thread in another namespace and takes
// the thread back. A thread that cannot get back is of no more use, and its
// death would end the agents: better to say so at once.
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
		panic(fmt.Sprintf("cannot return to the first namespace: %v", err))
	}
	return result
}
