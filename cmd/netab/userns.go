package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"netab/runner/host"
)

// needsUserNamespace says whether this process lacks what network namespaces take:
// an ordinary user, or root with fewer capabilities (a container's), who may make
// them only inside a user namespace.
func needsUserNamespace() bool {
	return os.Getenv(host.UserNamespaceMark) == "" && len(host.Missing()) > 0
}

// fewerCapabilities says in what root is less than root, for a person; "" of an
// ordinary user.
func fewerCapabilities() string {
	if os.Geteuid() != 0 {
		return ""
	}
	return "root without " + strings.Join(host.Missing(), " and ")
}

// reexecInUserNamespace runs this very command again as root of a new user
// namespace: loopback and veth scenarios need nothing more. A multithreaded
// process cannot enter one itself.
func reexecInUserNamespace(stdin io.Reader) error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	mark := host.Ordinary
	if os.Geteuid() == 0 {
		mark = strings.Join(host.Missing(), ",")
	}
	cmd.Env = append(os.Environ(), host.UserNamespaceMark+"="+mark)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGTERM,
		Setpgid:     true, // so that a terminal's Ctrl-C reaches this process alone
	}
	runtime.LockOSThread() // the parent-death signal is bound to this thread
	// Signals are passed on, each once.
	working.Add(1)
	defer working.Add(-1)
	terms := make(chan os.Signal, 2)
	signal.Notify(terms, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(terms)
	if err := cmd.Start(); err != nil {
		return failed(noUserNamespace(err))
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

// noUserNamespace says what is missing where there is no way left.
func noUserNamespace(err error) error {
	if less := fewerCapabilities(); less != "" {
		return fmt.Errorf("this is %s, and it may not make a user namespace instead (%w: seccomp or AppArmor of the container, user.max_user_namespaces, no CAP_SETFCAP): %s",
			less, err, host.HowToGive(host.Missing()))
	}
	return fmt.Errorf("make a user namespace: %w (netab needs root, or a kernel that lets users make namespaces: "+
		"kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces)", err)
}
