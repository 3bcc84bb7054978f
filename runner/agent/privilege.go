package agent

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/traffic"
)

// An agent reads what a path's other end sends, so it should be able to do little.
// It is born with what its set-up takes and cannot get more (confine), and when
// its sockets are open it keeps what its paths take while they run (relinquish).
// Its uid stays: what root owns it may still write.

// setUpNeeds are the capabilities that an agent's set-up may take.
var setUpNeeds = capabilities(
	unix.CAP_SYS_ADMIN,    // mount sysfs; io_uring where sysctl kernel.io_uring_disabled is 1
	unix.CAP_NET_ADMIN,    // devices, sysctls, queues, SO_*BUFFORCE, SO_BUSY_POLL, congestion control
	unix.CAP_NET_RAW,      // AF_PACKET
	unix.CAP_IPC_LOCK,     // rings of io_uring
	unix.CAP_SYS_RESOURCE, // pipes above pipe-max-size
	unix.CAP_SYS_NICE,     // real-time policies and negative niceness of roles
	unix.CAP_DAC_OVERRIDE, // files of the namespace, where netab is not root
)

// capabilities is a set of them as a mask.
func capabilities(caps ...int) (mask uint64) {
	for _, c := range caps {
		mask |= 1 << c
	}
	return mask
}

// confine is for the thread that starts agents: what it takes from itself no
// agent can have. An exec of root's is given what is inheritable or in the
// bounding set, so the one is made the set-up's needs and the other emptied
// (capabilities(7), "Capabilities and execution of programs by root"). Somebody
// else's agents have what their file or their ambient set gives them, which the
// bounding set would take away.
func confine() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	header, data, err := getCapabilities()
	if err != nil {
		return err
	}
	for i := range data {
		data[i].Inheritable = data[i].Permitted & uint32(setUpNeeds>>(32*i))
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	for c := range 64 {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		switch {
		case errors.Is(err, unix.EINVAL): // the kernel has no more
			return nil
		case errors.Is(err, unix.EPERM): // without CAP_SETPCAP the agents begin with more
			return nil
		case err != nil:
			return fmt.Errorf("drop capability %d from the bounding set: %w", c, err)
		}
	}
	return nil
}

func getCapabilities() (header unix.CapUserHeader, data [2]unix.CapUserData, err error) {
	header.Version = unix.LINUX_CAPABILITY_VERSION_3
	if err := unix.Capget(&header, &data[0]); err != nil {
		return header, data, fmt.Errorf("capget: %w", err)
	}
	return header, data, nil
}

// relinquish gives up, on all threads, what the paths of the traffic do not take
// while they run; the ambient set goes with the inheritable one.
func relinquish(configs []traffic.Config) error {
	var keep uint64
	for i := range configs {
		keep |= capabilities(configs[i].Capabilities()...)
	}
	return giveUpAllBut(keep)
}

// giveUpAllBut does so with all capabilities but those to keep.
func giveUpAllBut(keep uint64) error {
	_ = host.NeedsRoot() // remembered: errors name what netab lacks, not what an agent gave up
	header, data, err := getCapabilities()
	if err != nil {
		return err
	}
	for i := range data {
		kept := data[i].Permitted & uint32(keep>>(32*i))
		data[i] = unix.CapUserData{Effective: kept, Permitted: kept}
	}
	// The C library would have to know of threads' credentials, so with cgo Go
	// changes no thread's: such a build, as for the race detector, keeps them.
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 && errno != unix.ENOTSUP {
		return fmt.Errorf("give up capabilities: %w", errno)
	}
	return nil
}
