package runner

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"netab/runner/traffic"
	"netab/scenarios"
)

// warmup is how long each fresh flow runs before its first slice. Measured
// here (docs/slices.md): the first 20 ms of a TCP flow over loopback are 15 %
// slower than the rest, the next 20 ms 5 %, and from then on nothing is.
const warmup = 40 * time.Millisecond

// A turn is a stretch of a trial's schedule in which one arm is active: a
// slice, or the warm-up of a flow. Instants are in ns from the schedule's start.
type turn struct {
	slice, block, arm int // slice is -1 for a warm-up
	start, count, end int64
	rate              float64 // offered in this slice, where slices of the arm differ in it
	counters          int     // files of counters that are read at its edges
}

// roundTrips is for how many of what netem holds back a fresh flow runs instead, if
// that is longer: from 10 packets on, slow start doubles the window in each.
const roundTrips = 10

// warmupOf is how long each fresh flow of some arms runs before its first slice.
func warmupOf(arms []scenarios.Arm) time.Duration {
	d := warmup
	for _, a := range arms {
		d = max(d, roundTrips*a.Config.Knobs.RoundTrip())
	}
	return d
}

// warmupTurns let one arm of each setup run, uncounted, for so long.
func warmupTurns(arms []int, warmup time.Duration) []turn {
	var turns []turn
	for i, arm := range arms {
		start := int64(i) * int64(warmup)
		end := start + int64(warmup)
		turns = append(turns, turn{slice: -1, block: -1, arm: arm, start: start, count: end, end: end})
	}
	return turns
}

// blocksOf makes the turns of so many blocks of the arms: each block holds one
// slice of every arm, in random order. Slices follow each other without a gap;
// the settle part of each is what lets the arm before drain.
func blocksOf(rng *rand.Rand, arms []int, blocks int, slice, settle time.Duration) []turn {
	turns := make([]turn, 0, blocks*len(arms))
	for block := range blocks {
		for _, i := range rng.Perm(len(arms)) {
			start := int64(len(turns)) * int64(slice)
			turns = append(turns, turn{slice: len(turns), block: block, arm: arms[i],
				start: start, count: start + int64(settle), end: start + int64(slice)})
		}
	}
	return turns
}

// after moves turns behind others.
func after(first, then []turn) []turn {
	if len(first) == 0 {
		return then
	}
	offset := first[len(first)-1].end
	for _, t := range then {
		t.start, t.count, t.end = t.start+offset, t.count+offset, t.end+offset
		first = append(first, t)
	}
	return first
}

// windows are the turns of some arms as instants, for the agents. A window has
// a tail, as long as the settle part, unless the flow goes on in the next turn.
func windows(turns []turn, arms []int, start int64, settle time.Duration) []traffic.Window {
	var out []traffic.Window
	for i, t := range turns {
		arm := slices.Index(arms, t.arm)
		if arm < 0 {
			continue
		}
		w := traffic.Window{Slice: t.slice, Start: start + t.start, Count: start + t.count, End: start + t.end, Arm: arm, Rate: t.rate, Counters: t.counters}
		if i+1 < len(turns) && !slices.Contains(arms, turns[i+1].arm) {
			w.Tail = w.End + int64(settle)
		}
		out = append(out, w)
	}
	return out
}

// leastMessages are to be counted of an arm in each trial, in the mean: fewer are
// none in some trials, by chance, and a trial without any has no rate.
const leastMessages = 10

// leastTrials must fit into the time limit at least, for a run to say anything.
const leastTrials = 6

// countEnough makes trials long enough for arms that send seldom, and refuses
// those that would take too long.
func (p *plan) countEnough(maxTime time.Duration) error {
	for _, arm := range p.arms {
		rates := ratesOf(&arm.Config.Traffic)
		for _, of := range slices.Sorted(maps.Keys(rates)) {
			perBlock := float64(rates[of]) * (p.slice - p.settle).Seconds()
			blocks := math.Ceil(leastMessages / perBlock) // more than fit into an int, perhaps
			if blocks <= float64(p.blocks) {
				continue
			}
			block := float64(len(p.arms)) * p.slice.Seconds()
			few := fmt.Sprintf("arm %s: at %v/s%s, %.2g messages are counted in a trial of %v, which are too few to judge by",
				arm.Name, rates[of], of, perBlock*float64(p.blocks), inSeconds(float64(p.blocks)*block))
			if trial := blocks * block; trial*leastTrials > maxTime.Seconds() {
				return fmt.Errorf("%s; %d take a trial of %v, and %d of those do not fit into the time limit of %v: raise the rate or measure.max_time",
					few, leastMessages, inSeconds(trial), leastTrials, maxTime)
			}
			if n := blocks * float64(len(p.arms)); n > scenarios.MaxSlices {
				return fmt.Errorf("%s; %d take a trial of %.0f slices, where %d at most are taken: raise the rate, or make measure.slice longer",
					few, leastMessages, n, scenarios.MaxSlices)
			}
			p.blocks = int(blocks)
			p.reason += fmt.Sprintf("; a trial lasts until %d messages of arm %s%s are counted", leastMessages, arm.Name, of)
		}
	}
	return nil
}

// inSeconds is a length of time of so many seconds, as far as it can be one.
func inSeconds(s float64) time.Duration {
	return time.Duration(min(s*1e3, 1<<43)) * time.Millisecond
}

// ratesOf are the rates of an arm's traffic by words that say whose they are: ""
// for the main one. Traffic without a rate has none.
func ratesOf(t *scenarios.Traffic) map[string]scenarios.Rate {
	out := map[string]scenarios.Rate{}
	if t.Rate > 0 && t.LossFree == nil {
		out[""] = t.Rate
	}
	for name, beside := range t.Beside {
		if beside.Rate > 0 {
			out[" of "+name+" beside it"] = beside.Rate
		}
	}
	return out
}

// blocksPerTrial is how many blocks fill a trial of the length asked for, at
// least two: with one, nothing can be said of the spread inside a trial.
func blocksPerTrial(trial, slice time.Duration, arms int) int {
	block := slice * time.Duration(arms)
	return max(2, int((trial+block/2)/block))
}
