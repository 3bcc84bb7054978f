package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// A machine's states are told by its canaries: how far two CPUs are from each
// other, and how fast they run. Every block of slices is put into the state that
// all canaries around it agree on; what lies across a change is mixed, and is in
// no state. Canaries that do not fall into clusters clearly apart are one state,
// and then nothing of this changes any figure.
//
// States are the machine's only where it is not the arms that choose them. A
// thread that is free to move takes its distance with it, and what an arm does
// may move it: there states are not formed.

const (
	// carryNS is for how long a canary speaks for the slices after it.
	carryNS = 300e6
	// stateShare is the smallest share of the time that a verdict must know the
	// effect of.
	stateShare = 0.10
	// partShare of a trial's blocks, and partBlocks, are the least that its part in
	// one state is estimated from.
	partShare, partBlocks = 0.25, 3
	// mixedMost is the share of mixed blocks beyond which states change too fast to
	// be told apart by blocks.
	mixedMost = 0.5
)

// A canarySeries is one quantity that canaries measure.
type canarySeries struct {
	of           func(*results.Canaries) float64  // 0 = not known
	reach, apart float64                          // of clusters, as ratios
	low, high    string                           // names of two clusters
	text         func(median float64) string      // of one of more
	median       func(map[string]float64) float64 // of a State's canaries; 0 = not known
}

// What a virtual CPU's move changes is the distance by a factor; a frequency
// changes by a tenth.
var (
	distanceKind = canarySeries{distanceOf, 1.15, 1.5, "near", "far", apartText, func(of map[string]float64) float64 { return of[canaryDistance] }}
	stepKind     = canarySeries{stepOf, 1.02, 1.1, "fast", "slow", func(x float64) string { return fmt.Sprintf("%.3g ns a step", x) },
		func(of map[string]float64) float64 { return math.Sqrt(of[canarySourceStep] * of[canarySinkStep]) }}
	canaryKinds = []canarySeries{distanceKind, stepKind}
)

func distanceOf(c *results.Canaries) float64 {
	if c.DistanceNS == nil {
		return 0
	}
	return *c.DistanceNS
}

// stepOf is the geometric mean of both CPUs': of either it tells a change.
func stepOf(c *results.Canaries) float64 { return math.Sqrt(c.SourceStepNS * c.SinkStepNS) }

func apartText(ns float64) string { return fmt.Sprintf("%.0f ns apart", ns) }

// states are what a run's canaries tell of the machine.
type states struct {
	list   []State       // the most frequent first; of one that never changed, that one
	mixed  float64       // share of the counted slices in blocks of several states
	tell   []telling     // what tells them apart
	blocks []map[int]int // by position of the trial and block: position in list, or mixedState; none = not known
}

const mixedState = -1

// several says whether blocks have to be told apart.
func (s *states) several() bool { return s != nil && len(s.list) > 1 && s.mixed <= mixedMost }

// cpuPair is where a canary was measured.
func cpuPair(c *results.Canaries) [2]int { return [2]int{c.SourceCPU, c.SinkCPU} }

// A telling is a series of canaries of one pair of CPUs that falls into several
// clusters.
type telling struct {
	pair     [2]int
	kind     canarySeries
	clusters []stat.Cluster
}

// statesOf tells the states of a run apart; nil where no canary tells of any.
func statesOf(trials []results.Trial) *states {
	values, ok := canaryValues(trials)
	if !ok {
		return nil
	}
	tell := tellings(values)
	s := &states{tell: tell, blocks: make([]map[int]int, len(trials))}
	keys, found := []string{}, map[string][]*results.Canaries{}
	slicesIn, all := map[string]int{}, 0
	for i := range trials {
		if trials[i].Invalid != "" {
			continue
		}
		s.blocks[i] = map[int]int{}
		for _, b := range blocksOf(&trials[i]) {
			key, readings, known := b.state(tell)
			if !known {
				continue
			}
			all += b.counted
			if key == "" {
				s.mixed += float64(b.counted)
				s.blocks[i][b.block] = mixedState
				continue
			}
			k := slices.Index(keys, key)
			if k < 0 {
				k = len(keys)
				keys = append(keys, key)
			}
			s.blocks[i][b.block] = k
			slicesIn[key] += b.counted
			found[key] = append(found[key], readings...)
		}
	}
	if all == 0 {
		return nil
	}
	s.mixed /= float64(all)
	for _, key := range keys {
		s.list = append(s.list, State{Name: key, Share: float64(slicesIn[key]) / float64(all), Canaries: medians(found[key])})
	}
	s.sort()
	return s
}

// sort puts the most frequent state first.
func (s *states) sort() {
	order := make([]int, len(s.list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.list[b].Share, s.list[a].Share) })
	list, to := make([]State, len(order)), make([]int, len(order))
	for i, from := range order {
		list[i], to[from] = s.list[from], i
	}
	s.list = list
	for _, blocks := range s.blocks {
		for b, k := range blocks {
			if k != mixedState {
				blocks[b] = to[k]
			}
		}
	}
}

// canaryValues collects the canaries of valid trials by pair of CPUs. ok is false
// where there are none, or where an arm's are of one pair now and of another
// then: its threads are free, and choose.
func canaryValues(trials []results.Trial) (of map[[2]int][]*results.Canaries, ok bool) {
	of = map[[2]int][]*results.Canaries{}
	byArm := map[int]map[[2]int]int{}
	for i := range trials {
		if trials[i].Invalid != "" {
			continue
		}
		for k := range trials[i].Slices {
			sl := &trials[i].Slices[k]
			if c := sl.Canaries; c != nil {
				of[cpuPair(c)] = append(of[cpuPair(c)], c)
				if byArm[sl.Arm] == nil {
					byArm[sl.Arm] = map[[2]int]int{}
				}
				byArm[sl.Arm][cpuPair(c)]++
			}
		}
	}
	for _, pairs := range byArm {
		most, all := 0, 0
		for _, n := range pairs {
			most, all = max(most, n), all+n
		}
		if 20*most < 19*all {
			return nil, false
		}
	}
	return of, len(of) > 0
}

// tellings are the series that tell states apart, in a fixed order.
func tellings(of map[[2]int][]*results.Canaries) []telling {
	var pairs [][2]int
	for p := range of {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	var out []telling
	for _, p := range pairs {
		for _, kind := range canaryKinds {
			var xs []float64
			for _, c := range of[p] {
				if x := kind.of(c); x > 0 {
					xs = append(xs, x)
				}
			}
			if cs := stat.Clusters(xs, math.Log(kind.reach), math.Log(kind.apart)); len(cs) > 1 {
				out = append(out, telling{p, kind, cs})
			}
		}
	}
	return out
}

// steady is the name of the one state of a machine that showed no other.
const steady = "steady"

// A blockCanaries is a block of slices with the canaries around it.
type blockCanaries struct {
	block, counted int
	readings       []*results.Canaries
	within         bool // one of them was taken in the block, or shortly before it
}

// blocksOf are a trial's blocks in order of time. The canaries of a block are
// those of its slices, the last one before it and the next one after it: a change
// in between falls into the block, or may.
func blocksOf(t *results.Trial) []blockCanaries {
	type span struct {
		blockCanaries
		begin, end int64
	}
	var spans []*span
	at := map[int]*span{}
	var last *results.Slice // with a canary
	for k := range t.Slices {
		sl := &t.Slices[k]
		b := at[sl.Block]
		if b == nil {
			b = &span{blockCanaries: blockCanaries{block: sl.Block}, begin: sl.StartNS}
			at[sl.Block] = b
			spans = append(spans, b)
		}
		b.end = max(b.end, sl.StartNS)
		if record.Counts(sl) {
			b.counted++
		}
		if sl.Canaries != nil {
			last = sl
		}
		if last != nil && sl.StartNS-last.StartNS <= carryNS && (sl == last || sl.StartNS == b.begin) {
			b.readings, b.within = append(b.readings, last.Canaries), true
		}
	}
	next := 0 // of the blocks that wait for the canary after them
	for k := range t.Slices {
		sl := &t.Slices[k]
		for ; sl.Canaries != nil && next < len(spans) && spans[next].end < sl.StartNS; next++ {
			if b := spans[next]; sl.StartNS-b.end <= carryNS {
				b.readings = append(b.readings, sl.Canaries)
			}
		}
	}
	out := make([]blockCanaries, len(spans))
	for i, b := range spans {
		out[i] = b.blockCanaries
	}
	return out
}

// state is the name of the one that all readings agree on, "" where they do not.
func (b blockCanaries) state(tell []telling) (name string, readings []*results.Canaries, known bool) {
	if !b.within || b.counted == 0 {
		return "", nil, false
	}
	if len(tell) == 0 {
		return steady, b.readings, true
	}
	several := slices.ContainsFunc(tell, func(t telling) bool { return t.pair != tell[0].pair })
	var names []string
	for _, t := range tell {
		at := -1
		for _, c := range b.readings {
			if cpuPair(c) != t.pair {
				continue
			}
			switch k := stat.ClusterAt(t.clusters, t.kind.of(c), math.Log(t.kind.reach)); {
			case k < 0:
			case at >= 0 && k != at:
				return "", nil, true
			default:
				at = k
			}
		}
		if at < 0 {
			return "", nil, false
		}
		n := t.name(at)
		if several {
			n = fmt.Sprintf("CPUs %d and %d %s", t.pair[0], t.pair[1], n)
		}
		names = append(names, n)
	}
	return strings.Join(names, ", "), b.readings, true
}

func (t telling) name(cluster int) string {
	if len(t.clusters) > 2 {
		return t.kind.text(math.Exp(t.clusters[cluster].Mid))
	}
	return []string{t.kind.low, t.kind.high}[cluster]
}

// Names of canaries in a State and a Mode.
const (
	canaryDistance   = "distance_ns"
	canarySourceStep = "source_step_ns"
	canarySinkStep   = "sink_step_ns"
)

// medians are what canaries said in a state.
func medians(cs []*results.Canaries) map[string]float64 {
	out := map[string]float64{}
	for name, of := range map[string]func(*results.Canaries) float64{
		canaryDistance:   distanceOf,
		canarySourceStep: func(c *results.Canaries) float64 { return c.SourceStepNS },
		canarySinkStep:   func(c *results.Canaries) float64 { return c.SinkStepNS },
	} {
		var xs []float64
		for _, c := range cs {
			if x := of(c); x > 0 && stat.IsFinite(x) {
				xs = append(xs, x)
			}
		}
		if len(xs) > 0 {
			out[name] = stat.Median(xs)
		}
	}
	return out
}

// label tells trials apart by the state that they were in throughout.
func (s *states) label(r *record.Record) func(t *record.Trial) string {
	names := map[int]string{} // by the trial's index
	if s != nil && len(s.list) > 1 {
		for i := range r.Trials {
			names[r.Trials[i].Index] = s.throughout(i)
		}
	}
	return func(t *record.Trial) string { return names[t.Index] }
}

// throughout is the state of all blocks of the trial at this position.
func (s *states) throughout(at int) string {
	state := mixedState
	for _, k := range s.blocks[at] {
		if k == mixedState || state != mixedState && k != state {
			return "in several states"
		}
		state = k
	}
	if state == mixedState {
		return ""
	}
	return s.list[state].Name
}

// shown are the states for a Summary.
func (s *states) shown() []State {
	if s == nil {
		return nil
	}
	return s.list
}

// scope says of which state a run speaks that saw no other.
func (s *states) scope() string {
	if s == nil || len(s.list) != 1 {
		return ""
	}
	if d := s.list[0].Canaries[canaryDistance]; d > 0 {
		return fmt.Sprintf(" The CPUs were %s all the while.", apartText(d))
	}
	return ""
}

var (
	codeMachineStates = vocab.Warns("machine-states")
	codeStatesTooFast = vocab.Warns("states-too-fast")
)

// warning says what states the machine was in, and what would make them one.
func (s *states) warning() []results.Warning {
	if s == nil || len(s.list) < 2 {
		return nil
	}
	var parts []string
	for _, state := range s.list {
		text := fmt.Sprintf("%s %s of the time", state.Name, prose.WholePercent(state.Share))
		if d := state.Canaries[canaryDistance]; d > 0 {
			text += fmt.Sprintf(" (CPUs %s)", apartText(d))
		}
		parts = append(parts, text)
	}
	text := fmt.Sprintf("the machine was in %s states: %s", prose.Count(len(s.list)), strings.Join(parts, ", "))
	if s.mixed > 0 {
		text += fmt.Sprintf(", %s in between", prose.Percent(s.mixed))
	}
	code := codeMachineStates
	if s.several() {
		text += "; effects are estimated within each"
	} else {
		code = codeStatesTooFast
		text += "; they change within most blocks of slices, so effects are of their mix"
	}
	if statesDiffer(s.list, distanceKind) {
		text += "; a host that moves virtual CPUs does this: pin them on the host, and it is one state"
	}
	return []results.Warning{{Code: code, Text: text}}
}
