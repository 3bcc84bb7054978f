// Package kernels asks a question of kernels: it finds them, sees before anything boots
// that each has what the question needs, and boots them in guests, in which this same
// netab measures (Set), or measures on the one that this machine was booted with (Here).
//
// Both are Booters of package campaign. It lies below cmd as package question does, and
// prints nothing but what takes long.
package kernels

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/runner/guest"
	"netab/runner/guest/arch"
	"netab/runner/guest/kernel"
	"netab/scenarios"
)

// Options say where kernels are found, and what they are booted in.
type Options struct {
	Arch string    // of guests, as people write it; "" = this netab's
	QEMU string    // the program; "" = the architecture's in $PATH
	Apt  string    // how apt is asked; see kernel.Options
	Log  io.Writer // what takes long is said there
}

// A Set is the kernels of a campaign, ready to boot.
type Set struct {
	question *question.Question
	parts    []scenarios.KernelArms
	found    []*kernel.Kernel
	needs    []string // modules
	machine  guest.Machine
	qemu     string // its version
	scenario []byte // as the guest reads it
	named    bool   // the scenario names the kernels
	// turn is how long a guest executes where several are up at once; 0 = none are.
	turn time.Duration
	// slowly is why the guests run under TCG though they might have run under KVM.
	slowly string
}

// Find finds the kernels that a list names, or, where that is empty, that the scenario
// does.
func Find(ctx context.Context, q *question.Question, list []string, o Options) (*Set, error) {
	parts, err := q.ByKernel(list)
	if err != nil {
		return nil, err
	}
	s := &Set{question: q, parts: parts, named: len(list) == 0}
	if err := s.fits(q.Measure); err != nil { // before anything is fetched
		return nil, err
	}
	if s.scenario, err = json.Marshal(q.Scenario); err != nil {
		return nil, err
	}
	a, err := arch.Parse(o.Arch)
	if err != nil {
		return nil, err
	}
	s.machine = guest.Machine{Arch: a, QEMU: o.QEMU}
	if s.machine.Program, err = guest.FindProgram(a); err != nil {
		return nil, err
	}
	qemu, err := guest.FindQEMU(ctx, o.QEMU, a)
	if err != nil {
		return nil, err
	}
	s.qemu = qemu.Version
	s.needs = needs(parts)
	for _, p := range parts {
		k, err := kernel.Find(ctx, p.Kernel, kernel.Options{Apt: o.Apt, Arch: a, Log: o.Log})
		if err != nil {
			return nil, err
		}
		s.found = append(s.found, k)
	}
	if err := Lacking(s.found, s.needs); err != nil {
		return nil, err
	}
	if err := s.choose(ctx); err != nil {
		return nil, err
	}
	return s, s.slow()
}

// emulatedSlice is a slice of emulated CPUs, emulatedTrial the longest that a trial is made.
const (
	emulatedSlice = 100 * time.Millisecond
	emulatedTrial = 5 * time.Second
)

// slow gives emulated CPUs longer slices and trials, where the scenario does not say how
// long.
func (s *Set) slow() error {
	q := s.question
	if s.machine.Accel != guest.TCG || !q.Defaulted("measure.slice") || !q.Defaulted("measure.settle") || !q.Defaulted("measure.trial") {
		return nil
	}
	if time.Duration(q.Measure.Slice) >= emulatedSlice { // netem holds packets back for longer
		return nil
	}
	longer, err := slower(q.Scenario, s.Each())
	if err != nil {
		return fmt.Errorf("emulated CPUs need slices of %s: %w", emulatedSlice, err)
	}
	if err := s.fits(longer.Measure); err != nil {
		return err
	}
	s.scenario, err = json.Marshal(longer)
	return err
}

// slower is a scenario for emulated CPUs, of which each boot measures for so long. What an
// arm has in its queues takes them ten times as long to drain; to set up a trial, a second
// or two. So there are two trials in a boot, as there must be, and more only where they are
// long: the boot is the unit, not the trial.
func slower(sc *scenarios.Scenario, each time.Duration) (*scenarios.Scenario, error) {
	set := []string{fmt.Sprintf("measure.slice=%s", emulatedSlice), fmt.Sprintf("measure.settle=%s", emulatedSlice/4)}
	longer, err := scenarios.Override(sc, set...)
	if half := min(emulatedTrial, each/2).Truncate(emulatedSlice); err == nil && half > time.Duration(longer.Measure.Trial) {
		return scenarios.Override(sc, append(set, fmt.Sprintf("measure.trial=%s", half))...)
	}
	return longer, err
}

// fits says so where a boot's part of the time is shorter than two trials, as the
// scenario itself is held to where it names its kernels: the first trial is measured
// whatever it takes, so the campaign would take longer than it may.
func (s *Set) fits(m scenarios.Measure) error {
	boots := len(s.parts) * s.question.Measure.BootsOfEach()
	if s.Each() >= 2*time.Duration(m.Trial) {
		return nil
	}
	return fmt.Errorf("%s of --max-time %s together are %v each, shorter than two trials of %s (slices of %s, %s side by side): want --max-time %s, or fewer --boots",
		prose.Counted(boots, "boot"), s.question.Measure.MaxTime, s.Each().Round(time.Second/10), m.Trial, m.Slice, prose.Counted(len(s.parts[0].Arms), "arm"), scenarios.Duration(2*boots)*m.Trial)
}

// Again are the kernels of a campaign that was cut off, whose question is q. One that is another now is
// refused: its boots would not be those of the kernel that the others are of.
func Again(ctx context.Context, c *results.Campaign, q *question.Question, o Options) (*Set, error) {
	h := &c.Header
	var list []string
	if !q.NamesKernels() {
		for _, k := range h.Kernels {
			list = append(list, k.Ref)
		}
	}
	if len(h.Kernels) > 0 {
		o.Arch = h.Kernels[0].Arch // all are of one
	}
	s, err := Find(ctx, q, list, o)
	if err != nil {
		return nil, err
	}
	if len(s.found) != len(h.Kernels) {
		return nil, fmt.Errorf("campaign %s is of %d kernels, and its scenario names %d", h.ID, len(h.Kernels), len(s.found))
	}
	for i, k := range s.found {
		if k.Digest != h.Kernels[i].Digest {
			return nil, fmt.Errorf("kernel %s is another than when campaign %s began (%s, now %s): begin a new one", k.Ref, h.ID, h.Kernels[i].Release, k.Release)
		}
	}
	if h.Guest != nil && h.Guest.MemoryMiB > 0 {
		s.machine.MemoryMiB = h.Guest.MemoryMiB // of another netab it may be another
	}
	if h.Guest != nil && s.turn > 0 {
		s.turn = time.Duration(h.Guest.TurnMS) * time.Millisecond // likewise
	}
	if g := s.Guest(); h.Guest == nil || g.Accel != h.Guest.Accel || g.QEMU != h.Guest.QEMU {
		return nil, fmt.Errorf("campaign %s was begun in guests of another kind than this machine has now (QEMU %s, %s): begin a new one", h.ID, g.QEMU, g.Accel)
	}
	return s, nil
}

// Needs are the modules that arms need of a kernel, beside what guests need anyway.
func Needs(arms ...scenarios.Arm) (names []string) {
	need := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, a := range arms {
		t := a.Config.Traffic
		if a.Config.Topology.Kind == vocab.Veth {
			need("veth")
		}
		if t.Protocol == vocab.TCP {
			need("tcp_" + t.Congestion)
		}
		switch t.Source.Path {
		case "pktgen":
			need("pktgen")
		case "packet":
			need("af_packet")
		}
		if t.PacingRate > 0 {
			need("sch_fq")
		}
		for _, kind := range a.Config.Knobs.Qdiscs() {
			if module := scenarios.QdiscModule(kind); module != "" {
				need(module)
			}
		}
	}
	return names
}

// needs are those of the arms of all kernels.
func needs(parts []scenarios.KernelArms) []string {
	var arms []scenarios.Arm
	for _, p := range parts {
		arms = append(arms, p.Arms...)
	}
	return Needs(arms...)
}

// Lacking says what some kernels have not.
func Lacking(found []*kernel.Kernel, needs []string) error {
	var faults []string
	for _, k := range found {
		for _, name := range needs {
			if lacks := k.Lacks(name); lacks != "" {
				faults = append(faults, lacks)
			}
		}
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}

// choose decides on what the kernels are booted in.
func (s *Set) choose(ctx context.Context) error {
	g := s.question.Guest.WithDefaults()
	s.machine.MemoryMiB, s.machine.CPUs, s.machine.CPUModel, s.machine.Accel = int(g.Memory>>20), g.CPUs, g.CPUModel, guest.Accel(g.Accel)
	if s.question.Guest.Memory == 0 {
		s.machine.MemoryMiB = max(s.machine.MemoryMiB, s.memory())
	}
	if s.question.Guest.CPUModel == "" {
		s.machine.CPUModel = "" // all that the accelerator can do
	}
	if g.Accel == "auto" {
		accel, why, err := s.machine.Fastest(ctx, s.kernel(0))
		if err != nil {
			return err
		}
		if s.machine.Accel = accel; accel == guest.TCG {
			s.slowly = why
		}
	}
	if s.machine.Accel == guest.TCG && g.Turns != "off" {
		s.turn = turn
	}
	return nil
}

const (
	// kernelMemory is what Debian's kernels keep of a guest's memory, or have in use when a
	// run begins: of 256 MiB 80 (5.10, 6.1 for cloud machines) to 97 (6.12).
	kernelMemory = 112 << 20
	memoryStep   = 64 << 20
	// mostMemory is what a guest gets unasked: where that is too little the guest's own netab
	// says how much it takes.
	mostMemory = 4 << 30
)

// memory is how many MiB a guest takes in which the arms of any of the kernels are
// measured: the kernel, the initramfs, which is netab, and the run.
func (s *Set) memory() int {
	q := s.question
	run := uint64(0)
	for _, p := range s.parts {
		run = max(run, runner.Memory(runner.Options{Arms: p.Arms, Slice: time.Duration(q.Measure.Slice), Trial: time.Duration(q.Measure.Trial),
			MaxTime: s.Each(), WholeTrials: q.Measure.Grain == vocab.ByTrial}))
	}
	run = min(run, mostMemory)
	if info, err := os.Stat(s.machine.Program); err == nil { // the boot says so where it is gone
		run += uint64(info.Size())
	}
	return int((run + kernelMemory + memoryStep - 1) / memoryStep * memoryStep >> 20)
}

// kernel is one of them as a guest needs it.
func (s *Set) kernel(i int) guest.Kernel { return ForGuest(s.found[i]) }

// ForGuest is a kernel as a guest needs it.
func ForGuest(k *kernel.Kernel) guest.Kernel {
	var unpack func(io.Writer) error
	if k.Packed {
		unpack = k.Unpack
	}
	return guest.Kernel{Ref: k.Ref, Release: k.Release, Arch: k.Arch, Image: k.Image, Unpack: unpack, Config: k.Config, Modules: func(names ...string) (mods []guest.Module, missing []string) {
		found, missing := k.Load(names...)
		for _, m := range found {
			mods = append(mods, guest.Module{Name: m.Name, File: m.File, Read: m.Read})
		}
		return mods, missing
	}}
}

// Guest is what they are booted in, for the record.
func (s *Set) Guest() *results.Guest {
	return &results.Guest{Accel: string(s.machine.Accel), QEMU: s.qemu, MemoryMiB: s.machine.MemoryMiB, CPUs: s.machine.CPUs, CPUModel: s.machine.CPUModel,
		TurnMS: int(s.turn / time.Millisecond)}
}

// Header is the record that the campaign begins with.
func (s *Set) Header(seed uint64) results.CampaignHeader {
	h := s.question.Campaign(s.parts, seed)
	h.Scenario, h.Guest = s.scenario, s.Guest()
	recorded(h.Kernels, s.found)
	return h
}

// recorded fills in what a record says of kernels, of their configurations what differs.
func recorded(into []results.Kernel, found []*kernel.Kernel) {
	var configs []map[string]string
	for _, k := range found {
		configs = append(configs, k.Config)
	}
	apart := results.OptionsApart(configs)
	for i, k := range found {
		into[i] = results.Kernel{Ref: k.Ref, Release: k.Release, Build: k.Build, Arch: k.Arch, Digest: k.Digest, Config: apart[i]}
	}
}

// Emulated says that the CPUs of the guests are computed, and why; "" = they are not.
func (s *Set) Emulated() string {
	switch {
	case s.machine.Accel != guest.TCG:
		return ""
	case s.slowly == "":
		return "as guest.accel asks"
	}
	return s.slowly
}

// Each is how long each boot measures.
func (s *Set) Each() time.Duration { return s.question.EachBoot(len(s.parts)) }

// Boot implements campaign.Booter: the guest measures what the kernel's arms ask.
func (s *Set) Boot(ctx context.Context, n int, seed uint64, line func([]byte) error) (results.Boot, error) {
	return s.bootIn(ctx, s.machine, n, seed, line)
}

func (s *Set) bootIn(ctx context.Context, machine guest.Machine, n int, seed uint64, line func([]byte) error) (results.Boot, error) {
	if err := s.found[n].Unchanged(ctx); err != nil {
		return results.Boot{}, err
	}
	job := guest.Job{Args: s.args(n, seed), Files: []guest.File{{Name: scenarioFile, Data: s.scenario}}, Modules: s.needs,
		Stream: runsDir + "/*/" + results.RunFile, Deadline: s.deadline()}
	var said bytes.Buffer
	began := time.Now().UTC()
	o, err := machine.Run(ctx, s.kernel(n), job, line, &said)
	if err != nil {
		return results.Boot{}, err
	}
	b := results.Boot{End: endOf(o), Text: o.Text, Started: began, Ended: time.Now().UTC()}
	if b.End != vocab.Finished {
		b.Console = o.Console
		if b.End == vocab.NoMemory {
			b.Text += fmt.Sprintf(" (--set guest.memory=%dM)", 2*s.machine.MemoryMiB)
		}
		if last := lastLine(said.String()); last != "" && (b.End == vocab.RunFailed || b.End == vocab.Hang) {
			b.Text += ": " + last
		}
	}
	return b, nil
}

const (
	scenarioFile = "scenario.yaml"
	runsDir      = "/tmp/runs"
)

// args are the command that is run in the guest.
func (s *Set) args(n int, seed uint64) []string {
	args := []string{"run", "/tmp/" + scenarioFile, "--record", "--store", runsDir, "--seed", strconv.FormatUint(seed, 10), "--no-progress"}
	if s.named {
		args = append(args, "--of-kernel", s.parts[n].Kernel)
	} else {
		args = append(args, "--max-time", s.Each().String())
	}
	for _, name := range s.question.Allowed {
		args = append(args, "--allow-sysctl", name)
	}
	return args
}

// deadline is what a run may take beside its time: its first trial is measured
// whatever it takes, and an emulated CPU sets up a hundred times as slowly.
func (s *Set) deadline() time.Duration { return 3*s.Each() + 2*time.Minute }

// endOf is how a boot ended: one whose run failed finished all the same.
func endOf(o guest.Outcome) vocab.BootEnd {
	if o.End == guest.Finished && o.Status != 0 {
		return vocab.RunFailed
	}
	return vocab.BootEnd(o.End)
}

// lastLine is the last of what the guest's netab said.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
