package paths

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// patience bounds every wait, in seconds. Over loopback data are there before
// the sending call returns, or a softirq later.
const patience = 2

// A pair is two connected sockets over loopback.
type pair struct{ source, sink int }

func (p pair) close() {
	unix.Close(p.source)
	unix.Close(p.sink)
}

// udpPair connects both ends to each other.
func udpPair() (p pair, err error) {
	if p.sink, err = bound(unix.SOCK_DGRAM, nil); err != nil {
		return p, err
	}
	if p.source, err = connected(unix.SOCK_DGRAM, p.sink); err != nil {
		unix.Close(p.sink)
		return p, err
	}
	from, err := unix.Getsockname(p.source)
	if err == nil {
		err = unix.Connect(p.sink, from)
	}
	if err != nil {
		p.close()
		return p, fmt.Errorf("connect back: %w", err)
	}
	return p, nil
}

func tcpPair() (p pair, err error) {
	listener, err := bound(unix.SOCK_STREAM, nil)
	if err != nil {
		return p, err
	}
	defer unix.Close(listener)
	if err := unix.Listen(listener, 1); err != nil {
		return p, fmt.Errorf("listen: %w", err)
	}
	if p.source, err = connected(unix.SOCK_STREAM, listener); err != nil {
		return p, err
	}
	err = again(func() (err error) {
		p.sink, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
		return err
	})
	if err == nil {
		err = setTimeouts(p.sink)
	}
	if err != nil {
		unix.Close(p.source)
		return p, fmt.Errorf("accept: %w", err)
	}
	return p, nil
}

// bound is a socket on a port of 127.0.0.1; prepare is called before it is
// bound.
func bound(kind int, prepare func(fd int) error) (int, error) {
	return boundTo(kind, 0, prepare)
}

func boundTo(kind, port int, prepare func(fd int) error) (int, error) {
	fd, err := open(unix.AF_INET, kind, 0)
	if err != nil {
		return -1, err
	}
	if prepare != nil {
		if err := prepare(fd); err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("bind to 127.0.0.1: %w", err)
	}
	return fd, nil
}

// connected is a socket connected to another of this process.
func connected(kind, to int) (int, error) {
	addr, err := unix.Getsockname(to)
	if err != nil {
		return -1, err
	}
	fd, err := bound(kind, nil)
	if err != nil {
		return -1, err
	}
	if err := again(func() error { return unix.Connect(fd, addr) }); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect to 127.0.0.1 (is lo up?): %w", err)
	}
	return fd, nil
}

func open(family, kind, protocol int) (int, error) {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("open socket: %w", err)
	}
	if err := setTimeouts(fd); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func setTimeouts(fd int) error {
	tv := &unix.Timeval{Sec: patience}
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, tv); err != nil {
			return fmt.Errorf("set timeout: %w", err)
		}
	}
	return nil
}

// again repeats a call that a signal interrupted (Go's runtime sends them).
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
