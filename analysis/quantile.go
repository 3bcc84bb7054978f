package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var codeFewTransactions = vocab.Warns("few-transactions")

// A quantile is a percentile of the latency of a trial's transactions, in µs.
// An arm's level is that of all its transactions together, and so is what arms
// are compared by, because percentiles must not be averaged. What each trial
// has by itself is for telling trials apart (modes, trends, odd ones).
type quantile float64

// FewestTransactions is how many transactions it takes to show a percentile, as a
// share q.
func FewestTransactions(q float64) int64 { return stat.FewestOfQuantile(q) }

// withheld says why the percentile of an arm in these trials is not shown, ""
// if it is. No more than one value in a bucket would tell it, and the interval
// of such a percentile, the longest in every draw of trials, would be a point.
func (q quantile) withheld(vs []view) string {
	var n int64
	for _, v := range vs {
		if h := v.latency(); h != nil {
			n += h.Count()
		}
	}
	if need := FewestTransactions(float64(q)); 0 < n && n < need {
		what := "transactions"
		if slices.ContainsFunc(vs, func(v view) bool { return v.copied }) {
			what = "receive calls"
		}
		return fmt.Sprintf("%d %s are fewer than the %d that it takes to show a %s", n, what, need, q.name())
	}
	return ""
}

// name is as people say it: p99.9.
func (q quantile) name() string {
	return "p" + strconv.FormatFloat(math.Round(1e6*float64(q))/1e4, 'f', -1, 64)
}

// tooFew says in one warning which percentiles an arm's transactions cannot show.
func tooFew(r *record.Record, arm int) []results.Warning {
	var ws []results.Warning
	missing := map[string][]string{} // by traffic
	var order []string
	counts := map[string]int64{}
	d := r.Design
	for _, m := range metricsOf(d) {
		q, ok := m.estimator.(quantile)
		if !ok || m.copied || !m.AppliesTo(d.Arms[arm]) {
			continue
		}
		vs := views(r, m, arm)
		if q.withheld(vs) == "" {
			continue
		}
		if missing[m.beside] == nil {
			order = append(order, m.beside)
			for _, v := range vs {
				if h := v.latency(); h != nil {
					counts[m.beside] += h.Count()
				}
			}
		}
		missing[m.beside] = append(missing[m.beside], fmt.Sprintf("%s (%d)", q.name(), FewestTransactions(float64(q))))
	}
	for _, beside := range order {
		what := d.Arms[arm].Name
		if beside != "" {
			what += ", " + beside
		}
		ws = append(ws, results.Warning{Code: codeFewTransactions, Text: fmt.Sprintf(
			"%s: %d %s cannot show %s, which would take so many: measure for longer (--max-time)", what,
			counts[beside], prose.Plural(int(counts[beside]), "transaction"), strings.Join(missing[beside], ", "))})
	}
	return ws
}

func (q quantile) value(v view) float64 {
	h := v.latency()
	if h == nil {
		return math.NaN()
	}
	return h.Quantile(float64(q)) / 1e3
}

func (q quantile) effect(m Metric, a, b view) (effect, bool) { return plainEffect(m, a, b) }

// whole is the change of the percentile of all transactions together, by
// bootstrap over trials: both arms of a trial are drawn together, so that they
// stay paired, and the histograms of the trials drawn are merged.
//
// The longest of all has none: how far the longest of other trials would be
// from it, trials drawn out of the same ones cannot tell.
func (q quantile) whole(as, bs []view, rng *rand.Rand) (stat.Bootstrap, bool) {
	if q >= 1 {
		return stat.Bootstrap{}, false
	}
	var ha, hb []*results.Histogram
	for i := range as {
		ha, hb = append(ha, as[i].latency()), append(hb, bs[i].latency())
	}
	return q.between(ha, hb, rng)
}

// between is whole of the trials' histograms.
func (q quantile) between(ha, hb []*results.Histogram, rng *rand.Rand) (stat.Bootstrap, bool) {
	a, b := mergedOf(ha), mergedOf(hb)
	return stat.NewBootstrap(len(ha), rng, func(times []float64) float64 {
		return math.Log(b.quantile(float64(q), times) / a.quantile(float64(q), times))
	})
}

// level is the percentile of the merged histograms, with Woodruff's interval: the share
// of transactions at or below it is known to so much, and the shares at the ends are
// read back as latencies. Transactions of one trial are not independent; trials are.
//
// The longest of all that was seen has no interval: what is beyond it was not
// seen.
func (q quantile) level(_ Metric, vs []view, _ []float64, alpha float64) Level {
	var all results.Histogram
	var trials []*results.Histogram
	for _, v := range vs {
		if h := v.latency(); h != nil && h.Count() > 0 {
			all.Merge(h)
			trials = append(trials, h)
		}
	}
	if len(trials) == 0 {
		return Level{Mean: math.NaN()}
	}
	at := all.Quantile(float64(q))
	l := Level{Mean: at / 1e3}
	whole, once := mergedOf([]*results.Histogram{&all}), []float64{1}
	if q < 1 {
		l.Mean = whole.quantile(float64(q), once) / 1e3
	}
	l.Lo, l.Hi = l.Mean, l.Mean
	if len(trials) < 2 || q >= 1 {
		return l
	}
	shares := make([]stat.Below, len(trials))
	for i, h := range trials {
		shares[i] = stat.Below{In: float64(h.Below(at)), Of: float64(h.Count())}
	}
	half := stat.Woodruff(shares, alpha)
	if half == 0 {
		return l
	}
	// A share of nothing, or of more than all, is the shortest or the longest.
	least := 1 / float64(all.Count())
	l.Lo = whole.quantile(max(least, float64(q)-half), once) / 1e3
	l.Hi = whole.quantile(min(1, float64(q)+half), once) / 1e3
	return l
}
