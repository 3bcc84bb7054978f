package paths

import (
	"bytes"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sendCall sends one message on a connected socket; a receiveCall receives
// one.
type (
	sendCall    func(fd int, msg []byte) error
	receiveCall func(fd int, buf []byte) (int, error)
)

// tryDatagram sends a message one way and receives it another.
func tryDatagram(out sendCall, in receiveCall) func() (string, error) {
	return func() (string, error) {
		p, err := udpPair()
		if err != nil {
			return "", err
		}
		defer p.close()
		return "", exchange(p, out, in)
	}
}

// tryUnix sends a message from one end of an AF_UNIX pair to the other.
func tryUnix(kind int) func() (string, error) {
	return func() (string, error) {
		fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return "", err
		}
		p := pair{fds[0], fds[1]}
		defer p.close()
		if err := setTimeouts(p.sink); err != nil {
			return "", err
		}
		return "", exchange(p, send, receive)
	}
}

// exchange sends a message of its own kind, so that nothing else can pass for
// it.
func exchange(p pair, out sendCall, in receiveCall) error {
	msg := []byte("netab tries a path")
	if err := again(func() error { return out(p.source, msg) }); err != nil {
		return err
	}
	return expect(p.sink, msg, in)
}

// expect receives a message and compares.
func expect(fd int, msg []byte, in receiveCall) error {
	buf := make([]byte, len(msg)+100)
	var n int
	err := again(func() (err error) {
		n, err = in(fd, buf)
		return err
	})
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	if !bytes.Equal(buf[:n], msg) {
		return fmt.Errorf("sent %d bytes, received %d others", len(msg), n)
	}
	return nil
}

// answer is what a raw system call returned. The call is written where it is
// made, for only there does Go keep what its pointers point to.
func answer(n, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func send(fd int, msg []byte) error { return unix.Send(fd, msg, unix.MSG_NOSIGNAL) }

// sendto gives the peer's address with the message.
func sendto(fd int, msg []byte) error {
	peer, err := unix.Getpeername(fd)
	if err != nil {
		return err
	}
	return unix.Sendto(fd, msg, unix.MSG_NOSIGNAL, peer)
}

func sendmsg(fd int, msg []byte) error {
	_, err := unix.SendmsgN(fd, msg, nil, nil, unix.MSG_NOSIGNAL)
	return err
}

func write(fd int, msg []byte) error {
	_, err := unix.Write(fd, msg)
	return err
}

func receive(fd int, buf []byte) (int, error) {
	return answer(unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0, 0))
}

func recvfrom(fd int, buf []byte) (int, error) {
	n, from, err := unix.Recvfrom(fd, buf, 0)
	if err == nil && from == nil {
		return n, fmt.Errorf("no address of the sender")
	}
	return n, err
}

func recvmsg(fd int, buf []byte) (int, error) {
	n, _, _, _, err := unix.Recvmsg(fd, buf, nil, 0)
	return n, err
}

func read(fd int, buf []byte) (int, error) { return unix.Read(fd, buf) }

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

func message(buf []byte) *mmsghdr {
	iov := &unix.Iovec{Base: &buf[0]}
	iov.SetLen(len(buf))
	m := &mmsghdr{header: unix.Msghdr{Iov: iov}}
	m.header.SetIovlen(1)
	return m
}

func sendmmsg(fd int, msg []byte) error {
	m := message(msg)
	n, err := answer(unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(m)), 1, unix.MSG_NOSIGNAL, 0, 0))
	if err == nil && (n != 1 || int(m.length) != len(msg)) {
		return fmt.Errorf("sent %d messages, the first of %d bytes", n, m.length)
	}
	return err
}

func recvmmsg(fd int, buf []byte) (int, error) {
	m := message(buf)
	n, err := answer(unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(m)), 1, 0, 0, 0))
	if err == nil && n != 1 {
		return 0, fmt.Errorf("received %d messages", n)
	}
	return int(m.length), err
}
