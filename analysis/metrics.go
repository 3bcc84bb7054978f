package analysis

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// A Direction says which way a metric gets better.
type Direction int

// The directions.
const (
	Higher Direction = iota + 1
	Lower
)

// A Metric is a number that an arm has in each trial. How it is computed from
// a record is its estimator's business: most are ratios of two sums over
// slices, some have one value for a whole trial.
type Metric struct {
	Name    string
	Title   string // in a sentence: "goodput", "sink CPU time per byte"
	Heading string // of a column or an axis: "Sink CPU per byte"
	Unit    string // says how numbers are written, too: see Quantity
	Better  Direction
	// Difference: the metric can be zero, so its changes are differences in
	// its unit, not ratios; the resolution is then a difference too.
	Difference bool
	// Counts is what a rate in 1/s is a rate of, in a sentence: "transactions".
	Counts string
	// Geometric: levels are averaged as logarithms, as rates that were searched
	// on a logarithmic scale must be.
	Geometric bool

	of scope
	// per: changes are differences as shares of this level (the baseline's mean),
	// because some levels are zero; 0 = they are log ratios.
	per    float64
	beside string // name of the traffic beside the main one that it is of; "" = the main one
	copied bool   // of receive calls, where others are of transactions
	estimator
}

// A Quantity is how numbers of a metric are written.
type Quantity int

// The quantities.
const (
	Plain      Quantity = iota // with the unit behind
	BitRate                    // SI prefixes before bit/s
	PacketRate                 // SI prefixes before pps
	Share                      // a fraction, or of CPUs, in percent
	PerSecond                  // SI prefixes before /s
	Latency                    // us, ms where that is too long
)

// Quantity follows from the unit.
func (m Metric) Quantity() Quantity {
	switch m.Unit {
	case "bit/s":
		return BitRate
	case "pps":
		return PacketRate
	case "fraction", "CPU":
		return Share
	case "1/s":
		return PerSecond
	case "us":
		return Latency
	}
	return Plain
}

// Metrics lists every metric of an arm's main traffic, in the order in which
// they are shown. CPU times of a role include softirq work that ran on its
// threads' back.
func Metrics() []Metric { return slices.Clone(metricTable()) }

// metricTable is made once: covariates and charts look metrics up for every trial.
var metricTable = sync.OnceValue(func() []Metric { return append(trafficMetrics(), counterMetrics()...) })

func trafficMetrics() []Metric {
	return []Metric{
		{Name: "goodput", Heading: "Goodput", Title: "goodput", Unit: "bit/s", Better: Higher, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(8*float64(s.RxBytes), seconds(s.CountedNS))
		})},
		{Name: "transaction_rate", Heading: "Transaction rate", Title: "transaction rate", Unit: "1/s", Counts: "transactions", Better: Higher, of: ofTransactions, estimator: ratio(func(arm *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(transactions(arm, s), seconds(s.CountedNS))
		})},
		{Name: "loss_free_rate", Heading: "Loss-free rate", Title: "loss-free rate", Unit: "1/s", Counts: "messages", Better: Higher, Geometric: true, of: ofSearches, estimator: lossFreeRate{}},
		{Name: "latency_p50", Heading: "Median latency", Title: "median latency", Unit: "us", Better: Lower, of: ofLatency, estimator: quantile(0.5)},
		{Name: "latency_p90", Heading: "p90 latency", Title: "p90 latency", Unit: "us", Better: Lower, of: ofLatency, estimator: quantile(0.9)},
		{Name: "latency_p99", Heading: "p99 latency", Title: "p99 latency", Unit: "us", Better: Lower, of: ofLatency, estimator: quantile(0.99)},
		{Name: "latency_p999", Heading: "p99.9 latency", Title: "p99.9 latency", Unit: "us", Better: Lower, of: ofLatency, estimator: quantile(0.999)},
		{Name: "latency_max", Heading: "Largest latency", Title: "largest latency", Unit: "us", Better: Lower, of: ofLatency, estimator: quantile(1)},
		{Name: "copy_delay_p50", Heading: "Median delay to the copy", Title: "median delay to the copy", Unit: "us", Better: Lower, of: ofStamps, copied: true, estimator: quantile(0.5)},
		{Name: "copy_delay_p99", Heading: "p99 delay to the copy", Title: "p99 delay to the copy", Unit: "us", Better: Lower, of: ofStamps, copied: true, estimator: quantile(0.99)},
		{Name: "packet_rate", Heading: "Packets received", Title: "packet rate", Unit: "pps", Better: Higher, of: ofDatagrams, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.RxMsgs), seconds(s.CountedNS))
		})},
		{Name: "tx_rate", Heading: "Sending rate", Title: "sending rate", Unit: "bit/s", Better: Higher, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(8*float64(s.TxBytes), seconds(s.CountedNS))
		})},
		{Name: "loss", Heading: "Loss", Title: "loss", Unit: "fraction", Better: Lower, Difference: true, of: ofDatagrams, estimator: datagramLoss},
		{Name: "cpu_source", Heading: "Source CPU", Title: "source CPU use", Unit: "CPU", Better: Lower, of: ofFixedRate.and(sourceCost), estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SourceCost()), float64(s.CountedNS))
		})},
		{Name: "cpu_sink", Heading: "Sink CPU", Title: "sink CPU use", Unit: "CPU", Better: Lower, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SinkCPU), float64(s.CountedNS))
		})},
		{Name: "goodput_per_sink_cpu", Heading: "Goodput per sink CPU", Title: "goodput per CPU of the sink", Unit: "bit/s", Better: Higher, of: ofFixedRate.and(sinkCost), estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(8*float64(s.RxBytes), seconds(s.SinkCPU))
		})},
		{Name: "ns_per_byte_source", Heading: "Source CPU per byte", Title: "source CPU time per byte", Unit: "ns/B", Better: Lower, of: ofBytes.and(sourceCost), estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SourceCost()), float64(s.RxBytes))
		})},
		{Name: "ns_per_byte_sink", Heading: "Sink CPU per byte", Title: "sink CPU time per byte", Unit: "ns/B", Better: Lower, of: ofBytes.and(sinkCost), estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SinkCPU), float64(s.RxBytes))
		})},
		{Name: "ns_per_packet_source", Heading: "Source CPU per packet", Title: "source CPU time per packet", Unit: "ns/packet", Better: Lower, of: ofDatagrams.and(sourceCost), estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SourceCost()), float64(s.RxMsgs))
		})},
		{Name: "ns_per_packet_sink", Heading: "Sink CPU per packet", Title: "sink CPU time per packet", Unit: "ns/packet", Better: Lower, of: ofDatagrams.and(sinkCost), estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SinkCPU), float64(s.RxMsgs))
		})},
		{Name: "ns_per_transaction_source", Heading: "Source CPU per transaction", Title: "source CPU time per transaction", Unit: "ns", Better: Lower, of: ofTransactions.and(sourceCost), estimator: ratio(func(arm *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SourceCost()), transactions(arm, s))
		})},
		{Name: "ns_per_transaction_sink", Heading: "Sink CPU per transaction", Title: "sink CPU time per transaction", Unit: "ns", Better: Lower, of: ofTransactions.and(sinkCost), estimator: ratio(func(arm *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SinkCPU), transactions(arm, s))
		})},
		{Name: "wait_source", Heading: "Source waiting for a CPU", Title: "source wait for a CPU", Unit: "CPU", Better: Lower, Difference: true, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SourceWait), float64(s.CountedNS))
		})},
		{Name: "wait_sink", Heading: "Sink waiting for a CPU", Title: "sink wait for a CPU", Unit: "CPU", Better: Lower, Difference: true, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			return stat.Per(float64(s.SinkWait), float64(s.CountedNS))
		})},
	}
}

// besideMetrics are those that traffic beside the main one has too: what a
// record keeps of it is less.
var besideMetrics = []string{"goodput", "transaction_rate", "latency_p50", "latency_p90", "latency_p99", "latency_p999", "latency_max",
	"packet_rate", "tx_rate", "loss", "ns_per_transaction_source", "ns_per_transaction_sink", "cpu_source", "cpu_sink"}

// metricsOf lists the metrics of the main traffic and, named "rpc.goodput", of
// all traffic beside it.
func metricsOf(d results.Design) []Metric {
	all := Metrics()
	names := map[string]bool{}
	for _, a := range d.Arms {
		for name := range a.Beside {
			names[name] = true
		}
	}
	main := all
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, m := range main {
			if slices.Contains(besideMetrics, m.Name) {
				all = append(all, m.besides(name))
			}
		}
	}
	return all
}

// judgedOf is metricsOf for the judged metrics, in their order.
func judgedOf(d results.Design) []Metric {
	judged := judgedMetrics(d)
	all := slices.DeleteFunc(metricsOf(d), func(m Metric) bool { return !slices.Contains(judged, m.Name) })
	slices.SortStableFunc(all, func(a, b Metric) int { return cmp.Compare(rank(judged, a.Name), rank(judged, b.Name)) })
	return all
}

// besides makes the metric one of the named traffic beside the main one.
func (m Metric) besides(name string) Metric {
	m.Name, m.Title, m.beside = name+"."+m.Name, m.Title+" of "+name, name
	return m
}

// LookupMetric finds a metric by name, "rpc.goodput" among the traffic beside
// the main one.
func LookupMetric(name string) (Metric, bool) {
	beside := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		beside, name = name[:i], name[i+1:]
	}
	for _, m := range metricTable() {
		switch {
		case m.Name != name:
		case beside == "":
			return m, true
		case slices.Contains(besideMetrics, name):
			return m.besides(beside), true
		}
	}
	return Metric{}, false
}

// A scope is the arms that a metric means something for.
type scope struct {
	has  func(arm results.Arm) bool
	text string // what it is of: "counts datagrams"
}

// Slices of an arm that searches for a rate differ in what was offered, so
// their sums say nothing of the arm.
var (
	ofFixedRate = scope{fixedRate, "is of arms with one rate"}
	ofBytes     = scope{func(a results.Arm) bool { return fixedRate(a) && !a.Kind.Transacts() }, "is of streams"}
	// For byte streams messages are whatever a receive call happened to return.
	ofDatagrams    = scope{func(a results.Arm) bool { return fixedRate(a) && a.Protocol.Datagrams() }, "counts datagrams"}
	ofTransactions = scope{func(a results.Arm) bool { return fixedRate(a) && a.Kind.Transacts() }, "counts transactions (rr, crr, conn)"}
	ofLatency      = scope{func(a results.Arm) bool { return fixedRate(a) && a.Kind.Answers() }, "is of responses (rr, crr)"}
	ofStamps       = scope{func(a results.Arm) bool { return fixedRate(a) && a.SinkStamps }, "is of sinks that know when what they receive came (traffic.sink.timestamp)"}
	ofSearches     = scope{func(a results.Arm) bool { return !fixedRate(a) }, "is of a search for the highest rate (loss_free)"}
)

// What a role's CPU time says of the traffic, where the role does nothing else
// with it.
var (
	sourceCost = scope{func(a results.Arm) bool { return a.Rate <= 0 || a.IdleKnown }, "cannot be told from the waiting of a source that keeps to a rate in records of this age"}
	sinkCost   = scope{func(a results.Arm) bool { return !a.SinkSpins }, "says nothing of a sink that spins"}
)

// and is the arms that are in both scopes.
func (s scope) and(o scope) scope {
	return scope{func(a results.Arm) bool { return s.has(a) && o.has(a) }, s.text + " and " + o.text}
}

func fixedRate(a results.Arm) bool { return a.LossFree == nil }

// due is how many messages should arrive: of multicast, each at every sink.
func due(arm *results.Arm, s *results.Slice) float64 {
	if arm.Kind == vocab.Multicast {
		return float64(s.TxMsgs) * float64(max(1, arm.Flows))
	}
	return float64(s.TxMsgs)
}

// transactions are those that were completed; a connection without a response
// is complete with its message at the sink.
func transactions(arm *results.Arm, s *results.Slice) float64 {
	if arm.Kind == vocab.Conn {
		return float64(s.RxMsgs)
	}
	return float64(s.Transactions)
}

// AppliesTo says whether the metric means something for an arm.
func (m Metric) AppliesTo(arm results.Arm) bool {
	if m.beside != "" {
		if _, ok := arm.Beside[m.beside]; !ok {
			return false
		}
		arm = besideArm(arm, m.beside)
	}
	return m.of.has(arm)
}

// besideArm is the named traffic beside an arm's main one as an arm by itself.
func besideArm(a results.Arm, name string) results.Arm {
	return results.Arm{Name: a.Name, Kind: a.Beside[name], Protocol: a.BesideProtocols[name]}
}

// Merged says whether the arms of a run are compared by what all trials
// together say, by bootstrap over trials, not by the mean of the trials'
// effects: percentiles.
func (m Metric) Merged() bool {
	q, ok := m.estimator.(quantile)
	return ok && q < 1
}

// change is the effect of level b against level a: a log ratio, or a
// difference. It is not ok where a ratio has no meaning (nothing received).
func (m Metric) change(a, b float64) (x float64, ok bool) {
	switch {
	case m.Difference:
		x = b - a
	case m.per > 0 && (a > 0 || b > 0):
		x = (b - a) / m.per
	case m.per == 0 && a > 0 && b > 0:
		x = math.Log(b) - math.Log(a)
	default: // of two that received nothing, neither is faster
		return 0, false
	}
	return x, stat.IsFinite(x)
}

// shares is the metric for levels of which some are zero: there a log ratio is
// infinite, and what has no bound has no mean. Differences of what was received
// as shares of what the baseline received on average have both: -1 is all of it.
func (m Metric) shares(baselines []float64) Metric {
	m.per = stat.NewSample(baselines).Mean
	return m
}

// hasZeros says whether levels call for that.
func (m Metric) hasZeros(levels ...[]float64) bool {
	if m.Difference || m.Merged() {
		return false
	}
	for _, xs := range levels {
		if slices.Contains(xs, 0) {
			return true
		}
	}
	return false
}

// shown turns an effect on the metric's scale into what a Comparison holds.
func (m Metric) shown(x float64) float64 {
	switch {
	case m.Difference:
		return clamp(x)
	case m.per > 0:
		return clamp(max(-1, x))
	}
	return relative(x)
}

// margin is the resolution on the metric's scale. ln(1+r) makes the zone of
// equivalence the same whichever arm is the baseline, and never wider than
// ±r as a relative change.
func (m Metric) margin(resolution float64) float64 {
	if m.Difference || m.per > 0 {
		return resolution
	}
	return math.Log1p(resolution)
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// clamp keeps what is absurdly large within what JSON can write.
func clamp(x float64) float64 { return max(-math.MaxFloat64, min(x, math.MaxFloat64)) }

// relative turns a log ratio into a relative change, kept finite: JSON knows
// no infinity, and e^700 says "absurdly wide" as well.
func relative(x float64) float64 { return math.Expm1(min(x, 700)) }

// needs and is word why a metric does not apply to an arm.
func (m Metric) needs() string {
	if m.beside != "" {
		return "needs traffic of that name and kind beside the main one"
	}
	return m.of.text
}

func (m Metric) is(arm results.Arm) string {
	text := strings.TrimSpace(string(arm.Protocol) + " " + string(arm.Kind))
	if arm.LossFree != nil {
		text += " searching a rate"
	}
	return text
}

// quantity writes a level of the metric: 52.0 k transactions/s.
func (m Metric) quantity(x float64) string {
	if m.Counts == "" {
		return prose.Quantity(x, m.Unit)
	}
	return prose.Rate(x) + " " + m.Counts + "/s"
}

// OfBeside says whether traffic beside the main one has the metric too.
func (m Metric) OfBeside() bool { return slices.Contains(besideMetrics, m.Name) }

// TitleOf is what a metric is called for readers, or its name where nobody knows it.
func TitleOf(metric string) string {
	if m, ok := LookupMetric(metric); ok {
		return m.Title
	}
	return metric
}
