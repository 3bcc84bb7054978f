package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netab/analysis/escape"
	"netab/scenarios"
)

// askedFlags are those of netab run that ask a question without a file, or change
// the one that a file asks.
type askedFlags struct {
	traffic, topology, message, rate string
	flows, cpuSource, cpuSink        string
	arms, vary                       []string
	baseline                         string
	print                            bool
}

func (f *askedFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.traffic, "traffic", "", "what the flows carry: `KIND`, such as TCP_STREAM, TCP_RR, udp, or a mapping as in a file")
	fl.StringVar(&f.topology, "topology", "", "`KIND` of path: loopback, veth, or a mapping as in a file")
	fl.StringVar(&f.message, "message", "", "`BYTES` of each send call, or of a request (64K, 1472)")
	fl.StringVar(&f.flows, "flows", "", "`NUMBER` of flows")
	fl.StringVar(&f.rate, "rate", "", "messages or transactions a second, `RATE` of all flows together (10k)")
	fl.StringVar(&f.cpuSource, "cpu-source", "", "`CPUS` of the source's threads")
	fl.StringVar(&f.cpuSink, "cpu-sink", "", "`CPUS` of the sink's threads")
	fl.StringArrayVar(&f.arms, "arm", nil, "an `ARM`: NAME, or NAME: PATH=VALUE, ... (repeatable; the first is the baseline)")
	fl.StringArrayVar(&f.vary, "vary", nil, "arms of the values of `PATH=VALUE,...`: a factor of a matrix (repeatable)")
	fl.StringVar(&f.baseline, "baseline", "", "the `ARM` that others are compared with")
	fl.BoolVar(&f.print, "print-scenario", false, "print the scenario as a file has it, and do nothing")
	for flag, words := range map[string]func() []string{"traffic": scenarios.Workloads, "topology": func() []string { return []string{"loopback", "veth"} }} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words(), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

// any says whether the flags alone make a question.
func (f *askedFlags) any() bool {
	parts, arms := f.typed()
	return len(parts)+len(arms) > 0
}

// typed are the parts of the scenario that the flags give, and then its arms.
func (f *askedFlags) typed() (parts, arms []scenarios.Typed) {
	parts = given([]scenarios.Typed{
		{Flag: "--topology", Path: "topology", Text: f.topology}, {Flag: "--traffic", Path: "traffic", Text: f.traffic},
		{Flag: "--message", Path: "traffic.message", Text: f.message}, {Flag: "--flows", Path: "traffic.flows", Text: f.flows},
		{Flag: "--rate", Path: "traffic.rate", Text: f.rate},
		{Flag: "--cpu-source", Path: "placement.source", Text: f.cpuSource}, {Flag: "--cpu-sink", Path: "placement.sink", Text: f.cpuSink},
	})
	for _, text := range f.vary {
		arms = append(arms, scenarios.Typed{Flag: "--vary", Text: text})
	}
	for _, text := range f.arms {
		arms = append(arms, scenarios.Typed{Flag: "--arm", Text: text})
	}
	return parts, append(arms, given([]scenarios.Typed{{Flag: "--baseline", Path: "baseline", Text: f.baseline}})...)
}

const onlyUsage = "measure only `ARM,...` and the baseline (repeatable); FACTOR=LEVEL names all arms that have it"

// onlyTyped are the arms that --only names. A name of a matrix's arm has commas itself:
// with a level in it, it is one entry.
func onlyTyped(only []string) []scenarios.Typed {
	var entries []string
	for _, text := range only {
		if strings.Contains(text, "=") {
			entries = append(entries, strconv.Quote(text))
			continue
		}
		for _, name := range strings.Split(text, ",") {
			entries = append(entries, strconv.Quote(strings.TrimSpace(name)))
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return []scenarios.Typed{{Flag: "--only", Path: "only", Text: "[" + strings.Join(entries, ", ") + "]"}}
}

// given are the flags that were given.
func given(all []scenarios.Typed) (out []scenarios.Typed) {
	for _, t := range all {
		if t.Text != "" {
			out = append(out, t)
		}
	}
	return out
}

// printScenario prints what the flags make of a scenario, as a file would have it: as
// it was read, comments and all, where they change nothing.
func (f runFlags) printScenario(cmd *cobra.Command, ref string) error {
	q, err := f.load(cmd, ref)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if len(f.typed()) == 0 {
		return failed(writeWhole(out, string(q.Text)))
	}
	return failed(writeWhole(out, "# "+commandLine(os.Args[1:])+"\n"+string(q.YAML())))
}

// commandLine is netab's own as it can be typed again, but for what printed it.
func commandLine(args []string) string {
	words := []string{"netab"}
	for _, arg := range args {
		if arg != "--print-scenario" {
			words = append(words, escape.Shell(arg))
		}
	}
	return strings.ReplaceAll(strings.Join(words, " "), "\n", " ")
}
