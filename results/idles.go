package results

import "netab/results/vocab"

// emptyShare of what a sink that spins has received are the most calls in vain of one
// that is the limit of its arm: that one always finds something.
const emptyShare = 0.05

// SinkIdles says whether the sink of an arm waits by spinning: it has its CPU all the
// time, and neither is that what limits the arm nor is it known what a message takes.
func SinkIdles(trials []Trial, arm int) bool {
	var empty, received int64
	for i := range trials {
		t := &trials[i]
		if t.Invalid != "" {
			continue
		}
		for j := range t.Arms {
			if t.Arms[j].Arm == arm {
				empty += t.Arms[j].Sink.Events[vocab.EmptyPolls]
			}
		}
		for j := range t.Slices {
			if t.Slices[j].Arm == arm {
				received += t.Slices[j].RxMsgs
			}
		}
	}
	return float64(empty) > emptyShare*float64(received)
}
