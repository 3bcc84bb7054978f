package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"netab/runner/packet"
)

// An End names one end of one flow to open.
type End struct {
	Flow  int            `json:"flow"`
	Group int            `json:"group,omitempty"` // which of the set's Configs
	CPUs  []int          `json:"cpus,omitempty"`  // empty = not pinned
	Addr  netip.Addr     `json:"addr"`            // a sink's own address
	To    netip.AddrPort `json:"to"`              // a source's peer, for Accept a sink's; of multicast the group, for sinks too
	From  []int          `json:"from,omitempty"`  // further flows that come to this sink
	// Origins are, for Accept, where all comes from; none = from To.
	Origins []Origin `json:"origins,omitempty"`
	// Share of a window's rate, and of an interval that this end waits before its
	// first message.
	Share float64 `json:"share,omitempty"`
	Phase float64 `json:"phase,omitempty"`
	// Device is the interface index by which multicast leaves or comes.
	Device int     `json:"device,omitempty"`
	Frames *Frames `json:"frames,omitempty"`
}

// Frames is what a source needs to know to make whole packets by itself.
type Frames struct {
	Device    string         `json:"device"`
	SourceMAC [6]byte        `json:"source_mac"`
	SinkMAC   [6]byte        `json:"sink_mac"`
	From      netip.AddrPort `json:"from"` // source address and first port
	Ports     int            `json:"ports,omitempty"`
}

// A Set is all ends of flows that live in one agent. Its life: Listen (sinks),
// Connect (sources), Accept, Prepare, one Run, Close.
type Set struct {
	configs   []Config
	endpoints []*endpoint
	workers   []*worker
	gate      gate           // behind which the threads wait for Run
	ended     sync.WaitGroup // the threads
	stop      [2]atomic.Bool // sources, sinks
	count     *counting      // nil = it works off windows
}

type endpoint struct {
	End
	config   *Config
	sink     bool
	fd       int // -1 = none
	listener int // TCP sinks; -1 after Accept
	port     uint16
	origins  []Origin // who may come here
	// What came, and what the socket dropped, before it knew that.
	strangers, dropped int64
	result             EndResult
}

// NewSet returns an empty set of so many kinds of traffic.
func NewSet(c ...Config) *Set { return &Set{configs: c} }

func (s *Set) endpoint(end End, sink bool) (*endpoint, error) {
	if end.Group < 0 || end.Group >= len(s.configs) {
		return nil, fmt.Errorf("flow %d: there is no traffic %d", end.Flow, end.Group)
	}
	e := &endpoint{End: end, config: &s.configs[end.Group], sink: sink, fd: -1, listener: -1}
	s.endpoints = append(s.endpoints, e)
	return e, nil
}

// Listen opens the sinks and returns their ports in the order of ends. Where all
// share a port, the first one's is taken.
func (s *Set) Listen(ends []End) ([]uint16, error) {
	ports := make([]uint16, 0, len(ends))
	first := map[int]uint16{}
	for _, end := range ends {
		e, err := s.endpoint(end, true)
		if err != nil {
			return nil, err
		}
		if err := e.config.listen(e, first[end.Group]); err != nil {
			return nil, fmt.Errorf("sink of flow %d: %w", end.Flow, err)
		}
		if e.config.onePort() && first[end.Group] == 0 {
			first[end.Group] = e.port
			if e.config.Sink.Socket == "reuseport-cpu" {
				if err := steerByCPU(e.fd, groupSize(ends, end.Group)); err != nil {
					return nil, err
				}
			}
		}
		if e.config.stream() && !e.config.Kind.Connects() {
			e.fd, e.listener = -1, e.fd
		}
		ports = append(ports, e.port)
	}
	return ports, nil
}

func groupSize(ends []End, group int) int {
	n := 0
	for _, e := range ends {
		if e.Group == group {
			n++
		}
	}
	return n
}

// Connect opens the sources and returns their ports in the order of ends, 0
// where each message will have a socket of its own.
func (s *Set) Connect(ends []End) ([]uint16, error) {
	ports := make([]uint16, 0, len(ends))
	for _, end := range ends {
		e, err := s.endpoint(end, false)
		if err != nil {
			return nil, err
		}
		if e.config.Kind.Connects() || e.config.makesFrames() {
			ports = append(ports, 0)
			continue
		}
		if err := e.config.connect(e); err != nil {
			return nil, fmt.Errorf("source of flow %d: %w", end.Flow, err)
		}
		ports = append(ports, e.port)
	}
	return ports, nil
}

// Accept completes the sinks once their sources have connected; ends are the
// sinks as given to Listen, now with their peers. TCP accepts, UDP connects back;
// see strangers.go for what becomes of others.
func (s *Set) Accept(ends []End) error {
	type flow struct{ group, flow int }
	known := map[flow]End{}
	for _, end := range ends {
		known[flow{end.Group, end.Flow}] = end
	}
	for _, e := range s.endpoints {
		if !e.sink {
			continue
		}
		if err := e.complete(known[flow{e.Group, e.Flow}]); err != nil {
			return fmt.Errorf("sink of flow %d: %w", e.Flow, err)
		}
	}
	return nil
}

// complete makes a sink ready for those who may come to it.
func (e *endpoint) complete(end End) error {
	c := e.config
	e.origins = c.origins(end)
	if len(e.origins) == 0 && !c.unix() && (c.stream() || c.guarded(true)) {
		return errors.New("nobody said from where its traffic may come")
	}
	switch {
	case e.listener >= 0:
		return e.accept()
	case c.stream():
		return nil // the doorkeeper asks each
	// Whole packets come from no socket that one could connect to.
	case c.connectsBack() && !c.makesFrames() && end.To.Port() != 0:
		if err := unix.Connect(e.fd, c.sockaddr(end.To)); err != nil {
			return fmt.Errorf("connect back to %s: %w", end.To, err)
		}
	case c.guarded(true):
		if err := e.guard(); err != nil {
			return err
		}
	}
	return e.forget()
}

// Close closes all sockets, and lets threads go that were prepared and never
// run.
func (s *Set) Close() {
	s.gate.open()
	for _, e := range s.endpoints {
		for _, fd := range []int{e.fd, e.listener} {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
		e.fd, e.listener = -1, -1
	}
}

// A RoleThread is a thread of a role, by its number.
type RoleThread struct {
	ID    int  `json:"id"`
	Group int  `json:"group,omitempty"` // which of the set's Configs
	Sink  bool `json:"sink,omitempty"`
}

// Threads are those that Prepare made.
func (s *Set) Threads() []RoleThread {
	out := make([]RoleThread, 0, len(s.workers))
	for _, w := range s.workers {
		if w.thread != nil {
			out = append(out, RoleThread{ID: w.thread.tid, Group: w.ends[0].Group, Sink: w.sink})
		}
	}
	return out
}

// openFrames opens the ring of a source that makes packets by itself.
func (e *endpoint) openFrames(c *Config) (*packet.Source, error) {
	f := e.Frames
	if f == nil {
		return nil, fmt.Errorf("flow %d: the path packet needs addresses of the link", e.Flow)
	}
	return packet.Open(packet.Config{Device: f.Device, SourceMAC: f.SourceMAC, SinkMAC: f.SinkMAC, Source: f.From, Sink: e.To,
		Ports: f.Ports, Payload: c.Message, Batch: c.Source.Batch})
}
