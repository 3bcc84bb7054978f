package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"netab/results/vocab"
	"netab/runner/agent"
	places "netab/runner/place"
	"netab/runner/topology"
	"netab/runner/traffic"
	"netab/scenarios"
)

// A match is what is measured side by side: contenders, and what is printed of
// them.
type match struct {
	name       string
	contenders []entrant
	ratios     []comparison
	limits     []limit
}

// An entrant is a contender by name and how to set it up.
type entrant struct {
	name    string
	missing string // what is not installed here, and what to do; "" = nothing
	unit    string // of what it counts: bytes or transactions
	open    func(*place) (contender, error)
}

// A contender is one pair of sender and receiver, connected and idle.
type contender interface {
	// run works off the windows and returns what the receiver got in the
	// counted part of each.
	run(windows []traffic.Window) (outcome, error)
	close() error
}

// An outcome is what a contender did in a trial.
type outcome struct {
	counts []count // of each window
	// Of netab only: how long its flows took to set up, the most memory that its
	// agent had, the heap objects that it made and the messages that it received
	// meanwhile.
	setup               time.Duration
	peak                int64
	allocated, messages int64
}

// A count is what came in over the counted part of a window.
type count struct {
	units, ns int64
	// late says that the contender had not half of its settle part, or left its
	// slice only when the next had begun: that spoils the block for all.
	late bool
}

// A place is where the contenders of a trial meet.
type place struct {
	options
	ctx       context.Context
	here      *places.Local
	built     *topology.Built
	pid       int // of a process that is there
	namespace *os.File
	life      time.Duration // longer than the trial takes
	nextPort  int
	closers   []func() // of what holds the namespace
}

// firstPort is below the ephemeral ports, which are all that anything else in
// the namespace is bound to, and no tool's default.
const firstPort = 21001

func (p *place) port() int {
	p.nextPort++
	return p.nextPort - 1
}

type bench struct {
	options
	here *places.Local
	rng  *rand.Rand
	log  io.Writer
}

// maxLost is how many trials in a row may be lost to other load before a match
// is given up.
const maxLost = 3

// play makes all trials of a match and says what came of it.
func (b *bench) play(ctx context.Context, m match) ([]result, error) {
	all := m
	m = m.withoutMissing()
	var trials [][]outcome
	var rates [][]float64
	spoiled, lost := 0, 0
	for len(trials) < b.trials && len(m.ratios)+len(m.limits) > 0 {
		var r []float64
		var bad int
		outcomes, err := b.trial(ctx, m)
		if err == nil {
			r, bad, err = total(outcomes)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", m.name, err)
			if lost++; lost == maxLost || ctx.Err() != nil {
				return nil, err
			}
			fmt.Fprintf(b.log, "another trial in place of one that was lost: %v\n", err)
			continue
		}
		lost = 0
		spoiled += bad
		trials, rates = append(trials, outcomes), append(rates, r)
	}
	if len(trials) > 0 {
		fmt.Fprintf(b.log, "%s: %s; %d of %d blocks left out: somebody not woken or stopped in time\n",
			m.name, describe(m.contenders, rates), spoiled, b.trials*b.blocks)
	}
	return all.judge(m.contenders, trials, rates), nil
}

func describe(contenders []entrant, rates [][]float64) string {
	var parts []string
	for i, m := range means(rates) {
		rate := fmt.Sprintf("%.3f Gbit/s", 8*m)
		if contenders[i].unit == transactions {
			rate = fmt.Sprintf("%.0f/s", 1e9*m)
		}
		parts = append(parts, contenders[i].name+" "+rate)
	}
	return strings.Join(parts, ", ")
}

// lead is how long before its first slice a schedule is handed out: a process
// more takes time to read it.
func lead(contenders int) time.Duration {
	return 20*time.Millisecond + time.Duration(contenders)*3*time.Millisecond
}

// trial sets the contenders up side by side and lets them take turns.
func (b *bench) trial(ctx context.Context, m match) (outcomes []outcome, err error) {
	p, err := b.newPlace(ctx, len(m.contenders))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	all := make([]contender, len(m.contenders))
	for _, i := range b.rng.Perm(len(all)) {
		if all[i], err = m.contenders[i].open(p); err != nil {
			return nil, fmt.Errorf("%s: %w", m.contenders[i].name, err)
		}
		defer func() { err = errors.Join(err, all[i].close()) }()
	}
	outcomes, err = takeTurns(all, b.schedule(traffic.Now()+int64(lead(len(all))), len(all)))
	return outcomes, err
}

// newPlace makes a namespace with a lo. As netab does for every arm: a flow that
// waits for its turn must not be slowed for having been idle, nor paced. Whoever
// can ask for cubic does; for the others it is reno, which is the only other
// one without pacing that the kernel surely lets a namespace have
// (tcp_set_default_congestion_control, net/ipv4/tcp_cong.c).
func (b *bench) newPlace(ctx context.Context, contenders int) (*place, error) {
	built, err := topology.Build(ctx, places.Both(b.here), scenarios.Topology{Kind: vocab.Loopback, Family: "ipv4"}, agent.Options{})
	if err != nil {
		return nil, err
	}
	p := &place{options: b.options, ctx: ctx, here: b.here, built: built, pid: built.Sink.Agent.PID(), nextPort: firstPort}
	// Setting up takes seconds where a peer warms up.
	p.life = time.Duration(b.blocks*contenders)*(b.slice+b.gap) + 10*time.Second
	p.namespace, err = os.Open("/proc/" + strconv.Itoa(p.pid) + "/ns/net")
	err = cmp.Or(err,
		built.Sink.Agent.WriteFile("/proc/sys/net/ipv4/tcp_slow_start_after_idle", []byte("0")),
		built.Sink.Agent.WriteFile("/proc/sys/net/ipv4/tcp_congestion_control", []byte("reno")))
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *place) close() error {
	for _, f := range p.closers {
		f()
	}
	if p.namespace != nil {
		p.namespace.Close()
	}
	return p.built.Close(p.ctx)
}

// schedule draws the order of each block and gives every contender its
// windows, one a block.
func (b *bench) schedule(start int64, contenders int) [][]traffic.Window {
	windows := make([][]traffic.Window, contenders)
	for block := range b.blocks {
		for _, i := range b.rng.Perm(contenders) {
			windows[i] = append(windows[i], traffic.Window{Slice: block,
				Start: start, Count: start + int64(b.settle), End: start + int64(b.slice)})
			start += int64(b.slice + b.gap)
		}
	}
	return windows
}

func takeTurns(all []contender, windows [][]traffic.Window) ([]outcome, error) {
	outcomes := make([]outcome, len(all))
	var g errgroup.Group
	for i, c := range all {
		g.Go(func() (err error) {
			outcomes[i], err = c.run(windows[i])
			return err
		})
	}
	return outcomes, g.Wait()
}
