package paths

import (
	"bytes"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tryTruncate has TCP throw payload away instead of copying it (tcp(7)).
func tryTruncate() (string, error) {
	p, err := tcpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	msg := bytes.Repeat([]byte{1}, 1000)
	if err := again(func() error { return send(p.source, msg) }); err != nil {
		return "", err
	}
	buf := make([]byte, len(msg))
	err = repeat(len(msg), func(done int) (int, error) {
		return answer(unix.Syscall6(unix.SYS_RECVFROM, uintptr(p.sink), uintptr(unsafe.Pointer(&buf[done])), uintptr(len(buf)-done), unix.MSG_TRUNC, 0, 0))
	})
	if err != nil {
		return "", err
	}
	if bytes.Contains(buf, []byte{1}) {
		return "", fmt.Errorf("the kernel copies the payload all the same: %w", unix.EOPNOTSUPP)
	}
	return "", nil
}

// setAndRead sets an integer option of a socket and reads it back.
func setAndRead(fd, level, option, value int) error {
	if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
		return err
	}
	got, err := unix.GetsockoptInt(fd, level, option)
	if err == nil && got != value {
		err = fmt.Errorf("set to %d, reads %d", value, got)
	}
	return err
}

// onSocket tries an option on a socket of its own.
func onSocket(kind int, try func(fd int) error) error {
	fd, err := open(unix.AF_INET, kind, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return try(fd)
}

const noNAPI = "without effect over lo, which has no NAPI to poll"

func tryBusyPoll() (string, error) {
	return noNAPI, onSocket(unix.SOCK_DGRAM, func(fd int) error {
		return setAndRead(fd, unix.SOL_SOCKET, unix.SO_BUSY_POLL, 50)
	})
}

func tryPreferBusyPoll() (string, error) {
	return noNAPI, onSocket(unix.SOCK_DGRAM, func(fd int) error {
		return setAndRead(fd, unix.SOL_SOCKET, unix.SO_PREFER_BUSY_POLL, 1)
	})
}

// tryBufferForce asks for more than net.core.rmem_max is anywhere.
func tryBufferForce() (string, error) {
	const size = 512 << 20
	return "", onSocket(unix.SOCK_DGRAM, func(fd int) error {
		for _, option := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[0], size); err != nil {
				return err
			}
			got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option[1])
			if err != nil {
				return err
			}
			if got != 2*size { // the kernel doubles it (socket(7))
				return fmt.Errorf("asked for %d bytes, the kernel gave %d", size, got/2)
			}
		}
		return nil
	})
}

func tryPacing() (string, error) {
	const rate = 12_500_000 // bytes per second
	return "TCP paces by itself, UDP only through the qdisc fq", onSocket(unix.SOCK_STREAM, func(fd int) error {
		return setAndRead(fd, unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE, rate)
	})
}

func tryNotSentLowat() (string, error) {
	return "", onSocket(unix.SOCK_STREAM, func(fd int) error {
		return setAndRead(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 16<<10)
	})
}

// tryLowWater sets it and sees that poll waits for the second half.
func tryLowWater() (string, error) {
	p, err := tcpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	const half = 1000
	if err := setAndRead(p.sink, unix.SOL_SOCKET, unix.SO_RCVLOWAT, 2*half); err != nil {
		return "", err
	}
	for _, want := range []int{0, 1} {
		if err := again(func() error { return send(p.source, make([]byte, half)) }); err != nil {
			return "", err
		}
		if want == 1 {
			return "", await(p.sink, unix.POLLIN)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.sink), Events: unix.POLLIN}}, 0)
		if err == nil && n != want {
			return "", fmt.Errorf("a socket with less than SO_RCVLOWAT counts as readable: %w", unix.EOPNOTSUPP)
		}
	}
	return "", nil
}
