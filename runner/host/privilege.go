package host

import (
	"os"
	"strings"
)

// Privileged says whether this process is root of the machine, and not only of
// a user namespace: whether host-wide knobs, per-queue files and existing
// devices can be written.
func Privileged() bool { return os.Geteuid() == 0 && !InUserNamespace() }

// InUserNamespace says whether uids here are not the machine's own
// (user_namespaces(7): the initial namespace maps 0 to 0).
func InUserNamespace() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	f := strings.Fields(string(data))
	return len(f) == 3 && (f[0] != "0" || f[1] != "0")
}
