package runner

import (
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/topology"
	"netab/runner/traffic"
	"netab/scenarios"
)

// A group is one kind of traffic of an arm: its main one, or one beside it.
type group struct {
	name    string // "" = the main one
	traffic scenarios.Traffic
	flows   []flow
}

// A flow is one source-sink pair of a group and the sides of the topology that its
// ends are on. Where flows share a socket, one of them has it.
type flow struct {
	source, sink           topology.Side
	sourcePlace, sinkPlace int // into ResolvedCPUs
	sourcePort, sinkPort   uint16
	sends                  bool // it has a source of its own (multicast: the first one alone)
	receivedBy             int  // the flow that has its sink's socket
}

// groupsOf lays out all traffic of an arm, the main one first.
func groupsOf(t scenarios.Traffic, built *topology.Built) []group {
	out := []group{{traffic: t, flows: flowsOf(t, built)}}
	for _, name := range slices.Sorted(maps.Keys(t.Beside)) {
		out = append(out, group{name: name, traffic: t.Beside[name], flows: flowsOf(t.Beside[name], built)})
	}
	return out
}

// flowsOf lays out the flows of one kind of traffic: sources at the source side,
// or at the sink side for the reverse direction, or both.
func flowsOf(t scenarios.Traffic, built *topology.Built) []flow {
	var flows []flow
	firstOf := map[int]int{} // sink of the pattern -> its first flow
	add := func(pair scenarios.Pair, index int, source, sink topology.Side) {
		f := flow{source: source, sink: sink, sends: true, receivedBy: len(flows)}
		f.sourcePlace, f.sinkPlace = t.PlaceOf(index)
		if t.Kind == vocab.Multicast {
			f.sends = index == 0
		}
		if t.Sink.Socket == "shared" {
			if first, ok := firstOf[pair.Sink]; ok {
				f.receivedBy = first
			}
			firstOf[pair.Sink] = f.receivedBy
		}
		flows = append(flows, f)
	}
	for i, pair := range t.Pairs() {
		if t.Direction != "reverse" {
			add(pair, i, built.Source, built.Sink)
		}
		if t.Direction == "reverse" || t.Direction == "both" {
			add(pair, i, built.Sink, built.Source)
		}
	}
	return flows
}

// sources counts the ends that send.
func (g *group) sources() int {
	n := 0
	for _, f := range g.flows {
		if f.sends {
			n++
		}
	}
	return n
}

// config is the group as its agents are told. Others can reach what is no
// namespace of netab's own with devices of its own.
func (g *group) config(v6, exposed bool) traffic.Config {
	t := &g.traffic
	c := traffic.Config{
		Kind: t.Kind, Protocol: t.Protocol, IPv6: v6, Message: int(t.Message), Sizes: drawSizes(t.Sizes), Response: int(t.Response),
		Threads: t.Threads, SendBuffer: int(t.SendBuffer), ReceiveBuffer: int(t.ReceiveBuffer), Congestion: t.Congestion,
		NoDelay: t.NoDelay, NotSentLowat: int(t.NotSentLowat), PacingRate: int64(t.PacingRate / 8),
		Rate: float64(t.Rate) / float64(max(g.sources(), 1)), Burst: t.Burst, Depth: t.Depth, Think: int64(t.Think), Timeout: int64(t.Timeout),
		Verify: t.Verify, Exposed: exposed, MPTCP: t.MPTCP, MSS: t.MSS, TOS: tosOf(t), DontFragment: t.DontFragment,
		Source: traffic.Path{Call: t.Source.Path, Batch: t.Source.Batch, Segment: int(t.Source.Segment), ZeroCopy: t.Source.ZeroCopy,
			Socket: t.Source.Socket, Slowdown: float64(t.Source.Slowdown)},
		Sink: traffic.Path{Call: t.Sink.Path, Batch: t.Sink.Batch, GRO: t.Sink.GRO, Truncate: t.Sink.Truncate,
			BusyPoll: int(int64(t.Sink.BusyPoll) / 1000), PreferBusyPoll: t.Sink.PreferBusyPoll, LowWater: int(t.Sink.LowWater),
			Spin: t.Sink.Wait == "spin", Socket: t.Sink.Socket, Read: int(t.Sink.Read), Timestamp: t.Sink.Timestamp},
	}
	if c.Kind == vocab.Flood {
		c.Kind = vocab.Stream // with other defaults
	}
	return c
}

func tosOf(t *scenarios.Traffic) int {
	tos, _ := strconv.Atoi(t.TOS) // canonical
	return tos
}

// drawSizes is a distribution of sizes as a list to be taken in turn: each as
// often as its weight says, in an order that is random and always the same, so
// that every arm sends the same.
func drawSizes(weights scenarios.Sizes) []int {
	const enough = 1024
	var out []int
	for len(weights) > 0 && len(out) < enough {
		for _, text := range slices.Sorted(maps.Keys(weights)) {
			if size, err := strconv.Atoi(text); err == nil {
				out = append(out, slices.Repeat([]int{size}, weights[text])...)
			}
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Groups of multicast: of the ranges for use inside a site (RFC 2365, RFC 7346).
var (
	groupV4 = netip.MustParseAddr("239.255.78.66")
	groupV6 = netip.MustParseAddr("ff15::4e42")
)

// framesPort is the first source port of frames that we make ourselves.
const framesPort = 32768

// openSockets opens all sinks, then connects all sources to them, then
// completes the sinks.
func (l *live) openSockets() error {
	l.groups = groupsOf(l.arm.Config.Traffic, l.built)
	v6, exposed := l.built.Sink.Addr.Is6(), l.arm.Config.Topology.Kind == vocab.NIC
	var configs []traffic.Config
	for i := range l.groups {
		c := l.groups[i].config(v6, exposed)
		p := l.arm.Config.Placement
		c.Source.Policy, c.Source.Nice, c.Sink.Policy, c.Sink.Nice = p.SourcePolicy, p.SourceNice, p.SinkPolicy, p.SinkNice
		configs = append(configs, c)
	}
	for _, a := range l.built.Agents() {
		if err := a.Open(configs...); err != nil {
			return err
		}
	}
	sinks := map[*agent.Agent][]traffic.End{}
	sources := map[*agent.Agent][]traffic.End{}
	if err := l.listen(sinks); err != nil {
		return err
	}
	if err := l.connect(sources); err != nil {
		return err
	}
	if err := l.giveQuota(); err != nil {
		return err
	}
	return l.accept(sinks)
}

// listen opens the sinks and learns their ports.
func (l *live) listen(sinks map[*agent.Agent][]traffic.End) error {
	for g := range l.groups {
		for i, f := range l.groups[g].flows {
			if f.receivedBy != i {
				continue
			}
			end, err := l.sinkEnd(g, i)
			if err != nil {
				return err
			}
			sinks[f.sink.Agent] = append(sinks[f.sink.Agent], end)
		}
	}
	for a, ends := range sinks {
		ports, err := a.Listen(ends)
		if err != nil {
			return err
		}
		for i, e := range ends {
			flows := l.groups[e.Group].flows
			for j := range flows {
				if flows[j].receivedBy == e.Flow {
					flows[j].sinkPort = ports[i]
				}
			}
		}
	}
	return nil
}

func (l *live) sinkEnd(g, i int) (traffic.End, error) {
	f := l.groups[g].flows[i]
	end := traffic.End{Flow: i, Group: g, CPUs: pick(l.arm.CPUs.Sink, f.sinkPlace), Addr: f.sink.Addr}
	everybody := l.groups[g].traffic.Kind == vocab.Multicast || l.groups[g].traffic.Sink.Socket == "reuseport" || l.groups[g].traffic.Sink.Socket == "reuseport-cpu"
	for j, other := range l.groups[g].flows {
		if j != i && (other.receivedBy == i || everybody) {
			end.From = append(end.From, j)
		}
	}
	if l.groups[g].traffic.Kind == vocab.Multicast {
		end.To = netip.AddrPortFrom(multicastGroup(f.sink.Addr), 0)
		link, err := f.sink.Link()
		if err != nil {
			return end, err
		}
		end.Device = link.Index
	}
	return end, nil
}

func multicastGroup(like netip.Addr) netip.Addr {
	if like.Is6() {
		return groupV6
	}
	return groupV4
}

// connect opens the sources and learns their ports.
func (l *live) connect(sources map[*agent.Agent][]traffic.End) error {
	for g := range l.groups {
		sending := 0
		for i, f := range l.groups[g].flows {
			if !f.sends {
				continue
			}
			end, err := l.sourceEnd(g, i, sending)
			if err != nil {
				return err
			}
			sending++
			sources[f.source.Agent] = append(sources[f.source.Agent], end)
		}
	}
	for a, ends := range sources {
		ports, err := a.Connect(ends)
		if err != nil {
			return err
		}
		for i, e := range ends {
			l.groups[e.Group].flows[e.Flow].sourcePort = ports[i]
		}
	}
	return nil
}

// sourceEnd is the end of source number i of a group.
func (l *live) sourceEnd(g, i, sending int) (traffic.End, error) {
	t, f, n := &l.groups[g].traffic, l.groups[g].flows[i], float64(l.groups[g].sources())
	end := traffic.End{Flow: i, Group: g, CPUs: pick(l.arm.CPUs.Source, f.sourcePlace),
		To: netip.AddrPortFrom(f.sink.Addr, f.sinkPort), Phase: math.Mod(l.phase+float64(sending)/n, 1)}
	if t.LossFree != nil {
		end.Share = 1 / n
	}
	if t.Kind != vocab.Multicast && !l.groups[g].makesFrames() {
		return end, nil
	}
	link, err := f.source.Link()
	if err != nil {
		return end, err
	}
	if t.Kind == vocab.Multicast {
		end.To = netip.AddrPortFrom(multicastGroup(f.sink.Addr), f.sinkPort)
		end.Device = link.Index
		return end, nil
	}
	end.Frames, err = framesOf(f, i)
	return end, err
}

// framesOf tells a source that makes whole packets the addresses of its link.
func framesOf(f flow, i int) (*traffic.Frames, error) {
	out := &traffic.Frames{Device: f.source.Device, From: netip.AddrPortFrom(f.source.Addr, framesPort+uint16(i))}
	for _, end := range []struct {
		side topology.Side
		mac  *[6]byte
	}{{f.source, &out.SourceMAC}, {f.sink, &out.SinkMAC}} {
		link, err := end.side.Link()
		if err != nil {
			return nil, err
		}
		if link.MAC == "" {
			continue // lo has none
		}
		mac, err := net.ParseMAC(link.MAC)
		if err != nil {
			return nil, err
		}
		copy(end.mac[:], mac)
	}
	return out, nil
}

// origins are where what comes to a sink is from: its own flow's source, and
// those of others that share its socket, its port or its group.
func (g *group) origins(e traffic.End) []traffic.Origin {
	var out []traffic.Origin
	for _, i := range append([]int{e.Flow}, e.From...) {
		f := g.flows[i]
		if !f.sends {
			continue
		}
		o := traffic.Origin{Addr: f.source.Addr, First: f.sourcePort, Last: f.sourcePort}
		if g.makesFrames() {
			o.First, o.Last = framesPort+uint16(i), framesPort+uint16(i)
		}
		out = append(out, o)
	}
	if len(out) > maxOrigins {
		out = ranges(out)
	}
	return out
}

// maxOrigins bounds how many ports are told apart for each datagram.
const maxOrigins = 8

// ranges makes one of all origins that have an address in common.
func ranges(all []traffic.Origin) (out []traffic.Origin) {
	for _, o := range all {
		same := func(p traffic.Origin) bool { return p.Addr == o.Addr }
		if n := slices.IndexFunc(out, same); n >= 0 {
			out[n].First, out[n].Last = min(out[n].First, o.First), max(out[n].Last, o.Last)
		} else {
			out = append(out, o)
		}
	}
	return out
}

// makesFrames says whether the group's sources hand whole packets to the device.
func (g *group) makesFrames() bool {
	return g.traffic.Source.Path == "packet" || g.traffic.Source.Path == "pktgen"
}

// accept completes the sinks.
func (l *live) accept(sinks map[*agent.Agent][]traffic.End) error {
	for _, a := range l.built.Agents() {
		ends := sinks[a]
		for i, e := range ends {
			ends[i].Origins = l.groups[e.Group].origins(e)
			if l.groups[e.Group].traffic.Kind == vocab.Multicast {
				continue
			}
			f := l.groups[e.Group].flows[e.Flow]
			ends[i].To = netip.AddrPortFrom(f.source.Addr, f.sourcePort)
		}
		if err := a.Accept(ends); err != nil {
			return err
		}
	}
	return nil
}

// pick cycles a role's CPUs over places; nil = not pinned.
func pick(cpus []int, i int) []int {
	if len(cpus) == 0 {
		return nil
	}
	return cpus[i%len(cpus) : i%len(cpus)+1]
}
