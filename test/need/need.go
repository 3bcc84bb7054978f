// Package need ends a test that cannot run where it is.
//
// It skips, and says what is missing and what to do. With CI set in the
// environment it fails instead, if what is missing is the set-up's to install
// or the kernel's to have: else the tests that matter most would silently never
// run. The size of a machine is neither, so CPUs always skips.
//
// A test that leaves something out for another reason (-short, a fuzzing input
// that takes too long) says t.Skip itself.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Root is for tests that make network namespaces, mount, or change the machine.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 || capabilities()&rootNeeds != rootNeeds {
		Missing(t, "root (CAP_SYS_ADMIN, CAP_NET_ADMIN)", "run the tests as root, in a container with these capabilities")
	}
}

const rootNeeds = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN

// capabilities are the effective ones of this thread.
func capabilities() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return 0
	}
	return uint64(sets[1].Effective)<<32 | uint64(sets[0].Effective)
}

// Kernel wants Linux of this version ("6.1") or newer.
func Kernel(t testing.TB, version string) {
	t.Helper()
	if have := release(); older(have, version) {
		Missing(t, "Linux "+version+" or newer, not "+have, "boot a newer kernel")
	}
}

// older compares the first two numbers of a release with those of a version.
func older(release, version string) bool {
	var have, want [2]int
	if _, err := fmt.Sscanf(version, "%d.%d", &want[0], &want[1]); err != nil {
		panic("need: " + version + " is no version of Linux: want two numbers")
	}
	// What cannot be read has zeros: older than everything.
	fmt.Sscanf(release, "%d.%d", &have[0], &have[1])
	return have[0] < want[0] || have[0] == want[0] && have[1] < want[1]
}

// Option is for what a kernel may be built without, whatever its version: err is
// how it said that it lacks what CONFIG_<option> brings; nil goes on. Where the
// kernel's configuration agrees, this is no failure under CI either.
func Option(t testing.TB, option string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	what := fmt.Sprintf("a kernel with CONFIG_%s (%v)", option, err)
	if config := KernelConfig(); config != "" && !built(config, option) {
		t.Skip("needs " + what)
	}
	Missing(t, what, "boot a kernel that has it, or load its module")
}

// built says whether a configuration has an option, as a module at least.
func built(config, option string) bool {
	return strings.Contains("\n"+config, "\nCONFIG_"+option+"=")
}

// Program finds a program.
func Program(t testing.TB, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name, "`make tools` installs what the tests use")
	}
	return path
}

// CPUs returns those that this process may run on, of which there must be n.
func CPUs(t testing.TB, n int) []int {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	var cpus []int
	for cpu := range 64 * len(set) {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	if len(cpus) < n {
		t.Skipf("needs %d CPUs, may run on %d: use a larger machine, or a wider CPU affinity", n, len(cpus))
	}
	return cpus
}

// Missing ends a test for want of something else that the set-up brings, and
// says what to do.
func Missing(t testing.TB, what, todo string) {
	t.Helper()
	text := "needs " + what + ": " + todo
	if os.Getenv("CI") != "" {
		t.Fatal(text + " (CI is set: there this test must run)")
	}
	t.Skip(text)
}
