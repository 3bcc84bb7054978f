package main

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/cmd/netab/checkup"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
	"netab/runner/host"
	"netab/scenarios"
)

// firstFile is what netab init writes unless another file is named.
const firstFile = "first.yaml"

//go:embed first.yaml.tmpl
var firstText string

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a first scenario for this machine, with comments",
		Long: `Write a scenario file that runs on this machine as whoever asks, with comments that
say what else there is: ` + firstFile + `, or FILE, or - for standard output. A file that is
there already stays as it is, and the exit status is 2.

What this machine decides: how many CPUs there are for source and sink, whether
packets may be steered (rps_cpus needs root), its usual congestion control, whether
it is virtual. Nothing is measured.`,
		Example: `  netab init && netab run ` + firstFile + `
  netab init ci/nightly.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := readMachine("")
			if err != nil {
				return err
			}
			return writeFirst(cmd, cmp.Or(strings.Join(args, ""), firstFile), m)
		},
	}
}

// writeFirst writes the file, and never over one.
func writeFirst(cmd *cobra.Command, file string, m results.Machine) error {
	toStdout := file == "-"
	if info, err := os.Stat(file); err == nil && info.IsDir() || strings.HasSuffix(file, "/") {
		return usage(fmt.Errorf("%s is a directory: name a file in it, such as %s", file, filepath.Join(file, firstFile)))
	}
	if ext := filepath.Ext(file); !toStdout && ext != ".yaml" && ext != ".yml" {
		return usage(fmt.Errorf("%s: a scenario's file ends in .yaml: name it %s.yaml", file, strings.TrimSuffix(file, ".")))
	}
	first, err := newFirst(m, host.Privileged())
	if err != nil {
		return err
	}
	name := file
	if toStdout {
		name = firstFile // where its reader may put it
	}
	text, err := first.text(name)
	if err != nil {
		return err
	}
	if toStdout {
		return writeWhole(cmd.OutOrStdout(), text)
	}
	// Its directory may be new, such as ci/ of a repository.
	dir, err := disk.MakeDir(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer dir.Close()
	f, err := dir.Create(filepath.Base(file))
	if errors.Is(err, fs.ErrExist) {
		return usage(fmt.Errorf("%s is there already, and stays as it is: name another file (netab init FILE), or - to look at one", file))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := errors.Join(writeWhole(f, text), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", file, err), dir.Remove(filepath.Base(file))) // half a scenario is none
	}
	writef(cmd.OutOrStdout(), "wrote %s: %s\nnext: netab run %s --dry-run, then netab run %s\n", file, first.asks(), file, file)
	return nil
}

// A first scenario is what the template is told of a machine.
type first struct {
	File, CPUs, Model, Kernel string
	Pinned                    bool
	Source, Sink              int // CPUs, where pinned
	Steers                    bool
	WhyNot                    string // it does not steer
	Congestion, Virtual       string // "" where there is nothing to say
}

func newFirst(m results.Machine, privileged bool) (first, error) {
	usable, err := usableCPUs(m)
	if err != nil {
		return first{}, err
	}
	f := first{CPUs: prose.Counted(usable, "CPU"), Model: cmp.Or(m.CPUModel, "of an unknown model"), Kernel: m.Kernel, Congestion: question.UsualCongestion(&m)}
	if m.Virtualization != "none" {
		f.Virtual = m.Virtualization
	}
	flow, err := checkup.NewFlow(usable)
	if err != nil {
		return first{}, err
	}
	cpus, _ := flow.CPUs()
	f.Pinned, f.Source, f.Sink = usable > 1, cpus[0], cpus[1]
	switch {
	case !f.Pinned:
		f.WhyNot = "there is no other CPU to steer to"
	case !privileged:
		f.WhyNot = "needs root, or CAP_NET_ADMIN and CAP_SYS_ADMIN of the machine"
	default:
		f.Steers = true
	}
	// They go into comments, whatever the machine says of itself.
	for _, text := range []*string{&f.Model, &f.Kernel, &f.Congestion, &f.Virtual} {
		*text = escape.Visible(*text)
	}
	return f, nil
}

// asks says in a few words what is compared.
func (f first) asks() string {
	if f.Steers {
		return "TCP over veth without GRO, with it, and with packets steered"
	}
	return "TCP over veth without GRO and with it"
}

// text is the scenario as that file has it.
func (f first) text(file string) (string, error) {
	f.File = escape.Visible(file)
	var b strings.Builder
	if err := template.Must(template.New(firstFile).Parse(firstText)).Execute(&b, f); err != nil {
		return "", err
	}
	// What does not run is nothing to begin with: a file's name may be no scenario's.
	if _, err := scenarios.Parse(file, []byte(b.String())); err != nil {
		return "", usage(err)
	}
	return b.String(), nil
}
