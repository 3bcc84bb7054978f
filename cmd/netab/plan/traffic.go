package plan

import (
	"fmt"
	"strings"

	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/results/vocab"
	"netab/scenarios"
)

// trafficOf says what the flows carry: "udp flood over veth, 64 bytes, 2 flows".
func trafficOf(t scenarios.Traffic, topology vocab.Topology) string {
	what := string(t.Protocol)
	if t.Kind != vocab.Stream {
		what += " " + string(t.Kind)
	}
	words := []string{fmt.Sprintf("%s over %s", what, topology), prose.Counted(question.MeanMessage(t), "byte")}
	if len(t.Sizes) > 0 {
		words[1] += " on average"
	}
	words = append(words, prose.Counted(len(t.Pairs()), "flow"))
	if t.Sources+t.Sinks > 2 {
		words = append(words, fmt.Sprintf("%s of %s and %s", t.Pattern, prose.Counted(t.Sources, "source"), prose.Counted(t.Sinks, "sink")))
	}
	if t.Direction != "forward" {
		words = append(words, "direction "+t.Direction)
	}
	for _, o := range []option{{t.MPTCP, "MPTCP"}, {t.MSS > 0, fmt.Sprintf("MSS %d", t.MSS)}, {t.TOS != "", "TOS " + t.TOS}, {t.DontFragment, "DF"}, {t.Protocol == vocab.TCP && t.Congestion != "cubic", t.Congestion}} {
		if o.set {
			words = append(words, o.text)
		}
	}
	switch {
	case t.LossFree != nil:
		words = append(words, fmt.Sprintf("the highest rate between %v/s and %v/s with a loss of at most %.3g %%",
			t.LossFree.From, t.LossFree.To, 100*float64(t.LossFree.Loss)))
	case t.Rate > 0:
		words = append(words, fmt.Sprintf("%v/s", t.Rate))
	}
	return strings.Join(words, ", ")
}

// sourceOf says by which system calls the source sends.
func sourceOf(t scenarios.Traffic) string {
	s := t.Source
	return pathOf("source", s.Path, s.Batch, []option{
		{s.Segment > 0, fmt.Sprintf("segments of %v", s.Segment)}, {s.ZeroCopy, "zerocopy"}, {s.Slowdown > 0, fmt.Sprintf("slowed down by %.3g %%", 100*float64(s.Slowdown))}, {s.Socket != "" && s.Socket != "connected", "socket " + s.Socket},
	})
}

func sinkOf(t scenarios.Traffic) string {
	s := t.Sink
	return pathOf("sink", s.Path, s.Batch, []option{
		{s.GRO, "gro"}, {s.Truncate, "truncate"}, {s.BusyPoll > 0, "busy_poll " + s.BusyPoll.String()}, {s.Read > 0, fmt.Sprintf("%v a call", s.Read)}, {s.Wait == "spin", "spinning"}, {s.Timestamp, "timestamps"}, {s.Socket != "" && s.Socket != "connected", "socket " + s.Socket},
	})
}

// An option of a path is said if it is set.
type option struct {
	set  bool
	text string
}

func pathOf(role, path string, batch int, options []option) string {
	words := []string{path}
	if batch > 0 {
		words[0] += fmt.Sprintf(" by %d", batch)
	}
	for _, o := range options {
		if o.set {
			words = append(words, o.text)
		}
	}
	return fmt.Sprintf("%s (%s)", role, strings.Join(words, ", "))
}
