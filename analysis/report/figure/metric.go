package figure

import (
	"sort"
	"strings"

	"netab/analysis"
	"netab/analysis/prose"
)

// Names of the metrics that the report arranges itself around; package
// analysis defines what they are.
const (
	Goodput         = "goodput"
	PacketRate      = "packet_rate"
	TxRate          = "tx_rate"
	Loss            = "loss"
	CPUSource       = "cpu_source"
	CPUSink         = "cpu_sink"
	NSByteSource    = "ns_per_byte_source"
	NSByteSink      = "ns_per_byte_sink"
	NSPacketSource  = "ns_per_packet_source"
	NSPacketSink    = "ns_per_packet_sink"
	goodputPerCPU   = "goodput_per_sink_cpu"
	waitSource      = "wait_source"
	waitSink        = "wait_sink"
	TransactionRate = "transaction_rate"
	LossFreeRate    = "loss_free_rate"
	LatencyP50      = "latency_p50"
	LatencyP90      = "latency_p90"
	LatencyP99      = "latency_p99"
	LatencyP999     = "latency_p999"
	LatencyMax      = "latency_max"
	NSTransSource   = "ns_per_transaction_source"
	NSTransSink     = "ns_per_transaction_sink"
	DefaultHeadline = Goodput
)

// An Info is how the report speaks of a metric.
type Info struct {
	Name  string
	Title string // in tables and axis titles
	analysis.Quantity
}

// InfoOf never fails: a metric that a newer analysis knows is shown by its
// name and unit. That of traffic beside the main one is "NAME.metric".
func InfoOf(name string) Info {
	if of, metric, ok := Beside(name); ok {
		m := InfoOf(metric)
		return Info{Name: name, Title: of + ": " + prose.Lower(m.Title), Quantity: m.Quantity}
	}
	if m, ok := analysis.LookupMetric(name); ok {
		return Info{name, m.Heading, m.Quantity()}
	}
	return Info{Name: name, Title: name}
}

// Beside takes the name of a metric of traffic beside the main one apart.
func Beside(name string) (of, metric string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// ScaleFor chooses how a column of levels of one metric is written.
func (m Info) ScaleFor(levels []analysis.Level) Scale {
	values := make([]float64, 0, len(levels))
	halves := make([]float64, 0, len(levels))
	unit := ""
	for _, l := range levels {
		values = append(values, l.Mean)
		halves = append(halves, HalfWidth(l))
		unit = l.Unit
	}
	return m.Scale(unit, values, halves)
}

// Scale chooses how values of the metric are written, those of unit where it has none
// of its own.
func (m Info) Scale(unit string, values, halves []float64) Scale {
	switch m.Quantity {
	case analysis.BitRate:
		return SIScale("bit/s", values, halves)
	case analysis.PacketRate:
		return SIScale("pps", values, halves)
	case analysis.Share:
		return PercentScale(values, halves)
	case analysis.PerSecond:
		return SIScale("/s", values, halves)
	case analysis.Latency:
		return LatencyScale(values, halves)
	}
	return plainScale(unit, values, halves)
}

// HalfWidth is that of a level's interval.
func HalfWidth(l analysis.Level) float64 { return (l.Hi - l.Lo) / 2 }

// MetricNames lists the metrics of a summary's arms, known ones first and in
// the order of their table, the rest by name.
func MetricNames(arms []analysis.ArmSummary) []string {
	have := map[string]bool{}
	for _, a := range arms {
		for name := range a.Metrics {
			have[name] = true
		}
	}
	var names, rest []string
	for _, m := range analysis.Metrics() {
		if have[m.Name] {
			names = append(names, m.Name)
			delete(have, m.Name)
		}
	}
	for name := range have {
		rest = append(rest, name)
	}
	sort.Strings(rest)
	return append(names, rest...)
}

// Levels collects one metric of all arms that have it.
func Levels(arms []analysis.ArmSummary, metric string) []analysis.Level {
	var ls []analysis.Level
	for _, a := range arms {
		if l, ok := a.Metrics[metric]; ok {
			ls = append(ls, l)
		}
	}
	return ls
}
