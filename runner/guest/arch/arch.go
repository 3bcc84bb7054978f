// Package arch says what an architecture means to guests: which QEMU runs them, what
// machine that is, where its console and its lines are, and what a count of instructions
// fixes. It is one table; whoever boots, reads or counts asks it, and has no cases of
// its own.
//
// What it cannot say in words is beside its users: the instructions of a log are read by
// package execlog, images by package kernel.
package arch

import (
	"debug/elf"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// An Arch is one that guests can have.
type Arch struct {
	Name string // as uname -m has it
	Go   string // as Go and Debian have it
	ELF  elf.Machine

	QEMU     string // the program
	Install  string // what brings it: the packages of distributions
	Machine  string // of QEMU
	CPUModel string // all that QEMU can do where it translates
	// Parameters are the kernel's, of the console and of what it prints before that is
	// there; UnderTCG come besides where QEMU translates.
	Parameters, UnderTCG []string
	// Line is what QEMU has for the line beside the console, whose chardev is "port", and
	// LineNode the guest's device.
	Line     []string
	LineNode string
	// Probe is a program in place of firmware that ends QEMU, by which KVM is tried; nil =
	// there is none, and guests run under TCG.
	Probe []byte

	// Exact is what is fixed where instructions are counted.
	Exact Exact
}

// Exact is how guests are that count instructions.
type Exact struct {
	CPUModel string
	Without  []string // its features that are left out, where QEMU knows them
	// Two is the model of guests with two CPUs; "" = they do not count.
	Two     string
	Cmdline []string
	One     []string // more of it, of guests with one CPU
}

// ProbeAnswer is what a Probe says: QEMU ends with twice it and one (isa-debug-exit).
const ProbeAnswer = 0x2a

// fixed is what holds a kernel to one layout, and to the paths that are always there.
var fixed = []string{"nokaslr", "norandmaps", "nowatchdog", "mitigations=off"}

// X86 is the architecture of x86-64 machines.
var X86 = &Arch{
	Name: "x86_64", Go: "amd64", ELF: elf.EM_X86_64,
	QEMU:     "qemu-system-x86_64",
	Install:  "Debian, Ubuntu: apt-get install qemu-system-x86; Fedora: dnf install qemu-system-x86-core; openSUSE: zypper install qemu-x86",
	Machine:  "q35,hpet=off",
	CPUModel: "max",
	// Without the second a panic before the console is there is not seen.
	Parameters: []string{"console=ttyS0", "earlyprintk=ttyS0,115200"},
	UnderTCG:   []string{"tsc=reliable"}, // which the watchdog under load would doubt
	Line:       []string{"-serial", "chardev:port"},
	LineNode:   "ttyS1",
	Probe: []byte{ // the last 16 bytes of a BIOS are where a CPU begins
		0xba, 0x01, 0x05, // mov $0x501, %dx
		0xb0, ProbeAnswer, // mov $ProbeAnswer, %al
		0xee,       // out %al, (%dx)
		0xf4,       // hlt
		0xeb, 0xfd, // jmp to hlt
	},
	Exact: Exact{
		// The CPU's flags decide how copies count: with ERMS the kernel copies by rep movsb,
		// which counts one instruction a byte, and with FSRS it clears so since 6.3.
		CPUModel: "max",
		Without:  []string{"erms", "fsrm", "fsrs", "fsrc", "fzrm"},
		// Timers of the local APIC by deadline, and x2APIC, keep a second CPU from coming up
		// in step.
		Two:     "Haswell-v4,-erms,-pcid,-tsc-deadline,-invpcid,-x2apic",
		Cmdline: fixed,
		// Both are loops until the machine's clocks have ticked for so and so long, which the
		// clock of instructions takes two thirds of a boot for. One CPU does without its own
		// timer, and has the machine's.
		One: []string{"noapictimer", "no_timer_check"},
	},
}

// ARM is that of 64-bit Arm machines.
var ARM = &Arch{
	Name: "aarch64", Go: "arm64", ELF: elf.EM_AARCH64,
	QEMU:    "qemu-system-aarch64",
	Install: "Debian, Ubuntu: apt-get install qemu-system-arm; Fedora: dnf install qemu-system-aarch64-core; openSUSE: zypper install qemu-arm",
	// Servers have a GIC of version 3, whose registers are the CPU's.
	Machine: "virt,gic-version=3",
	// Kernels sign the addresses that they return to, by a cipher that takes an emulated CPU
	// half of its time; signatures of QEMU's own make are as many instructions.
	CPUModel:   "max,pauth-impdef=on",
	Parameters: []string{"console=ttyAMA0", "earlycon=pl011,0x9000000"},
	// The machine has one UART for all, until QEMU 9.1. Every PCI has a 16550.
	Line:     []string{"-device", "pci-serial,chardev=port"},
	LineNode: "ttyS0",
	Exact: Exact{
		// A server's, whose atomics are instructions (LSE). Its clock of 62.5 MHz would tell
		// instructions apart by 16.
		CPUModel: "neoverse-n1,cntfrq=1000000000",
		Cmdline:  fixed,
	},
}

// All are those that there are.
var All = []*Arch{X86, ARM}

// Here is this netab's own; nil = guests cannot have it.
func Here() *Arch { return find(func(a *Arch) bool { return a.Go == runtime.GOARCH }) }

// Of is the one of a name that uname -m prints; nil = guests cannot have it.
func Of(name string) *Arch { return find(func(a *Arch) bool { return a.Name == name }) }

func find(is func(*Arch) bool) *Arch {
	if i := slices.IndexFunc(All, is); i >= 0 {
		return All[i]
	}
	return nil
}

// Parse reads a name as people write it: Go's and Debian's, or that of uname -m. "" is
// this netab's own.
func Parse(name string) (*Arch, error) {
	var names []string
	for _, a := range All {
		if name == a.Go || name == a.Name || name == "" && a.Go == runtime.GOARCH {
			return a, nil
		}
		names = append(names, a.Go)
	}
	if name == "" {
		return nil, fmt.Errorf("guests are machines of %s, and this netab is built for %s: say which with --arch", strings.Join(names, " or "), runtime.GOARCH)
	}
	return nil, fmt.Errorf("--arch %s: want %s", name, strings.Join(names, " or "))
}
