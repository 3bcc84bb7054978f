package analysis

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeSendRetries      = vocab.Warns("send-retries")
	codeArmNote          = vocab.Warns("arm-note")
	codeVerifyFailed     = vocab.Warns("verify-failed")
	codeVerifyLost       = vocab.Warns("verify-lost")
	codeVerifyDuplicated = vocab.Warns("verify-duplicated")
	codeVerifyReordered  = vocab.Warns("verify-reordered")
	codeRequestTimeouts  = vocab.Warns("request-timeouts")
	codeConnectionErrors = vocab.Warns("connection-errors")
	codeStrangers        = vocab.Warns("strangers")
)

// retryBound is the share of messages that may be sent again after ENOBUFS or
// EAGAIN before it is worth a warning.
const retryBound = 0.01

// eventMeanings say what the events that package traffic counts are. Others
// are shown by name alone.
var eventMeanings = map[string]string{
	vocab.Retries:           "calls that the kernel refused for want of room (ENOBUFS, EAGAIN, ENOMEM) and that were made again",
	vocab.EmptyPolls:        "calls of a spinning sink that found nothing",
	vocab.ConnectErrors:     "connections that failed and were made again (no port left, refused, reset)",
	vocab.Timeouts:          "requests without a response in time",
	vocab.StaleResponses:    "responses that came after their request's time",
	vocab.ZeroCopyCopied:    "sends with MSG_ZEROCOPY that the kernel copied all the same, as it does over loopback and veth",
	vocab.ZeroCopyCompleted: "sends with MSG_ZEROCOPY that the kernel has done with, copied or not",
	vocab.BytesMapped:       "bytes received by mapping pages (TCP_ZEROCOPY_RECEIVE)",
	vocab.BytesCopied:       "bytes that could not be mapped and were copied (TCP_ZEROCOPY_RECEIVE)",
	vocab.Lost:              "messages whose number never arrived",
	vocab.Duplicated:        "messages that arrived more than once",
	vocab.Reordered:         "messages that arrived after a later one",
	vocab.Late:              "messages that arrived too far behind to be told from duplicates",
	vocab.Corrupt:           "messages, or bytes of a stream, that are not what was sent",
	vocab.Strangers:         "connections and datagrams from elsewhere than the flow's other end, which are in no other figure",
}

// alarms are events that put the measurement itself in doubt, with what to do.
var alarms = []struct {
	name     string
	code     vocab.Code
	what, do string
}{
	{vocab.Corrupt, codeVerifyFailed, "messages arrived with another payload than was sent", "do not trust this path"},
	{vocab.Lost, codeVerifyLost, "messages were lost", "see the ledger for the place"},
	{vocab.Duplicated, codeVerifyDuplicated, "messages arrived more than once", "look for a device or tunnel that repeats packets"},
	{vocab.Reordered, codeVerifyReordered, "messages arrived after a later one", "look for packets of one flow on several queues or CPUs"},
	{vocab.Late, codeVerifyReordered, "messages arrived far behind later ones", "look for packets of one flow on several queues or CPUs"},
	{vocab.Timeouts, codeRequestTimeouts, "requests had no response in time and count as lost", "offer less, or raise traffic.timeout"},
	{vocab.ConnectErrors, codeConnectionErrors, "connections failed and were made again", "look at the source's ports, TIME_WAIT and the sink's backlog"},
	{vocab.Strangers, codeStrangers, "connections or datagrams came from elsewhere and were kept out", "find out who else sends there: they cost CPU time and room in queues, which the arm's figures bear"},
}

// eventsOf adds up an arm's events, those of the source first.
func eventsOf(r *record.Record, arm int) []Event {
	type key struct{ of, role, name string }
	counts := map[key]int64{}
	add := func(of, role string, events map[string]int64) {
		for name, n := range events {
			counts[key{of, role, name}] += n
		}
	}
	for _, t := range r.Valid() {
		at := t.Arm(arm).Seen
		if at == nil {
			continue
		}
		add("", "source", at.Source.Events)
		add("", "sink", at.Sink.Events)
		for name, b := range at.Beside {
			add(name, "source", b.Source.Events)
			add(name, "sink", b.Sink.Events)
		}
	}
	var out []Event
	for k, n := range counts {
		if n != 0 {
			out = append(out, Event{Of: k.of, Role: k.role, Name: k.name, Count: n, Meaning: eventMeanings[k.name]})
		}
	}
	slices.SortFunc(out, func(a, b Event) int {
		return slices.Compare([]string{a.Of, sourceFirst(a.Role), a.Name}, []string{b.Of, sourceFirst(b.Role), b.Name})
	})
	return out
}

func sourceFirst(role string) string {
	if role == "source" {
		return ""
	}
	return role
}

// eventWarnings says which of an arm's events matter.
func eventWarnings(run *results.Run, r *record.Record, arm int) []results.Warning {
	name := run.Header.Design.Arms[arm].Name
	counts, beside := map[string]int64{}, []Event{}
	for _, e := range eventsOf(r, arm) {
		if e.Of == "" {
			counts[e.Name] += e.Count
		} else {
			beside = append(beside, e)
		}
	}
	sent := messages(run, r, arm)
	share := func(n int64) string {
		if sent <= 0 {
			return ""
		}
		return fmt.Sprintf(", about %s of all", prose.Percent(float64(n)/sent))
	}
	var ws []results.Warning
	if n := counts[vocab.Retries]; float64(n) > retryBound*sent {
		ws = append(ws, results.Warning{Code: codeSendRetries, Text: fmt.Sprintf(
			"%s: the kernel refused %d sends for want of room (ENOBUFS, EAGAIN)%s: the source spends its time on asking again; raise the send buffer or the queue length", name, n, share(n))})
	}
	note := func(copied, all int64, what, why string) {
		said := slices.ContainsFunc(run.Header.Design.Arms[arm].Notes, func(n string) bool { return strings.Contains(n, "zerocopy:") })
		if copied > 0 && 2*copied >= all && !said { // the scenario's notes
			ws = append(ws, results.Warning{Code: codeArmNote, Text: fmt.Sprintf(
				"%s: the kernel copied %s of the %s: the arm is not zero-copy as its name says (%s)", name, prose.Percent(float64(copied)/float64(max(all, copied))), what, why)})
		}
	}
	note(counts[vocab.ZeroCopyCopied], counts[vocab.ZeroCopyCompleted], "sends with MSG_ZEROCOPY", "loopback and veth always copy")
	note(counts[vocab.BytesCopied], counts[vocab.BytesCopied]+counts[vocab.BytesMapped], "bytes for TCP_ZEROCOPY_RECEIVE", "only whole pages can be mapped")
	for _, a := range alarms {
		if n := counts[a.name]; n > 0 {
			ws = append(ws, results.Warning{Code: a.code, Text: fmt.Sprintf("%s: %d %s%s: %s", name, n, a.what, share(n), a.do)})
		}
		for _, e := range beside {
			if e.Name == a.name {
				ws = append(ws, results.Warning{Code: a.code, Text: fmt.Sprintf("%s, %s: %d %s: %s", name, e.Of, e.Count, a.what, a.do)})
			}
		}
	}
	return ws
}

// messages is about how many an arm sent over whole trials: events are counted
// in settle parts too.
func messages(run *results.Run, r *record.Record, arm int) float64 {
	var sent, ledger float64
	for _, v := range views(r, Metric{}, arm) {
		if at := v.in.Seen; at != nil && at.Ledger.Valid {
			ledger += float64(at.Ledger.Sent)
		}
		for _, s := range v.in.Counted {
			sent += float64(max(s.TxMsgs, s.Transactions))
		}
	}
	if ledger > 0 {
		return ledger
	}
	if p := run.Header.Plan; p.SliceNS > p.SettleNS && p.SettleNS > 0 {
		sent *= float64(p.SliceNS) / float64(p.SliceNS-p.SettleNS)
	}
	return sent
}
