// Package test runs the real netab binary from outside, as people and CI jobs
// do: command lines and their output (testdata/script), signals, SIGKILL and
// restore, ordinary users, devices that vanish.
//
// Times and rates are never asserted, only what must hold on a slow machine
// too. Whatever a test changes is confined to namespaces of its own where that
// is possible, and the machine is compared with itself before and after all
// tests: see TestMain.
package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"
)

// Environment of this package's tests.
const (
	// envBinary is the netab to test; unset: it is built from this tree.
	envBinary = "NETAB_BINARY"
	// envLong asks for the full number of kills.
	envLong = "NETAB_TEST_LONG"
	// envExplain is netab's own: tests that do not ask for explanations have no time for
	// them.
	envExplain = "NETAB_EXPLAIN"
	// envKills asks for another number of them.
	envKills = "NETAB_TEST_KILLS"
)

// TestMain builds netab once, puts it into PATH, and watches the machine: no
// test may leave anything behind, also when it fails.
func TestMain(m *testing.M) {
	if signal.Ignored(os.Interrupt) {
		// A shell has started the tests in the background: netab would inherit that,
		// and not hear of a SIGINT in its first moments.
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	if inSandbox() {
		os.Exit(m.Run())
	}
	os.Exit(watched(m))
}

func watched(m *testing.M) int {
	dir, err := os.MkdirTemp("", "netab-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Ordinary users of other tests must be able to run the binary.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := provideBinary(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// One script at a time: they measure, if only for a moment.
	flag.Parse()
	if err := flag.Set("test.parallel", "1"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv(envExplain, "off"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	before := snapshotHost()
	status := m.Run()
	if diff := before.settledDiff(snapshotHost); diff != "" {
		fmt.Fprintf(os.Stderr, "the tests left the machine changed (- before, + after):\n%s", diff)
		return 1
	}
	return status
}

// provideBinary makes $NETAB_BINARY, and `netab` in PATH, the binary under test.
func provideBinary(dir string) error {
	binary := filepath.Join(dir, "netab")
	if given := os.Getenv(envBinary); given != "" {
		path, err := filepath.Abs(given)
		if err != nil {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s: %w", envBinary, err)
		}
		if err := os.Symlink(path, binary); err != nil {
			return err
		}
	} else {
		build := exec.Command("go", "build", "-o", binary, "netab/cmd/netab")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build netab: %w\n%s", err, out)
		}
	}
	if err := os.Setenv(envBinary, binary); err != nil {
		return err
	}
	return os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}
