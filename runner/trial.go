package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"netab/results"
	"netab/results/crew"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/place"
	"netab/runner/topology"
	"netab/runner/traffic"
	"netab/scenarios"
)

var codeCarryOver = vocab.Warns("carry-over")

// lead is the time between handing out a schedule and its first slice: the
// message must have reached all agents and their threads must be asleep. An
// agent that is late says so, and the trial is invalid. Measured on two CPUs, of
// which a fifth was stolen: the last of three agents had 1 ms left of 10, the
// last of twelve was 16 ms too late with 10.
func (r *run) lead(setups []*live) time.Duration {
	agents, ends := 0, 0
	for _, l := range setups {
		agents += len(l.built.Agents())
		for _, g := range l.groups {
			ends += 2 * len(g.flows)
		}
	}
	return 10*time.Millisecond + time.Duration(agents)*2*time.Millisecond + time.Duration(ends)*20*time.Microsecond + r.moreLead
}

// maxLead bounds how long a trial waits for agents that others keep from their
// CPUs.
const maxLead = 250 * time.Millisecond

// learnLead gives the next trial more time to begin if an agent was late in this
// one, and takes little of that back if none was: too much costs a trial a part
// of a second, too little costs all of it.
func (r *run) learnLead(setups []*live) {
	late := time.Duration(0)
	for _, l := range setups {
		late = max(late, l.late)
	}
	if late > 0 {
		r.learning = r.moreLead < maxLead
		r.moreLead = min(max(2*late, 2*r.moreLead), maxLead)
	} else {
		r.moreLead -= r.moreLead / 16
	}
}

// trial makes one trial: fresh processes, sockets and namespaces, then blocks
// of slices. What goes wrong is in the record: a trial is never dropped. What
// goes wrong with one arm's path or traffic is that arm's outcome, and costs the
// others nothing; what goes wrong with the machine makes the trial invalid.
func (r *run) trial(index int) results.Trial {
	active := r.active()
	t := results.Trial{Index: index, Started: time.Now().UTC(), Order: shuffled(r.rng, active),
		Arms: make([]results.ArmTrial, len(r.plan.arms))}
	for i := range t.Arms {
		t.Arms[i].Arm = i
	}
	r.learning = false
	var err error
	if r.plan.grain == vocab.ByTrial {
		err = r.oneByOne(&t)
	} else {
		err = r.session(&t, t.Order, r.schedule(t.Order, active))
	}
	if changed := r.sameCPUs(); changed != nil { // which is the reason of whatever else there is
		err = changed
	}
	if err == nil {
		err = r.allFailed(t.Arms)
	}
	if err != nil {
		t.Invalid = err.Error()
	}
	t.Arms = slices.DeleteFunc(t.Arms, func(a results.ArmTrial) bool { return r.resting[a.Arm] })
	return t
}

// active are the arms that take turns.
func (r *run) active() []int {
	var out []int
	for i := range r.plan.arms {
		if !r.resting[i] {
			out = append(out, i)
		}
	}
	return out
}

// rest leaves arms out from here on.
func (r *run) rest(arms []int) {
	for _, arm := range arms {
		if r.resting == nil {
			r.resting = map[int]bool{}
		}
		r.resting[arm] = true
	}
}

// blocks is how many a trial of so many arms has: those of the plan, or, where arms rest,
// what fills the trial's length.
func (r *run) blocks(arms int) int {
	if len(r.resting) == 0 || r.plan.grain == vocab.ByTrial {
		return r.plan.blocks
	}
	return max(r.plan.blocks, blocksPerTrial(r.Trial, r.plan.slice, arms))
}

// shuffled is a list in random order.
func shuffled(rng *rand.Rand, list []int) []int {
	out := make([]int, len(list))
	for i, k := range rng.Perm(len(list)) {
		out[i] = list[k]
	}
	return out
}

// sameCPUs is an error where other CPUs are online than when the run began: roles and
// counters are of those, and the record says so.
func (r *run) sameCPUs() error {
	machines := append([]results.Machine{r.Header.Machine}, r.Header.Others...)
	for i, p := range r.at.Each() {
		if i >= len(machines) || machines[i].CPUsOnline == "" {
			continue
		}
		online, err := p.Host().ReadFile("/sys/devices/system/cpu/online")
		if err != nil {
			return fmt.Errorf("%s: which CPUs are online: %w", place.Called(p), err)
		}
		if now := strings.TrimSpace(string(online)); now != machines[i].CPUsOnline {
			return fmt.Errorf("the machine changed: when the run began CPUs %s were online, and now %s are; measure anew", machines[i].CPUsOnline, now)
		}
	}
	return nil
}

// allFailed is an error where no arm moved anything: then it is more likely the
// machine than all of them, and nothing is left to compare.
func (r *run) allFailed(arms []results.ArmTrial) error {
	var whys []string
	for i, a := range arms {
		if r.resting[i] {
			continue
		}
		if a.Failed == "" {
			return nil
		}
		whys = append(whys, r.plan.arms[i].Name+": "+a.Failed)
	}
	if len(whys) == 1 {
		return errors.New("arm " + whys[0])
	}
	return errors.New("no arm worked: " + strings.Join(whys, "; "))
}

// fail notes that the arms of a setup failed in a trial.
func (s *setup) fail(t *results.Trial, arms []int, why error) {
	for _, arm := range s.arms {
		if slices.Contains(arms, arm) && t.Arms[arm].Failed == "" {
			t.Arms[arm].Failed = why.Error()
		}
	}
}

// schedule is a warm-up of every setup under one of the arms, then the blocks
// of the arms. order is theirs, too.
func (r *run) schedule(order, arms []int) []turn {
	var fresh []int
	for _, s := range r.setupsOf(order) {
		i := slices.IndexFunc(order, func(arm int) bool { return slices.Contains(s.arms, arm) })
		fresh = append(fresh, order[i])
	}
	turns := after(warmupTurns(fresh, r.plan.warmup), blocksOf(r.rng, arms, r.blocks(len(arms)), r.plan.slice, r.plan.settle))
	r.offer(turns)
	r.count(turns)
	return turns
}

// oneByOne gives each arm a session of its own, the knobs switched in between.
func (r *run) oneByOne(t *results.Trial) error {
	for _, arm := range t.Order {
		if err := r.session(t, []int{arm}, r.schedule([]int{arm}, []int{arm})); err != nil {
			return err
		}
	}
	return nil
}

// session sets up the given arms in their order, lets them take turns, and
// tears them down; its records are added to the trial.
func (r *run) session(t *results.Trial, arms []int, turns []turn) (err error) {
	began := traffic.Now()
	// Before the sockets: a connection keeps for good what it finds (its MSS).
	if err := r.switcher.start(turns[0].arm); err != nil {
		return fmt.Errorf("set the knobs that arms share: %w", err)
	}
	setups, failed := r.build(r.setupsOf(arms))
	defer func() {
		down := traffic.Now()
		err = errors.Join(err, closeAll(r.ctx, setups))
		t.TeardownNS += traffic.Now() - down
	}()
	t.SetupNS += traffic.Now() - began
	if err := context.Cause(r.ctx); err != nil {
		return err
	}
	for s, why := range failed {
		s.fail(t, arms, why)
		addZeros(t, s, turns)
	}
	if len(setups) == 0 {
		return nil
	}
	r.edges(t, setups, arms, false)
	before, err := r.before(setups)
	if err != nil {
		return err
	}
	canaries := r.watch(t, setups, arms)
	defer canaries.end() // if it has not come to that
	if r.instruments != nil {
		if err := r.instruments.load(setups, turns); err != nil {
			return err
		}
		defer r.instruments.close()
	}
	t.SetupNS = t.SetupNS + traffic.Now() - before[0].at
	start := traffic.Now() + int64(r.lead(setups))
	own := traffic.ProcessCPU()
	canaries.begin(turns, start, r.plan.settle, r.canaries.gap)
	if r.instruments != nil {
		r.instruments.begin(start)
	}
	switches, err := r.takeTurns(setups, turns, start)
	if r.instruments != nil {
		err = errors.Join(err, r.instruments.end())
	}
	told, each := canaries.end()
	r.canaries.learnGap(each)
	own = traffic.ProcessCPU() - own + switches.own
	r.learnLead(setups)
	if err != nil {
		return err
	}
	end := start + turns[len(turns)-1].end
	t.RunNS += end - start
	for _, l := range setups {
		if l.failed != nil {
			l.fail(t, arms, l.failed)
		}
	}
	down := traffic.Now()
	deltas, err := r.after(setups, before)
	t.TeardownNS += traffic.Now() - down
	if err != nil {
		return err
	}
	deltas.ofThisProcess(own)
	r.add(t, setups, arms, turns, switches.late, told, deltas)
	r.edges(t, setups, arms, true)
	r.warnOfCarryOver(t)
	r.warnOfSilence(t)
	return r.nothingReceived(t, turns)
}

// addZeros records an arm that could not be set up as what it is: in its slices
// nothing was received.
func addZeros(t *results.Trial, s *setup, turns []turn) {
	offset := t.RunNS
	for _, turn := range turns {
		if turn.slice >= 0 && slices.Contains(s.arms, turn.arm) {
			t.Slices = append(t.Slices, results.Slice{Block: turn.block, Arm: turn.arm, StartNS: offset + turn.start, CountedNS: turn.end - turn.count})
		}
	}
}

// maxLate is the share of an arm's bytes that may be received while another
// arm is counted.
const maxLate = 0.005

// warnOfCarryOver says which arms' queues do not run empty in a settle part.
func (r *run) warnOfCarryOver(t *results.Trial) {
	received, late := map[int]int64{}, map[int]int64{}
	for _, s := range t.Slices {
		received[s.Arm] += s.RxBytes
		late[s.Arm] += s.LateBytes
	}
	for i, arm := range r.plan.arms {
		if received[i] == 0 {
			continue // see nothingReceived
		}
		if share := float64(late[i]) / float64(received[i]); share > maxLate {
			t.Warnings = append(t.Warnings, results.Warning{Code: codeCarryOver, Text: fmt.Sprintf(
				"%s: %.1f %% of what it sent was received while another arm was counted: its queues outlast the settle part; set measure.settle longer", arm.Name, 100*share)})
		}
	}
}

// nothingReceived notes that an arm failed if its sinks got nothing in a whole
// session: then the path was not there. It says what is known of why: a short
// session may be over before a lost packet is sent again, or a CPU come back that
// the host took away. An arm whose threads waited for CPUs that others had is the
// machine's failure, not its own, and an error.
func (r *run) nothingReceived(t *results.Trial, turns []turn) error {
	received, sent := map[int]int64{}, map[int]int64{}
	for _, s := range t.Slices {
		received[s.Arm] += s.RxBytes
		sent[s.Arm] += s.TxBytes
	}
	for _, turn := range turns {
		if turn.slice < 0 || received[turn.arm] > 0 || t.Arms[turn.arm].Failed != "" {
			continue
		}
		if why := starved(t, turn.arm); why != "" {
			return fmt.Errorf("arm %s: the sinks received nothing: %s: the machine was too busy", r.plan.arms[turn.arm].Name, why)
		}
		retransmitted := int64(0)
		for _, f := range t.Arms[turn.arm].Flows {
			retransmitted += f.TCP["retrans"]
		}
		t.Arms[turn.arm].Failed = fmt.Sprintf("the sinks received nothing in %v of slices; its sources sent %d bytes (%d segments again), and %v of CPU time were stolen",
			time.Duration(turns[len(turns)-1].end).Round(time.Millisecond), sent[turn.arm], retransmitted,
			time.Duration(t.Host.StealNS).Round(time.Millisecond))
	}
	return nil
}

// starved says whether a role of an arm waited for a CPU for more than half of the
// slices, and so did not come to send or to receive, while others had more than a
// tenth of one; "" = neither did. A source that sent was not kept from it.
func starved(t *results.Trial, arm int) string {
	var counted, sent int64
	for _, s := range t.Slices {
		if s.Arm == arm {
			counted, sent = counted+s.CountedNS, sent+s.TxBytes
		}
	}
	waited, others := t.Arms[arm].Sink.WaitNS, t.Host.ForeignNS+t.Host.StealNS
	if sent == 0 {
		waited = max(waited, t.Arms[arm].Source.WaitNS)
	}
	if 2*waited < counted || 10*others < t.RunNS {
		return ""
	}
	return fmt.Sprintf("its threads waited for a CPU for %v while others had %v",
		time.Duration(waited).Round(time.Millisecond), time.Duration(others).Round(time.Millisecond))
}

// setupsOf are the setups that serve the arms, in the arms' order.
func (r *run) setupsOf(arms []int) []*setup {
	var out []*setup
	for _, arm := range arms {
		for _, s := range r.plan.setups {
			if slices.Contains(s.arms, arm) && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// build makes the setups ready, all at once, and says why some failed.
func (r *run) build(setups []*setup) (ready []*live, failed map[*setup]error) {
	out, errs := make([]*live, len(setups)), make([]error, len(setups))
	var g crew.Crew
	for i, s := range setups {
		phase := r.rng.Float64()
		g.Go(func() error {
			if out[i], errs[i] = r.buildOne(s, phase); errs[i] != nil {
				errs[i] = fmt.Errorf("set up: %w", errs[i])
			}
			return nil
		})
	}
	_ = g.Wait() // errors are the setups' own
	failed = map[*setup]error{}
	for i, err := range errs {
		if err != nil {
			failed[setups[i]] = err
		}
	}
	return slices.DeleteFunc(out, func(l *live) bool { return l == nil }), failed
}

// buildOne makes one setup ready to run: its topology, its own knobs, its sockets.
func (r *run) buildOne(s *setup, phase float64) (*live, error) {
	built, err := r.topology(s.arm.Config.Topology)
	if err != nil {
		return nil, err
	}
	l := &live{setup: s, built: built, phase: phase}
	if err := l.prepare(); err != nil {
		return nil, errors.Join(err, built.Close(r.ctx))
	}
	return l, nil
}

func (r *run) topology(t scenarios.Topology) (*topology.Built, error) {
	if r.nic != nil {
		return r.nic.Enter(r.ctx, r.agentOptions())
	}
	return topology.Build(r.ctx, r.at, t, r.agentOptions())
}

// agentOptions let every agent hold the run's locks.
func (r *run) agentOptions() agent.Options { return agent.Options{Inherit: r.Locks} }

func closeAll(ctx context.Context, setups []*live) error {
	var g crew.Crew
	for _, l := range setups {
		g.Go(func() error { return l.built.Close(ctx) })
	}
	return g.Wait()
}

// takeTurns lets the agents run the schedule, and switch knobs by it; the runner
// sleeps meanwhile.
func (r *run) takeTurns(setups []*live, turns []turn, start int64) (switches following, err error) {
	var g crew.Crew
	for _, l := range setups {
		g.Go(func() error { return l.run(turns, start, r.plan.settle) })
	}
	if r.plan.grain == vocab.BySliceSwitched {
		switches, err = r.switcher.follow(turns, len(r.plan.arms), start)
	}
	return switches, errors.Join(err, g.Wait())
}

// add writes a session's records into the trial.
func (r *run) add(t *results.Trial, setups []*live, arms []int, turns []turn, late map[int]string, told map[int]*results.Canaries, deltas hostDeltas) {
	offset := t.RunNS - turns[len(turns)-1].end
	for _, l := range setups {
		for _, s := range l.slices(turns, offset) {
			if why, ok := late[s.index]; ok {
				s.Invalid = why
			}
			s.Canaries = told[s.index]
			t.Slices = append(t.Slices, s.Slice)
		}
		for _, a := range l.armTrials(arms, turns, r.switcher.settings, deltas) {
			a.Failed = t.Arms[a.Arm].Failed
			r.canaries.see(&a)
			t.Arms[a.Arm] = a
		}
	}
	slices.SortFunc(t.Slices, func(a, b results.Slice) int { return int(a.StartNS - b.StartNS) })
	deltas.addTo(t)
}
