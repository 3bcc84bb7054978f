// Package topology builds the path between source and sink: which namespaces,
// which devices, which addresses.
//
// Namespaces are born with the agents that work in them and die with them, so
// a topology needs no clean-up but the end of its agents. Only existing interfaces
// ("nic") must be given back; see nic.go.
package topology

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"netab/results/crew"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/host"
	"netab/runner/place"
	"netab/scenarios"
)

// Built is a topology that is there: two sides, each with the agent that works there.
// Source and Sink are the same agent on loopback.
type Built struct {
	Source, Sink Side
}

// A Side is one end of it.
type Side struct {
	Place  place.Place
	Agent  *agent.Agent
	Device string
	Addr   netip.Addr
}

// Agents are its agents, each once.
func (p *Built) Agents() []*agent.Agent {
	if p.Source.Agent == p.Sink.Agent {
		return []*agent.Agent{p.Sink.Agent}
	}
	return []*agent.Agent{p.Source.Agent, p.Sink.Agent}
}

// PlaceOf is where one of its agents works.
func (p *Built) PlaceOf(a *agent.Agent) place.Place {
	if a == p.Source.Agent {
		return p.Source.Place
	}
	return p.Sink.Place
}

// Places are where the sides are, each once.
func (p *Built) Places() []place.Place {
	return place.Pair{Source: p.Source.Place, Sink: p.Sink.Place}.Each()
}

// Close ends the agents, and with them namespaces and links.
func (p *Built) Close(ctx context.Context) error {
	var errs []error
	for _, a := range p.Agents() {
		errs = append(errs, a.Close(ctx))
	}
	return errors.Join(errs...)
}

// Addresses of veth pairs are from the ranges reserved for benchmarks of
// network devices (RFC 2544, RFC 5180): nobody's real network has them.
var (
	sourceV4 = netip.MustParsePrefix("198.18.0.1/30")
	sinkV4   = netip.MustParsePrefix("198.18.0.2/30")
	sourceV6 = netip.MustParsePrefix("2001:2::1/64")
	sinkV6   = netip.MustParsePrefix("2001:2::2/64")
)

// Names of the two ends of a veth pair, the same in every arm.
const (
	sourceVeth = "veth-source"
	sinkVeth   = "veth-sink"
)

// Build makes a loopback or a veth pair in namespaces of its own, which lie in one
// machine.
func Build(ctx context.Context, at place.Pair, t scenarios.Topology, o agent.Options) (*Built, error) {
	build := map[vocab.Topology]func(context.Context, place.Place, scenarios.Topology, agent.Options) (*Built, error){
		vocab.Loopback: loopback, vocab.Veth: veth}[t.Kind]
	if build == nil {
		return nil, fmt.Errorf("topology %q is not one that can be built", t.Kind)
	}
	if at.Source != at.Sink {
		return nil, fmt.Errorf("topology %s lies in one machine, and its sides are to be on %s and on %s", t.Kind, place.Called(at.Source), place.Called(at.Sink))
	}
	return build(ctx, at.Source, t, o)
}

func loopback(ctx context.Context, at place.Place, t scenarios.Topology, o agent.Options) (*Built, error) {
	a, err := at.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	side := Side{Place: at, Agent: a, Device: "lo", Addr: netip.MustParseAddr("127.0.0.1")}
	if t.Family == "ipv6" {
		side.Addr = netip.IPv6Loopback()
	}
	p := &Built{Source: side, Sink: side}
	if err := side.enableIPv6(); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	if err := a.SetLink("lo", host.LinkChange{Up: new(true), MTU: mtu(t)}); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

func veth(ctx context.Context, at place.Place, t scenarios.Topology, o agent.Options) (*Built, error) {
	p := &Built{Source: Side{Place: at}, Sink: Side{Place: at}}
	var g crew.Crew
	for _, a := range []**agent.Agent{&p.Source.Agent, &p.Sink.Agent} {
		g.Go(func() (err error) { *a, err = at.Start(ctx, o); return err })
	}
	if err := g.Wait(); err != nil {
		for _, a := range []*agent.Agent{p.Source.Agent, p.Sink.Agent} {
			if a != nil {
				a.Close(ctx)
			}
		}
		return nil, err
	}
	if err := p.joinByVeth(ctx, t); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

func (p *Built) joinByVeth(ctx context.Context, t scenarios.Topology) error {
	pair := host.Veth{Name: sourceVeth, PeerName: sinkVeth, PeerPID: p.Sink.Agent.PID(), MTU: t.MTU, Queues: t.Queues}
	if err := p.Source.Agent.AddVeth(pair); err != nil {
		return err
	}
	source, sink, err := addresses(t)
	if err != nil {
		return err
	}
	if err := p.Source.configure(sourceVeth, source, nil); err != nil {
		return err
	}
	if err := p.Sink.configure(sinkVeth, sink, nil); err != nil {
		return err
	}
	return p.introduce(ctx)
}

// introduce makes the two sides know each other's link address, when each takes
// packets to its own. Resolving it costs the first packets of every flow, and
// over a veth pair that is just up IPv6 took a second for it.
func (p *Built) introduce(ctx context.Context) error {
	for _, side := range []*Side{&p.Source, &p.Sink} {
		if err := side.waitForAddress(ctx); err != nil {
			return err
		}
	}
	source, err := p.Source.Link()
	if err != nil {
		return err
	}
	sink, err := p.Sink.Link()
	if err != nil {
		return err
	}
	if source.MAC == "" || sink.MAC == "" {
		return nil // point to point: there is nothing to resolve
	}
	err = p.Source.Agent.SetLink(p.Source.Device, host.LinkChange{AddNeighbor: []host.Neighbor{{Addr: p.Sink.Addr, MAC: sink.MAC}}})
	if err != nil {
		return err
	}
	return p.Sink.Agent.SetLink(p.Sink.Device, host.LinkChange{AddNeighbor: []host.Neighbor{{Addr: p.Source.Addr, MAC: source.MAC}}})
}

// Link describes the side's device.
func (s *Side) Link() (host.Link, error) {
	links, err := s.Agent.Links()
	if err != nil {
		return host.Link{}, err
	}
	for _, l := range links {
		if l.Name == s.Device {
			return l, nil
		}
	}
	return host.Link{}, fmt.Errorf("%s: the device is gone", s.Device)
}

// addresses are those of the two sides: the scenario's, else of the ranges for
// benchmarks.
func addresses(t scenarios.Topology) (source, sink netip.Prefix, err error) {
	source, sink = sourceV4, sinkV4
	if t.Family == "ipv6" {
		source, sink = sourceV6, sinkV6
	}
	if source, err = givenAddress(t.SourceAddress, source); err != nil {
		return source, sink, fmt.Errorf("source_address: %w", err)
	}
	if sink, err = givenAddress(t.SinkAddress, sink); err != nil {
		return source, sink, fmt.Errorf("sink_address: %w", err)
	}
	return source, sink, nil
}

// givenAddress is the scenario's own choice of an address, if it made one.
func givenAddress(text string, otherwise netip.Prefix) (netip.Prefix, error) {
	if text == "" {
		return otherwise, nil
	}
	return netip.ParsePrefix(text)
}

// waitForCarrier waits until both devices can carry packets: a NIC negotiates
// its link for seconds after it is taken up.
func waitForCarrier(ctx context.Context, p *Built) error {
	for _, side := range []Side{p.Source, p.Sink} {
		up := func() bool {
			carrier, err := side.Agent.ReadFile("/sys/class/net/" + side.Device + "/carrier")
			return err == nil && strings.TrimSpace(string(carrier)) == "1"
		}
		missing := fmt.Errorf("%s: no carrier after %v: is the cable in, and the other end up?", side.Device, longestWait)
		if err := waitFor(ctx, up, 20*time.Millisecond, missing); err != nil {
			return err
		}
	}
	return nil
}

// waitForAddress waits until packets to the side's address are taken. The kernel
// gives an IPv6 address its local route in a work item, when the device has a
// carrier (addrconf_dad_work in net/ipv6/addrconf.c), and drops what arrives
// before: on a busy machine the first packets of a flow.
func (s *Side) waitForAddress(ctx context.Context) error {
	if s.Addr.Is4() {
		return nil
	}
	routed := func() bool {
		routes, err := s.Agent.ReadFile("/proc/thread-self/net/ipv6_route")
		return err == nil && hasRoute(string(routes), s.Addr)
	}
	missing := fmt.Errorf("%s: the kernel set no local route to %s within %v", s.Device, s.Addr, longestWait)
	return waitFor(ctx, routed, time.Millisecond, missing)
}

// hasRoute finds the host route of a local address in /proc/net/ipv6_route:
// destination and prefix length in hexadecimal, then what does not matter here
// (ipv6_route_native_seq_show in net/ipv6/ip6_fib.c).
func hasRoute(routes string, addr netip.Addr) bool {
	for line := range strings.Lines(routes) {
		if strings.HasPrefix(line, fmt.Sprintf("%x 80 ", addr.AsSlice())) {
			return true
		}
	}
	return false
}

// longestWait is how long a device may take to be ready.
const longestWait = 20 * time.Second

// waitFor tries each so often whether something is there; missing is the error if
// it does not come.
func waitFor(ctx context.Context, check func() bool, each time.Duration, missing error) error {
	for deadline := time.Now().Add(longestWait); !check(); {
		if time.Now().After(deadline) {
			return missing
		}
		select {
		case <-time.After(each):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// configure gives a side its address and takes its device, and lo, up.
func (s *Side) configure(device string, addr netip.Prefix, mtu *int) error {
	s.Device, s.Addr = device, addr.Addr()
	if err := s.enableIPv6(); err != nil {
		return err
	}
	if err := s.Agent.SetLink("lo", host.LinkChange{Up: new(true)}); err != nil {
		return err
	}
	return s.Agent.SetLink(device, host.LinkChange{Up: new(true), MTU: mtu, AddAddress: []netip.Prefix{addr}})
}

// enableIPv6 switches IPv6 on in a side's namespace, which is netab's own, if the
// side needs it and new namespaces have it off (ipv6.disable_ipv6=1: ipv6_defaults
// in net/ipv6/addrconf.c). "all" stands for every device there and those to come.
func (s *Side) enableIPv6() error {
	const conf = "/proc/sys/net/ipv6/conf/"
	if s.Addr.Is4() {
		return nil
	}
	for _, which := range []string{"all", "default", "lo"} {
		text, err := s.Agent.ReadFile(conf + which + "/disable_ipv6")
		if err != nil {
			return fmt.Errorf("topology.family is ipv6: %w: this kernel has no IPv6", err)
		}
		if strings.TrimSpace(string(text)) == "0" {
			continue
		}
		if err := s.Agent.WriteFile(conf+"all/disable_ipv6", []byte("0")); err != nil {
			return fmt.Errorf("topology.family is ipv6, which is off in new namespaces (ipv6.disable_ipv6=1) and cannot be switched on: %w", err)
		}
		return nil
	}
	return nil
}

func mtu(t scenarios.Topology) *int {
	if t.MTU == 0 {
		return nil
	}
	return &t.MTU
}
