package paths

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Congestion says whether TCP can use a congestion control in a namespace of its
// own, by asking for it: the kernel may load its module for that.
func Congestion(name string) (err error) {
	if name != "" {
		isolated(func() { err = congestionHere(name) })
	}
	return err
}

func congestionHere(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
	switch {
	case errors.Is(err, unix.ENOENT):
		there, _ := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
		return fmt.Errorf("traffic.congestion: the kernel has no %q, only %s: choose one, or load its module (modprobe tcp_%s)",
			name, strings.Join(strings.Fields(string(there)), ", "), name)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("traffic.congestion: %q is not allowed without root: add it to net.ipv4.tcp_allowed_congestion_control", name)
	}
	return err
}
