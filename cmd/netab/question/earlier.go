package question

import (
	"netab/analysis"
	"netab/analysis/trend"
	"netab/results"
)

// maxEarlier is how many runs a run is held against: the newest ones.
const maxEarlier = trend.MaxEarlier

// Remember adds to a summary what earlier runs of the same question on the same
// machine say, by the store that the run is of. A store that cannot be read has
// nothing to say. Who only reads it leaves its index as it is.
func Remember(dir string, writes bool, run *results.Run, s *analysis.Summary) {
	asked := run.Header.Design.Asked()
	store, err := results.Open(dir)
	if err != nil || asked == "" {
		return
	}
	wanted := func(h *results.Header) bool {
		DescribeOlder(&results.Run{Header: *h})
		return h.Design.Asked() == asked && h.ID != run.Header.ID && h.Machine.Identity().Same(run.Header.Machine.Identity())
	}
	earlier, err := store.Earlier(trend.DigestVersion, maxEarlier, writes, Digest, wanted, func(d *results.Digest) bool {
		return trend.SameQuestion(d, &run.Header) && d.Started.Before(run.Header.Started)
	})
	if err == nil {
		analysis.Remember(s, earlier)
	}
}

// Digest is what the index of a store keeps of a run.
func Digest(run *results.Run) results.Digest {
	DescribeOlder(run)
	return trend.Digest(run)
}
