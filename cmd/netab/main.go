// Command netab A/B-tests the Linux network path: a scenario file says what to
// compare; netab measures it in short random slices and says what changed, by
// how much, and how sure it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/prose"
	"netab/results/crew"
	"netab/results/disk"
	"netab/runner"
	"netab/runner/agent"
	"netab/runner/claim"
	"netab/runner/guest/inside"
)

// Exit statuses of all commands. 1 and 3 only of gates; with --bisect see
// bisectStatus.
const (
	exitFine          = 0
	exitRegression    = 1
	exitUsage         = 2
	exitInconclusive  = 3
	exitNotComparable = 4
	exitFailed        = 5
)

func main() {
	// In a guest of ours there is nobody but this process, as its init.
	if inside.Is() {
		inside.Main()
	}
	// An agent is started for every trial: before anything else, and without
	// the command line's machinery.
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		if err := agent.Serve(); err != nil {
			writeln(guarded(os.Stderr), "netab agent:", err)
			os.Exit(exitFailed)
		}
		return
	}
	if code, watched := watchBisect(os.Args[1:]); watched {
		os.Exit(code)
	}
	os.Exit(execute(newRoot(), os.Args[1:], os.Stdout, os.Stderr))
}

// execute is main with its surroundings passed in.
func execute(root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	out, errs := guarded(stdout), guarded(stderr)
	defer func() { _ = errors.Join(out.Flush(), errs.Flush()) }()
	go interruptible(ctx, cancel, errs)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	var command *cobra.Command
	err := crew.Reported(func() (err error) { command, err = root.ExecuteContextC(ctx); return err })
	if err == nil {
		return exitFine
	}
	if _, ok := errors.AsType[*crew.Panic](err); ok {
		say(errs, fmt.Sprint(err, leftBorrowed()))
		return exitFailed
	}
	status, ok := errors.AsType[*statusError](err)
	if !ok {
		// Commands say of what kind their errors are (saysKind), so this is
		// cobra's own complaint, which is a matter of usage.
		status = &statusError{exitUsage, err}
		noteUnread(command, args, err)
	}
	if status.err != nil {
		writeln(errs, "netab:", status.err)
	}
	return status.code
}

// leftBorrowed says after a fault what the journal still remembers. The fault may
// lie in what reads it.
func leftBorrowed() (text string) {
	err := crew.Caught(func() error {
		if n := claim.Borrowed(); n > 0 {
			text = fmt.Sprintf("; %s of this machine not put back: run netab restore", prose.Counted(n, "setting"))
		}
		return nil
	})
	if err != nil {
		return "; run netab restore, in case that something of this machine is not put back"
	}
	return text
}

// working counts what has to be ended in order: claims of the machine, and processes
// that have one.
var working atomic.Int32

// patience is for what may end by itself where nothing has to.
const patience = time.Second

// interruptible ends ctx at the first signal, so that the run restores the
// machine and keeps what it has; the second one ends the process, for
// restoring may hang, and the journal remembers. Where nothing was begun (a
// large file is being read, or a pipe that nobody writes to) the first one is
// enough.
func interruptible(ctx context.Context, cancel context.CancelCauseFunc, stderr io.Writer) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	select {
	case <-signals:
		if working.Load() == 0 {
			cancel(runner.ErrInterrupted)
			time.Sleep(patience)
			if working.Load() == 0 {
				disk.Abandon()
				os.Exit(exitFailed)
			}
		}
		say(stderr, "interrupted: putting back what was changed and keeping what was measured; once more ends at once")
		cancel(runner.ErrInterrupted)
	case <-ctx.Done():
		return
	}
	<-signals
	say(stderr, endedAtOnce(claim.Borrowed()))
	disk.Abandon()
	os.Exit(exitFailed)
}

// endedAtOnce is the last word of a process that a second signal ended.
func endedAtOnce(borrowed int) string {
	if borrowed == 0 {
		return "ended at once; nothing of this machine is left changed"
	}
	return fmt.Sprintf("ended at once, with %s of this machine not put back: run netab restore", prose.Counted(borrowed, "setting"))
}

// say writes a line in the place of the progress that may stand there.
func say(stderr io.Writer, text string) {
	if isTerminal(stderr) && os.Getenv("TERM") != "dumb" {
		rewrite(stderr, "")
	}
	writef(stderr, "netab: %s\n", text)
}

// A statusError carries the exit status of a command. A nil err is said
// already.
type statusError struct {
	code int
	err  error
}

func (e *statusError) Error() string { return fmt.Sprint(e.err) }
func (e *statusError) Unwrap() error { return e.err }

// failed and usage give an error its kind where it has none yet: who knows best
// is where it comes from.
func failed(err error) error { return ofKind(exitFailed, err) }
func usage(err error) error  { return ofKind(exitUsage, err) }

func ofKind(code int, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*statusError](err); ok {
		return err
	}
	return &statusError{code, err}
}

// saysKind lets every command below say of what kind its errors are: what it
// does not call a matter of usage is none.
func saysKind(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return failed(run(cmd, args)) }
	}
	for _, sub := range cmd.Commands() {
		saysKind(sub)
	}
}
