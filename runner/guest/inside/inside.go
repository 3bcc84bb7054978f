// Package inside is what netab is as /init, process 1 of a guest: it mounts what a
// program expects, loads the modules that its initramfs has, runs one job, which is
// netab again, and tells the host of it over a port. When the host has heard all, the
// guest ends.
//
// There is no shell, no C library and no other program in such a guest, so what is
// found in it is the kernel's doing and netab's.
package inside

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Where things are in the initramfs.
const (
	SpecFile   = "/netab/job.json" // its being there is what makes a process 1 ours
	ModulesDir = "/netab/modules"
	FilesDir   = "/netab/files" // copied into WorkDir
	WorkDir    = "/tmp"         // where the job runs
)

// A Spec is what the host wants of the guest.
type Spec struct {
	Args     []string      `json:"args"` // of netab, without argv[0]
	Env      []string      `json:"env,omitempty"`
	Stream   string        `json:"stream,omitempty"` // pattern of the file whose lines are sent; "" = standard output
	Deadline time.Duration `json:"deadline"`         // of the job; 0 = none
	Port     Port          `json:"port"`
	Line     string        `json:"line"`              // the device of Port UART, below /dev
	NoAck    bool          `json:"no_ack,omitempty"`  // nothing comes from the host
	Modules  []string      `json:"modules,omitempty"` // files of ModulesDir in the order in which they are loaded
}

// A Port is what connects a guest with its host beside the console.
type Port string

// The ports that there are.
const (
	Virtio Port = "virtio" // virtio-serial
	UART   Port = "uart"   // a 16550 beside the console: slow, but every kernel with a console has it
)

// PortName is that of the virtio-serial port.
const PortName = "netab"

// NoPort begins what the console has where there is no way to the host.
const NoPort = "netab init: no port to the host"

// Is says whether this process is the init of a guest of ours.
func Is() bool {
	if os.Getpid() != 1 || len(os.Args) == 0 || os.Args[0] != "/init" {
		return false
	}
	_, err := os.Lstat(SpecFile)
	return err == nil
}

// Main does all that the guest is for, and ends it.
func Main() {
	if err := serve(); err != nil {
		say("%v", err)
	}
	// All of it, for whoever reads the console. What ends a guest is a restart: QEMU
	// is told to end with it, and it needs no ACPI of the kernel.
	_ = unix.IoctlSetInt(2, unix.TCSBRK, 1)
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {} // a process 1 that returned would be a panic
}

// say is for the console, which the host shows where a guest ended badly.
func say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "netab init: "+format+"\n", args...)
}

func serve() error {
	lacks := mountAll()
	spec, err := readSpec()
	if err != nil {
		return err
	}
	for _, name := range spec.Modules {
		if err := load(path.Join(ModulesDir, name)); err != nil {
			lacks = append(lacks, fmt.Sprintf("module %s: %v", strings.TrimSuffix(name, ".ko"), err))
		}
	}
	if err := loopbackUp(); err != nil {
		lacks = append(lacks, fmt.Sprintf("lo: %v", err))
	}
	port, err := openPort(spec)
	if err != nil {
		if len(lacks) > 0 {
			err = fmt.Errorf("%w; %s", err, strings.Join(lacks, "; "))
		}
		return fmt.Errorf("%s: %w", strings.TrimPrefix(NoPort, "netab init: "), err)
	}
	host := NewSender(port)
	if err := host.Send(Message{Type: HelloType, Hello: hello(lacks)}); err != nil {
		return fmt.Errorf("tell the host: %w", err)
	}
	var acknowledged <-chan struct{}
	if !spec.NoAck {
		acknowledged = awaitAck(port)
	}
	awaitClock()
	exit := work(spec, host)
	if err := host.Send(Message{Type: ExitType, Exit: &exit}); err != nil {
		return fmt.Errorf("tell the host: %w", err)
	}
	if spec.NoAck {
		_ = unix.IoctlSetInt(int(port), unix.TCSBRK, 1) // all of it is out
		return nil
	}
	select {
	case <-acknowledged:
	case <-time.After(ackWithin):
		say("the host did not acknowledge the end")
	}
	return nil
}

// ackWithin is how long the host may take to keep what it was told.
const ackWithin = time.Minute

// awaitClock waits until the kernel has measured the TSC: for its first second it takes
// a clock for now (arch/x86/kernel/tsc.c), and a run would begin with another clock than
// it ends with.
func awaitClock() {
	const current = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
	for range 150 {
		if firstWord(current) != "tsc-early" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func readSpec() (Spec, error) {
	var spec Spec
	data, err := os.ReadFile(SpecFile)
	if err == nil {
		err = json.Unmarshal(data, &spec)
	}
	if err != nil {
		return spec, fmt.Errorf("%s: %w", SpecFile, err)
	}
	return spec, nil
}

// mounts are what a program finds on a Linux machine, in this order.
var mounts = []struct{ kind, at string }{
	{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"}, {"devpts", "/dev/pts"},
	{"tracefs", "/sys/kernel/tracing"}, {"bpf", "/sys/fs/bpf"}, {"cgroup2", "/sys/fs/cgroup"},
}

// mountAll mounts what the kernel has, and says what it has not.
func mountAll() (lacks []string) {
	for _, m := range mounts {
		_ = os.MkdirAll(m.at, 0o755) // mounting says what is wrong
		if err := unix.Mount(m.kind, m.at, m.kind, unix.MS_NOSUID, ""); err != nil {
			lacks = append(lacks, fmt.Sprintf("%s: %v", m.kind, err))
		}
	}
	_ = os.Chmod("/run", 0o755) // a tmpfs is for everybody, which suits /tmp
	for link, to := range map[string]string{"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"} {
		_ = os.Symlink("/proc/self/fd"+to, "/dev/"+link)
	}
	_ = unix.Sethostname([]byte("guest"))
	return lacks
}

// load loads a module. The host has decompressed it: not every kernel can.
func load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && err != unix.EEXIST {
		return err
	}
	return nil
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

// hello is what the guest says of itself.
func hello(lacks []string) *Hello {
	h := &Hello{Protocol: protocol, Lacks: lacks, BootID: firstWord("/proc/sys/kernel/random/boot_id")}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		h.Release = unix.ByteSliceToString(name.Release[:])
	}
	h.Uptime, _ = strconv.ParseFloat(firstWord("/proc/uptime"), 64)
	cpus, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*")
	h.CPUs = len(cpus)
	return h
}

// firstWord of a file, "" where there is none.
func firstWord(file string) string {
	data, _ := os.ReadFile(file)
	word, _, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	return word
}
