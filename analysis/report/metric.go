package report

import (
	"sort"
	"strings"

	"netab/analysis"
)

// Names of the metrics that the report arranges itself around; package
// analysis defines what they are.
const (
	goodput         = "goodput"
	packetRate      = "packet_rate"
	txRate          = "tx_rate"
	loss            = "loss"
	cpuSource       = "cpu_source"
	cpuSink         = "cpu_sink"
	nsByteSource    = "ns_per_byte_source"
	nsByteSink      = "ns_per_byte_sink"
	nsPacketSource  = "ns_per_packet_source"
	nsPacketSink    = "ns_per_packet_sink"
	goodputPerCPU   = "goodput_per_sink_cpu"
	waitSource      = "wait_source"
	waitSink        = "wait_sink"
	transactionRate = "transaction_rate"
	lossFreeRate    = "loss_free_rate"
	latencyP50      = "latency_p50"
	latencyP90      = "latency_p90"
	latencyP99      = "latency_p99"
	latencyP999     = "latency_p999"
	latencyMax      = "latency_max"
	nsTransSource   = "ns_per_transaction_source"
	nsTransSink     = "ns_per_transaction_sink"
	defaultHeadline = goodput
)

// A quantity is how a metric's numbers are written.
type quantity int

const (
	plain     quantity = iota
	bitRate            // SI prefixes before bit/s
	pktRate            // SI prefixes before pps
	share              // fraction, shown in percent
	perSecond          // SI prefixes before /s
	latency            // µs, ms where that is too long
)

// A metricInfo is how the report speaks of a metric.
type metricInfo struct {
	name  string
	title string // in tables and axis titles
	quantity
}

// metricInfos lists the known metrics in the order in which tables show them.
var metricInfos = []metricInfo{
	{goodput, "Goodput", bitRate},
	{transactionRate, "Transaction rate", perSecond},
	{lossFreeRate, "Loss-free rate", perSecond},
	{latencyP50, "Median latency", latency},
	{latencyP90, "p90 latency", latency},
	{latencyP99, "p99 latency", latency},
	{latencyP999, "p99.9 latency", latency},
	{latencyMax, "Largest latency", latency},
	{packetRate, "Packets received", pktRate},
	{txRate, "Sending rate", bitRate},
	{loss, "Loss", share},
	{cpuSource, "Source CPU", share},
	{cpuSink, "Sink CPU", share},
	{goodputPerCPU, "Goodput per sink CPU", bitRate},
	{nsByteSource, "Source CPU per byte", plain},
	{nsByteSink, "Sink CPU per byte", plain},
	{nsPacketSource, "Source CPU per packet", plain},
	{nsPacketSink, "Sink CPU per packet", plain},
	{nsTransSource, "Source CPU per transaction", plain},
	{nsTransSink, "Sink CPU per transaction", plain},
	{waitSource, "Source waiting for a CPU", share},
	{waitSink, "Sink waiting for a CPU", share},
	{"switches_source", "Source switches per message", plain},
	{"switches_sink", "Sink switches per message", plain},
	{"migrations", "Migrations", perSecond},
	{"time_squeeze", "Time squeezes", perSecond},
	{"softnet_drops", "Softnet drops", perSecond},
	{"rps_interrupts", "RPS interrupts per packet", plain},
	{"net_rx_softirqs", "NET_RX softirqs per packet", plain},
	{"interrupts", "Interrupts", perSecond},
	{"machine_switches", "Context switches of the machine", perSecond},
}

// infoOf never fails: a metric that a newer analysis knows is shown by its
// name and unit. That of traffic beside the main one is "NAME.metric".
func infoOf(name string) metricInfo {
	if of, metric, ok := beside(name); ok {
		m := infoOf(metric)
		return metricInfo{name: name, title: of + ": " + lowerFirst(m.title), quantity: m.quantity}
	}
	for _, m := range metricInfos {
		if m.name == name {
			return m
		}
	}
	return metricInfo{name: name, title: name}
}

// beside takes the name of a metric of traffic beside the main one apart.
func beside(name string) (of, metric string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// scaleFor chooses how a column of levels of one metric is written.
func (m metricInfo) scaleFor(levels []analysis.Level) scale {
	values := make([]float64, 0, len(levels))
	halves := make([]float64, 0, len(levels))
	unit := ""
	for _, l := range levels {
		values = append(values, l.Mean)
		halves = append(halves, halfWidth(l))
		unit = l.Unit
	}
	return m.scale(unit, values, halves)
}

func (m metricInfo) scale(unit string, values, halves []float64) scale {
	switch m.quantity {
	case bitRate:
		return siScale("bit/s", values, halves)
	case pktRate:
		return siScale("pps", values, halves)
	case share:
		return percentScale(values, halves)
	case perSecond:
		return siScale("/s", values, halves)
	case latency:
		return latencyScale(values, halves)
	}
	return plainScale(unit, values, halves)
}

func halfWidth(l analysis.Level) float64 { return (l.Hi - l.Lo) / 2 }

// metricNames lists the metrics of a summary's arms, known ones first and in
// the order of metricInfos, the rest by name.
func metricNames(arms []analysis.ArmSummary) []string {
	have := map[string]bool{}
	for _, a := range arms {
		for name := range a.Metrics {
			have[name] = true
		}
	}
	var names, rest []string
	for _, m := range metricInfos {
		if have[m.name] {
			names = append(names, m.name)
			delete(have, m.name)
		}
	}
	for name := range have {
		rest = append(rest, name)
	}
	sort.Strings(rest)
	return append(names, rest...)
}

// headlineOf is the metric that the verdict table is about: the first that is
// judged, else what there is.
func headlineOf(s analysis.Summary) string {
	for _, c := range s.Comparisons {
		if c.Judged {
			return c.Metric
		}
	}
	for _, name := range s.Metrics {
		if len(levels(s.Arms, name)) > 0 {
			return name
		}
	}
	if len(s.Comparisons) > 0 {
		return s.Comparisons[0].Metric
	}
	if names := metricNames(s.Arms); len(names) > 0 && len(levels(s.Arms, defaultHeadline)) == 0 {
		return names[0]
	}
	return defaultHeadline
}

// levels collects one metric of all arms that have it.
func levels(arms []analysis.ArmSummary, metric string) []analysis.Level {
	var ls []analysis.Level
	for _, a := range arms {
		if l, ok := a.Metrics[metric]; ok {
			ls = append(ls, l)
		}
	}
	return ls
}
