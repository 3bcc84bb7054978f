// Package counting has guests count instructions for a question: each arm on each kernel
// in a boot of its own for each seed, two boots at a time. It is a library for whoever
// asks one kernel after another, as a bisection does: a Counter is made once, Boots
// gives what so many seeds come to.
//
// It lies below cmd as package question does, and prints nothing but what takes long.
package counting

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"netab/cmd/netab/kernels"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/crew"
	"netab/results/vocab"
	"netab/runner/guest"
	"netab/runner/guest/arch"
	"netab/runner/guest/exact"
	"netab/runner/guest/execlog"
	"netab/runner/guest/kernel"
	"netab/scenarios"
)

// Options say in what is counted.
type Options struct {
	Arch      *arch.Arch // of guests; nil = this netab's
	QEMU      string     // the program; "" = of $PATH
	CPUs      int        // of each guest; 0 = one
	Warmup    int64      // messages of each source; 0 = a fifth of Messages
	Messages  int64      // 0 = enough for the traffic
	Repeats   int        // boots of each seed; 0 = as many as it takes to know what they are worth
	Threads   int        // 2 = source and sink have a thread each even where one could do; 0 = one where it can
	Functions bool       // the first seed's boots are logged
	Arm       string     // the only one that is counted; "" = all
	Unit      string     // one of results.CountUnits; "" = the traffic's own
	Log       io.Writer
	// Ended, if set, is told of boots, one after the other.
	Ended func(kind string, b results.CountBoot, took time.Duration)
}

// A Counter counts what one scenario asks.
type Counter struct {
	o        Options
	q        *question.Question
	scenario []byte
	qemu     *guest.QEMU
	program  string // that guests boot
	identity exact.Identity
	tell     sync.Mutex
}

// Load reads a scenario for guests that count. Those of one CPU have all roles there.
func Load(ref string, sets []string, cpus int) (*question.Question, error) {
	cpus = max(cpus, 1)
	sets = append(slices.Clone(sets), fmt.Sprintf("guest.cpus=%d", cpus))
	if cpus == 1 {
		sets = append(sets, "placement=same")
	}
	return question.LoadForGuests(ref, scenarios.Sets(sets))
}

// Choose reads a scenario for so many CPUs, and finds the QEMU for them. Of 0 it is one,
// or two where what is asked takes them.
func Choose(ctx context.Context, ref string, sets []string, cpus int, qemu string, a *arch.Arch) (*question.Question, int, string, error) {
	if cpus == 1 {
		q, err := Load(ref, sets, 1)
		return q, 1, qemu, err
	}
	two, err := Load(ref, sets, 2)
	if err != nil {
		return nil, 0, "", err
	}
	if cpus == 0 {
		q, err := Load(ref, sets, 1)
		if err == nil && takesTwo(q, "") == nil {
			return q, 1, qemu, nil
		}
		if err != nil {
			err = fmt.Errorf("guests that count have one CPU, for which the scenario does not do (%w)", err)
		} else {
			err = takesTwo(q, "")
		}
		path, missing := forTwo(ctx, qemu, a)
		if missing != nil {
			return nil, 0, "", &NeedsTwo{err, missing}
		}
		return two, 2, path, nil
	}
	path, err := forTwo(ctx, qemu, a)
	return two, 2, path, err
}

// NeedsTwo says that a question takes two CPUs, and why there are none.
type NeedsTwo struct{ why, missing error }

func (e *NeedsTwo) Error() string { return e.why.Error() + ": " + e.missing.Error() }

// forTwo is the QEMU for guests of two CPUs: the one that is named, or the machine's, or
// make qemu10's beside this program.
func forTwo(ctx context.Context, qemu string, a *arch.Arch) (string, error) {
	able := func(name string) error {
		q, err := guest.FindQEMU(ctx, name, a)
		if err == nil {
			_, err = exact.Identify(q, a, 2)
		}
		return err
	}
	err := able(qemu)
	if err == nil {
		return qemu, nil
	}
	if self, errSelf := os.Executable(); qemu == "" && errSelf == nil {
		if beside := filepath.Join(filepath.Dir(self), "qemu10", a.QEMU); able(beside) == nil {
			return beside, nil
		}
	}
	return "", err
}

// New makes the counter of a question that Load has read, and says what of it cannot be
// counted.
func New(ctx context.Context, q *question.Question, o Options) (*Counter, error) {
	c := &Counter{o: o, q: q}
	c.o.CPUs = max(o.CPUs, 1)
	if o.Log == nil {
		c.o.Log = io.Discard
	}
	var err error
	if c.scenario, err = json.Marshal(q.Scenario); err != nil {
		return nil, err
	}
	if err := Refused(q, o.Arm, c.o.CPUs); err != nil {
		return nil, err
	}
	answers := q.Arms[0].Config.Traffic.Kind.Answers()
	c.o.Unit = cmp.Or(o.Unit, map[bool]string{false: results.PerMessage, true: results.PerTransaction}[answers])
	if c.o.Unit == results.PerTransaction && !answers {
		return nil, errors.New("instructions a transaction: this traffic has none, as nothing is answered; count a message or a byte (--unit)")
	}
	if c.o.Arch == nil {
		if c.o.Arch, err = arch.Parse(""); err != nil {
			return nil, err
		}
	}
	if c.program, err = guest.FindProgram(c.o.Arch); err != nil {
		return nil, err
	}
	if c.qemu, err = guest.FindQEMU(ctx, o.QEMU, c.o.Arch); err != nil {
		return nil, err
	}
	if c.identity, err = exact.Identify(c.qemu, c.o.Arch, c.o.CPUs); err != nil {
		return nil, err
	}
	c.o.Messages = cmp.Or(o.Messages, enough(q.Arms))
	c.o.Warmup = cmp.Or(o.Warmup, c.o.Messages/5)
	return c, nil
}

// Refused says what of a question cannot be counted in guests of so many CPUs, in a line;
// arm is the only one that is asked for, "" = all.
func Refused(q *question.Question, arm string, cpus int) error {
	for i := range q.Arms {
		if arm != "" && q.Arms[i].Name != arm {
			continue
		}
		if err := check(&q.Arms[i]); err != nil {
			return err
		}
	}
	for i := range q.Arms {
		if a, b := &q.Arms[0], &q.Arms[i]; arm == "" && a.Config.Traffic.Kind.Answers() != b.Config.Traffic.Kind.Answers() {
			return refuse(b, "one of it and arm "+a.Name+" has answers, and the other has none, so what is counted is not the same")
		}
	}
	if cpus > 1 {
		return nil
	}
	if err := takesTwo(q, arm); err != nil {
		return fmt.Errorf("%w: two want QEMU 10 or newer (--cpus 2 --qemu PATH)", err)
	}
	return nil
}

// enough is how many messages take some tens of millions of instructions: what is
// counted besides, once a boot, is then no part of a thousand.
func enough(arms []scenarios.Arm) int64 {
	n := int64(5000)
	for _, a := range arms {
		t := a.Config.Traffic
		switch {
		case t.Message > 16<<10:
			n = min(n, 500)
		case t.Kind.Connects():
			n = min(n, 1000)
		case t.Kind.Answers():
			n = min(n, 2000)
		}
	}
	return n
}

// needTwo are knobs that say which CPU does what.
var needTwo = []string{"rps_cpus", "rps_flow_cnt", "xps_cpus", "irq"}

func refuse(a *scenarios.Arm, why string) error {
	return fmt.Errorf("arm %s cannot be counted: %s", a.Name, why)
}

// check says what cannot be counted of an arm.
func check(a *scenarios.Arm) error {
	t := a.Config.Traffic
	switch {
	case a.Config.Kernel != "":
		return refuse(a, "it names a kernel, "+a.Config.Kernel+"; name kernels with --kernels")
	case a.Config.Topology.Kind == vocab.NIC:
		return refuse(a, "a guest has no NICs; count loopback or veth")
	case t.Source.Path == "pktgen":
		return refuse(a, "pktgen is a thread of the kernel's, which cannot be given a number of messages")
	case t.LossFree != nil:
		return refuse(a, "loss_free searches a rate, and a guest that counts has no time")
	case t.Rate > 0 || t.PacingRate > 0:
		return refuse(a, "a rate is of time, and a guest that counts has none; leave off rate and pacing_rate")
	case t.Source.Slowdown > 0:
		return refuse(a, "slowdown spins for a time, and a guest that counts has none")
	case len(t.Beside) > 0:
		return refuse(a, "traffic beside has no number of messages of its own")
	}
	return nil
}

// takesTwo says what of a question takes two CPUs.
func takesTwo(q *question.Question, arm string) error {
	for i := range q.Arms {
		a := &q.Arms[i]
		if arm != "" && a.Name != arm {
			continue
		}
		for _, k := range a.Knobs {
			if slices.Contains(needTwo, k.Family) {
				return refuse(a, k.Family+" says which CPU does what, and guests that count have one")
			}
		}
		if arm == "" && !reflect.DeepEqual(a.Config.Placement, q.Arms[0].Config.Placement) {
			return refuse(a, "it has another placement than arm "+q.Arms[0].Name+", and guests that count have one CPU")
		}
	}
	return nil
}

// Seeds are the first so many.
func Seeds(n int) (out []uint64) {
	for i := range n {
		out = append(out, uint64(i+1))
	}
	return out
}

// Identity begins the record of what is counted.
func (c *Counter) Identity() results.Count {
	return results.Count{Name: c.q.Name, Source: c.q.Source, Scenario: c.scenario, Unit: c.o.Unit, Warmup: c.o.Warmup, Messages: c.o.Messages,
		Cmdline: c.identity.Cmdline,
		Guest:   results.Guest{Accel: results.Emulated, QEMU: c.qemu.Version, MemoryMiB: c.identity.MemoryMiB, CPUs: c.identity.CPUs, CPUModel: c.identity.CPUModel}}
}

// A Task is an arm of the question on a kernel.
type Task struct {
	Kind   int // index in the record
	Arm    string
	Kernel *kernel.Kernel
}

// Repeats are how often a seed is booted: where it is not known that equal seeds give
// equal counts, that is counted too.
func (c *Counter) Repeats() int {
	if c.o.Repeats > 0 {
		return c.o.Repeats
	}
	if c.o.CPUs > 1 {
		return 2
	}
	return 1
}

// Boots counts each task with each seed. What becomes of a boot is in it; an error is
// this side's, or the end of ctx, and comes with the boots that were over by then.
func (c *Counter) Boots(ctx context.Context, tasks []Task, seeds []uint64) ([]results.CountBoot, error) {
	type one struct {
		task      Task
		seed      uint64
		functions bool
	}
	var all []one
	for again := range c.Repeats() {
		for _, seed := range seeds { // so that all have their first before any its second
			for _, t := range tasks {
				all = append(all, one{t, seed, c.o.CPUs > 1 || c.o.Functions && seed == seeds[0] && again == 0})
			}
		}
	}
	out, done := make([]results.CountBoot, len(all)), make([]bool, len(all))
	next := make(chan int)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var g crew.Crew
	for range min(max(runtime.NumCPU(), 1), 2) {
		g.Go(func() error {
			for i := range next {
				b, err := c.boot(ctx, all[i].task, all[i].seed, all[i].functions)
				if err != nil {
					cancel(err)
					return err
				}
				out[i], done[i] = b, true
			}
			return nil
		})
	}
	for i := range all {
		if ctx.Err() != nil {
			break
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	err := cmp.Or(g.Wait(), context.Cause(ctx))
	var over []results.CountBoot
	for i := range out {
		if done[i] {
			over = append(over, out[i])
		}
	}
	return over, err
}

// deadline is for a job whose clock runs with its instructions: of the guest's time.
const deadline = 10 * time.Minute

const scenarioFile = "scenario.yaml"

func (c *Counter) boot(ctx context.Context, t Task, seed uint64, functions bool) (results.CountBoot, error) {
	began := time.Now()
	b := exact.Boot{QEMU: c.o.QEMU, Program: c.program, Identity: c.identity, Seed: seed, Kernel: kernels.ForGuest(t.Kernel), Job: guest.Job{
		Args:     c.args(t.Arm),
		Files:    []guest.File{{Name: scenarioFile, Data: c.scenario}},
		Deadline: deadline, Modules: kernels.Needs(c.arm(t.Arm)...)}}
	out := results.CountBoot{Kind: t.Kind, Seed: seed}
	if functions {
		var err error
		if b.Functions, err = t.Kernel.Functions(ctx); err != nil {
			return out, err
		}
	}
	if err := t.Kernel.Unchanged(ctx); err != nil {
		return out, err
	}
	counted, err := b.Run(ctx)
	if err != nil {
		return out, fmt.Errorf("%s on %s: %w", t.Arm, t.Kernel.Ref, err)
	}
	if counted.End == guest.Interrupted {
		return out, cmp.Or(context.Cause(ctx), errors.New("interrupted"))
	}
	out.End, out.Text = string(counted.End), counted.Text
	if n := counted.Counted; n == nil {
		if counted.End == guest.Finished {
			out.End = string(vocab.RunFailed)
		}
		out.Console = counted.Console
	} else if err := c.take(&out, counted); err != nil {
		return out, err
	}
	if c.o.Ended != nil {
		c.tell.Lock()
		defer c.tell.Unlock()
		c.o.Ended(t.Arm+" on "+t.Kernel.Release, out, time.Since(began))
	}
	return out, nil
}

// take puts what a boot counted into the record.
func (c *Counter) take(b *results.CountBoot, from *exact.Count) error {
	n := from.Counted
	b.Instructions, b.Source, b.Sink = n.WallNS-n.IdleNS, n.SourceNS, n.SinkNS
	b.Bytes, b.Lost, b.Calls, b.Turns = n.Bytes, n.Lost, n.Calls, n.Turns
	b.Acks = n.Counters["Tcp.InSegs"]
	b.Units, b.Answers = n.Sent, c.q.Arms[0].Config.Traffic.Kind.Answers()
	if !b.Answers && n.Lost > 0 {
		b.Units = n.Sent - n.Lost
	}
	if b.Units <= 0 || b.Instructions <= 0 && c.o.CPUs == 1 {
		return fmt.Errorf("a guest counted %d instructions for %d messages: netab's own count is wrong", b.Instructions, b.Units)
	}
	if c.o.Unit == results.PerByte && b.Bytes <= 0 {
		return errors.New("instructions a byte: this traffic's sinks do not tell how many they received; count a message (--unit)")
	}
	p := from.Profile
	if p == nil {
		return nil
	}
	b.Functions = []results.CountFunction{}
	for _, r := range p.Rows {
		b.Functions = append(b.Functions, results.CountFunction{Role: r.Role.String(), Context: r.Context.String(), Function: r.Function, Instructions: int64(r.Instructions)})
	}
	if c.o.CPUs > 1 {
		return c.ofLog(b, from)
	}
	// The log is a second count of the same; of it the idle loop's own is no part of the
	// other.
	if logged, counted := float64(p.Instructions), float64(b.Instructions); logged < 0.98*counted-1e5 || logged > 1.02*counted+3e5 {
		return fmt.Errorf("the log of what was executed has %.0f instructions, and the clock counted %.0f: one of them is wrong", logged, counted)
	}
	return nil
}

// ofLog takes the log's count for the boot's. CPUs that take turns have one clock, which
// goes on while the others work and stands while all of them idle: it does not tell what
// any of them executed.
func (c *Counter) ofLog(b *results.CountBoot, from *exact.Count) error {
	if p, n := from.Profile, from.Counted; float64(p.Instructions) > 1.02*float64(n.WallNS)+3e5 {
		return fmt.Errorf("the log of what was executed has %d instructions in %d ns of the guest: one of them is wrong", p.Instructions, n.WallNS)
	}
	b.Instructions, b.Source, b.Sink = int64(from.Profile.Instructions), 0, 0
	for _, r := range from.Profile.Rows {
		switch r.Role {
		case execlog.Source:
			b.Source += int64(r.Instructions)
		case execlog.Sink:
			b.Sink += int64(r.Instructions)
		}
	}
	return nil
}

// args are what is run in the guest.
func (c *Counter) args(arm string) []string {
	threads := c.o.Threads
	if c.o.CPUs > 1 {
		threads = 2 // each on its own
	}
	args := []string{"count", "/tmp/" + scenarioFile, "--inside", arm, "--messages", strconv.FormatInt(c.o.Messages, 10),
		"--warmup", strconv.FormatInt(c.o.Warmup, 10), "--threads", strconv.Itoa(threads)}
	for _, name := range c.q.Allowed {
		args = append(args, "--allow-sysctl", name)
	}
	return args
}

// arm is the one of that name.
func (c *Counter) arm(name string) []scenarios.Arm {
	return slices.DeleteFunc(slices.Clone(c.q.Arms), func(a scenarios.Arm) bool { return a.Name != name })
}

// Find finds the kernels of a list, and says what they lack for the question.
func Find(ctx context.Context, q *question.Question, list []string, o kernel.Options) ([]*kernel.Kernel, error) {
	var out []*kernel.Kernel
	for i, ref := range list {
		if slices.Contains(list[:i], ref) {
			return nil, fmt.Errorf("--kernels names %s twice: each is booted with every seed anyhow", ref)
		}
		k, err := kernel.Find(ctx, ref, o)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, kernels.Lacking(out, kernels.Needs(q.Arms...))
}
