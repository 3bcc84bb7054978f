package host

import (
	"os"
	"strconv"
	"strings"

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
func NeedsRoot() string {
	return needsRoot(os.Geteuid(), Missing(), os.Getenv(UserNamespaceMark))
}

func needsRoot(uid int, missing []string, mark string) string {
	if mark != "" && mark != Ordinary {
		missing = strings.Split(mark, ",")
	}
	if uid == 0 && len(missing) > 0 && mark != Ordinary {
		return "needs " + strings.Join(missing, " and ") + ", which this root has not; " + HowToGive(missing)
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

// InUserNamespace says whether uids here are not the machine's own
// (user_namespaces(7): the initial namespace maps all of them to themselves).
func InUserNamespace() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	return !identity(string(data))
}

func identity(uidMap string) bool {
	f := strings.Fields(uidMap)
	return len(f) == 3 && f[0] == "0" && f[1] == "0" && f[2] == "4294967295"
}
