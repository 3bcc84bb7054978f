package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/prose"
	"netab/runner"
	"netab/runner/knob"
)

// pause is leave between two sessions of a run.
func (m *claimed) pause(ctx context.Context, run string, until time.Time, out io.Writer) (*knob.Journal, []*os.File, error) {
	if err := m.leave(ctx, until, out); err != nil {
		return nil, nil, err
	}
	if err := m.Begin(run, build().Version); err != nil {
		return nil, nil, failed(err)
	}
	return m.Journal, m.Files(), nil
}

// spread makes the sessions of a scenario that has several part of a plan.
func (l *loaded) spread(o *runner.Options, machine *claimed, p *progress, out io.Writer) {
	m := l.Measure
	if m.Sessions < 2 {
		return
	}
	o.Starts = runner.SessionStarts(m.Sessions, time.Duration(m.Spread), l.eachSession(), o.Seed)
	o.Pause = func(ctx context.Context, until time.Time) (*knob.Journal, []*os.File, error) {
		p.wait(until)
		return machine.pause(ctx, o.Header.ID, until, out)
	}
}

// eachSession is how long each session measures.
func (l *loaded) eachSession() time.Duration {
	return time.Duration(l.Measure.MaxTime) / time.Duration(max(1, l.Measure.Sessions))
}

// sessionsPlan says when sessions are measured; "" of one.
func (l *loaded) sessionsPlan(starts []time.Duration) string {
	if len(starts) < 2 {
		return ""
	}
	each := l.eachSession()
	text := fmt.Sprintf("%s of %v, spread over %v: the first at once", prose.Counted(len(starts), "session"), each.Round(time.Second/10), time.Duration(l.Measure.Spread))
	const most = 8
	for i, at := range starts[1:] {
		if i == most {
			text += fmt.Sprintf(", %d more", len(starts)-1-most)
			break
		}
		text += ", +" + at.Round(time.Second).String()
	}
	return text + fmt.Sprintf("; over after %v; in between the machine is as it was, and free for others", (starts[len(starts)-1]+each).Round(time.Second))
}

// waiting is where it is said that another run is waited for.
func waiting(cmd *cobra.Command, quiet bool) io.Writer {
	if quiet {
		return io.Discard
	}
	return cmd.ErrOrStderr()
}
