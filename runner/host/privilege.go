package host

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"netab/results"
)

// A capability that netab goes by, which uid 0 need not have: a container's root
// has neither of the first two unless it is given them.
type capability struct {
	name string
	bit  uint
}

var (
	sysAdmin    = capability{"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN} // makes namespaces, mounts
	netAdmin    = capability{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN} // makes and sets devices in them
	ipcLock     = capability{"CAP_IPC_LOCK", unix.CAP_IPC_LOCK}
	dacOverride = capability{"CAP_DAC_OVERRIDE", unix.CAP_DAC_OVERRIDE}
)

// effective reads which capabilities this process has, in its own user namespace
// (CapEff in /proc/PID/status, capabilities(7)). Without /proc uid 0 has all.
func effective(files results.Files) uint64 {
	data, err := files.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(data)) {
		if mask, ok := strings.CutPrefix(line, "CapEff:"); ok && err == nil {
			if caps, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64); err == nil {
				return caps
			}
		}
	}
	if os.Geteuid() == 0 {
		return ^uint64(0)
	}
	return 0
}

func lacking(caps uint64, wanted ...capability) []string {
	var out []string
	for _, c := range wanted {
		if caps&(1<<c.bit) == 0 {
			out = append(out, c.name)
		}
	}
	return out
}

// Missing names the capabilities that making namespaces, and devices in them,
// takes and this process has not.
func Missing() []string { return lacking(effective(results.Root("")), sysAdmin, netAdmin) }

// Privileged says whether this process may do everything to the machine, and not
// only to a user namespace: host-wide knobs, per-queue files and existing devices
// can be written.
func Privileged() bool {
	caps := effective(results.Root(""))
	mayWrite := os.Geteuid() == 0 || len(lacking(caps, dacOverride)) == 0
	return mayWrite && len(lacking(caps, sysAdmin, netAdmin)) == 0 && !InUserNamespace()
}

// MayLockMemory says whether the limit of locked memory does not hold for this
// process: it is the machine's CAP_IPC_LOCK that counts.
func MayLockMemory() bool {
	return len(lacking(effective(results.Root("")), ipcLock)) == 0 && !InUserNamespace()
}

// UserNamespaceMark is the environment variable that tells a netab that it runs in
// a user namespace made for it, and why: Ordinary, or the capabilities that root
// had not, with commas between them.
const UserNamespaceMark = "NETAB_USERNS"

// Ordinary is the mark of an ordinary user's run.
const Ordinary = "1"

// NeedsRoot says what somebody who is not Privileged needs, and how to give it.
// It is what the process began with that counts: agents give capabilities up.
func NeedsRoot() string { return lacksRoot() }

var lacksRoot = sync.OnceValue(func() string {
	return needsRoot(os.Geteuid(), Missing(), os.Getenv(UserNamespaceMark))
})

func needsRoot(uid int, missing []string, mark string) string {
	if mark != "" && mark != Ordinary {
		missing = strings.Split(mark, ",")
	}
	if uid == 0 && len(missing) > 0 && mark != Ordinary {
		return "needs " + strings.Join(missing, " and ") + ", which this root lacks; " + HowToGive(missing)
	}
	return "needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN)"
}

// HowToGive says how a container is given capabilities.
func HowToGive(missing []string) string {
	var flags []string
	for _, name := range missing {
		flags = append(flags, "--cap-add "+strings.TrimPrefix(name, "CAP_"))
	}
	return "give a container " + strings.Join(flags, " ") + " (Kubernetes: securityContext.capabilities.add)"
}

// InUserNamespace says whether this process is in another user namespace than the
// machine's first, so that its uids and capabilities are not the machine's.
func InUserNamespace() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	var st unix.Stat_t
	if unix.Stat("/proc/self/ns/user", &st) != nil {
		st.Ino = 0 // not known
	}
	return !initialUserNamespace(string(data), st.Ino)
}

// initialUser is the inode number of the machine's first user namespace
// (include/uapi/linux/nsfs.h).
const initialUser = 0xEFFFFFFD

// initialUserNamespace goes by the map of uids: the first namespace maps every uid
// to itself, in one range (user_namespaces(7)). A map is told relative to the
// namespace around it, so one inside another may be written the same way: the
// number of the namespace, where it is known (not 0), must be the first's, too.
//
// It is not github.com/moby/sys/userns because that takes a /proc/self/ns/user
// that it may not read for the first namespace's, where this still looks at the
// map, and can be asked about its own process alone, not about a fixture.
func initialUserNamespace(uidMap string, inode uint64) bool {
	return slices.Equal(strings.Fields(uidMap), []string{"0", "0", "4294967295"}) && (inode == 0 || inode == initialUser)
}

// OuterUID is the uid, in the user namespace around this one, of the user that
// this process runs as: whoever made a user namespace to run as root in it.
func OuterUID() int {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return os.Geteuid()
	}
	return outerUID(string(data), os.Geteuid())
}

func outerUID(uidMap string, uid int) int {
	for line := range strings.Lines(uidMap) {
		var inside, outside, length int
		if n, _ := fmt.Sscan(line, &inside, &outside, &length); n == 3 && uid >= inside && uid-inside < length {
			return outside + uid - inside
		}
	}
	return uid
}
