package paths

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tryZeroCopy sends with MSG_ZEROCOPY over TCP and UDP and waits for the
// kernel's word that it needs the pages no longer.
func tryZeroCopy() (string, error) {
	note := ""
	for _, protocol := range []struct {
		name string
		pair func() (pair, error)
	}{{"TCP", tcpPair}, {"UDP", udpPair}} {
		p, err := protocol.pair()
		if err != nil {
			return "", err
		}
		defer p.close()
		copied, err := zeroCopy(p.source)
		if err != nil {
			return "", fmt.Errorf("%s: %w", protocol.name, err)
		}
		if copied {
			note = "over lo and veth the kernel copies all the same"
		}
	}
	return note, nil
}

// zeroCopy sends a page and says whether the kernel copied it after all.
func zeroCopy(fd int) (copied bool, err error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
		return false, fmt.Errorf("SO_ZEROCOPY: %w", err)
	}
	page := make([]byte, 4096)
	err = again(func() error { return unix.Send(fd, page, unix.MSG_ZEROCOPY|unix.MSG_NOSIGNAL) })
	if errors.Is(err, unix.ENOBUFS) {
		return false, fmt.Errorf("%w: raise net.core.optmem_max, or the limit of locked memory (ulimit -l)", err)
	}
	if err != nil {
		return false, err
	}
	return completion(fd)
}

// completion reads one notice from the socket's error queue (struct
// sock_extended_err, Documentation/networking/msg_zerocopy.rst).
func completion(fd int) (copied bool, err error) {
	if err := await(fd, 0); err != nil { // POLLERR is always reported
		return false, fmt.Errorf("wait for the completion: %w", err)
	}
	oob := make([]byte, 256)
	_, n, _, _, err := unix.Recvmsg(fd, nil, oob, unix.MSG_ERRQUEUE)
	if err != nil {
		return false, fmt.Errorf("read the completion: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return false, err
	}
	for _, m := range messages {
		if len(m.Data) < int(unsafe.Sizeof(unix.SockExtendedErr{})) {
			continue
		}
		if e := (*unix.SockExtendedErr)(unsafe.Pointer(&m.Data[0])); e.Origin == unix.SO_EE_ORIGIN_ZEROCOPY {
			return e.Code&unix.SO_EE_CODE_ZEROCOPY_COPIED != 0, nil
		}
	}
	return false, errors.New("the socket's error queue has something other than a completion")
}

// await waits for an event of a socket.
func await(fd int, events int16) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	return again(func() error {
		n, err := unix.Poll(fds, patience*1000)
		if err == nil && n == 0 {
			return unix.ETIMEDOUT
		}
		return err
	})
}

// zerocopyReceive is the part of struct tcp_zerocopy_receive (linux/tcp.h) that
// every kernel knows.
type zerocopyReceive struct {
	address      uint64
	length       uint32
	recvSkipHint uint32
}

// tryTCPZeroCopy maps received pages into memory of ours. The kernel maps only
// whole pages that it alone has, and says how many bytes must be received the
// usual way before.
func tryTCPZeroCopy() (string, error) {
	p, err := tcpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	pageSize := unix.Getpagesize()
	memory, err := unix.Mmap(p.sink, 0, 4*pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if errors.Is(err, unix.ENODEV) {
		err = unix.EOPNOTSUPP // a socket without mmap
	}
	if err != nil {
		return "", fmt.Errorf("map the socket: %w", err)
	}
	defer unix.Munmap(memory)
	mapped := map[int]int{}
	for _, flags := range []int{0, unix.MSG_ZEROCOPY} {
		if mapped[flags], err = mapReceived(p, memory, flags); err != nil {
			return "", err
		}
	}
	switch {
	case mapped[0] > 0:
		return "", nil
	case mapped[unix.MSG_ZEROCOPY] > 0:
		return "over lo pages can be mapped only if they were sent with zerocopy", nil
	}
	return "over lo nothing can be mapped, everything is copied", nil
}

// mapReceived sends as much as memory is long and returns how much of it could
// be mapped. All is received in the end.
func mapReceived(p pair, memory []byte, flags int) (mapped int, err error) {
	if flags&unix.MSG_ZEROCOPY != 0 {
		if err := unix.SetsockoptInt(p.source, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
			return 0, nil // this kernel has only the other half
		}
	}
	// Page by page of memory that is page-aligned: so the kernel may hand over pages.
	content, err := unix.Mmap(-1, 0, len(memory), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(content)
	copy(content, bytes.Repeat([]byte("netab "), len(content)/6+1))
	if err := again(func() error { return unix.Send(p.source, content, flags|unix.MSG_NOSIGNAL) }); err != nil {
		return 0, err
	}
	var got []byte
	buf := make([]byte, len(memory))
	for len(got) < len(content) {
		if err := await(p.sink, unix.POLLIN); err != nil {
			return 0, fmt.Errorf("receive: %w", err)
		}
		z := zerocopyReceive{address: uint64(uintptr(unsafe.Pointer(&memory[0]))), length: uint32(len(memory))}
		size := uint32(unsafe.Sizeof(z))
		if _, err := answer(unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(p.sink), unix.IPPROTO_TCP, unix.TCP_ZEROCOPY_RECEIVE,
			uintptr(unsafe.Pointer(&z)), uintptr(unsafe.Pointer(&size)), 0)); err != nil {
			return 0, err
		}
		if int(z.length) > len(memory) {
			return 0, fmt.Errorf("mapped %d bytes into %d", z.length, len(memory))
		}
		got = append(got, memory[:z.length]...)
		mapped += int(z.length)
		if skip := min(int(z.recvSkipHint), len(content)-len(got)); skip > 0 {
			n, err := receive(p.sink, buf[:skip])
			if err != nil {
				return 0, fmt.Errorf("receive: %w", err)
			}
			got = append(got, buf[:n]...)
		}
	}
	if !bytes.Equal(got, content) {
		return 0, errors.New("received other bytes than were sent")
	}
	return mapped, nil
}
