package knob

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Site is where an entry was made: in which boot, and in which namespaces.
// Devices, their settings and most sysctls are a network namespace's, and the
// name of a namespace is a mount that is seen in one mount namespace alone, so
// elsewhere the same names mean other things or nothing. What is zero is not
// known and differs from nothing.
type Site struct {
	Boot string `json:"boot,omitempty"`
	// Net and Mnt are the namespaces' inode numbers, as lsns(8) shows them. A
	// number is given again when its namespace is gone; the cookie is not.
	Net       uint64 `json:"net,omitempty"`
	NetCookie uint64 `json:"net_cookie,omitempty"`
	Mnt       uint64 `json:"mnt,omitempty"`
}

// hereNow is where this thread is.
func hereNow() (Site, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Site{}, err
	}
	s := Site{Boot: strings.TrimSpace(string(boot)), NetCookie: netCookie()}
	if s.Net, err = namespaceOf("/proc/thread-self", "net"); err != nil {
		return Site{}, err
	}
	s.Mnt, err = namespaceOf("/proc/thread-self", "mnt")
	return s, err
}

// namespaceOf is the inode number of a process's namespace.
func namespaceOf(process, kind string) (uint64, error) {
	return inode(filepath.Join(process, "ns", kind))
}

func inode(path string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return st.Ino, nil
}

// netCookie is the number that the kernel gives a network namespace once and
// for all (since Linux 5.14), 0 when it does not tell.
func netCookie() uint64 {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return cookie
}

func differs[T comparable](a, b T) bool {
	var unknown T
	return a != unknown && b != unknown && a != b
}

func (s Site) otherBoot(here Site) bool { return differs(s.Boot, here.Boot) }
func (s Site) otherNet(here Site) bool {
	return differs(s.Net, here.Net) || differs(s.NetCookie, here.NetCookie)
}

// sameMnt is false, too, when it is not known.
func (s Site) sameMnt(here Site) bool { return s.Mnt != 0 && s.Mnt == here.Mnt }

func (s Site) String() string {
	return fmt.Sprintf("network namespace %s, mount namespace %s", number(s.Net), number(s.Mnt))
}

func number(inode uint64) string {
	if inode == 0 {
		return "unknown"
	}
	return strconv.FormatUint(inode, 10)
}

// whereToGo says how to get to a site from here: through a process that is
// there, or a name that ip-netns(8) gave the namespace.
func (s Site) whereToGo(here Site, proc, names string) string {
	best, rank := "", 0
	reused := s.Net == here.Net && differs(s.NetCookie, here.NetCookie)
	processes, _ := filepath.Glob(proc + "/[0-9]*")
	for _, p := range processes {
		// What may not be looked into is as good as absent.
		net, err := namespaceOf(p, "net")
		if err != nil || net != s.Net || reused {
			continue
		}
		r := 1
		if mnt, err := namespaceOf(p, "mnt"); err == nil && mnt == s.Mnt {
			r = 2
		}
		if r > rank && (s.otherNet(here) || r == 2) {
			best, rank = filepath.Base(p), r
		}
	}
	if best != "" {
		return fmt.Sprintf("run it there: nsenter --target %s --net --mount netab restore", best)
	}
	named, _ := filepath.Glob(names + "/*")
	for _, name := range named {
		if ino, err := inode(name); err == nil && ino == s.Net && s.otherNet(here) && !reused {
			return fmt.Sprintf("run it there: ip netns exec %s netab restore", filepath.Base(name))
		}
	}
	return "nothing that can be seen from here is in there: if it is gone, netab restore --forget gives up what was"
}

// isInitialNetns says whether this is the machine's first network namespace,
// to which real devices fall back. The kernel registers netdev_budget in no
// other one.
func isInitialNetns() bool {
	_, err := os.Stat("/proc/sys/net/core/netdev_budget")
	return err == nil
}

// Numbers of the machine's first namespaces (include/uapi/linux/nsfs.h). That
// of mount namespaces is fixed since Linux 6.18 and not given to others before.
const (
	initialMnt = 0xEFFFFFF8
	initialPID = 0xEFFFFFFC
)

// ErrDiesWithUs says that no other process is in the mount namespace of this
// one, so that the names of namespaces made in it end with it.
var ErrDiesWithUs = errors.New("no other process is in this mount namespace")

// MountKeeper names a process, beside this one, with which this mount namespace
// lives on. It is "" when that is as sure as the machine itself.
func MountKeeper() (string, error) { return mountKeeper("/proc", os.Getpid()) }

func mountKeeper(proc string, self int) (string, error) {
	own, err := namespaceOf(fmt.Sprintf("%s/%d", proc, self), "mnt")
	if err != nil {
		return "", err
	}
	if own == initialMnt {
		return "", nil
	}
	processes, err := filepath.Glob(proc + "/[0-9]*")
	if err != nil {
		return "", err
	}
	keeper := 0
	for _, p := range processes {
		pid, err := strconv.Atoi(filepath.Base(p))
		if err != nil || pid == self {
			continue
		}
		// The lowest number: the longer a process lives, the longer it will.
		if mnt, err := namespaceOf(p, "mnt"); err == nil && mnt == own && (keeper == 0 || pid < keeper) {
			keeper = pid
		}
	}
	if keeper == 0 {
		return "", ErrDiesWithUs
	}
	if pids, err := namespaceOf(fmt.Sprintf("%s/%d", proc, self), "pid"); err == nil && pids == initialPID && keeper == 1 {
		return "", nil
	}
	name, _ := os.ReadFile(fmt.Sprintf("%s/%d/comm", proc, keeper))
	return fmt.Sprintf("process %d (%s)", keeper, cmp.Or(strings.TrimSpace(string(name)), "name unknown")), nil
}
