package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

const bisectUsage = "exit status for git bisect run: 0 good, 1 bad (a regression), 125 for anything else; implies --gate, ignores known issues"

// Exit statuses of git bisect run: 1 to 127 but 125 are "bad", and from 128 on
// it gives up (git-bisect(1)).
const (
	bisectGood = 0
	bisectBad  = 1
	bisectSkip = 125
)

// bisectMark tells the process that is watched that it is.
const bisectMark = "NETAB_BISECT"

// watchBisect runs this command again under a watch when it is to answer git
// bisect run, and returns the status to exit with. A crash of ours must never
// read as "bad", and a panic exits with 2, a kill with 128 and more: only a
// process that is still alive can turn these into 125.
func watchBisect(args []string) (code int, watched bool) {
	if !asksBisect(args) || os.Getenv(bisectMark) != "" {
		return 0, false
	}
	return bisectStatus(runWatched()), true
}

// asksBisect looks for the flag before any parsing can go wrong.
func asksBisect(args []string) bool {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "--bisect" || strings.HasPrefix(a, "--bisect=") && a != "--bisect=false"
	})
}

// bisectStatus maps how the watched process ended.
func bisectStatus(err error) int {
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return bisectGood
	case ok && exit.Exited() && exit.ExitCode() == exitRegression:
		return bisectBad
	default:
		return bisectSkip
	}
}

func runWatched() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), bisectMark+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGTERM,
		Setpgid:   true, // so that a terminal's Ctrl-C reaches this process alone
	}
	runtime.LockOSThread() // the parent-death signal is bound to this thread
	defer runtime.UnlockOSThread()
	terms := make(chan os.Signal, 2)
	signal.Notify(terms, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(terms)
	if err := cmd.Start(); err != nil {
		writeln(guarded(os.Stderr), "netab: watch the run of --bisect:", err)
		return err
	}
	go func() {
		for s := range terms {
			cmd.Process.Signal(s)
		}
	}()
	return cmd.Wait()
}
