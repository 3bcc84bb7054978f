package runner

import (
	"context"
	"errors"
	"fmt"

	"netab/results/crew"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/traffic"
)

// A Counted is what so many messages of one arm came to, where the clock counts
// instructions.
type Counted struct {
	traffic.Tally
	Turns  bool  `json:"turns,omitempty"` // one thread did both ends
	Pinned []int `json:"pinned,omitempty"`
}

// Count sets up the one arm of o as a trial would, with all its knobs, and lets its
// sources work off a quota. No time is measured: it is for a guest whose clock counts
// instructions.
func Count(ctx context.Context, o Options, q traffic.Quota) (*Counted, error) {
	if len(o.Arms) != 1 {
		return nil, fmt.Errorf("count: %d arms, and a boot is for one", len(o.Arms))
	}
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	var out *Counted
	err = crew.Reported(func() (err error) { out, err = r.countOut(q); return err })
	return out, errors.Join(err, r.putBack(context.WithoutCancel(ctx)))
}

func (r *run) countOut(q traffic.Quota) (*Counted, error) {
	if err := r.switcher.begin(); err != nil {
		return nil, err
	}
	if err := r.switcher.start(0); err != nil {
		return nil, err
	}
	s := r.plan.setups[0]
	built, err := r.topology(s.arm.Config.Topology)
	if err != nil {
		return nil, err
	}
	l := &live{setup: s, built: built, quota: &q}
	out, err := l.count()
	return out, errors.Join(err, built.Close(r.ctx))
}

// count opens the sockets and works the quota off.
func (l *live) count() (*Counted, error) {
	if err := l.prepare(); err != nil {
		return nil, err
	}
	var sources, others []*agent.Agent
	for _, a := range l.built.Agents() {
		if l.sends(a) {
			sources = append(sources, a)
		} else {
			others = append(others, a)
		}
	}
	if len(sources) != 1 {
		return nil, errors.New("count: traffic in both directions over veth has sources in two namespaces; count one direction, or loopback")
	}
	for _, a := range others { // they only begin to receive
		if _, err := a.Count(); err != nil {
			return nil, err
		}
	}
	t, err := sources[0].Count()
	if err != nil {
		return nil, err
	}
	out := &Counted{Tally: *t, Turns: l.quota.Turns}
	for _, a := range append(sources, others...) {
		rep, err := a.EndCount()
		if err != nil {
			return nil, err
		}
		if a != sources[0] {
			l.receivedBy(rep, out)
		}
	}
	if out.Received == 0 && !l.arm.Config.Traffic.Kind.Answers() {
		return nil, errors.New("count: the sinks received nothing")
	}
	return out, nil
}

// sends says whether an agent has a source.
func (l *live) sends(a *agent.Agent) bool {
	for _, g := range l.groups {
		for _, f := range g.flows {
			if f.sends && f.source.Agent == a {
				return true
			}
		}
	}
	return false
}

// receivedBy adds what sinks in another process received, of which no more is known
// than the sum: the warm-up's part is taken to have come whole, so what was lost then is
// missed here.
func (l *live) receivedBy(rep *traffic.Report, out *Counted) {
	q := l.quota
	for i, g := range rep.Groups {
		for _, e := range g.Ends {
			out.Received += e.Total.Msgs
			out.Bytes += e.Total.Bytes
			out.Calls += e.Total.Msgs
		}
		t := &l.groups[i].traffic
		warm := q.Warmup * int64(l.groups[i].sources())
		out.Bytes -= warm * int64(t.Message)
		out.Received -= warm
		out.Calls -= warm
		if !t.Protocol.Streams() && t.Kind == vocab.Stream {
			out.Lost = max(0, out.Sent-out.Received)
		}
	}
	out.Received, out.Calls, out.Bytes = max(out.Received, 0), max(out.Calls, 0), max(out.Bytes, 0)
}

// giveQuota gives it to all agents, before their threads are made.
func (l *live) giveQuota() error {
	if l.quota == nil {
		return nil
	}
	q := *l.quota
	turns := len(l.built.Agents()) == 1
	for _, g := range l.groups {
		c := g.config(false, false)
		turns = turns && c.TakesTurns()
	}
	l.quota.Turns = l.quota.Turns && turns
	q.Turns = l.quota.Turns
	for _, a := range l.built.Agents() {
		own := q
		for _, other := range l.built.Agents() {
			if other != a {
				own.Others = append(own.Others, other.PID())
			}
		}
		if err := a.Quota(own); err != nil {
			return err
		}
	}
	return nil
}
