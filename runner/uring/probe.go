package uring

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Support says of each way to use io_uring why it cannot be used here; nil =
// it can.
type Support struct {
	Send     error // OpenSource
	ZeroCopy error // OpenSource with zerocopy
	Receive  error // OpenSink
}

// Available says why io_uring cannot be used here, for whatever purpose.
func Available() error {
	s := Probe()
	for _, err := range []error{s.Send, s.Receive, s.ZeroCopy} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Probe tries on a socket pair what can be tried without a network, and asks
// the kernel for the rest.
func Probe() Support {
	r, err := openRing(1, 1)
	if err != nil {
		return Support{err, err, err}
	}
	defer r.close()
	s := Support{ZeroCopy: r.supports(opSendZeroCopy, "SEND_ZC")}
	s.Send, s.Receive = try()
	return s
}

// supports asks for an operation.
func (r *ring) supports(op uint8, name string) error {
	var p opProbe
	if err := r.register(registerProbe, unsafe.Pointer(&p), len(p.ops)); err != nil {
		return fmt.Errorf("io_uring: ask the kernel for its operations: %w", err)
	}
	if op > p.lastOp || p.ops[op].flags&opSupported == 0 {
		return fmt.Errorf("io_uring: the kernel lacks %s (it needs Linux 6.1 or newer)", name)
	}
	return nil
}

// try sends and receives one message: multishot receive with a ring of buffers
// is no operation that could be asked for.
func try() (send, receive error) {
	runtime.LockOSThread() // rings belong to a thread
	defer runtime.UnlockOSThread()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		err = fmt.Errorf("io_uring: make a socket pair to try it: %w", err)
		return err, err
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	message := []byte("netab")
	send = trySend(pair[0], message)
	if _, err := unix.Write(pair[0], message); err != nil {
		return send, fmt.Errorf("io_uring: send to try it: %w", err)
	}
	return send, tryReceive(pair[1], len(message))
}

func trySend(fd int, message []byte) error {
	s, err := OpenSource(fd, message, 1, false)
	if err != nil {
		return err
	}
	defer s.Close()
	return tried("send", s.Send, len(message))
}

func tryReceive(fd, size int) error {
	s, err := OpenSink(fd, size, 2)
	if err != nil {
		return err
	}
	defer s.Close()
	return tried("multishot receive", s.Receive, size)
}

func tried(what string, call func() (bytes, msgs int64, errno syscall.Errno), size int) error {
	for {
		bytes, _, errno := call()
		switch {
		case errno == unix.EINTR:
		case errno == unix.EINVAL:
			return fmt.Errorf("io_uring: the kernel lacks %s (it needs Linux 6.1 or newer)", what)
		case errno != 0:
			return fmt.Errorf("io_uring: %s: %w", what, errno)
		case bytes < int64(size):
			return fmt.Errorf("io_uring: %s passed on %d bytes of %d", what, bytes, size)
		default:
			return nil
		}
	}
}

// setupError says what stands in the way of a ring. disabled is the content of
// /proc/sys/kernel/io_uring_disabled, empty where the kernel has no such file
// (before 6.6).
func setupError(errno syscall.Errno, disabled string) error {
	why := ""
	switch disabled = strings.TrimSpace(disabled); {
	case errno == unix.ENOSYS:
		why = "the kernel has no io_uring (CONFIG_IO_URING), or a seccomp filter, as of a container, hides it"
	case errno == unix.EPERM && disabled == "2":
		why = "it is switched off: sysctl kernel.io_uring_disabled=0 allows it"
	case errno == unix.EPERM && disabled == "1":
		why = "it is for root and the group of kernel.io_uring_group: run as one of them, or sysctl kernel.io_uring_disabled=0"
	case errno == unix.EPERM || errno == unix.EACCES:
		why = "a seccomp filter or a security module, as of a container, forbids it"
	case errno == unix.EINVAL:
		why = "it needs Linux 6.1 or newer (IORING_SETUP_DEFER_TASKRUN)"
	case errno == unix.ENOMEM:
		why = "no memory for the ring: raise the limit of locked memory (ulimit -l)"
	case errno == unix.EMFILE || errno == unix.ENFILE:
		why = "too many open files: raise their limit (ulimit -n)"
	default:
		return fmt.Errorf("io_uring: set up a ring: %w", errno)
	}
	return &unavailable{why, errno}
}

// unavailable keeps the kernel's errno beside what it means here.
type unavailable struct {
	why   string
	errno syscall.Errno
}

func (u *unavailable) Error() string { return fmt.Sprintf("io_uring: %s: %s", u.why, u.errno.Error()) }
func (u *unavailable) Unwrap() error { return u.errno }

// lockedMemory adds what to do to an error of pinning memory.
func lockedMemory(what string, err error) error {
	if errors.Is(err, unix.ENOMEM) {
		return fmt.Errorf("io_uring: %s: %w: raise the limit of locked memory (ulimit -l)", what, err)
	}
	return fmt.Errorf("io_uring: %s: %w", what, err)
}
