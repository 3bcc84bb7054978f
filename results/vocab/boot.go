package vocab

// A BootEnd is how a boot of a campaign ended.
type BootEnd string

const (
	Finished BootEnd = "finished" // the run in it has its end, and the machine went down as it was asked to

	// What a kernel did, or could not do: an outcome of the kernel's.
	Panic     BootEnd = "panic"
	Oops      BootEnd = "oops"
	Hang      BootEnd = "hang"      // it was silent, or alive, beyond its deadline
	InitDied  BootEnd = "init-died" // netab itself, as PID 1
	NoMemory  BootEnd = "no-memory" // of the guest
	Lacks     BootEnd = "lacks"     // it has not what the scenario needs: a module, a driver
	RunFailed BootEnd = "run-failed"

	// What says nothing of the kernel.
	QEMUFailed      BootEnd = "qemu-failed" // or whatever boots: it did not start, or ended by itself
	BootInterrupted BootEnd = "interrupted"
	Killed          BootEnd = "killed"
)

// OfKernel says whether a boot that ended so failed by its kernel: it counts, and
// is not tried again.
func (e BootEnd) OfKernel() bool {
	switch e {
	case Panic, Oops, Hang, InitDied, NoMemory, Lacks, RunFailed:
		return true
	}
	return false
}
