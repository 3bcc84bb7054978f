package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netab/test/need"
)

// A sandbox is this test binary started once more in namespaces of its own. In
// its process namespace /proc shows only what the test started, and when the
// test ends, however it ends, the kernel ends all of that with it.

const envSandbox = "NETAB_TEST_SANDBOX"

func inSandbox() bool { return os.Getenv(envSandbox) != "" }

// Namespaces of a sandbox. Host-wide sysctls exist only in the initial network
// namespace, so their tests keep it.
const (
	hostNetwork = unix.CLONE_NEWNS | unix.CLONE_NEWPID
	ownNetwork  = hostNetwork | unix.CLONE_NEWNET
)

// sandboxed runs body in a sandbox: outside, it starts the sandbox with the same
// test and waits; inside, it prepares the mounts and calls body. A sandboxed
// test must do nothing else.
func sandboxed(t *testing.T, namespaces uintptr, body func(*testing.T)) {
	t.Helper()
	need.Root(t)
	if inSandbox() {
		if err := mountOwn(); err != nil {
			t.Fatalf("sandbox: %v", err)
		}
		body(t)
		return
	}
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe", sandboxArgs(t)...)
	cmd.Env = append(os.Environ(), envSandbox+"=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	if namespaces&unix.CLONE_NEWUSER != 0 {
		same := []syscall.SysProcIDMap{{Size: 1 << 16}}
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = same, same
		cmd.SysProcAttr.GidMappingsEnableSetgroups = true
	}
	runtime.LockOSThread() // whose death would be the sandbox's
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	report(t, out.String(), err)
}

// sandboxArgs are the flags with which exactly this test runs again.
func sandboxArgs(t *testing.T) []string {
	var parts []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	args := []string{"-test.v", "-test.count=1", "-test.run=" + strings.Join(parts, "/")}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	return args
}

// report makes the sandbox's outcome that of the test outside.
func report(t *testing.T, out string, err error) {
	t.Helper()
	t.Log("in the sandbox:\n" + out)
	switch {
	case err != nil:
		t.Errorf("sandbox: %v", err)
	case strings.Contains(out, "--- SKIP: "+t.Name()+" "):
		t.SkipNow()
	case !strings.Contains(out, "--- PASS: "+t.Name()+" "):
		t.Error("sandbox: the test did not run")
	}
}

// mountOwn shows the sandbox its own processes and devices, and gives it a /run
// for named namespaces.
func mountOwn() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/run"}} {
		err := unix.Mount(m.kind, m.at, m.kind, 0, "")
		if m.kind == "sysfs" && errors.Is(err, unix.EBUSY) {
			continue // with the host's network it is there already
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return nil
}

// smallDisk mounts a file system of the given size that only the sandbox sees.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	err := errors.Join(os.Mkdir(dir, 0o755), unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
