package paths

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// group is two sockets on one port.
func group() (fds [2]int, closeAll func(), err error) {
	reuse := func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }
	if fds[0], err = bound(unix.SOCK_DGRAM, reuse); err != nil {
		return fds, nil, err
	}
	addr, err := unix.Getsockname(fds[0])
	if err == nil {
		fds[1], err = boundTo(unix.SOCK_DGRAM, addr.(*unix.SockaddrInet4).Port, reuse)
	}
	if err != nil {
		unix.Close(fds[0])
		return fds, nil, err
	}
	return fds, func() { unix.Close(fds[0]); unix.Close(fds[1]) }, nil
}

func tryReusePort() (string, error) {
	_, closeAll, err := group()
	if err != nil {
		return "", err
	}
	closeAll()
	return "", nil
}

// Programs of classic BPF (linux/filter.h, linux/bpf_common.h) that name the
// socket of the group by its number.
var (
	byCPU = []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0xfffff000 + 36}, // SKF_AD_OFF + SKF_AD_CPU
		{Code: unix.BPF_RET | unix.BPF_A},
	}
	alwaysSecond = []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 1}}
)

// tryReusePortCPU sees that the kernel takes the program that chooses by CPU,
// and, as the CPU is not ours to choose, that it obeys another: eight flows in a
// row do not meet in the second socket by chance.
func tryReusePortCPU() (string, error) {
	fds, closeAll, err := group()
	if err != nil {
		return "", err
	}
	defer closeAll()
	for _, program := range [][]unix.SockFilter{byCPU, alwaysSecond} {
		prog := &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		if err := unix.SetsockoptSockFprog(fds[0], unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, prog); err != nil {
			return "", err
		}
	}
	for range 8 {
		source, err := connected(unix.SOCK_DGRAM, fds[0])
		if err != nil {
			return "", err
		}
		err = exchange(pair{source, fds[1]}, send, receive)
		unix.Close(source)
		if errors.Is(err, unix.EAGAIN) {
			return "", errors.New("the kernel does not obey the program")
		}
		if err != nil {
			return "", fmt.Errorf("second socket: %w", err)
		}
	}
	return "", nil
}
