package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"netab/analysis/why"
	"netab/results/vocab"
)

// A cause is put into the arm "b" of a scenario, and known to be it.
type cause struct {
	name, what string
	scenario   string
	times      int // as long as the others are explained; 0 = once
	change     func(space) error
	role       vocab.Owner                            // the limit, which pays for it; "" = any
	shares     bool                                   // roles share CPUs
	functions  []string                               // prefixes of functions that it is named by
	named      func(why.Explanation, why.Events) bool // in place of functions
}

// small are datagrams whose source is the limit: the sink spins, so that nobody wakes it.
const small = "traffic: {protocol: udp, message: 64, sink: {wait: spin}}\n"

// bulk is a TCP stream over veth.
const bulk = "traffic: {protocol: tcp, message: 128K}\n"

// shortTrials are more trials, of which intervals are; with fewer blocks there would be no
// stretches in one.
const shortTrials = "measure: {trial: 1s}\n"

func twoArms(traffic, b string) string { return onVeth("veth", traffic, b) }

func onVeth(topology, traffic, b string) string {
	return "question: Is the cause of the difference named?\ntopology: " + topology + "\n" + traffic + shortTrials + "arms:\n  a: {}\n  b: " + b + "\n"
}

// nftRules are so many that a packet meets at each end and that do not match.
const nftRules = 100

func causesOf() []cause {
	return []cause{
		{name: "nft", what: fmt.Sprintf("%d nft rules at each end", nftRules), scenario: twoArms(small, markedKnobs), role: vocab.SourceTime,
			change: func(s space) error { return s.run(nftText(nftRules), "nft", "-f", "-") }, functions: []string{"nft_", "nf_hook_slow"}},
		{name: "tc", what: "a filter of cls_bpf where the source sends", scenario: twoArms(small, markedKnobs), role: vocab.SourceTime,
			change: filtered, functions: []string{"cls_bpf", "tcf_", "tc_", "sch_handle", "__tcf", "bpf_prog", "[bpf]"}},
		{name: "slowdown", what: "`traffic.source.slowdown` of 6 %", scenario: twoArms(small, "{traffic: {source: {slowdown: 6%}}}"), role: vocab.SourceTime,
			functions: []string{"user space"}},
		{name: "gso", what: "GSO of 16 KiB in place of 64", scenario: twoArms(bulk, markedKnobs), role: vocab.SourceTime,
			change:    func(s space) error { return s.run("", "ip", "link", "set", "dev", s.device, "gso_max_size", "16384") },
			functions: []string{"tcp_", "__tcp", "ip_", "__ip", "veth_", "__dev", "dev_", "netif_", "__netif", "skb_", "__skb", "__alloc_skb", "kmem_", "process_backlog"}},
		// Of 1472 bytes it costs 2 %, which half a minute does not tell from none; of 8972
		// one function takes the place of another, which four trials do not tell from chance.
		{name: "checksum", times: 3, what: "checksum offload off at the source's veth, datagrams of 8972 bytes", scenario: onVeth("{kind: veth, mtu: 9000}", "traffic: {protocol: udp, message: 8972, sink: {wait: spin}}\n", "{knobs: {device: {source: {offload: {tx-checksum: off}}}}}"), role: vocab.SourceTime,
			functions: []string{"csum_", "skb_checksum", "__skb_checksum", "do_csum"}},
		{name: "lock", what: "a socket, and its lock, shared by two flows", scenario: "question: Is the cause of the difference named?\ntopology: veth\nplacement: {source: \"0,1\", sink: \"0,1\"}\n" +
			"traffic: {protocol: udp, message: 64, flows: 2, sink: {path: recvmmsg}}\n" + shortTrials + "arms:\n  a: {traffic: {sink: {socket: open}}}\n  b: {traffic: {sink: {socket: shared}}}\n",
			shares: true, named: locked},
		{name: "neighbour", what: "a busy neighbour on the CPUs of the roles: waiting, and no work", scenario: twoArms(bulk, "{traffic: {message: 128K, beside: {neighbour: {protocol: tcp, message: 16K}}}}"),
			shares: true, named: waits},
	}
}

// nftText is a chain at each hook that a datagram passes, with rules that do not match.
func nftText(rules int) string {
	var b strings.Builder
	b.WriteString("table ip netab {\n")
	for _, hook := range []string{"output", "prerouting"} {
		fmt.Fprintf(&b, "chain %s {\ntype filter hook %s priority 0; policy accept;\n", hook, hook)
		for i := range rules {
			fmt.Fprintf(&b, "ip saddr 192.0.2.%d drop\n", i%250+1)
		}
		b.WriteString("}\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// filtered has each packet that leaves pass a program of so many loads, which lets it
// through.
func filtered(s space) error {
	const loads = 200
	var code strings.Builder
	fmt.Fprintf(&code, "%d", loads+1)
	for range loads {
		code.WriteString(",48 0 0 14") // the first byte behind the Ethernet header
	}
	code.WriteString(",6 0 0 4294967295") // TC_ACT_UNSPEC
	if err := s.run("", "tc", "qdisc", "add", "dev", s.device, "clsact"); err != nil {
		return err
	}
	return s.run("", "tc", "filter", "add", "dev", s.device, "egress", "bpf", "bytecode", code.String())
}

// firstParts so many of the parts that moved most name a cause: a terminal shows as many.
const firstParts = 5

// names says whether an explanation names a cause: among the functions that moved most in
// the role that is the limit is one of it, which came beyond chance, or its category did.
func (c cause) names(e why.Explanation, events why.Events) bool {
	if c.named != nil {
		return c.named(e, events)
	}
	if c.role != "" && (e.Role != c.role || e.BaselineRole != c.role) {
		return false
	}
	came := map[string]bool{} // categories
	var moved []why.Part
	for _, p := range e.Parts {
		switch {
		case c.role != "" && p.Role != c.role:
		case p.Function != "":
			moved = append(moved, p)
		case p.Category != "" && p.Significant && p.Delta > 0:
			came[p.Category] = true
		}
	}
	slices.SortStableFunc(moved, func(a, b why.Part) int { return cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta)) })
	for _, p := range moved[:min(firstParts, len(moved))] {
		if p.Delta > 0 && (p.Significant || came[p.Category]) && slices.ContainsFunc(c.functions, func(prefix string) bool { return strings.HasPrefix(p.Function, prefix) }) {
			return true
		}
	}
	return false
}

// waits: a role waited longer for a CPU, and that is not claimed as the cause of anything.
func waits(e why.Explanation, _ why.Events) bool {
	return !e.Closes && slices.ContainsFunc(e.Waiting, func(p why.Part) bool { return p.Significant && p.Delta > 0 })
}

// locked: somebody waits for a lock of the socket in the arm that shares one, and not in
// the other: five times as long at least.
func locked(e why.Explanation, events why.Events) bool {
	ns := map[string]float64{}
	for _, l := range events.Locks {
		if strings.HasPrefix(l.Caller, "udp") || strings.HasPrefix(l.Caller, "__udp") || strings.HasPrefix(l.Caller, "__skb") || strings.HasPrefix(l.Caller, "sock_") {
			ns[l.Arm] += l.NS
		}
	}
	return ns[e.Arm] > 0 && ns[e.Arm] > 5*ns[e.Baseline]
}

func (o options) causes(ctx context.Context, out io.Writer) error {
	for _, c := range causesOf() {
		if !strings.Contains(c.name, o.only) {
			continue
		}
		p := o
		if c.shares { // CPUs: what real-time threads leave is nothing
			p.set = ""
		}
		lasts := time.Duration(max(c.times, 1)) * o.causeTime
		runs, err := p.measured(ctx, kind{"cause-" + c.name, c.scenario, lasts, c.change}, o.causeRuns)
		if err != nil {
			return err
		}
		n, limits, said := 0, map[vocab.Owner]int{}, ""
		for i, s := range summaries(runs) {
			for _, e := range s.Explanations {
				limits[e.Role]++
				if c.names(e, why.EventsOf(runs[i])) {
					n++
				} else {
					fmt.Fprintf(os.Stderr, "not named: %s, run %s: %s\n", c.name, s.Run, e.Text)
				}
				said = e.Text
			}
		}
		line(out, fmt.Sprintf("an injected cause, %v of explain trials each: %s", lasts, c.what),
			fmt.Sprintf("named in %d of %d, the limit %s; the last says: %s", n, len(runs), counted(limits), said))
	}
	return nil
}

func counted(limits map[vocab.Owner]int) string {
	var texts []string
	for _, role := range []vocab.Owner{vocab.SourceTime, vocab.SinkTime, ""} {
		name := string(role)
		if role == "" {
			name = "none"
		}
		if limits[role] > 0 {
			texts = append(texts, fmt.Sprintf("%s %d times", name, limits[role]))
		}
	}
	return strings.Join(texts, ", ")
}

// same are two arms that do not differ: nothing may be named.
func (o options) same(ctx context.Context, out io.Writer) error {
	runs, err := o.measured(ctx, kind{"same", twoArms(bulk, "{}"), o.causeTime, nil}, o.sameRuns)
	if err != nil {
		return err
	}
	anything, sentences := 0, 0
	for _, s := range summaries(runs) {
		for _, e := range s.Explanations {
			if slices.ContainsFunc(e.Parts, func(p why.Part) bool { return p.Significant }) {
				anything++
			}
			if strings.Contains(e.Text, " because ") {
				sentences++
			}
		}
	}
	line(out, fmt.Sprintf("two arms that are the same, bulk TCP over veth, %v of explain trials each", o.causeTime),
		fmt.Sprintf("anything called significant in %d of %d, a cause claimed in %d", anything, len(runs), sentences))
	return nil
}
