package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/cmd/netab/lasting"
	"netab/results"
	"netab/scenarios"
)

// settingsFlags are those of results export that say which settings are to last, and of
// which device.
type settingsFlags struct {
	arm     string
	devices []string
}

func (f *settingsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.arm, "arm", "", "`NAME` of the arm whose settings are written ("+strings.Join(lasting.Formats(), ", ")+")")
	cmd.Flags().StringArrayVar(&f.devices, "device", nil, "`MEASURED=DEVICE`: which device of the machine stands for the one that was measured")
}

// check refuses what belongs to other formats.
func (f *settingsFlags) check(format string) error {
	settings := slices.Contains(lasting.Formats(), format)
	switch {
	case settings && f.arm == "":
		return fmt.Errorf("--format %s is of an arm: name it with --arm", format)
	case !settings && (f.arm != "" || len(f.devices) > 0):
		return fmt.Errorf("--arm and --device are of --format %s", strings.Join(lasting.Formats(), ", "))
	}
	return nil
}

// export writes the settings of an arm.
func (f *settingsFlags) export(cmd *cobra.Command, run *results.Run, s analysis.Summary, format string) error {
	var names []string
	for _, a := range run.Header.Design.Arms {
		names = append(names, a.Name)
	}
	arm := slices.Index(names, f.arm)
	if arm < 0 {
		return usage(fmt.Errorf("--arm: run %s has no arm %q: %s", run.Header.ID, f.arm, scenarios.Suggest(f.arm, names)))
	}
	devices := map[string]string{}
	for _, text := range f.devices {
		from, to, ok := strings.Cut(text, "=")
		if !ok || from == "" || to == "" {
			return usage(fmt.Errorf("--device %q: want MEASURED=DEVICE, such as lo=eth0", text))
		}
		devices[from] = to
	}
	file := lasting.File{Format: format, Evidence: lasting.Evidence(run, &s, arm), Of: run.Header.ID + "-" + run.Header.Design.Arms[arm].Name}
	file.Settings, file.Left = lasting.Of(run, arm, devices)
	text, err := file.Text()
	if err != nil {
		return usage(fmt.Errorf("arm %s of run %s: %w", f.arm, run.Header.ID, err))
	}
	return failed(writeWhole(cmd.OutOrStdout(), text))
}
