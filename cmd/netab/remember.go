package main

import (
	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/trend"
	"netab/results"
)

// maxEarlier is how many runs a run is held against: the newest ones.
const maxEarlier = 50

// judged is a stored run judged again, with what earlier ones say. One that is
// told to strangers says nothing of others.
func judged(cmd *cobra.Command, run *results.Run, redacted bool) analysis.Summary {
	s := analysis.Summarize(run)
	if !redacted {
		remember(storeFlag(cmd), false, run, &s)
	}
	return s
}

// remember adds to a summary what earlier runs of the same question on the same
// machine say, by the store that the run is of. A store that cannot be read has
// nothing to say. Who only reads it leaves its index as it is.
func remember(dir string, writes bool, run *results.Run, s *analysis.Summary) {
	asked := run.Header.Design.Asked()
	store, err := results.Open(dir)
	if err != nil || asked == "" {
		return
	}
	wanted := func(h *results.Header) bool {
		describeOlder(&results.Run{Header: *h})
		return h.Design.Asked() == asked && h.ID != run.Header.ID && h.Machine.Identity().Same(run.Header.Machine.Identity())
	}
	earlier, err := store.Earlier(trend.DigestVersion, maxEarlier, writes, digestRun, wanted, func(d *results.Digest) bool {
		return trend.SameQuestion(d, &run.Header) && d.Started.Before(run.Header.Started)
	})
	if err == nil {
		analysis.Remember(s, earlier)
	}
}
