package host

import (
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ethtool makes one request of one device, in the namespace of the calling thread.
// It is ours and not safchain/ethtool's because that library hands the kernel a
// uintptr of a variable on the goroutine's stack: a collection that moves the stack
// before the system call makes the kernel write elsewhere, and every feature reads
// false.
func (Local) Ethtool(device string, request []uint32) ([]uint32, error) {
	if len(device) >= unix.IFNAMSIZ {
		return nil, unix.ENODEV
	}
	if len(request) == 0 {
		return nil, unix.EINVAL
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("ethtool: %w", err)
	}
	defer unix.Close(fd)
	words := slices.Clone(request) // on the heap: it is pinned
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&words[0])
	req := &struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the rest of struct ifreq's union
	}{data: unsafe.Pointer(&words[0])}
	copy(req.name[:], device)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(req))); errno != 0 {
		return nil, errno
	}
	return words, nil
}
