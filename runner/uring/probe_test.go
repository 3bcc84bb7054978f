package uring

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestSetupError(t *testing.T) {
	for _, c := range []struct {
		errno    syscall.Errno
		disabled string
		want     string
	}{
		{unix.ENOSYS, "", "has no io_uring"},
		{unix.EPERM, "2\n", "sysctl kernel.io_uring_disabled=0"},
		{unix.EPERM, "1\n", "kernel.io_uring_group"},
		{unix.EPERM, "0\n", "seccomp"},
		{unix.EPERM, "", "seccomp"},
		{unix.EINVAL, "0\n", "Linux 6.1"},
		{unix.ENOMEM, "0\n", "ulimit -l"},
		{unix.EMFILE, "0\n", "ulimit -n"},
		{unix.EFAULT, "0\n", "bad address"},
	} {
		err := setupError(c.errno, c.disabled)
		if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v with %q: %q lacks %q", c.errno, c.disabled, err, c.want)
		}
		if !errors.Is(err, c.errno) {
			t.Errorf("%v: %v does not wrap it", c.errno, err)
		}
	}
}

// TestForbidden puts a thread behind a seccomp filter as containers have it.
func TestForbidden(t *testing.T) {
	needed(t)
	for _, errno := range []syscall.Errno{unix.EPERM, unix.ENOSYS} {
		got := make(chan error, 1)
		go func() {
			runtime.LockOSThread() // and the thread dies with its filter
			if err := forbid(unix.SYS_IO_URING_SETUP, errno); err != nil {
				got <- err
				return
			}
			s := Probe()
			if s.Send == nil || s.ZeroCopy == nil || s.Receive == nil {
				t.Errorf("behind a filter: %+v", s)
			}
			got <- Available()
		}()
		if err := <-got; !errors.Is(err, errno) || !strings.Contains(err.Error(), "seccomp") {
			t.Errorf("filtered with %v: %v", errno, err)
		}
	}
	must(t, Available())
}

// forbid makes a system call fail for the calling thread, for good.
func forbid(call uint32, errno syscall.Errno) error {
	const allow, refuse = 0x7fff0000, 0x00050000 // SECCOMP_RET_ALLOW, _ERRNO
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // struct seccomp_data's nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: allow},
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// TestRefused: what makes no sense is said when opening.
func TestRefused(t *testing.T) {
	needed(t)
	tcp, _ := pair(t, "tcp")
	local, _ := pair(t, "unix-stream")
	file, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(file)
	m := []byte("message")
	source := func(fd int, m []byte, batch int, zerocopy bool) error {
		s, err := OpenSource(fd, m, batch, zerocopy)
		if err == nil {
			s.Close()
		}
		return err
	}
	sink := func(fd, size, buffers int) error {
		s, err := OpenSink(fd, size, buffers)
		if err == nil {
			s.Close()
		}
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{source(tcp, nil, 1, false), "empty"},
		{source(tcp, m, 0, false), "batch of 0"},
		{source(tcp, m, maxBatch+1, false), "batch of 4097"},
		{source(local, m, 1, true), "UNIX"},
		{source(file, m, 1, false), "non-socket"},
		{source(-1, m, 1, false), "bad file descriptor"},
		{sink(tcp, 0, 8), "of 0 bytes"},
		{sink(tcp, 8, 0), "0 buffers"},
		{sink(tcp, 8, maxBuffers+1), "32769 buffers"},
		{sink(tcp, 1<<20, maxBuffers), "1 GiB"},
		{sink(file, 8, 8), "non-socket"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || strings.Contains(c.err.Error(), "\n") {
			t.Errorf("%v; want %q", c.err, c.want)
		}
	}
	for _, err := range []error{source(tcp, m, maxBatch, true), sink(tcp, 8, maxBuffers)} {
		must(t, err)
	}
}
