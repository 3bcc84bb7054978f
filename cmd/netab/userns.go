package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// userNamespaceMark tells the second process that it is the second.
const userNamespaceMark = "NETAB_USERNS"

// needsUserNamespace says whether this is an ordinary user, who may make
// network namespaces only inside a user namespace.
func needsUserNamespace() bool { return os.Geteuid() != 0 && os.Getenv(userNamespaceMark) == "" }

// reexecInUserNamespace runs this very command again as root of a new user
// namespace: loopback and veth scenarios need nothing more. A multithreaded
// process cannot enter one itself.
func reexecInUserNamespace() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), userNamespaceMark+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGTERM,
		Setpgid:     true, // so that a terminal's Ctrl-C reaches this process alone
	}
	runtime.LockOSThread() // the parent-death signal is bound to this thread
	// Signals are passed on, each once.
	terms := make(chan os.Signal, 2)
	signal.Notify(terms, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(terms)
	if err := cmd.Start(); err != nil {
		return failed(fmt.Errorf("make a user namespace: %w (netab needs root, or a kernel that lets users make namespaces: "+
			"kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces)", err))
	}
	go func() {
		for s := range terms {
			cmd.Process.Signal(s)
		}
	}()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return &statusError{exit.ExitCode(), nil}
	}
	return failed(err)
}
