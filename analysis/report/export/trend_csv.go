package export

import (
	"io"
	"strconv"
	"time"

	"netab/analysis/trend"
)

// TrendCSV writes a history tidily: a row a point, values in the unit that
// stands beside them.
func TrendCSV(w io.Writer, h trend.History) error {
	c := newCSV(w)
	c.text("scenario", "arm", "against", "metric", "machine", "traffic", "run", "started", "kernel", "commit", "boot",
		"value", "unit", "segment", "segment_level", "change_point", "change_p")
	if err := c.end(); err != nil {
		return err
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	for i := range h.Series {
		s := &h.Series[i]
		unit := s.Unit
		if s.Against != "" {
			unit = "relative change"
		}
		for k, segment := range s.Segments {
			for j := segment.From; j < segment.To; j++ {
				p := &s.Points[j]
				change, prob := "", ""
				if k > 0 && j == segment.From {
					change, prob = number(s.Changes[k-1].Change), number(s.Changes[k-1].P)
				}
				c.text(s.Scenario, s.Arm, s.Against, s.Metric, s.Machine, s.Traffic, p.Run,
					p.Started.UTC().Format(time.RFC3339), p.Kernel, p.Commit, p.Boot, number(p.Value), unit,
					strconv.Itoa(k), number(segment.Level), change, prob)
				if err := c.end(); err != nil {
					return err
				}
			}
		}
		for _, r := range s.Silent {
			c.text(s.Scenario, s.Arm, s.Against, s.Metric, s.Machine, s.Traffic, r.Run,
				r.Started.UTC().Format(time.RFC3339), r.Kernel, "", "", number(silence(s)), unit, "", "", "", "")
			if err := c.end(); err != nil {
				return err
			}
		}
	}
	return c.flush()
}

// silence is what a run in which nothing was received comes to: nothing, or all
// of the baseline less.
func silence(s *trend.Series) float64 {
	if s.Against != "" {
		return -1
	}
	return 0
}
