package scenarios

import (
	"time"

	"netab/results/vocab"
)

const (
	// Measured, and to be measured again: docs/slices.md. The standard error of an
	// effect within a trial, per second of it, is 1.6 % with slices of 20 ms, 2.2 %
	// with 50 ms, 2.9 % with 100 ms; shorter ones lose too much to their settle part.
	defaultSlice = Duration(25 * time.Millisecond)
	// An arm that takes its turn must fill the socket buffers again and warm the
	// caches, while the one before drains. What is still received later is
	// recorded, and warned of as carry-over: with 4 ms as little as with 5.
	defaultSettle = Duration(4 * time.Millisecond)
	// A trial is long against its own fixed cost (25 ms and more for each namespace)
	// and its warm-ups (40 ms of each arm), so that 70 % of the time count; and
	// short enough for many trials in max_time, as trials are the unit of inference.
	// Between 1 s and 2 s the error after a minute is flat.
	defaultTrial             = Duration(1500 * time.Millisecond)
	defaultTrialPerArm       = Duration(400 * time.Millisecond)
	defaultTrialPerNamespace = Duration(200 * time.Millisecond)
	// minBlocks of a default trial: the jackknife over blocks needs a few. A
	// scenario that gives its own trial is held to minBlocksGiven.
	minBlocks      = 8
	minBlocksGiven = 2
	defaultMaxTime = Duration(60 * time.Second)

	// Four boots of each of two kernels are the fewest that an exact permutation test
	// at 5 % can tell apart; one more lets one of them go astray.
	defaultBoots       = 5
	defaultGuestMemory = Size(256 << 20)
	defaultGuestCPUs   = 2
	defaultCPUModel    = "max"

	defaultConfidence Fraction = 0.95
	defaultResolution Fraction = 0.01
	defaultWidth      Fraction = 0.05
)

// withDefaults is c with every field set that has a default.
func (c Config) withDefaults() Config {
	fill(&c.Topology.Kind, vocab.Loopback)
	fill(&c.Topology.Family, "ipv4")
	c.Traffic = c.Traffic.withDefaults(c.Topology.Family)
	if c.Placement.Source == "" && c.Placement.Sink == "" {
		fill(&c.Placement.Mode, "distinct")
	}
	return c
}

// WithDefaults is g with every field set.
func (g Guest) WithDefaults() Guest {
	fill(&g.Memory, defaultGuestMemory)
	fill(&g.CPUs, defaultGuestCPUs)
	fill(&g.CPUModel, defaultCPUModel)
	fill(&g.Accel, "auto")
	fill(&g.Turns, "auto")
	return g
}

// namespaces is how many a path of the topology goes through.
func (t Topology) namespaces() int {
	if t.Kind == vocab.Loopback {
		return 1
	}
	return 2
}

// withDefaults is m with every field set, for arms of these topologies. A flow that
// netem holds back for a round trip fills its pipe in a few of them, and what was
// measured over fewer than ten would be mostly that.
func (m Measure) withDefaults(arms []Topology, roundTrip time.Duration) Measure {
	fill(&m.Confidence, defaultConfidence)
	fill(&m.Resolution, defaultResolution)
	fill(&m.Width, defaultWidth)
	fill(&m.MaxTime, defaultMaxTime)
	settle := max(defaultSettle, Duration(3*roundTrip.Round(time.Millisecond)))
	fill(&m.Slice, max(defaultSlice, min(4*settle, maxSlice)))
	fill(&m.Settle, min(settle, m.Slice/2))
	trial := Duration(len(arms)) * defaultTrialPerArm
	for _, t := range arms {
		trial += Duration(t.namespaces()) * defaultTrialPerNamespace
	}
	fill(&m.Trial, max(defaultTrial, trial, minBlocks*m.block(len(arms))))
	if len(m.Metrics) == 0 {
		m.Metrics = []string{"goodput"}
	}
	return m
}

// block is how long one slice of every arm takes.
func (m Measure) block(arms int) Duration { return Duration(max(arms, 1)) * m.Slice }

// fill sets a field that was left at its zero value.
func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
