package vocab

import "slices"

// A BootEnd is how a boot of a campaign ended.
type BootEnd string

const (
	Finished BootEnd = "finished" // the run in it has its end, and the machine went down as it was asked to

	// What a kernel did, or could not do: an outcome of the kernel's.
	Panic       BootEnd = "panic"
	Oops        BootEnd = "oops"
	Hang        BootEnd = "hang"         // it did not get on in time
	Overdue     BootEnd = "late"         // its run did not
	InitDied    BootEnd = "init-died"    // netab itself, as PID 1
	NoMemory    BootEnd = "no-memory"    // of the guest
	NoInitramfs BootEnd = "no-initramfs" // it does not unpack it, or cannot run a program of it
	NoPort      BootEnd = "no-port"      // it is up, and cannot talk to the host
	NoJob       BootEnd = "no-job"       // it is up, and could not start the run
	Reset       BootEnd = "reset"        // it ended without a word
	Garbled     BootEnd = "garbled"      // it said what no guest of ours says
	WrongImage  BootEnd = "wrong-image"  // nothing can boot it
	Lacks       BootEnd = "lacks"        // it has not what the scenario needs: a module, a driver
	RunFailed   BootEnd = "run-failed"

	// What says nothing of the kernel.
	QEMUFailed      BootEnd = "qemu-failed" // or whatever boots: it did not start, or crashed
	BootInterrupted BootEnd = "interrupted"
	Killed          BootEnd = "killed"
)

// ofKernel are the ends that are its kernel's doing.
var ofKernel = []BootEnd{Panic, Oops, Hang, Overdue, InitDied, NoMemory, NoInitramfs, NoPort, NoJob, Reset, Garbled, WrongImage, Lacks, RunFailed}

// OfKernel says whether a boot that ended so failed by its kernel: it counts, and
// is not tried again.
func (e BootEnd) OfKernel() bool { return slices.Contains(ofKernel, e) }
