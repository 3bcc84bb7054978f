package html

import (
	"fmt"
	"path"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

func runFacts(run *results.Run, s analysis.Summary) []fact {
	h := run.Header
	p := h.Plan
	facts := []fact{
		{"Run", h.ID}, {"Started", h.Started.UTC().Format(time.RFC3339)}, {"Ended", string(s.Ended)},
		{"Trials", fmt.Sprintf("%d used, %d not used", s.Trials, s.Invalid)},
		{"Time", fmt.Sprintf("%s from the first trial to the last, %s of it counted", prose.Seconds(s.DurationS), prose.Seconds(s.MeasuredS))},
		{"Turns", fmt.Sprintf("%s of %s, the first %s of each not counted, %s a trial", grainWords(p.Grain),
			prose.Duration(time.Duration(p.SliceNS)), prose.Duration(time.Duration(p.SettleNS)), prose.Counted(p.BlocksPerTrial, "block"))},
		{"Why so", p.Reason}, {"Counters of the machine", countersText(run)}, {"Confidence", prose.ShortPercent(s.Confidence)}, {"Resolution", prose.ShortPercent(s.Resolution)},
		{"netab", strings.TrimSpace(h.Netab.Version + " " + h.Netab.Revision)},
	}
	return present(facts)
}

// countersText says of how many slices the machine's counters are known; "" where
// none were to be read.
func countersText(run *results.Run) string {
	c := run.Header.Plan.Counters
	if c == nil {
		return ""
	}
	read, all := 0, 0
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			all++
			if run.Trials[i].Slices[k].Counters != nil {
				read++
			}
		}
	}
	var names []string
	for _, file := range c.Files {
		names = append(names, path.Base(file))
	}
	text := "in every block"
	if c.EveryBlocks > 1 {
		text = fmt.Sprintf("in one of %d blocks", c.EveryBlocks)
	}
	return fmt.Sprintf("%s, %s: read for %d of %s", strings.Join(names, ", "), text, read, prose.Counted(all, "slice"))
}

func grainWords(grain vocab.Grain) string {
	switch grain {
	case vocab.BySlice:
		return "arms side by side in slices"
	case vocab.BySliceSwitched:
		return "settings switched between slices"
	case vocab.ByTrial:
		return "a fresh set-up for each arm's turn"
	}
	return string(grain)
}
