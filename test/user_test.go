package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/test/need"
)

// nobody is an ordinary user.
const nobody = 65534

// userPlace is a place of an ordinary user: nobody's if the tests run as root.
func userPlace(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	if os.Geteuid() != 0 {
		return p
	}
	p.user = &syscall.Credential{Uid: nobody, Gid: nobody}
	// The way to a test's directory is closed to others.
	for dir := p.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(p.dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return p
}

// needUserNamespaces skips where ordinary users may make none.
func needUserNamespaces(t *testing.T, p place) {
	t.Helper()
	probe := p.command("version")
	id := os.Geteuid()
	if p.user != nil {
		id = int(p.user.Uid)
	}
	// unshare(1) would be one more thing to install: netab itself stands in.
	probe.SysProcAttr.Credential = p.user
	probe.Path, probe.Args = "/proc/self/exe", []string{"x", "-test.run=^TestUserNamespaceProbe$", "-test.v"}
	probe.Env = append(probe.Env, envSandbox+"=probe")
	if out, err := probe.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		need.Missing(t, fmt.Sprintf("user namespaces, which user %d cannot make here (%s)", id, out),
			"see kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces")
	}
}

// TestUserNamespaceProbe is no test by itself, see needUserNamespaces.
func TestUserNamespaceProbe(t *testing.T) {
	if os.Getenv(envSandbox) != "probe" {
		t.Skip("only run by other tests")
	}
	cmd := (place{dir: "/"}).command("version")
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNET
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

// TestUser: an ordinary user measures on loopback and veth, and is told exactly
// what is root's.
func TestUser(t *testing.T) {
	p := userPlace(t)
	needUserNamespaces(t, p)
	quick := func(scenario string, args ...string) []string {
		return append([]string{"run", scenario, "--store", "store", "--set", quickSlice, "--set", "measure.trial=160ms", "--max-time", "320ms"}, args...)
	}
	t.Run("loopback", func(t *testing.T) {
		p.measured(t, quick("same")...).want(t, 0, "Against a ", "goodput")
		p.netab(t, "results", "show", "latest", "--store", "store").want(t, 0, "goodput")
	})
	t.Run("veth", func(t *testing.T) {
		other := "bbr" // as the seventh task of testdata/script/tasks.txt has it
		if known, _ := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control"); !slices.Contains(strings.Fields(string(known)), other) {
			other = "reno"
		}
		p.measured(t, "run", "--topology", "veth", "--arm", "cubic", "--arm", other+": traffic.congestion="+other, "--store", "store",
			"--set", quickSlice, "--set", "measure.trial=480ms", "--max-time", "960ms").want(t, 0, "goodput", other)
	})
	t.Run("sysctl", func(t *testing.T) {
		p.measured(t, quick("tcp-rmem", "--set", "measure.trial=480ms", "--max-time", "960ms")...).want(t, 0, "goodput")
	})
	t.Run("rps", func(t *testing.T) {
		o := p.netab(t, quick("loopback-rps")...)
		o.want(t, 5, "rps_cpus", "needs root", "builtin:loopback-rps:")
		if o.stdout != "" {
			t.Errorf("stdout is not empty:\n%s", o)
		}
	})
	t.Run("host-wide", func(t *testing.T) {
		p.write(t, "host.yaml", "name: host\ntopology: veth\narms: {a: {}, b: {knobs: {sysctl: {net.core.netdev_budget: 600}}}}\n")
		p.netab(t, quick("./host.yaml")...).want(t, 5, "net.core.netdev_budget", "root")
	})
	t.Run("nic", func(t *testing.T) {
		p.write(t, "nic.yaml", "name: nic\ntopology: {kind: nic, source_device: eth8, sink_device: eth9}\narms: {a: {}, b: {}}\n")
		p.netab(t, quick("nic.yaml")...).want(t, 5, "topology nic")
	})
	t.Run("calibrate from standard input", func(t *testing.T) {
		p := p
		p.write(t, "cal.yaml", "name: cal\ntopology: loopback\n")
		p.through = []string{"sh", "-c", `exec "$@" <cal.yaml`, "sh"} // both processes read it
		p.netab(t, "calibrate", "-", "--runs", "1", "--injected", "0", "--whole", "0", "--max-time", "320ms", "--set", "measure.trial=160ms", "--set", quickSlice,
			"--set", "measure.disturbed=count", "--store", "store").want(t, 0, "cal")
	})
	t.Run("restore", func(t *testing.T) {
		p.netab(t, "restore").want(t, 0, "nothing to restore")
	})
	t.Run("a home that is another's", func(t *testing.T) {
		p := p
		if err := os.Mkdir(filepath.Join(p.dir, "home"), 0); err != nil {
			t.Fatal(err)
		}
		p.through = []string{"env", "-u", "NETAB_STATE", "-u", "XDG_STATE_HOME", "HOME=" + filepath.Join(p.dir, "home")}
		p.netab(t, "restore").want(t, 5, "/home/.local/state/netab: permission denied", "set HOME, or NETAB_STATE, to a directory of your own")
	})
	t.Run("interrupt", func(t *testing.T) {
		p := userPlace(t)
		r := p.start(t, endless...)
		if err := waitValid(p.store()); err != nil {
			t.Fatal(err)
		}
		r.signal(t, syscall.SIGTERM)
		r.wait(t).want(t, 5, "interrupted: what was measured so far is kept and shown")
	})
	t.Run("lock of another user", func(t *testing.T) {
		p := userPlace(t)
		p.write(t, "lock", "") // by whoever runs the tests

		p.measured(t, quick("same")...).want(t, 0, "goodput")
	})
	t.Run("unwritable store", func(t *testing.T) {
		closed := filepath.Join(p.dir, "closed")
		if err := os.Mkdir(closed, 0o555); err != nil {
			t.Fatal(err)
		}
		if p.user != nil {
			if err := os.Chown(closed, 0, 0); err != nil {
				t.Fatal(err)
			}
		}
		p.netab(t, quick("same", "--store", "closed/store")...).want(t, 5, "closed/store", "permission denied")
	})
}

// TestUserKilled: whoever kills the outer of the two processes of an ordinary
// user's run ends all of it.
func TestUserKilled(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := userPlace(t)
		needUserNamespaces(t, p)
		before := snapshotSandbox()
		r := p.start(t, endless...)
		if err := waitValid(p.store()); err != nil {
			t.Fatal(err)
		}
		r.signal(t, syscall.SIGKILL)
		r.wait(t)
		noneLeft(t, 3*time.Second)
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
		p.netab(t, "results", "show", "latest", "--store", "store").want(t, 0, "goodput")
	})
}

// TestNoUserNamespaces: where ordinary users may make none, they are told which
// settings of the kernel say so. The setting is that of a user namespace around
// the test, not the machine's.
func TestNoUserNamespaces(t *testing.T) {
	sandboxed(t, ownNetwork|unix.CLONE_NEWUSER, func(t *testing.T) {
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			t.Fatal(err)
		}
		o := userPlace(t).netab(t, "run", "same")
		o.want(t, 5, "make a user namespace", "needs root", "user.max_user_namespaces")
	})
}

// TestRootWithFewerCapabilities: a default container's root has neither
// CAP_SYS_ADMIN nor CAP_NET_ADMIN. It measures in a user namespace as an ordinary
// user does, is told what is missing for the rest, and where it may make no user
// namespace either, what to give it.
func TestRootWithFewerCapabilities(t *testing.T) {
	need.Root(t)
	setpriv := need.Program(t, "setpriv")
	without := func(t *testing.T, capabilities string) place {
		p := newPlace(t)
		p.through = []string{setpriv, "--bounding-set=" + capabilities, "--inh-caps=" + capabilities}
		return p
	}
	quick := []string{"run", "same", "--store", "store", "--set", quickSlice, "--set", "measure.trial=160ms", "--max-time", "320ms"}
	for _, tt := range []struct{ drop, missing string }{
		{"-sys_admin,-net_admin", "CAP_SYS_ADMIN and CAP_NET_ADMIN"},
		{"-net_admin", "CAP_NET_ADMIN"},
	} {
		t.Run(tt.missing, func(t *testing.T) {
			p := without(t, tt.drop)
			p.measured(t, quick...).want(t, 0, "goodput")
			p.netab(t, "run", "loopback-rps", "--dry-run").want(t, 5, "rps_cpus", "needs "+tt.missing+", which this root lacks", "--cap-add")
		})
	}
	t.Run("nor user namespaces", func(t *testing.T) {
		sandboxed(t, ownNetwork|unix.CLONE_NEWUSER, func(t *testing.T) {
			if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
				t.Fatal(err)
			}
			p := without(t, "-sys_admin")
			for _, command := range [][]string{quick, {"doctor"}} {
				p.netab(t, command...).want(t, 5, "this is root without CAP_SYS_ADMIN, and it may not make a user namespace instead", "--cap-add SYS_ADMIN")
			}
		})
	})
}
