package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// An experiment: agents that outlive their trial. Each trial's namespaces, devices,
// sockets, buffers and role threads are new all the same; what stays is the process,
// with the layout of its memory. bench/keep.sh says whether trials then scatter as
// those of fresh processes do. It costs a safeguard: an agent that is to make
// another namespace cannot give up its capabilities once its sockets are open.

// A kept is the agents that wait for the next trial.
type kept struct {
	mu   sync.Mutex
	idle []*Agent
}

const keepWord = "kept" // behind "agent" on an agent's command line

// Keep lets agents that have a namespace of their own live on when they are closed.
// A build with cgo cannot move all its threads at once.
func (s *Starter) Keep() error {
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0); errno != 0 {
		return errors.New("agents' processes can be kept by a build without cgo only (CGO_ENABLED=0)")
	}
	s.kept = &kept{}
	return nil
}

// reuse is an agent from before with a new namespace, nil where there is none.
func (s *Starter) reuse(ctx context.Context) *Agent {
	if s.kept == nil {
		return nil
	}
	s.kept.mu.Lock()
	n := len(s.kept.idle)
	if n == 0 {
		s.kept.mu.Unlock()
		return nil
	}
	a := s.kept.idle[n-1]
	s.kept.idle = s.kept.idle[:n-1]
	s.kept.mu.Unlock()
	a.ctx = ctx
	if err := tell(a, "Renew", Nothing{}); err != nil && !errors.Is(err, syscall.EPERM) { // see Start
		a.end()
		return nil
	}
	a.failed.Store(false)
	return a
}

// put keeps an agent with which nothing went wrong.
func (k *kept) put(a *Agent) bool {
	if k == nil || a.failed.Load() || a.ctx.Err() != nil {
		return false
	}
	select {
	case <-a.process.Exited():
		return false
	default:
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.idle = append(k.idle, a)
	return true
}

// end ends those that wait.
func (k *kept) end() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.idle {
		a.end()
	}
	k.idle = nil
}

// isWord says whether a word is on this agent's command line.
func isWord(word string) bool { return slices.Contains(os.Args[2:], word) }

// renew gives all threads of the agent a new network namespace; the one before
// ends with its last socket. What the trial before had allocated is given back, so
// that buffers are new pages.
func (s *server) renew() error {
	if s.set != nil {
		s.set.Close()
		s.set = nil
	}
	debug.FreeOSMemory()
	if err := newNamespace(); err != nil {
		return err
	}
	if s.sysfsErr == nil { // else the mount is not ours
		if err := unix.Unmount("/sys", unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount sysfs: %w", err)
		}
	}
	s.sysfsErr = mountSysfs()
	return s.sysfsErr
}

func newNamespace() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	ns, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer ns.Close()
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_SETNS, ns.Fd(), unix.CLONE_NEWNET, 0); errno != 0 {
		return fmt.Errorf("enter the new network namespace: %w", errno)
	}
	return nil
}
