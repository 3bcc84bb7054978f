package place

import (
	"context"

	"netab/runner/agent"
	"netab/runner/host"
)

// Local is the machine that netab runs on.
type Local struct{ starter *agent.Starter }

var _ Place = (*Local)(nil)

// NewLocal makes it ready to start agents, which are this process's children.
func NewLocal() *Local { return &Local{agent.NewStarter()} }

// Name implements Place.
func (*Local) Name() string { return "" }

// Host implements Place.
func (*Local) Host() host.Host { return host.Local{} }

// Start implements Place.
func (l *Local) Start(ctx context.Context, o agent.Options) (*agent.Agent, error) {
	return l.starter.Start(ctx, o)
}

// Clock implements Place: it is the same one.
func (*Local) Clock() Clock { return Clock{} }

// Keep lets agents live on for other trials: see agent.Starter.
func (l *Local) Keep() error { return l.starter.Keep() }

// Close implements Place.
func (l *Local) Close(context.Context) error {
	l.starter.Close()
	return nil
}
