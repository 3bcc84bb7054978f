package runner

import (
	"slices"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/knob"
)

// A Preview is a plan for people: what --dry-run prints.
type Preview struct {
	Grain    vocab.Grain     `json:"grain"`
	Reason   string          `json:"reason"`
	Slice    time.Duration   `json:"slice_ns"`
	Settle   time.Duration   `json:"settle_ns"`
	Blocks   int             `json:"blocks_per_trial"`
	Trial    time.Duration   `json:"trial_ns"` // warm-ups and slices of one trial together
	Arms     []ArmPreview    `json:"arms"`
	Borrowed []SharedPreview `json:"borrowed"`        // from the machine
	Moved    []string        `json:"moved"`           // devices that go into namespaces for the run
	Notes    []string        `json:"notes,omitempty"` // what to know before the run
}

// betweenTrials is about what it takes to build a trial's namespaces and
// sockets, and to take them down.
const betweenTrials = 50 * time.Millisecond

// Each is about how long a trial takes with all that goes with it.
func (p *Preview) Each() time.Duration { return p.Trial + betweenTrials }

// An ArmPreview is what belongs to one arm.
type ArmPreview struct {
	Name           string         `json:"name"`
	Topology       vocab.Topology `json:"topology"`
	Traffic        vocab.Protocol `json:"traffic"`
	Source         []int          `json:"source_cpus"` // null = not pinned
	Sink           []int          `json:"sink_cpus"`
	Own            []string       `json:"own_knobs"`        // in namespaces of its own
	SharesFlowWith []string       `json:"shares_flow_with"` // other arms on the same live flow
}

// A SharedPreview is a knob that is borrowed from the machine.
type SharedPreview struct {
	Knob   string     `json:"knob"`
	Scope  knob.Scope `json:"scope"`
	Before string     `json:"before"`
	Values []string   `json:"values"` // by arm
}

func (r *run) preview() *Preview {
	p := r.plan
	out := &Preview{Grain: p.grain, Reason: p.reason, Slice: p.slice, Settle: p.settle, Blocks: p.blocks,
		Trial: time.Duration(p.blocks*len(p.arms))*p.slice + time.Duration(len(p.setups))*p.warmup, Borrowed: []SharedPreview{}, Moved: []string{}, Notes: p.notes}
	if p.nic() {
		t := p.arms[0].Config.Topology
		out.Moved = []string{t.SourceDevice, t.SinkDevice}
	}
	for i, arm := range p.arms {
		a := ArmPreview{Name: arm.Name, Topology: arm.Config.Topology.Kind, Traffic: arm.Config.Traffic.Protocol,
			Source: arm.CPUs.Source, Sink: arm.CPUs.Sink, Own: []string{}, SharesFlowWith: []string{}}
		for _, s := range p.setups {
			if !slices.Contains(s.arms, i) {
				continue
			}
			for _, k := range s.own {
				a.Own = append(a.Own, describe(k))
			}
			for _, other := range s.arms {
				if other != i {
					a.SharesFlowWith = append(a.SharesFlowWith, p.arms[other].Name)
				}
			}
		}
		out.Arms = append(out.Arms, a)
	}
	for _, s := range p.shared {
		shown := SharedPreview{Knob: s.knob.String(), Scope: s.knob.Scope(), Before: s.told(results.Setting{}, 0).Before}
		for arm, v := range s.values {
			shown.Values = append(shown.Values, s.told(results.Setting{Asked: v}, arm).Asked)
		}
		out.Borrowed = append(out.Borrowed, shown)
	}
	return out
}
