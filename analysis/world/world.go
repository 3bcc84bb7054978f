// Package world makes synthetic runs whose truth is known, to prove the
// statistics with: what a verdict should have been, and how often an interval
// should cover. It knows nothing of how runs are judged.
//
// A World is a machine's noise taken apart: white noise of a slice, slow drift
// of the whole machine, its jumps and steps, correlation inside a trial, what a
// trial draws once and keeps, outliers, stalls, and modes by a lottery that
// leaves a trace in the record, as the flow hash does under receive packet
// steering.
package world

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"netab/results"
	"netab/results/vocab"
)

// A World is the truth and the noise about it. Everything but Rate is on the
// log scale: 0.02 is about 2 %. The zero value of a noise means none of it.
type World struct {
	// Effects are those of the arms after the baseline.
	Effects []float64
	Blocks  int           // per trial
	Slice   time.Duration // settle part included
	Fixed   time.Duration // a trial's time without slices

	White float64 // standard deviation of one slice
	Drift float64 // of the random walk's step from slice to slice, all arms alike
	// AR is the correlation of a slice's own noise with the one before it of
	// the same arm (AR(1) with the standard deviation of White).
	AR float64
	// Trial is the standard deviation of what one trial adds to an effect.
	Trial float64
	// Skew makes it exponential with the same standard deviation: most trials
	// are a little faster than the mean, few much slower.
	Skew bool
	// Outliers is the share of trials that are off by OutlierSize, either way.
	Outliers    float64
	OutlierSize float64
	// Heavy makes white noise log-normal: rare slices far above the others.
	Heavy bool
	// Modes are added to the last arm's effect, one drawn per trial; the draw
	// is recorded as the softirq's CPU of its flow.
	Modes []float64
	// EveryArm draws the modes for each arm after the baseline by itself.
	EveryArm bool
	// Hidden modes leave no trace in the record.
	Hidden bool
	// ModeDwell is for how many trials a mode stays on average, as the machine's states
	// do; 0 = each trial draws its own.
	ModeDwell float64
	// Bursts is the share of trials in which datagrams are lost. The effects are
	// then mean losses (0.001 = one in a thousand), those below zero of the
	// baseline, and what is judged is loss.
	Bursts float64

	// Tail makes White and Trial draws Student's t with so many degrees of
	// freedom (3 or more), scaled to the same standard deviation; 0 = normal.
	Tail int
	// TrialAR is the correlation of what a trial adds to an effect with what
	// the trial before it added.
	TrialAR float64
	// Regime is the distance of two rates between which the whole machine jumps
	// back and forth, staying for RegimeSlices slices on average.
	Regime       float64
	RegimeSlices float64
	// Steps is the chance that within a trial the whole machine's rate steps by
	// StepSize, either way and for good.
	Steps    float64
	StepSize float64
	// Stalls is the share of slices in which nothing is transferred.
	Stalls float64

	// Far is what the second of two states of the machine adds to the rate of
	// every arm, FarEffect what it adds to every effect. The machine stays in either
	// for Dwell on average, over trials and the time between them; 0 = it has one.
	// With Canaries every slice records how far its CPUs are from each other.
	Far, FarEffect float64
	Dwell          time.Duration
	Canaries       bool

	// Dead is by arm, the baseline first, the share of trials in which it receives
	// nothing; nil = none.
	Dead []float64
	// Boot is the standard deviation of what one run, of a boot of its own, adds to
	// the rate of the whole machine; DeadBoots the share of runs in which the last
	// arm receives nothing at all.
	Boot, DeadBoots float64
	// SessionTrials is how many trials a session has, of a run that is spread over
	// several; 0 = one session. Session is the standard deviation of what one adds to
	// each effect, SessionStates the two or more values of which it draws one besides.
	SessionTrials int
	Session       float64
	SessionStates []float64
	// Busy is the share of trials beside other programs, whose CPU time is
	// recorded: every slice is slower by up to BusyBy. With BusyOne a single arm's
	// slices are, as where whole trials take turns. With BusyMode a trial looks so
	// wherever the last arm draws the first of its modes, and is not.
	Busy, BusyBy      float64
	BusyOne, BusyMode bool
}

// Mean is the true effect of the arm at this position after the baseline: the
// last arm's modes are part of what it does.
func (w World) Mean(i int) float64 {
	mean := w.Effects[i]
	mean += w.stateMean()
	if w.Bursts > 0 {
		return mean
	}
	if i == len(w.Effects)-1 || w.EveryArm {
		for _, m := range w.Modes {
			mean += m / float64(len(w.Modes))
		}
	}
	return mean
}

// Rate of the baseline arm, in bytes per second (40 Gbit/s).
const Rate = 5e9

// Quiet is a world of two arms alike with nothing but white noise, whose trials
// are about as long and as sharp as those of a scenario with netab's defaults
// on a 2-CPU guest (docs/slices.md): 1.6 s, each with a standard error of 1.3 %.
// Blocks are fewer and slices longer, which makes it quicker to simulate.
func Quiet() World {
	return World{Effects: []float64{0}, Blocks: 10, Slice: 75 * time.Millisecond, Fixed: 100 * time.Millisecond, White: 0.03}
}

// Design is a design for this world: resolution and time are what the tests vary.
func (w World) Design(resolution float64, maxTime time.Duration) results.Design {
	d := results.Design{
		Name: "synthetic", Question: "What is the effect?", Baseline: "off", Metrics: []string{"goodput"},
		Confidence: 0.95, Resolution: resolution, Width: 0.05, MaxTimeS: maxTime.Seconds(),
	}
	for i := range w.arms() {
		d.Arms = append(d.Arms, results.Arm{
			Name: armName(i), Protocol: vocab.TCP, Message: 128 << 10, Flows: 1, Topology: vocab.Loopback,
			Description: results.Description{"topology.kind": "loopback", "traffic.kind": "stream", "traffic.protocol": "tcp"},
		})
	}
	if w.Bursts > 0 {
		d.Metrics = []string{"loss"}
		for i := range d.Arms {
			d.Arms[i].Protocol, d.Arms[i].Message = vocab.UDP, datagram
		}
	}
	return d
}

func armName(i int) string {
	if i == 0 {
		return "off"
	}
	return "arm" + string(rune('0'+i%10))
}

func (w World) arms() int { return len(w.Effects) + 1 }

// TrialTime is how long one trial takes.
func (w World) TrialTime() time.Duration {
	return time.Duration(w.Blocks*w.arms())*w.Slice + w.Fixed
}

// A Source makes the trials of one run, one after the other.
type Source struct {
	world  World
	rng    *rand.Rand
	drift  float64     // of the whole machine, steps included
	regime float64     // where the machine is between its two rates
	stays  []float64   // what the last trial added to each arm's effect
	modes  map[int]int // that arms stay in, by arm
	next   int
	dead   bool          // the last arm, all along
	far    bool          // the state of the machine
	stayed time.Duration // until which it stays so; meaningless without Dwell
	shifts []float64     // what the session adds to each arm's effect
	rests  map[int]bool  // arms that are measured no more
	clock  time.Duration // when the next trial begins
}

// Rest leaves arms out of the trials from here on, which get shorter.
func (s *Source) Rest(arms []int) {
	for _, a := range arms {
		if s.rests == nil {
			s.rests = map[int]bool{}
		}
		s.rests[a] = true
	}
}

// active are the arms that take turns.
func (s *Source) active() (arms []int) {
	for a := range s.world.arms() {
		if !s.rests[a] {
			arms = append(arms, a)
		}
	}
	return arms
}

// TrialTime is how long the next trial takes.
func (s *Source) TrialTime() time.Duration {
	return time.Duration(s.world.Blocks*len(s.active()))*s.world.Slice + s.world.Fixed
}

func (s *Source) perm(list []int) []int {
	out := make([]int, len(list))
	for i, k := range s.rng.Perm(len(list)) {
		out[i] = list[k]
	}
	return out
}

// Source starts a run. Equal seeds make equal runs.
func (w World) Source(seed uint64) *Source {
	s := &Source{world: w, rng: rand.New(rand.NewPCG(seed, 0x6e65746162))}
	if w.Boot > 0 {
		s.drift = w.Boot * s.rng.NormFloat64()
	}
	if w.DeadBoots > 0 {
		s.dead = s.rng.Float64() < w.DeadBoots
	}
	if w.Dwell > 0 {
		s.far, s.stayed = s.rng.IntN(2) == 1, s.dwell()
	}
	return s
}

// normal is a standard normal draw, or one of the world's tail with the same
// standard deviation.
func (s *Source) normal() float64 {
	z := s.rng.NormFloat64()
	if s.world.Tail == 0 {
		return z
	}
	// Student's t is normal over the root of chi²/df; its variance is df/(df-2).
	chi2 := 0.0
	for range s.world.Tail {
		x := s.rng.NormFloat64()
		chi2 += x * x
	}
	return z * math.Sqrt(float64(s.world.Tail-2)/chi2)
}

// Run makes a whole run of n trials that ended at its time limit.
func (w World) Run(design results.Design, seed uint64, n int) *results.Run {
	run := &results.Run{Header: results.Header{
		Type: "header", Schema: results.SchemaRun, ID: "synthetic", Design: design, Seed: seed,
		Plan:    results.Plan{Grain: vocab.BySlice, SliceNS: int64(w.Slice), BlocksPerTrial: w.Blocks},
		Started: began,
		Machine: results.Machine{Hostname: "synthetic", BootID: "boot-1", Kernel: "6.18.0", CPUModel: "model", CPUs: 2, CPUsOnline: "0-1"},
	}}
	src := w.Source(seed)
	for range n {
		run.Trials = append(run.Trials, src.Trial())
	}
	run.End = &results.End{Type: "end", Ended: began.Add(time.Duration(n) * w.TrialTime()), Reason: vocab.MaxTime}
	return run
}

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Trial makes the next trial.
func (s *Source) Trial() results.Trial {
	w := s.world
	t := results.Trial{
		Type: "trial", Index: s.next, Started: began.Add(s.clock),
		SetupNS: int64(w.Fixed), RunNS: int64(s.TrialTime() - w.Fixed), Order: s.perm(s.active()),
	}
	s.clock += s.TrialTime()
	s.session(&t)
	s.next++
	s.pass(w.Fixed)
	rate := make([]float64, w.arms()) // log rate of each arm in this trial
	for a := range rate {
		t.Arms = append(t.Arms, armTrial(a))
		if a > 0 {
			rate[a] = s.stay(a)
			if w.Bursts == 0 {
				rate[a] += w.Effects[a-1]
			}
			if s.shifts != nil {
				rate[a] += s.shifts[a]
			}
			if s.rng.Float64() < w.Outliers {
				rate[a] += w.OutlierSize * float64(1-2*s.rng.IntN(2))
			}
		}
	}
	for a := range rate {
		if len(w.Modes) == 0 || a != w.arms()-1 && (a == 0 || !w.EveryArm) {
			continue
		}
		mode := s.mode(a)
		if w.BusyMode && a == w.arms()-1 && mode == 0 {
			t.Host.ForeignNS = t.RunNS / 4
		}
		rate[a] += w.Modes[mode]
		if !w.Hidden {
			t.Arms[a].Flows[0].SoftirqCPU = map[int]int{mode: w.Blocks}
		}
	}
	s.slices(&t, rate)
	s.disturb(&t)
	s.kill(&t)
	if w.Bursts > 0 {
		s.lose(&t)
	}
	t.Arms = slices.DeleteFunc(t.Arms, func(a results.ArmTrial) bool { return s.rests[a.Arm] })
	return t
}

// mode is the one that an arm is in, in this trial.
func (s *Source) mode(a int) int {
	w := s.world
	if w.ModeDwell == 0 {
		return s.rng.IntN(len(w.Modes))
	}
	if s.modes == nil {
		s.modes = map[int]int{}
	}
	if now, ok := s.modes[a]; !ok {
		s.modes[a] = s.rng.IntN(len(w.Modes))
	} else if s.rng.Float64() < 1/w.ModeDwell { // into another
		s.modes[a] = (now + 1 + s.rng.IntN(len(w.Modes)-1)) % len(w.Modes)
	}
	return s.modes[a]
}

// session says which one a trial is of, and draws what a new one adds.
func (s *Source) session(t *results.Trial) {
	w := s.world
	if w.SessionTrials == 0 {
		return
	}
	t.Session = s.next / w.SessionTrials
	if s.next%w.SessionTrials > 0 {
		return
	}
	s.shifts = make([]float64, w.arms())
	for a := range s.shifts {
		s.shifts[a] = w.Session * s.normal()
		if n := len(w.SessionStates); n > 0 {
			s.shifts[a] += w.SessionStates[s.rng.IntN(n)]
		}
	}
}

// datagram is the size of one, in bytes.
const datagram = 1 << 10

// lose makes datagrams of a trial's bytes, loses some and keeps the ledgers.
func (s *Source) lose(t *results.Trial) {
	w := s.world
	loss := make([]float64, w.arms())
	for i, e := range w.Effects {
		if s.rng.Float64() < w.Bursts {
			if loss[i+1] = e / w.Bursts; e < 0 {
				loss[0], loss[i+1] = -e/w.Bursts, 0
			}
		}
	}
	for i := range t.Slices {
		sl := &t.Slices[i]
		sl.TxMsgs = sl.RxBytes / datagram
		sl.RxMsgs = int64(float64(sl.TxMsgs) * (1 - loss[sl.Arm]))
		sl.TxBytes, sl.RxBytes = datagram*sl.TxMsgs, datagram*sl.RxMsgs
		l := &t.Arms[sl.Arm].Ledger
		l.Valid = true
		l.Sent, l.Received, l.Unexplained = l.Sent+sl.TxMsgs, l.Received+sl.RxMsgs, l.Unexplained+sl.TxMsgs-sl.RxMsgs
	}
}

// disturb lets other programs run beside some trials.
func (s *Source) disturb(t *results.Trial) {
	w := s.world
	if w.Busy == 0 || s.rng.Float64() >= w.Busy {
		return
	}
	t.Host.ForeignNS = int64(float64(t.RunNS) * (0.2 + 0.7*s.rng.Float64()))
	one := s.rng.IntN(w.arms())
	for k := range t.Slices {
		if sl := &t.Slices[k]; !w.BusyOne || sl.Arm == one {
			sl.RxBytes = int64(float64(sl.RxBytes) * math.Exp(-w.BusyBy*s.rng.Float64()))
		}
	}
}

// kill takes from the arms that are dead in a trial all that they received.
func (s *Source) kill(t *results.Trial) {
	w := s.world
	dead := make([]bool, w.arms())
	dead[len(dead)-1] = s.dead
	for a, share := range w.Dead {
		dead[a] = dead[a] || s.rng.Float64() < share
	}
	for k := range t.Slices {
		if sl := &t.Slices[k]; dead[sl.Arm] {
			sl.RxBytes, sl.RxMsgs = 0, 0
		}
	}
}

// lost is the share of what an arm would receive that it does not, because it is
// dead.
func (w World) lost(arm int) float64 {
	lives := 1.0
	if arm < len(w.Dead) {
		lives -= w.Dead[arm]
	}
	if arm == w.arms()-1 {
		lives *= 1 - w.DeadBoots
	}
	return 1 - lives
}

// Truth is the change of the arm at this position after the baseline as a
// comparison shows it: of what it receives in the mean, dead trials included.
func (w World) Truth(i int) float64 {
	if w.Bursts > 0 { // a difference
		return w.Mean(i)
	}
	return math.Exp(w.Mean(i))*(1-w.lost(i+1))/(1-w.lost(0)) - 1
}

// stay is what this trial adds to an arm's effect.
func (s *Source) stay(a int) float64 {
	w := s.world
	x := w.Trial * s.normal()
	if w.Skew {
		x = w.Trial * (1 - s.rng.ExpFloat64())
	}
	if w.TrialAR == 0 {
		return x
	}
	if s.stays == nil {
		s.stays = make([]float64, w.arms())
	}
	if s.next > 1 {
		x = w.TrialAR*s.stays[a] + math.Sqrt(1-w.TrialAR*w.TrialAR)*x
	}
	s.stays[a] = x
	return x
}

func armTrial(a int) results.ArmTrial {
	role := func(cpu int) results.RoleDelta {
		return results.RoleDelta{Threads: 1, CPUs: map[int]int{cpu: 1}, Pinned: []int{cpu}}
	}
	return results.ArmTrial{Arm: a, Source: role(0), Sink: role(1), Flows: []results.Flow{{SoftirqCPU: map[int]int{0: 1}}}}
}

// slices fills in a trial's slices: each block holds every arm once, in random
// order, and all of them ride on the same drift.
func (s *Source) slices(t *results.Trial, rate []float64) {
	w := s.world
	noise := make([]float64, len(rate))
	for a := range noise {
		noise[a] = w.White * s.normal()
	}
	active, counted := s.active(), w.Slice*4/5
	at := time.Duration(0)
	step := -1
	if w.Steps > 0 && s.rng.Float64() < w.Steps {
		step = s.rng.IntN(w.Blocks * len(rate))
	}
	for block := range w.Blocks {
		for _, a := range s.perm(active) {
			s.wander(len(t.Slices) == step)
			noise[a] = w.AR*noise[a] + math.Sqrt(1-w.AR*w.AR)*w.White*s.normal()
			e := noise[a]
			if w.Heavy {
				e = w.White * (math.Exp(s.rng.NormFloat64()) - math.Exp(0.5))
			}
			canaries := s.canaries()
			bytes := Rate * math.Exp(rate[a]+s.drift+s.regime+e) * counted.Seconds() * s.hidden(a)
			if w.Stalls > 0 && s.rng.Float64() < w.Stalls {
				bytes = 0
			}
			t.Slices = append(t.Slices, results.Slice{
				Block: block, Arm: a, StartNS: int64(at), CountedNS: int64(counted), Canaries: canaries,
				Counts: results.Counts{RxBytes: int64(bytes), RxMsgs: int64(bytes / (128 << 10)), TxBytes: int64(bytes), TxMsgs: int64(bytes / (128 << 10)), SourceCPU: int64(counted), SinkCPU: int64(counted * 6 / 10)},
			})
			at += w.Slice
		}
	}
}

// wander moves the whole machine on by one slice.
func (s *Source) wander(step bool) {
	w := s.world
	s.drift += w.Drift * s.rng.NormFloat64()
	if step {
		s.drift += w.StepSize * float64(1-2*s.rng.IntN(2))
	}
	if w.Regime > 0 && s.rng.Float64() < 1/w.RegimeSlices {
		s.regime = w.Regime - s.regime
	}
}
