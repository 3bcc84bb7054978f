package main

import (
	"cmp"
	"fmt"
	"os"

	"netab/results"
)

// machineNameEnv names this machine where no flag does.
const machineNameEnv = "NETAB_MACHINE"

const machineUsage = "`NAME` of this machine, by which its runs are known whatever its hostname (default: " + machineNameEnv + ", " +
	results.MachineNameFile + ", else its machine-id)"

// readMachine describes this machine. The name of the flag goes before that of
// the environment, and that before the file's.
func readMachine(flag string) (results.Machine, error) {
	name, from := flag, "--machine"
	if name == "" {
		name, from = os.Getenv(machineNameEnv), machineNameEnv
	}
	if name != "" {
		if err := results.CheckMachineName(name); err != nil {
			return results.Machine{}, usage(fmt.Errorf("%s: %w", from, err))
		}
	}
	m, err := results.ReadMachine(results.Root(""))
	m.Name = cmp.Or(name, m.Name)
	return m, err
}
