package runner

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/canary"
	"netab/runner/host"
	"netab/runner/traffic"
)

var codeNoCanaries = vocab.Warns("no-canaries")

// Canaries run in this process and not in the agents: on threads pinned to the CPUs of
// an arm's roles, whatever its traffic is and whoever sends it. They sleep but for the
// beginning of settle parts, where they are done long before anything is counted.

const (
	// canaryShare is how much of the time canaries of slices may take, and those of
	// edges again.
	canaryShare = 0.0025
	// leastGap is from one slice with canaries to the next: a state lasts seconds.
	leastGap = 100 * time.Millisecond
	// maxRoom is until when both sides must have come to run, which they soon do where
	// netab may give them priority, and leastRoom what one needs on a slow guest.
	maxRoom   = 5 * time.Millisecond
	leastRoom = 200 * time.Microsecond
	// canaryMemory is which part of the memory that is left copies may have.
	canaryMemory = 16
)

// canaries are what a run knows of its own.
type canaries struct {
	gap    time.Duration // learned: longer where they cost more
	next   int64         // no edge is measured before this instant
	memory *canary.Memory
	asked  bool // for that memory
	said   map[string]bool
	seen   map[int][2]int // by arm: where the threads of roles that are not pinned were last
}

func (c *canaries) close() {
	if c.memory != nil {
		c.memory.Close()
	}
}

// pairOf is on which CPUs canaries of an arm are measured: those of its first flow, and
// of a role that is not pinned where it was in the trial before. Two roles of which
// one is free will not stay on one CPU.
func (r *run) pairOf(arm int, l *live) ([2]int, error) {
	f, cpus := l.groups[0].flows[0], l.arm.CPUs
	pair, free := [2]int{-1, -1}, -1
	for i, role := range [][]int{pick(cpus.Source, f.sourcePlace), pick(cpus.Sink, f.sinkPlace)} {
		if len(role) > 0 {
			pair[i] = role[0]
			continue
		}
		free = i
		if seen, ok := r.canaries.seen[arm]; ok {
			pair[i] = seen[i]
		}
	}
	if free >= 0 && pair[0] == pair[1] {
		pair[free] = -1
	}
	if pair[0] >= 0 && pair[1] >= 0 {
		return pair, nil
	}
	allowed, err := canary.Allowed()
	if err != nil {
		return pair, err
	}
	return fill(pair, allowed), nil
}

// fill gives roles whose CPU is not known (-1) the first that the other has not.
func fill(pair [2]int, allowed []int) [2]int {
	for i := range pair {
		if pair[i] >= 0 {
			continue
		}
		pair[i] = allowed[0]
		if n := slices.IndexFunc(allowed, func(cpu int) bool { return cpu != pair[1-i] }); n >= 0 {
			pair[i] = allowed[n]
		}
	}
	return pair
}

// see notes where the threads of an arm were.
func (c *canaries) see(a *results.ArmTrial) {
	most := func(cpus map[int]int) int {
		best := -1
		for _, cpu := range slices.Sorted(maps.Keys(cpus)) {
			if cpu >= 0 && (best < 0 || cpus[cpu] > cpus[best]) {
				best = cpu
			}
		}
		return best
	}
	if c.seen == nil {
		c.seen = map[int][2]int{}
	}
	c.seen[a.Arm] = [2]int{most(a.Source.CPUs), most(a.Sink.CPUs)}
}

// noCanaries says once in a run why some could not be measured.
func (r *run) noCanaries(t *results.Trial, why string) {
	c := &r.canaries
	if c.said[why] {
		return
	}
	if c.said == nil {
		c.said = map[string]bool{}
	}
	c.said[why] = true
	t.Warnings = append(t.Warnings, results.Warning{Code: codeNoCanaries, Text: why})
}

// canariesReach says whether the CPUs of the roles are this process's to run on.
func (r *run) canariesReach(t *results.Trial) bool {
	if !r.at.Here() {
		r.noCanaries(t, "no canaries: they are measured on the machine that netab runs on, and there only")
		return false
	}
	return true
}

// A watching is the canaries of one session's slices.
type watching struct {
	pairs   map[int][2]int // by arm
	watches map[[2]int]*canary.Watch
	indices map[[2]int][]int // of slices, in the order of the watch's instants
}

// watch starts the threads of a session's canaries.
func (r *run) watch(t *results.Trial, setups []*live, arms []int) *watching {
	w := &watching{pairs: map[int][2]int{}, watches: map[[2]int]*canary.Watch{}, indices: map[[2]int][]int{}}
	if r.NoCanaries || !r.canariesReach(t) {
		return w
	}
	if r.plan.settle/2 < leastRoom {
		r.noCanaries(t, fmt.Sprintf("a settle part of %v has no room for canaries, which take %v of it at least: set measure.settle longer", r.plan.settle, 2*leastRoom))
		return w
	}
	var same []string
	for _, l := range setups {
		for _, arm := range l.arms {
			if !slices.Contains(arms, arm) {
				continue
			}
			pair, err := r.pairOf(arm, l)
			if err == nil && w.watches[pair] == nil {
				w.watches[pair], err = canary.NewWatch(pair)
			}
			if err != nil {
				delete(w.watches, pair)
				r.noCanaries(t, "no canaries: "+err.Error())
				continue
			}
			w.pairs[arm] = pair
			if pair[0] == pair[1] {
				same = append(same, r.plan.arms[arm].Name)
			}
		}
	}
	if len(same) > 0 {
		slices.Sort(same)
		r.noCanaries(t, fmt.Sprintf("source and sink of %s share a CPU: its frequency is known, and no distance", strings.Join(same, ", ")))
	}
	return w
}

// begin tells the threads when to measure.
func (w *watching) begin(turns []turn, start int64, settle, gap time.Duration) {
	room := int64(min(settle/2, maxRoom))
	picked := w.pick(turns, int64(gap)*int64(len(w.watches)))
	instants := map[[2]int][]canary.Instant{}
	for _, turn := range picked {
		pair, at := w.pairs[turn.arm], start+turn.start
		instants[pair] = append(instants[pair], canary.Instant{At: at, Until: at + room})
		w.indices[pair] = append(w.indices[pair], turn.slice)
	}
	for pair, watch := range w.watches {
		watch.Begin(instants[pair])
	}
}

// pick takes of each pair's turns the first, and then each that begins a gap or more
// after the one before.
func (w *watching) pick(turns []turn, gap int64) (out []turn) {
	last := map[[2]int]int64{}
	for _, t := range turns {
		pair, ok := w.pairs[t.arm]
		if !ok || t.slice < 0 {
			continue
		}
		if at, before := last[pair]; before && t.start-at < gap {
			continue
		}
		last[pair] = t.start
		out = append(out, t)
	}
	return out
}

// end ends the threads and returns what they told, by index of slice, and what one
// reading took of a CPU in the mean.
func (w *watching) end() (told map[int]*results.Canaries, each time.Duration) {
	told = map[int]*results.Canaries{}
	var took, n int64
	for pair, watch := range w.watches {
		for i, reading := range watch.End() {
			took, n = took+max(reading.Took[0], reading.Took[1]), n+1
			told[w.indices[pair][i]] = toldOf(pair, reading)
		}
	}
	clear(w.watches)
	return told, time.Duration(took / max(n, 1))
}

func toldOf(pair [2]int, r canary.Reading) *results.Canaries {
	c := &results.Canaries{SourceStepNS: r.Step[0], SinkStepNS: r.Step[1], SourceCPU: pair[0], SinkCPU: pair[1]}
	if r.Distance > 0 {
		c.DistanceNS = &r.Distance
	}
	return c
}

// learnGap keeps the canaries of slices within their share of the time.
func (c *canaries) learnGap(each time.Duration) {
	c.gap = max(leastGap, time.Duration(float64(each)/canaryShare))
}

// warnOfSilence says that the canaries of a trial were seldom answered.
func (r *run) warnOfSilence(t *results.Trial) {
	asked, silent := 0, 0
	for i := range t.Slices {
		if c := t.Slices[i].Canaries; c != nil && c.SourceCPU != c.SinkCPU {
			asked++
			if c.DistanceNS == nil {
				silent++
			}
		}
	}
	if 2*silent > asked {
		r.noCanaries(t, fmt.Sprintf("most distances between the CPUs of source and sink are not known: their threads did not both come to run within %v", min(r.plan.settle/2, maxRoom)))
	}
}

// edges measures at an edge of a trial what takes longer, as often as its share of the
// time allows.
func (r *run) edges(t *results.Trial, setups []*live, arms []int, after bool) {
	c, began := &r.canaries, traffic.Now()
	if r.NoCanaries || began < c.next || r.ctx.Err() != nil || !r.canariesReach(t) {
		return
	}
	if !c.asked {
		c.asked = true
		c.memory = roomToCopy(r.at.Source.Host())
	}
	measured := traffic.Now()
	known := map[int]bool{}
	for _, l := range setups {
		for _, arm := range l.arms {
			if !slices.Contains(arms, arm) {
				continue
			}
			pair, err := r.pairOf(arm, l)
			if err == nil && known[pair[0]] && known[pair[1]] {
				continue
			}
			var edges []canary.Edge
			if err == nil {
				edges, err = canary.Edges(pair, c.memory)
			}
			if err != nil {
				r.noCanaries(t, "no canaries: "+err.Error())
				continue
			}
			for _, e := range edges {
				if !known[e.CPU] {
					t.Edges = append(t.Edges, edgeOf(e, after))
				}
				known[e.CPU] = true
			}
		}
	}
	now := traffic.Now()
	c.next = now + int64(float64(now-measured)/canaryShare)
	if after {
		t.TeardownNS += now - began
	} else {
		t.SetupNS += now - began
	}
}

func edgeOf(e canary.Edge, after bool) results.EdgeCanary {
	return results.EdgeCanary{After: after, CPU: e.CPU, StepNS: e.Step, BesideNS: e.Beside,
		CacheBps: 8 * e.Cache, MemoryBps: 8 * e.Memory, WakeNS: e.Wake}
}

// roomToCopy is memory beyond the last cache; nil where there is little.
func roomToCopy(machine host.Host) *canary.Memory {
	size := canary.MemorySize(lastCache(machine))
	if left, _, known := memoryLeft(results.Root("")); known && uint64(size) > left/canaryMemory {
		return nil
	}
	m, err := canary.NewMemory(size)
	if err != nil {
		return nil
	}
	return m
}

// lastCache is the size of the largest cache of the first CPU; 0 = not known.
func lastCache(machine host.Host) (largest int64) {
	sizes, err := machine.Glob("/sys/devices/system/cpu/cpu0/cache/index*/size")
	if err != nil {
		return 0
	}
	for _, path := range sizes {
		data, err := machine.ReadFile(path)
		if err != nil {
			continue
		}
		// "32768K", show_size in drivers/base/cacheinfo.c
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(data)), "K"), 10, 32)
		if err == nil {
			largest = max(largest, kib<<10)
		}
	}
	return largest
}
