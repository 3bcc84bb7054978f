// Command diskinit is the init of a guest that stands for a real machine: it has a
// disk, which outlives what is done to the guest, and boots what it is told to. It
// loads the modules of its initramfs, mounts the disk in its place, plans what a file
// of the disk says, and then does at each boot what the unit of netab does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Files of the disk.
const (
	planFile  = "/plan.json" // what netab is run with first, once
	stateFile = "/var/lib/netab/boots.json"
)

func main() {
	if err := serve(); err != nil {
		say("failed: %v", err)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

// say is for the test, which reads the console.
func say(format string, args ...any) { fmt.Printf("diskinit: "+format+"\n", args...) }

func serve() error {
	if err := mountDisk(); err != nil {
		return err
	}
	text, _ := os.ReadFile("/proc/cmdline")
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	budget, _ := os.ReadFile("/proc/sys/net/core/netdev_budget")
	say("up: %s, budget %s, %s", strings.TrimSpace(string(release)), strings.TrimSpace(string(budget)), strings.TrimSpace(string(text)))
	if err := plan(); err != nil {
		return err
	}
	if _, err := os.Stat(stateFile); err != nil {
		say("nothing is planned")
		return nil
	}
	err := netab("boots", "next", "--at-once", "--store", "/store")
	say("next: %v", err)
	return nil
}

func plan() error {
	text, err := os.ReadFile(planFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var args []string
	if err == nil {
		err = json.Unmarshal(text, &args)
	}
	if err == nil {
		err = netab(args...)
	}
	if err == nil {
		err = os.Remove(planFile)
	}
	unix.Sync()
	return err
}

func netab(args ...string) error {
	cmd := exec.Command("/netab", args...)
	cmd.Env = []string{"PATH=/bin:/sbin", "HOME=/root", "TERM=dumb", "COLUMNS=100"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	return cmd.Run()
}

func mountDisk() error {
	mount(map[string]string{"/dev": "devtmpfs", "/proc": "proc", "/sys": "sysfs"})
	modules, err := filepath.Glob("/modules/*.ko")
	if err != nil {
		return err
	}
	slices.Sort(modules)
	for _, file := range modules {
		f, err := os.Open(file)
		if err == nil {
			if err = unix.FinitModule(int(f.Fd()), "", 0); errors.Is(err, unix.EEXIST) {
				err = nil
			}
			f.Close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := os.MkdirAll("/disk", 0o755); err != nil {
		return err
	}
	for range 100 {
		device := "/dev/vda"
		if _, err := os.Stat("/dev/vda1"); err == nil {
			device = "/dev/vda1"
		}
		if err = unix.Mount(device, "/disk", "ext4", 0, ""); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	if err := errors.Join(os.Chdir("/disk"), unix.Mount("/disk", "/", "", unix.MS_MOVE, ""), unix.Chroot("."), os.Chdir("/")); err != nil {
		return err
	}
	mount(map[string]string{"/dev": "devtmpfs", "/proc": "proc", "/sys": "sysfs", "/tmp": "tmpfs", "/run": "tmpfs"})
	mount(map[string]string{"/sys/kernel/tracing": "tracefs", "/sys/fs/cgroup": "cgroup2", "/sys/fs/pstore": "pstore"})
	_ = os.Chmod("/run", 0o755)
	return loopbackUp()
}

// mount mounts what the kernel has.
func mount(at map[string]string) {
	for dir, kind := range at {
		_ = os.MkdirAll(dir, 0o755)
		_ = unix.Mount(kind, dir, kind, unix.MS_NOSUID, "")
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
