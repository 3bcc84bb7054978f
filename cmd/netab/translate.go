package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"netab/analysis/escape"
	"netab/cmd/netab/translate"
	"netab/scenarios"
)

func newTranslate() *cobra.Command {
	var asJSON, yaml bool
	cmd := &cobra.Command{
		Use:   "translate 'COMMAND LINE'",
		Short: "Say how iperf3, netperf, neper, sockperf or nuttcp is asked of netab",
		Long: `Say what netab run is to be given in place of a command line of iperf3, netperf
(and super_netperf), neper (tcp_stream, tcp_rr, ...), sockperf, nuttcp or udp_sink: the
client's line, in quotes or behind translate as it is. Of every option it says what it
became, or why netab needs nothing for it. Where it has nothing for one, it says why,
and the exit status is 2. Nothing is left out in silence.

Both ends are on this machine: a host of the line is a veth pair between two
namespaces, localhost is loopback.`,
		Example: `  netab translate 'iperf3 -c host -u -b 1G -l 1400 -P 4'
  netab translate netperf -H host -t TCP_RR -- -r 128,8192
  netab translate --print-scenario 'tcp_stream -c -H host -F 100 -T 2' | netab run -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var t *translate.Translation
			var err error
			switch {
			case len(args) == 1:
				t, err = translate.Line(args[0])
			case strings.ContainsAny(args[0], " \t"):
				err = fmt.Errorf("%q is a whole command line, and %s follows it: flags of netab's own stand before it", args[0], args[1])
			default:
				t, err = translate.Words(args)
			}
			if err != nil {
				return usage(err)
			}
			return showTranslation(cmd, t, args, asJSON, yaml)
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the tool's name are its own options
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&yaml, "print-scenario", false, "print the scenario as a file has it")
	cmd.MarkFlagsMutuallyExclusive("json", "print-scenario")
	return cmd
}

// A translated is the document of --json.
type translated struct {
	*translate.Translation
	Command string `json:"command,omitempty"` // "" where an option is refused
}

func showTranslation(cmd *cobra.Command, t *translate.Translation, args []string, asJSON, yaml bool) error {
	var refused error
	for _, p := range t.Refused() {
		refused = errors.Join(refused, fmt.Errorf("%s: %s", p.Typed, p.Text))
	}
	command := ""
	out := cmd.OutOrStdout()
	if refused == nil {
		s, err := scenarios.ParseTyped(t.Flags)
		if err != nil {
			return badScenario(cmd, err)
		}
		if yaml {
			return failed(writeWhole(out, escape.Lines("# "+strings.Join(args, " "))+"\n"+string(s.YAML())))
		}
		command = asCommand(t.Flags)
	}
	switch {
	case asJSON:
		if err := writeJSON(out, translated{t, command}, ""); err != nil {
			return failed(err)
		}
	case !yaml:
		if err := printTranslation(out, t, command, widthOf(out)); err != nil {
			return failed(err)
		}
	}
	if refused != nil {
		return usage(fmt.Errorf("%s cannot be translated: %w", t.Tool, refused))
	}
	return nil
}

// asCommand is netab run with flags.
func asCommand(flags []scenarios.Typed) string {
	words := []string{"netab", "run"}
	for _, f := range flags {
		words = append(words, f.Flag, escape.Shell(f.Text))
	}
	return strings.Join(words, " ")
}

func printTranslation(w io.Writer, t *translate.Translation, command string, width int) error {
	var b strings.Builder
	if command != "" {
		b.WriteString(escape.Visible(command) + "\n\n")
	}
	typed, fate := 0, 0
	for _, p := range t.Parts {
		typed, fate = max(typed, min(utf8.RuneCountInString(p.Typed), 24)), max(fate, len(p.Fate))
	}
	indent := strings.Repeat(" ", 2+typed+2+fate+2)
	for _, p := range t.Parts {
		text := wrapped(escape.Visible(p.Text), max(width-len(indent), 20))
		writef(&b, "  %-*s  %-*s  %s\n", typed, p.Typed, fate, string(p.Fate), text[0])
		for _, line := range text[1:] {
			b.WriteString(indent + line + "\n")
		}
	}
	return writeWhole(w, b.String())
}

// wrapped are the lines of a text in a column of a width.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
