package guest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"netab/runner/guest/inside"
)

// An End is how a boot ended.
type End string

// All that there are. Only a Finished boot has a result; whether the job failed then,
// its status says.
const (
	Finished    End = "finished"     // the job ended, and the guest said so
	Panic       End = "panic"        // of the kernel
	Oops        End = "oops"         // a fault in the kernel, which is made to panic by it
	InitDied    End = "init-died"    // process 1, which is netab
	NoMemory    End = "no-memory"    // the guest has too little
	NoInitramfs End = "no-initramfs" // the kernel does not unpack it, or cannot run a program of it
	NoPort      End = "no-port"      // the guest is up and cannot talk to the host: a module is missing
	Hang        End = "hang"         // it did not get on in time, and the host ended it
	Late        End = "late"         // the job did not end in time, and the guest ended it
	NoJob       End = "no-job"       // the guest is up and could not start it
	Reset       End = "reset"        // the guest ended without a word
	Garbled     End = "garbled"      // it said what no guest of ours says
	WrongImage  End = "wrong-image"  // QEMU cannot boot it
	QEMUFailed  End = "qemu-failed"  // it did not start, or crashed
	Interrupted End = "interrupted"  // by this side
)

// A sight is all that is seen of a boot from outside.
type sight struct {
	kernel  string // how the user named it
	memory  int    // MiB
	unpacks int    // MiB that the kernel's image and the initramfs take before anything is printed; 0 = unknown
	console []string
	hello   *inside.Hello
	exit    *inside.Exit

	qemu      qemuState
	qemuSaid  string
	disobeyed string // what QEMU was told and did not do

	late        bool // the host's own deadline ended it
	interrupted bool
	garbled     string // what of its messages was wrong
}

// A qemuState is how QEMU ended.
type qemuState struct {
	status int
	signal syscall.Signal // 0 = it exited
}

func (q qemuState) String() string {
	if q.signal != 0 {
		return fmt.Sprintf("QEMU was ended by a signal (%v)", q.signal)
	}
	return fmt.Sprintf("QEMU ended with status %d", q.status)
}

// A sign is a line of the console that says how a guest ended.
type sign struct {
	end  End
	line *regexp.Regexp
	text string // what it means and what to do; %s is the line
}

// signs are in the order in which they are looked for: what is the reason comes
// before what follows from it. The texts are the kernel's, from 5.10 to 6.12.
var signs = []sign{
	{NoMemory, regexp.MustCompile(`Out of memory: Kill|Out of memory and no killable processes|System is deadlocked on memory|` +
		`Initramfs unpacking failed: write error|Failed to execute /init \(error -12\)|out of memory|` +
		`Kernel panic - not syncing: .*(?:[Ff]ailed to allocate|[Cc]annot allocate|[Cc]an't allocate|no memory|out of memory)`), "it ran out of memory (%s)"},
	{NoInitramfs, regexp.MustCompile(`Initramfs unpacking failed|Failed to execute /init|Requested init .* failed|No working init found|Unable to mount root fs|Cannot open root device`),
		"it cannot run what it is given as its first file system: a kernel for guests needs BLK_DEV_INITRD and BINFMT_ELF (%s)"},
	{InitDied, regexp.MustCompile(`Attempted to kill init!`), "its process 1 died, which is netab's own (%s)"},
	{Oops, regexp.MustCompile(`BUG: (?:kernel NULL pointer dereference|unable to handle|KASAN)|kernel BUG at|general protection fault|Oops: |invalid opcode: |stack-protector: Kernel stack is corrupted`), "a fault in the kernel (%s)"},
	{Panic, regexp.MustCompile(`Kernel panic`), "the kernel panicked (%s)"},
	{NoPort, regexp.MustCompile(regexp.QuoteMeta(inside.NoPort)), "it is up and cannot talk to the host: a driver is missing (VIRTIO_PCI, VIRTIO_CONSOLE) (%s)"},
}

// cannotBoot is what QEMU says of an image that is no kernel for it.
var cannotBoot = regexp.MustCompile(`could not open kernel|linux kernel too old to load a ram disk|without PVH ELF Note|invalid kernel header`)

// tooLarge is what QEMU says where the guest's memory has no room for what it is given.
var tooLarge = regexp.MustCompile(`initrd is too large`)

// judge says how a boot ended, in a word and in a line.
func (s *sight) judge() (End, string) {
	end, text := s.end()
	return end, fmt.Sprintf("guest with kernel %s: %s", s.kernel, text)
}

func (s *sight) end() (End, string) {
	found := s.sign()
	if s.exit != nil {
		return s.exited(found)
	}
	switch {
	case s.interrupted:
		return Interrupted, "interrupted"
	case s.garbled != "":
		return Garbled, s.garbled
	case s.hello == nil && s.memory < s.unpacks && (s.late || s.qemu == qemuState{}):
		// Whatever it says: an initramfs that was written over looks like another fault.
		return NoMemory, fmt.Sprintf("%d MiB are not enough: it takes %d to unpack it beside its initramfs", s.memory, s.unpacks)
	case found != nil:
		return found.end, found.text
	case s.late && s.hello == nil:
		return Hang, "it was not up in time" + s.hint()
	case s.late:
		return Hang, "it hangs: the job had its time, and neither it nor the guest ended"
	case cannotBoot.MatchString(s.qemuSaid):
		return WrongImage, "QEMU cannot boot it: " + s.qemuSaid
	case tooLarge.MatchString(s.qemuSaid):
		return NoMemory, fmt.Sprintf("%d MiB are not enough for it and its initramfs: %s", s.memory, s.qemuSaid)
	case s.qemu != qemuState{}:
		return QEMUFailed, s.qemu.String() + behind(cmp.Or(s.qemuSaid, s.disobeyed))
	case s.hello == nil:
		return Reset, "it ended before it was up, without a word" + s.hint()
	default:
		return Reset, "it ended without a word while the job ran: something reset it or powered it off"
	}
}

// exited is the end of a guest that told how its job ended.
func (s *sight) exited(found *found) (End, string) {
	e := s.exit
	failed := e.Signal != 0 || e.Status != 0 || e.Fault != ""
	switch {
	case failed && found != nil && found.end == NoMemory:
		return NoMemory, found.text
	case e.Fault != "":
		return NoJob, "no job could be started: " + visible(e.Fault)
	case e.Late:
		return Late, "the job did not end in its time"
	case e.Signal != 0:
		return Finished, fmt.Sprintf("the job was ended by a signal (%v)", syscall.Signal(e.Signal))
	default:
		return Finished, fmt.Sprintf("the job ended with status %d", e.Status)
	}
}

// hint is what may help where nothing else is known.
func (s *sight) hint() string {
	if len(s.console) == 0 {
		return fmt.Sprintf(", and its console is empty: has it a serial console (SERIAL_8250_CONSOLE), are %d MiB enough?", s.memory)
	}
	return behind(printed(s.console[len(s.console)-1]))
}

func behind(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

type found struct {
	end  End
	text string
}

// sign looks for the first of the signs that the console has.
func (s *sight) sign() *found {
	for _, sign := range signs {
		i := slices.IndexFunc(s.console, sign.line.MatchString)
		if i < 0 {
			continue
		}
		text := fmt.Sprintf(sign.text, printed(s.console[i]))
		if sign.end == NoMemory {
			text += fmt.Sprintf(": give it more than %d MiB", s.memory)
		}
		return &found{sign.end, text}
	}
	return nil
}

// stamp is the time that a kernel prints before a line, and what a program had begun
// to print in it.
var stamp = regexp.MustCompile(`^.*\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? *`)

// printed is a line of the console as one of a message: without its time, and not
// longer than the message.
func printed(line string) string {
	const most = 200
	text := strings.TrimPrefix(stamp.ReplaceAllString(line, ""), "netab init: ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + " ..."
	}
	return strings.TrimSpace(text)
}

// visible is a text of the guest's in one line.
func visible(text string) string { return shown([]byte(text)) }
