package export

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"netab/analysis/escape"
	"netab/analysis/record"
	"netab/results"
)

var errNoSamples = errors.New("the run has no samples of stacks: netab explain RUN takes some, as root")

// Folded writes the stacks of explain trials as flamegraph.pl, inferno and speedscope
// read them: a line a stack, the outermost function first, below the arm and the role,
// and how often it was seen.
func Folded(w io.Writer, run *results.Run) error {
	seen := map[string]int64{}
	for i := range run.Explains {
		s := run.Explains[i].Samples
		if s == nil || run.Explains[i].Invalid != "" {
			continue
		}
		for _, stack := range s.Stacks {
			frames := []string{record.ArmName(run.Header.Design, stack.Arm), string(s.Role)}
			if len(stack.Frames) == 0 {
				frames = append(frames, "user space")
			}
			for _, f := range slices.Backward(stack.Frames) {
				frames = append(frames, s.Functions[f])
			}
			for j, f := range frames {
				frames[j] = strings.ReplaceAll(escape.Line(f), ";", ",")
			}
			seen[strings.Join(frames, ";")] += stack.N
		}
	}
	if len(seen) == 0 {
		return errNoSamples
	}
	for _, stack := range slices.Sorted(maps.Keys(seen)) {
		if _, err := fmt.Fprintf(w, "%s %d\n", stack, seen[stack]); err != nil {
			return err
		}
	}
	return nil
}
