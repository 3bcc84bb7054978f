package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/runner/guest/arch"
	"netab/runner/guest/inside"
)

// oldest is the first QEMU that all of this was tried with: Debian 12's.
const oldestMajor, oldestMinor = 7, 2

func howToInstall(a *arch.Arch) string {
	return fmt.Sprintf("install it (%s), or name one with --qemu PATH", a.Install)
}

// A QEMU is one that guests can run in.
type QEMU struct {
	Path    string
	Version string // "7.2.22 (Debian 1:7.2+dfsg-7)"
	Major   int
	sandbox bool // it can confine itself (seccomp)
	cpus    string
}

// Knows says whether it knows a feature of CPUs, by the name that -cpu takes.
func (q *QEMU) Knows(feature string) bool {
	return slices.Contains(strings.Fields(q.cpus), feature)
}

// FindQEMU finds the program that is named so, or the architecture's in $PATH, and says
// what to do where it is missing, too old, or another's.
func FindQEMU(ctx context.Context, name string, a *arch.Arch) (*QEMU, error) {
	wanted := cmp.Or(name, a.QEMU)
	path, err := exec.LookPath(wanted)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		if name == "" {
			return nil, fmt.Errorf("guests run in QEMU, and there is no %s in $PATH: %s", a.QEMU, howToInstall(a))
		}
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err
		}
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("guests run in QEMU, and %s is none: %w", name, err)
	}
	out, err := ask(ctx, path, "--version")
	if err != nil {
		return nil, err
	}
	version, major, minor, ok := parseVersion(out)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s does not say which QEMU it is, but %.80q: %s", path, out, howToInstall(a))
	case major < oldestMajor || major == oldestMajor && minor < oldestMinor:
		return nil, fmt.Errorf("%s is QEMU %s, and guests want %d.%d or newer: %s", path, version, oldestMajor, oldestMinor, howToInstall(a))
	}
	// A QEMU without seccomp refuses the option, and the list of machines is as good as
	// anything that ends by itself.
	machines, err := ask(ctx, path, "-sandbox", sandbox, "-machine", "help")
	q := &QEMU{Path: path, Version: version, Major: major, sandbox: err == nil}
	if err != nil {
		if machines, err = ask(ctx, path, "-machine", "help"); err != nil {
			return nil, err
		}
	}
	if machine, _, _ := strings.Cut(a.Machine, ","); !strings.Contains("\n"+machines, "\n"+machine+" ") {
		return nil, fmt.Errorf("%s is a QEMU for other machines than %s, which are its %s: %s", path, a.Name, machine, howToInstall(a))
	}
	if len(a.Exact.Without) > 0 {
		if q.cpus, err = ask(ctx, path, "-cpu", "help"); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// ask runs QEMU for what it answers at once.
func ask(ctx context.Context, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err == nil {
		return string(out), nil
	}
	text := err.Error()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		t := tail{text: exit.Stderr}
		text = t.line()
	}
	if ctx.Err() != nil {
		text = context.Cause(ctx).Error()
	}
	return "", fmt.Errorf("%s %s: %s", path, strings.Join(args, " "), text)
}

var versionLine = regexp.MustCompile(`^QEMU emulator version ((\d{1,4})\.(\d{1,4})[^\n]*)`)

func parseVersion(out string) (version string, major, minor int, ok bool) {
	found := versionLine.FindStringSubmatch(out)
	if found == nil {
		return "", 0, 0, false
	}
	major, _ = strconv.Atoi(found[2])
	minor, _ = strconv.Atoi(found[3])
	return strings.TrimSpace(found[1]), major, minor, true
}

// sandbox confines QEMU to what a guest needs of the host: a guest's kernel is a
// stranger's.
const sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

// Descriptors that QEMU inherits, behind the standard ones.
const (
	initrdFD  = 3
	consoleFD = 4
	portFD    = 5
	imageFD   = 6
	monitorFD = 7

	// FirstInherited is that of the first of a Machine's Inherit.
	FirstInherited = 8
)

// command is QEMU's command line.
func (b *boot) command() []string {
	m := b.machine
	accel := string(m.Accel)
	if m.Accel == TCG {
		accel += map[bool]string{false: ",thread=multi", true: ",thread=single"}[m.SingleThread]
	}
	image := b.kernel.Image
	if b.image != nil {
		image = fmt.Sprintf("/proc/self/fd/%d", imageFD)
	}
	args := []string{b.qemu.Path, "-name", "netab-guest", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"}
	if b.qemu.sandbox {
		args = append(args, "-sandbox", sandbox)
	}
	args = append(args,
		"-machine", m.Arch.Machine, "-accel", accel, "-cpu", m.CPUModel,
		"-smp", strconv.Itoa(m.CPUs), "-m", strconv.Itoa(m.MemoryMiB),
		"-kernel", image, "-initrd", fmt.Sprintf("/proc/self/fd/%d", initrdFD), "-append", strings.Join(m.parameters(), " "),
		"-chardev", b.chardev("console", consoleFD), "-serial", "chardev:console", "-chardev", b.chardev("port", portFD))
	if m.Port == inside.Virtio {
		args = append(args, "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port,name="+inside.PortName)
	} else {
		args = append(args, m.Arch.Line...)
	}
	if b.monitor != nil {
		args = append(args, "-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", monitorFD), "-mon", "chardev=monitor,mode=control")
	}
	return append(args, m.Extra...)
}

// chardev is what is connected to the host by a descriptor.
func (b *boot) chardev(id string, fd int) string {
	if !b.machine.SingleThread {
		return fmt.Sprintf("socket,id=%s,fd=%d", id, fd)
	}
	return fmt.Sprintf("file,id=%s,path=/proc/self/fd/%d", id, fd)
}

// parameters are the kernel's.
func (m Machine) parameters() []string {
	// A panic ends the guest at once, and an oops is one: what it left would be measured.
	out := append(slices.Clone(m.Arch.Parameters), "quiet", "panic=-1", "oops=panic")
	// What wants random numbers would wait for seconds while the kernel gathers entropy of
	// its own timers, where it trusts nobody else's. There are no secrets here.
	out = append(out, "random.trust_cpu=on", "random.trust_bootloader=on")
	if m.Accel == TCG {
		out = append(out, m.Arch.UnderTCG...)
	}
	return append(out, m.Kernel...)
}
