package trend

import "netab/results"

// Redacted is a history of runs without what tells strangers of a house; see
// results.Redactor.
func Redacted(h History, runs []results.Digest) History {
	r := results.NewRedactor()
	for i := range runs {
		f := runs[i].Facts
		r.Learn(&results.Machine{Name: f[factName], MachineID: f[factMachineID], Board: f[factBoard], Hostname: f[factHost],
			BootID: runs[i].Boot, Kernel: f[factKernel], KernelCmdline: f["kernel command line"]})
	}
	return results.Redact(r, h)
}
