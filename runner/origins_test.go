package runner

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/runner/topology"
	"netab/runner/traffic"
	"netab/scenarios"
)

// TestOrigins: a sink expects those flows that come to it, each at its port, and
// of many the range of their ports.
func TestOrigins(t *testing.T) {
	a, b := netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.0.2")
	g := group{}
	for i := range uint16(10) {
		g.flows = append(g.flows, flow{source: topology.Side{Addr: a}, sourcePort: 500 + i, sends: true})
	}
	g.flows[3].source.Addr = b
	g.flows[4].sends = false // as of multicast
	frames := g
	frames.traffic = scenarios.Traffic{Source: scenarios.SourcePath{Path: "packet"}}
	for name, tc := range map[string]struct {
		g    *group
		end  traffic.End
		want []traffic.Origin
	}{
		"one":       {&g, traffic.End{Flow: 2}, []traffic.Origin{{Addr: a, First: 502, Last: 502}}},
		"shared":    {&g, traffic.End{Flow: 2, From: []int{0, 3}}, []traffic.Origin{{Addr: a, First: 502, Last: 502}, {Addr: a, First: 500, Last: 500}, {Addr: b, First: 503, Last: 503}}},
		"multicast": {&g, traffic.End{Flow: 4, From: []int{0}}, []traffic.Origin{{Addr: a, First: 500, Last: 500}}},
		"many":      {&g, traffic.End{Flow: 2, From: []int{0, 1, 3, 4, 5, 6, 7, 8, 9}}, []traffic.Origin{{Addr: a, First: 500, Last: 509}, {Addr: b, First: 503, Last: 503}}},
		"frames":    {&frames, traffic.End{Flow: 2}, []traffic.Origin{{Addr: a, First: framesPort + 2, Last: framesPort + 2}}},
	} {
		if diff := cmp.Diff(tc.want, tc.g.origins(tc.end), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
