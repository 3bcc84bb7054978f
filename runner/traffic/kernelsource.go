package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"netab/runner/host"
	"netab/runner/pktgen"
)

// A kernelSource lets the kernel's pktgen send. Its thread is not ours: there is
// no CPU time to be read of it, and it rests between windows by a long delay
// between its packets, as starting and stopping take up to 100 ms. Tried on
// fixtures only: the kernels that netab was made on have no pktgen.
type kernelSource struct {
	host   host.Host
	config pktgen.Config
}

// resting is the delay between packets while other arms have their turn.
const resting = 50 * time.Millisecond

func (k *kernelSource) open(e *endpoint, c *Config) error {
	f := e.Frames
	if f == nil {
		return fmt.Errorf("flow %d: the path pktgen needs addresses of the link", e.Flow)
	}
	k.host = host.Local{}
	k.config = pktgen.Config{Device: f.Device, SourceMAC: f.SourceMAC, SinkMAC: f.SinkMAC, Source: f.From, Sink: e.To,
		Ports: f.Ports, Payload: c.Message, Delay: resting}
	if len(e.CPUs) > 0 {
		k.config.CPU = e.CPUs[0]
	}
	return pktgen.Setup(k.host, k.config)
}

// run sends in the windows. It is ordinary Go: nothing of it is in the way of a
// packet.
func (k *kernelSource) run(l *loop) (err error) {
	l.gate.wait()
	if l.meter == nil {
		return pktgen.Reset(k.host)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sending := make(chan error, 1)
	go func() { sending <- pktgen.Start(ctx, k.host) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-sending, pktgen.Reset(k.host))
	}()
	if err := k.count(l); err != nil {
		return err
	}
	l.take(&l.first)
	for i := range l.windows {
		w := &l.windows[i]
		delay := time.Duration(0)
		if rate := max(l.pace.rate, w.Rate*l.pace.share); rate > 0 {
			delay = time.Duration(1e9 / rate)
		}
		for _, edge := range []struct {
			at    int64
			delay time.Duration
		}{{w.Start, delay}, {w.Count, -1}, {w.End, resting}, {max(w.Tail, w.End), -1}} {
			time.Sleep(time.Duration(edge.at - Now()))
			if edge.delay >= 0 {
				if err := pktgen.SetDelay(k.host, k.config, edge.delay); err != nil {
					return err
				}
			}
			if err := k.count(l); err != nil {
				return err
			}
			l.check()
		}
	}
	return nil
}

// count reads what was sent so far.
func (k *kernelSource) count(l *loop) error {
	s, err := pktgen.Read(k.host, k.config)
	if err != nil {
		return err
	}
	l.msgs, l.bytes = s.Packets, s.Packets*int64(k.config.Payload)
	return nil
}
