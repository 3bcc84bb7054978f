package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"netab/analysis/prose"
	"netab/cmd/netab/formats"
	"netab/cmd/netab/question"
	"netab/results/vocab"
	"netab/scenarios"
)

func newList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the built-in scenarios and the questions they answer",
		Long: `List the built-in scenarios by what they measure, a line each. Where a question
does not fit, netab show NAME has all of it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return failed(writeJSON(cmd.OutOrStdout(), listed(), ""))
			}
			return failed(printList(cmd.OutOrStdout(), listed(), widthOf(cmd.OutOrStdout())))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// A listing is one built-in scenario as netab list shows it.
type listing struct {
	Name     string `json:"name"`
	Group    string `json:"group"`
	Question string `json:"question"`
}

// Groups of built-in scenarios, in the order of the list.
var groups = []string{"TCP streams", "UDP", "requests and connections"}

func listed() []listing {
	var out []listing
	for _, b := range scenarios.Builtins() {
		out = append(out, listing{b.Name, groupOf(b.Name), strings.Join(strings.Fields(b.Question), " ")})
	}
	return out
}

// groupOf goes by the traffic that the arms share.
func groupOf(name string) string {
	src, _ := scenarios.BuiltinSource(name)
	s, err := scenarios.Parse(name, src)
	if err != nil {
		panic(err) // embedded, and tested
	}
	t := s.Traffic
	switch {
	case t.Kind == vocab.RR || t.Kind == vocab.CRR || t.Kind == vocab.Conn:
		return groups[2]
	case t.Protocol == vocab.UDP || t.Kind == vocab.Flood || t.Kind == vocab.Multicast:
		return groups[1]
	}
	return groups[0]
}

// printList writes lines of at most so many columns.
func printList(w io.Writer, all []listing, columns int) error {
	width := 0
	for _, l := range all {
		width = max(width, len(l.Name))
	}
	var b strings.Builder
	for i, group := range groups {
		if i > 0 {
			b.WriteByte('\n')
		}
		writef(&b, "%s:\n", group)
		for _, l := range all {
			if l.Group == group {
				writef(&b, "  %-*s  %s\n", width, l.Name, cut(l.Question, columns-width-4))
			}
		}
	}
	return writeWhole(w, b.String())
}

// cut shortens a text to a width, at the end of a word where there is one.
func cut(text string, width int) string {
	const more = " ..."
	runes := []rune(text)
	switch {
	case len(runes) <= width:
		return text
	case width <= len(more):
		return string(runes[:max(width, 0)])
	}
	text = string(runes[:width-len(more)+1])
	if word := strings.LastIndexByte(text, ' '); word > 0 {
		return strings.TrimRight(text[:word], ",:;") + more
	}
	return string(runes[:width-len(more)]) + more
}

func newShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a built-in scenario file",
		Args:              exactly(1, "a scenario: a name from `netab list`, or a file"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, ok := scenarios.BuiltinSource(args[0])
			if !ok {
				return usage(fmt.Errorf("no scenario is named %q: %s", args[0], question.Nearest(args[0])))
			}
			return failed(writeWhole(cmd.OutOrStdout(), string(text)))
		},
	}
}

const scenarioFormat = "scenario"

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [FORMAT]",
		Short: "Print the JSON Schema of scenario files, or of what netab writes",
		Long: `Print the JSON Schema of scenario files. Save it and name it in the first line
of a scenario, and an editor with a YAML language server completes and checks:

  netab schema > netab.schema.json
  # yaml-language-server: $schema=netab.schema.json

netab schema FORMAT prints that of a format that netab writes: ` + strings.Join(formats.Names(), ", ") + `.
Of one in JSON lines (run, campaign, bisection) it is the schema of a line. Later
versions may add members and lines.`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: append([]string{scenarioFormat}, formats.Names()...),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := scenarios.Schema()
			if len(args) > 0 && args[0] != scenarioFormat {
				var ok bool
				if text, ok = formats.Schema(args[0]); !ok {
					return usage(fmt.Errorf("no format is named %q: %s", args[0], scenarios.Suggest(args[0], append([]string{scenarioFormat}, formats.Names()...))))
				}
			}
			return failed(writeWhole(cmd.OutOrStdout(), string(text)))
		},
	}
}

func newValidate() *cobra.Command {
	var sets []string
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check scenario files against the schema and this machine's CPUs",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			code := exitFine
			for _, file := range args {
				q, err := question.Load(file, sets)
				if err != nil {
					status, _ := errors.AsType[*statusError](badScenario(cmd, err))
					if status.err != nil {
						writeln(cmd.ErrOrStderr(), "netab:", status.err)
					}
					code = max(code, status.code)
					continue
				}
				writef(cmd.OutOrStdout(), "%s: ok, %s\n", file, prose.Counted(len(q.Arms), "arm"))
				for _, fault := range q.Unasked(q.Arms, nil) {
					writeln(cmd.OutOrStdout(), "note:", fault)
				}
			}
			if code != exitFine {
				return &statusError{code, nil}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&sets, "set", nil, "override `PATH=VALUE` of the scenario (repeatable)")
	cmd.ValidArgsFunction = completeScenario
	return cmd
}
