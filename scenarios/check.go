package scenarios

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netab/results/vocab"
)

// check finds what each value alone does not show: combinations that make no
// sense.
func (s *Scenario) check(d *decoder, drafts []draft) {
	s.checkBaseline(d, drafts)
	s.checkMeasure(d, drafts)
	s.checkKernels(d, drafts)
	for _, dr := range drafts {
		c := armChecker{d: d, draft: dr}
		c.topology()
		c.addresses()
		c.traffic()
		c.placement()
	}
	s.checkOverridden(d, drafts)
}

// BaselineArm is the name of the arm that the others are compared with; "" if
// there is one arm only.
func (s *Scenario) BaselineArm(arms []Arm) string {
	switch {
	case len(arms) < 2:
		return ""
	case s.Baseline != "":
		return s.Baseline
	}
	return arms[0].Name
}

func (s *Scenario) checkBaseline(d *decoder, drafts []draft) {
	if s.Baseline == "" || len(drafts) == 0 {
		return
	}
	var names []string
	for _, dr := range drafts {
		names = append(names, dr.name)
	}
	if !slices.Contains(names, s.Baseline) {
		d.fail(s.where.at("baseline"), fmt.Sprintf("baseline: no arm is named %q", s.Baseline), Suggest(s.Baseline, names))
	}
}

// checkMeasure holds the measuring against the arms; the ranges of single
// values are checked already.
func (s *Scenario) checkMeasure(d *decoder, drafts []draft) {
	together := sideBySide(drafts)
	arms := len(together)
	away := longestRoundTrip(drafts)
	m := s.Measure.withDefaults(topologiesOf(together), away)
	fail := func(key, msg, hint string) {
		d.fail(s.where.at("measure."+key), "measure."+key+": "+msg, hint)
	}
	if m.Confidence <= 0.5 {
		fail("confidence", fmt.Sprintf("%g%% is no confidence", 100*float64(m.Confidence)), "want more than 50% and less than 100%, usually 95%")
	}
	if m.Settle < Duration(away) {
		fail("settle", fmt.Sprintf("%s is shorter than the %s for which netem holds back a packet and its answer", m.Settle, Duration(away)), "what is counted would be what another slice sent; leave slice and settle out, or make them longer")
	}
	if m.Slice < 2*m.Settle {
		fail("slice", fmt.Sprintf("%s is less than twice the settle time of %s", m.Slice, m.Settle), "less than half of it would count; make slice longer or settle shorter")
	}
	if slices := m.Trial / m.Slice; slices > MaxSlices {
		fail("trial", fmt.Sprintf("%s holds %d slices of %s", m.Trial, slices, m.Slice), fmt.Sprintf("want at most %d: a shorter trial, or longer slices", MaxSlices))
	} else if blocks := m.Trial / m.block(arms); blocks < minBlocksGiven {
		need := minBlocksGiven * m.block(arms)
		fail("trial", fmt.Sprintf("%s holds %s of %s of %s", m.Trial, counted(int(blocks), "block"), counted(max(arms, 1), "slice"), m.Slice), fmt.Sprintf("want at least %d blocks: %s", minBlocksGiven, need))
	} else if each := m.MaxTime / Duration(max(1, m.Sessions)); m.Sessions > 1 && each < 2*m.Trial {
		fail("sessions", fmt.Sprintf("%d parts of max_time %s are %s each, shorter than two trials of %s", m.Sessions, m.MaxTime, each, m.Trial), fmt.Sprintf("want a max_time of at least %s; ten trials each are %s", Duration(2*m.Sessions)*m.Trial, Duration(10*m.Sessions)*m.Trial))
	} else if each, boots := m.eachBoot(drafts); boots > 0 && each < 2*m.Trial {
		fail("boots", fmt.Sprintf("%s of max_time %s are %s each, shorter than two trials of %s", counted(boots, "boot"), m.MaxTime, each, m.Trial), fmt.Sprintf("want a max_time of at least %s", Duration(2*boots)*m.Trial))
	} else if m.MaxTime < 2*m.Trial {
		fail("max_time", fmt.Sprintf("%s is shorter than two trials of %s (%s)", m.MaxTime, m.Trial, counted(max(arms, 1), "arm")), fmt.Sprintf("want at least %s; ten trials are %s", 2*m.Trial, 10*m.Trial))
	}
	if m.Sessions > 1 && m.Decided == "rest" {
		fail("decided", "sessions are looked at once, when the last has ended, so no arm has its verdict before", "leave measure.decided (--budget) or the sessions off")
	}
	switch several := m.Sessions > 1; {
	case several && m.Spread == 0:
		fail("sessions", fmt.Sprintf("%d sessions in one go are one", m.Sessions), "say over how long they are spread: measure.spread (--spread)")
	case !several && m.Spread > 0:
		fail("spread", "one session is not spread", "want measure.sessions (--sessions) of 2 or more")
	case m.Spread > 0 && m.Spread < m.MaxTime:
		fail("spread", fmt.Sprintf("%s is shorter than the sessions, %s together (max_time)", m.Spread, m.MaxTime), "spread them over hours")
	}
}

// checkOverridden refuses an override that every arm overwrites, because it
// would be ignored without a word.
func (s *Scenario) checkOverridden(d *decoder, drafts []draft) {
	for path, pos := range s.set {
		stands := func(where positions) bool {
			for p, at := range where {
				if at.File == pos.File && at.Line == pos.Line && (p == path || strings.HasPrefix(p, path+".")) {
					return true
				}
			}
			return false
		}
		standsIn := func(dr draft) bool { return stands(dr.where) }
		if len(drafts) > 0 && stands(s.where) && !slices.ContainsFunc(drafts, standsIn) {
			d.fail(pos, fmt.Sprintf("%s is set by every arm, so this has no effect", path), "set it in the arm: arms.NAME."+path+"=..., or the levels: matrix.FACTOR=[...]")
		}
	}
}

// An armChecker checks one arm with its defaults.
type armChecker struct {
	d     *decoder
	draft draft
}

func (c armChecker) fail(path, msg, hint string) {
	c.d.fail(c.draft.where.at(path), path+": "+msg, hint)
}

// written says whether a value is given, if only a wrong one that was refused.
func (c armChecker) written(path string) bool {
	_, ok := c.draft.where[path]
	return ok
}

func (c armChecker) topology() {
	t := c.draft.cfg.Topology
	if t.Family == "ipv6" && t.MTU > 0 && t.MTU < minMTUv6 {
		c.fail("topology.mtu", fmt.Sprintf("%d is too small for ipv6", t.MTU), fmt.Sprintf("IPv6 needs %d or more (RFC 8200)", minMTUv6))
	}
	if t.Kind != vocab.Loopback && t.MTU > maxMTU-1 {
		c.fail("topology.mtu", fmt.Sprintf("%d is more than a %s device takes", t.MTU, t.Kind), fmt.Sprintf("want at most %d", maxMTU-1))
	}
	for name, dev := range c.draft.cfg.Knobs.Device {
		if mtu, err := strconv.Atoi(dev.MTU); err == nil && t.Family == "ipv6" && mtu < minMTUv6 {
			c.fail(join("knobs.device", name)+".mtu", fmt.Sprintf("%d is too small for ipv6", mtu), fmt.Sprintf("IPv6 needs %d or more (RFC 8200)", minMTUv6))
		}
	}
	if t.Queues > 0 && t.Kind != vocab.Veth {
		c.fail("topology.queues", "a "+string(t.Kind)+" topology makes no queues", "use topology.kind veth, or channels of the device")
	}
	for _, end := range []struct{ path, device string }{
		{"topology.source_device", t.SourceDevice}, {"topology.sink_device", t.SinkDevice},
	} {
		switch {
		case t.Kind == vocab.NIC && end.device == "" && !c.written(end.path):
			c.fail(end.path, "a nic topology needs both devices", "give topology.source_device and topology.sink_device")
		case t.Kind != vocab.NIC && end.device != "":
			c.fail(end.path, "a "+string(t.Kind)+" topology takes no devices", "use topology.kind nic, or leave it off")
		}
	}
	if t.Kind == vocab.NIC && t.SourceDevice != "" && t.SourceDevice == t.SinkDevice {
		c.fail("topology.sink_device", t.SinkDevice+" is the source's device too", "two devices with a wire between them are needed")
	}
}

func (c armChecker) addresses() {
	t := c.draft.cfg.Topology
	if t.SourceAddress == "" && t.SinkAddress == "" {
		return
	}
	if t.Kind == vocab.Loopback {
		path := "topology.source_address"
		if t.SourceAddress == "" {
			path = "topology.sink_address"
		}
		c.fail(path, "loopback has its own addresses", "leave it off, or use veth or nic")
		return
	}
	source, errSource := netip.ParsePrefix(t.SourceAddress)
	sink, errSink := netip.ParsePrefix(t.SinkAddress)
	if errSource != nil || errSink != nil {
		if !c.written("topology.source_address") || !c.written("topology.sink_address") {
			c.fail("topology", "one address is given and one is not", "give source_address and sink_address, or neither")
		}
		return // else it is written and wrong, which decoding has found
	}
	for _, end := range []struct {
		path    string
		address netip.Addr
	}{{"topology.source_address", source.Addr()}, {"topology.sink_address", sink.Addr()}} {
		if end.address.Is4() != (t.Family == "ipv4") {
			c.fail(end.path, fmt.Sprintf("%s is not an address of %s", end.address, t.Family), "change the address or topology.family")
			return
		}
	}
	switch {
	case source.Addr() == sink.Addr():
		c.fail("topology.sink_address", sink.Addr().String()+" is the source's address too", "give each side its own")
	case !source.Contains(sink.Addr()) || !sink.Contains(source.Addr()):
		c.fail("topology.sink_address", fmt.Sprintf("%s and %s are not on one link", source, sink), "there is no router between them: use addresses of one prefix")
	}
}

// maxDatagram is the most payload of UDP: 65535 less the headers that the
// length field counts (over IPv4 the packet's, over IPv6 the payload's).
func maxDatagram(family string) int {
	if family == "ipv6" {
		return 65535 - 8
	}
	return 65535 - 20 - 8
}

func (c armChecker) placement() {
	p := c.draft.cfg.Placement
	switch {
	case p.Mode != "":
	case p.Source == "" && !c.written("placement.source"):
		c.fail("placement", "the CPUs of the source are missing", `give source beside sink, such as source: "all - sink"`)
	case p.Sink == "" && !c.written("placement.sink"):
		c.fail("placement", "the CPUs of the sink are missing", `give sink beside source, such as sink: "all - source"`)
	}
	for _, role := range []struct {
		key, policy string
		nice        int
	}{{"source", p.SourcePolicy, p.SourceNice}, {"sink", p.SinkPolicy, p.SinkNice}} {
		if role.nice != 0 && role.policy != "" && role.policy != "other" && role.policy != "batch" {
			c.fail("placement."+role.key+"_nice", "threads of policy "+role.policy+" have no niceness", "leave it off, or use other or batch")
		}
	}
}
