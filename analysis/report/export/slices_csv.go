package export

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"netab/analysis/record"
	"netab/results"
)

// CSV writes a run tidily: one row a slice, invalid ones included (with the
// reason), units in the heading. Columns of factors stand after the arm.
func CSV(w io.Writer, run *results.Run) error {
	c := newCSV(w)
	design := run.Header.Design
	c.text(csvHeading(design)...)
	if err := c.end(); err != nil {
		return err
	}
	for _, t := range run.Trials {
		for _, s := range t.Slices {
			csvRow(c, run.Header.ID, design, t, s)
			if err := c.end(); err != nil {
				return err
			}
		}
	}
	return c.flush()
}

func csvHeading(d results.Design) []string {
	head := []string{"run", "trial", "trial_started", "trial_invalid", "block", "arm"}
	for _, f := range d.Factors {
		head = append(head, "factor_"+f.Name)
	}
	head = append(head, "start_ns", "counted_ns", "rx_bytes", "rx_msgs", "tx_bytes", "tx_msgs", "drops",
		"source_cpu_ns", "source_idle_ns", "sink_cpu_ns", "source_wait_ns", "sink_wait_ns", "goodput_bps", "transactions", "offered_rate")
	for _, name := range besideNames(d) {
		for _, column := range []string{"_rx_bytes", "_rx_msgs", "_tx_bytes", "_tx_msgs", "_transactions", "_source_cpu_ns", "_sink_cpu_ns"} {
			head = append(head, "beside_"+name+column)
		}
	}
	return append(head, "invalid")
}

// besideNames lists the traffic that any arm has beside its main one.
func besideNames(d results.Design) []string {
	names := map[string]bool{}
	for _, a := range d.Arms {
		for name := range a.Beside {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// offeredRate is what was asked of the sources, "" where they were free.
func offeredRate(d results.Design, s results.Slice) string {
	rate := s.Rate
	if rate == 0 && s.Arm >= 0 && s.Arm < len(d.Arms) {
		rate = d.Arms[s.Arm].Rate
	}
	if rate == 0 {
		return ""
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

func csvRow(c *csvTable, id string, d results.Design, t results.Trial, s results.Slice) {
	c.text(id)
	c.ints(int64(t.Index))
	c.text(t.Started.UTC().Format(time.RFC3339Nano), t.Invalid)
	c.ints(int64(s.Block))
	c.text(record.ArmName(d, s.Arm))
	for _, f := range d.Factors {
		c.text(record.FactorLevelOf(d, s.Arm, f.Name))
	}
	c.ints(s.StartNS, s.CountedNS, s.RxBytes, s.RxMsgs, s.TxBytes, s.TxMsgs, s.Drops,
		s.SourceCPU, s.SourceIdle, s.SinkCPU, s.SourceWait, s.SinkWait)
	rate := ""
	if s.CountedNS > 0 {
		rate = strconv.FormatFloat(8e9*float64(s.RxBytes)/float64(s.CountedNS), 'f', 0, 64)
	}
	c.text(rate)
	c.ints(s.Transactions)
	c.text(offeredRate(d, s))
	for _, name := range besideNames(d) {
		b, ok := s.Beside[name]
		for _, v := range []int64{b.RxBytes, b.RxMsgs, b.TxBytes, b.TxMsgs, b.Transactions, b.SourceCPU, b.SinkCPU} {
			if !ok {
				c.text("")
				continue
			}
			c.ints(v)
		}
	}
	c.text(s.Invalid)
}
