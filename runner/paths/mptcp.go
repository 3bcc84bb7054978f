package paths

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// mptcpInfo is MPTCP_INFO of include/uapi/linux/mptcp.h.
const mptcpInfo = 1

// tryMPTCP connects over lo, and looks whether both ends speak MPTCP: where a network
// namespace has it turned off, or something between drops the option, a connection
// falls back to TCP without a word, and then the kernel has no MPTCP_INFO of it.
func tryMPTCP() (string, error) {
	listener, err := open(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return "", err
	}
	defer unix.Close(listener)
	if err := errors.Join(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(listener, 1)); err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	addr, err := unix.Getsockname(listener)
	if err != nil {
		return "", err
	}
	p := pair{source: -1, sink: -1}
	defer func() { p.close() }()
	if p.source, err = open(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP); err != nil {
		return "", err
	}
	if err := again(func() error { return unix.Connect(p.source, addr) }); err != nil {
		return "", fmt.Errorf("connect to 127.0.0.1 (is lo up?): %w", err)
	}
	if err := again(func() (err error) { p.sink, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC); return err }); err != nil {
		return "", fmt.Errorf("accept: %w", err)
	}
	if err := setTimeouts(p.sink); err != nil {
		return "", err
	}
	if err := exchange(p, send, receive); err != nil {
		return "", err
	}
	if _, err := unix.GetsockoptString(p.sink, unix.SOL_MPTCP, mptcpInfo); err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
		return "", fmt.Errorf("the connection fell back to TCP: %w", err)
	}
	return "", nil
}
