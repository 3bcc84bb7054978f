package analysis

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeRateExceeded    = vocab.Doubts("rate-exceeded")
	codeRateNotAchieved = vocab.Warns("rate-not-achieved")
	codeLossFreeEdge    = vocab.Warns("loss-free-edge")
)

const (
	// busyShare of its threads' time, on a CPU or waiting for one, makes a
	// role busy: a saturated sender still blocks a little where the other side
	// is late to make room.
	busyShare = 0.85
	// dropShare of the datagrams lost makes the receiving side the limit.
	dropShare = 0.001
	// waitShare is busyShare of roles that take turns: below it they wait for
	// each other.
	waitShare = 0.90
	// paceBound is how far off the rate offered, as a share, what was achieved may be.
	paceBound = 0.005
)

// A load is how busy a role was: the part of its CPUs that it used, and the
// part of its threads' time for which they ran or wanted to. Many threads on
// one CPU show in the first, two roles that share a CPU in the second.
type load struct{ cpus, threads stat.Ratio }

func (l load) plus(r results.RoleDelta, cpu, wait, ns int64) load {
	threads := max(1, r.Threads)
	cpus := threads
	if n := len(slices.Compact(slices.Sorted(slices.Values(r.Pinned)))); n > 0 {
		cpus = min(threads, n)
	}
	return load{
		l.cpus.Plus(stat.Per(float64(cpu), float64(ns)*float64(cpus))),
		l.threads.Plus(stat.Per(float64(cpu)+float64(wait), float64(ns)*float64(threads))),
	}
}

// share is at most 1: the kernel books a wait when it ends, sometimes a slice
// later than most of it was.
func (l load) share() float64 {
	return min(1, max(l.cpus.Value(), l.threads.Value()))
}

// A pace is what an arm did over a run, as far as it tells what set its rate.
type pace struct {
	source, sink load
	loss         stat.Ratio // of datagrams, where the ledger is valid
	sent         stat.Ratio // messages, or transactions, per second
	trials       int
}

// limitOf says what limited an arm; nil where nothing was measured, and where
// the slices differ in what was offered.
func limitOf(r *record.Record, arm int) *Limit {
	p, a := paceOf(r, arm), r.Design.Arms[arm]
	if p.source.cpus.Den <= 0 || p.sink.cpus.Den <= 0 || !fixedRate(a) {
		return nil
	}
	switch source, sink, loss := p.source.share(), p.sink.share(), p.loss.Value(); {
	case a.Rate > 0:
		return pacedLimit(source, sink, loss, p, a)
	case a.Kind.Answers():
		return answerLimit(source, sink)
	case a.SinkSpins && !(loss > dropShare): // or is not known
		return spinningLimit(source, sink)
	default:
		return limitText(source, sink, loss)
	}
}

// spinningLimit is that of a sink that is busy even with nothing to do, where
// nothing was lost: all that came was taken.
func spinningLimit(source, sink float64) *Limit {
	if source >= busyShare {
		return &Limit{Role: "source", Text: "source-bound (" + busyText(source, sink) + ", which spins): nothing was lost"}
	}
	return &Limit{Role: "neither", Text: "the source was not saturated and nothing was lost (" + busyText(source, sink) + ", which spins): something else set the rate, such as pacing or a window"}
}

func paceOf(r *record.Record, arm int) pace {
	var p pace
	for _, v := range views(r, Metric{}, arm) {
		at := v.in.Seen
		if at == nil {
			continue
		}
		p.trials++
		if t, ok := ledgerLoss(v); ok {
			p.loss = p.loss.Plus(t)
		}
		for _, s := range v.in.Counted {
			p.source = p.source.plus(at.Source, s.SourceCost(), s.SourceWait, s.CountedNS)
			p.sink = p.sink.plus(at.Sink, s.SinkCPU, s.SinkWait, s.CountedNS)
			p.sent = p.sent.Plus(stat.Per(float64(max(s.TxMsgs, s.Transactions)), seconds(s.CountedNS)))
			if at.Ledger.Valid && at.Shared {
				p.loss = p.loss.Plus(datagramLoss.windows(v.arm, s))
			}
		}
	}
	return p
}

func busyText(source, sink float64) string {
	return fmt.Sprintf("source busy %.0f %%, sink %.0f %%", 100*source, 100*sink)
}

// limitText words it. Loss decides first: where datagrams are dropped the
// source sends more than the receiving side takes, however busy either looks.
func limitText(source, sink, loss float64) *Limit {
	if loss > dropShare {
		return &Limit{Role: "sink", Text: fmt.Sprintf("sink-bound: %s of the datagrams sent were lost (%s)", prose.Percent(loss), busyText(source, sink))}
	}
	return saturated(source, sink, busyShare, "something else set the rate, such as waking up, pacing or a window")
}

// saturated names the roles whose share of a CPU is so much or more, or what it
// was if neither.
func saturated(source, sink, share float64, otherwise string) *Limit {
	busy := busyText(source, sink)
	switch {
	case source >= share && sink >= share:
		return &Limit{Role: "both", Text: "both roles were saturated (" + busy + ")"}
	case source >= share:
		return &Limit{Role: "source", Text: "source-bound (" + busy + ")"}
	case sink >= share:
		return &Limit{Role: "sink", Text: "sink-bound (" + busy + ")"}
	}
	return &Limit{Role: "neither", Text: "neither role was saturated (" + busy + "): " + otherwise}
}

// pacedLimit is that of an arm whose source sends at intended times.
func pacedLimit(source, sink, loss float64, p pace, a results.Arm) *Limit {
	sent := p.sent.Value()
	unit := "messages"
	if a.Kind.Answers() {
		unit = "transactions"
	}
	of := fmt.Sprintf("%s %s/s", rateOf(sent, a.Rate), unit)
	busy := busyText(source, sink)
	switch {
	case loss > dropShare:
		return &Limit{Role: "sink", Text: fmt.Sprintf("sink-bound: %s of the datagrams sent were lost; the source sent %s (%s)", prose.Percent(loss), of, busy)}
	case p.tooFast(a.Rate):
		return &Limit{Role: "rate", Text: fmt.Sprintf("the source went beyond its rate: %s (%s)", of, busy)}
	case !p.tooSlow(a.Rate):
		return &Limit{Role: "rate", Text: fmt.Sprintf("the offered rate was the limit: achieved %s (%s)", of, busy)}
	case source >= busyShare && source >= sink:
		return &Limit{Role: "source", Text: fmt.Sprintf("source-bound: achieved %s (%s)", of, busy)}
	case sink >= busyShare:
		return &Limit{Role: "sink", Text: fmt.Sprintf("sink-bound: achieved %s (%s)", of, busy)}
	default:
		return &Limit{Role: "neither", Text: fmt.Sprintf("neither role was saturated (%s), yet only %s were achieved: something else set the rate, such as the other side's answers or a window", busy, of)}
	}
}

// answerLimit is that of requests and responses in a closed loop.
func answerLimit(source, sink float64) *Limit {
	return saturated(source, sink, waitShare, "they wait for each other, so the time of a round trip set the rate")
}

// Too slow is what the path or the CPUs cause; too fast can only be a fault of
// the source's pacing, and no lower rate is a way out of it.
// Where each trial counts ten messages, one more or less is a tenth.
func (p pace) tooSlow(offered float64) bool {
	return p.sent.Value() < offered*(1-paceBound)-p.slack()
}
func (p pace) tooFast(offered float64) bool {
	return p.sent.Value() > offered*(1+paceBound)+p.slack()
}

// slack is how far off the rate may be because messages are whole: two a trial.
func (p pace) slack() float64 { return 2 * float64(p.trials) / p.sent.Den }

// rateOf writes what was achieved of what was offered, with the prefix and the
// three digits of the latter: what is out of bounds then looks so, 5.03 k of
// 5.00 k.
func rateOf(achieved, offered float64) string {
	v, prefix := prose.Scaled(offered)
	decimals := 2
	for w := v; w >= 10 && decimals > 0; w /= 10 {
		decimals--
	}
	return strings.TrimSpace(fmt.Sprintf("%.*f %s", decimals, v*achieved/offered, prefix)) + " of " +
		strings.TrimSpace(fmt.Sprintf("%.*f %s", decimals, v, prefix))
}

// rates warns of arms whose source did not keep its intended rate, and of
// searches that ended at a rate tried.
func rates(r *record.Record) []results.Warning {
	var ws []results.Warning
	for i, a := range r.Design.Arms {
		if a.LossFree != nil {
			ws = append(ws, edges(r, i)...)
			continue
		}
		if a.Rate <= 0 {
			continue
		}
		p := paceOf(r, i)
		sent := p.sent.Value() // so loss is never the reason
		off := prose.Change(sent/a.Rate-1, false)
		switch {
		case !stat.IsFinite(sent):
		case p.tooFast(a.Rate):
			ws = append(ws, results.Warning{Code: codeRateExceeded, Text: fmt.Sprintf(
				"%s: the source sent more than it was asked to, %s/s (%s): the arm is not what its rate says, and offering less does not mend it; compare it with arms of the rate that was sent, and report this as a fault of netab",
				a.Name, rateOf(sent, a.Rate), off)})
		case p.tooSlow(a.Rate):
			ws = append(ws, results.Warning{Code: codeRateNotAchieved, Text: fmt.Sprintf(
				"%s: only %s/s offered were achieved (%s): the arm is not what its rate says; offer less, or give the roles more CPU time",
				a.Name, rateOf(sent, a.Rate), off)})
		}
	}
	return ws
}

// edges warns where the rates tried did not enclose the one sought.
func edges(r *record.Record, arm int) []results.Warning {
	m, _ := LookupMetric("loss_free_rate")
	var low, high, all, short int
	for _, v := range views(r, m, arm) {
		rs := ratings(v)
		if len(rs) == 0 {
			continue
		}
		all++
		switch _, at := threshold(rs); at {
		case below:
			low++
		case above:
			high++
			if fellShort(v) {
				short++
			}
		}
	}
	name := r.Design.Arms[arm].Name
	var ws []results.Warning
	if low > 0 {
		ws = append(ws, results.Warning{Code: codeLossFreeEdge, Text: fmt.Sprintf(
			"%s: in %d of %d trials even the lowest rate tried lost too much, so the loss-free rate is at most what is shown: lower loss_free.from, or allow more loss", name, low, all)})
	}
	if high > 0 {
		advice := "raise loss_free.to"
		if short > 0 {
			advice = "the source could not send more, so this is its limit"
		}
		ws = append(ws, results.Warning{Code: codeLossFreeEdge, Text: fmt.Sprintf(
			"%s: in %d of %d trials the highest rate tried was still within the bound, so the loss-free rate is at least what is shown: %s", name, high, all, advice)})
	}
	return ws
}

// fellShort says whether a source could not send the highest rate asked of it.
func fellShort(v view) bool {
	var offered, sent float64
	for _, s := range v.in.Counted {
		if s.Rate > offered {
			offered, sent = s.Rate, float64(s.TxMsgs)/seconds(s.CountedNS)
		}
	}
	return sent < offered*(1-2*paceBound)
}
