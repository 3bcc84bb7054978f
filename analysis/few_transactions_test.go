package analysis

import (
	"strings"
	"testing"
	"time"

	"netab/results"
)

func TestFewestTransactions(t *testing.T) {
	for q, want := range map[float64]int64{0.01: 368, 0.5: 6, 0.9: 36, 0.99: 368, 0.999: 3688, 1: 1} {
		if got := FewestTransactions(q); got != want {
			t.Errorf("a percentile of %g takes %d transactions, want %d", q, got, want)
		}
	}
}

// requests is a run of two arms of requests, with so many transactions in each
// of eight trials.
func requests(transactions int64, metrics ...string) *results.Run {
	run := plain.Run(plain.Design(0.1, time.Minute), 5, 8)
	run.Header.Design.Metrics = metrics
	for i := range run.Header.Design.Arms {
		run.Header.Design.Arms[i].Kind = "rr"
	}
	for i := range run.Trials {
		for arm := range run.Trials[i].Arms {
			h := &results.Histogram{}
			for k := range transactions {
				h.Add(50_000 + 1000*k + int64(100*i))
			}
			run.Trials[i].Arms[arm].Latency = h
		}
		for k := range run.Trials[i].Slices {
			run.Trials[i].Slices[k].Transactions = 10
		}
	}
	return run
}

// TestPercentilesThatFewTransactionsCannotShow: of 8·8 transactions there is a
// median and a p90, and of 8·50 a p99; no p99.9 of either.
func TestPercentilesThatFewTransactionsCannotShow(t *testing.T) {
	for _, tt := range []struct {
		transactions   int64
		shown, missing []string
		text           string
	}{
		{8, []string{"latency_p50", "latency_p90", "latency_max"}, []string{"latency_p99", "latency_p999"}, "off: 64 transactions cannot show p99 (368), p99.9 (3688), which would take so many"},
		{50, []string{"latency_p50", "latency_p99", "latency_max"}, []string{"latency_p999"}, "off: 400 transactions cannot show p99.9 (3688)"},
		{500, []string{"latency_p50", "latency_p999"}, nil, ""},
	} {
		s := Summarize(requests(tt.transactions, "transaction_rate"))
		has := func(metric string) (level, compared bool) {
			_, level = s.Arms[1].Metrics[metric]
			for _, c := range s.Comparisons {
				compared = compared || c.Metric == metric
			}
			return level, compared
		}
		for _, m := range tt.shown {
			if level, compared := has(m); !level || !compared {
				t.Errorf("%d a trial: %s has a level: %v, a comparison: %v, want both", tt.transactions, m, level, compared)
			}
		}
		for _, m := range tt.missing {
			if level, compared := has(m); level || compared {
				t.Errorf("%d a trial: %s has a level: %v, a comparison: %v, want none", tt.transactions, m, level, compared)
			}
		}
		text := ""
		for _, w := range s.Warnings {
			if w.Code == "few-transactions" {
				text += w.Text
			}
		}
		if (text == "") != (tt.text == "") || !strings.Contains(text, tt.text) {
			t.Errorf("%d a trial: warned %q, want %q", tt.transactions, text, tt.text)
		}
	}
}

// TestJudgedPercentileIsWithheld: a judged percentile that cannot be shown is
// undecided and says why, in the answer and in a gate.
func TestJudgedPercentileIsWithheld(t *testing.T) {
	s := Summarize(requests(8, "latency_p999"))
	const why = "64 transactions are fewer than the 3688 that it takes to show a p99.9"
	if len(s.Comparisons) == 0 || s.Converged {
		t.Fatalf("%d comparisons, converged %v, want one that is open", len(s.Comparisons), s.Converged)
	}
	c := s.Comparisons[0]
	if !c.Judged || !c.Untold() || c.Withheld != why || c.Verdict != Inconclusive || c.N != 8 || len(c.TrialEffects) > 0 {
		t.Errorf("the comparison is %+v", c)
	}
	g := NewGate(s, nil, time.Time{})
	if g.Outcome != Undecided {
		t.Errorf("the gate is %s", g.Outcome)
	}
	for _, text := range []string{s.Answer, g.Sentence, g.Checks[0].Plain, notConverged(&s, requests(8).Header.Design)} {
		if !strings.Contains(text, why) || strings.Contains(text, "resolution") {
			t.Errorf("%q does not say why, or asks for another resolution", text)
		}
	}
}

// TestNotConvergedAsksForWhatHelps: where trials are too few, nothing could have
// been seen and a coarser resolution changes nothing.
func TestNotConvergedAsksForWhatHelps(t *testing.T) {
	few := Summarize(plain.Run(plain.Design(0.01, time.Minute), 3, 3))
	if text := notConverged(&few, plain.Design(0.01, time.Minute)); !strings.Contains(text, "arm1 (goodput; 3 trials are fewer than the 6 that a verdict needs): measure for longer (--max-time)") ||
		strings.Contains(text, "could have been seen") || strings.Contains(text, "coarser") {
		t.Errorf("of three trials: %q", text)
	}
	open := Summarize(plain.Run(plain.Design(0.001, time.Minute), 3, 8))
	if text := notConverged(&open, plain.Design(0.001, time.Minute)); !strings.Contains(text, "could have been seen") || !strings.Contains(text, "coarser resolution than 0.10 %") {
		t.Errorf("of eight trials: %q", text)
	}
}
