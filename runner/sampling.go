package runner

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/explain/account"
	"netab/runner/explain/sample"
)

const (
	// sampleHz samples a second are taken of a CPU: no multiple of the kernel's ticks.
	// Measured on one CPU: 4 % of bulk TCP's rate.
	sampleHz = 1999
	// mostSampled CPUs are sampled at once: it costs on each.
	mostSampled = 4
	// sampleBytes is what one may take: 127 frames.
	sampleBytes = 1100
)

// A busiest role is what is sampled.
type busiest struct {
	role vocab.Owner
	cpus []int
}

// sampledIn is what a trial samples, if it does: the role that had the most of its CPUs
// in the explain trials so far; where there are more than enough trials of it, in some
// the other one, at its CPUs. One at a time, for sampling costs. Nil = there was no
// trial yet.
func (r *run) sampledIn(index int, arms []int) *busiest {
	ns := map[vocab.Owner]map[int]int64{vocab.SourceTime: {}, vocab.SinkTime: {}}
	total := map[vocab.Owner]int64{}
	for _, x := range r.explains {
		for _, c := range x.CPUs {
			if !slices.Contains(arms, c.Arm) {
				continue
			}
			for role := range ns {
				for _, n := range c.NS[role] {
					ns[role][c.CPU] += n
					total[role] += n
				}
			}
		}
	}
	role, other := vocab.SourceTime, vocab.SinkTime
	idles := slices.ContainsFunc(arms, func(arm int) bool { return results.SinkIdles(r.trials, arm) })
	if total[other] > total[role] && !idles {
		role, other = other, role
	}
	if samplesOther(index) {
		role = other
	}
	if total[role] == 0 {
		return nil
	}
	cpus := slices.SortedFunc(maps.Keys(ns[role]), func(a, b int) int { return cmp.Or(cmp.Compare(ns[role][b], ns[role][a]), cmp.Compare(a, b)) })
	cpus = slices.DeleteFunc(cpus, func(cpu int) bool { return 10*ns[role][cpu] < total[role] })
	return &busiest{role, cpus[:min(len(cpus), mostSampled)]}
}

// samplesOther says in which trials it is the other role: in none of the first eight,
// which are all that a hurried explanation has, and then in one of eight.
func samplesOther(index int) bool { return index >= 8 && index%8 == 3 }

// A sampling of some CPUs, of which one role's samples are kept.
type sampling struct {
	role    vocab.Owner
	cpus    []int
	symbols *sample.Symbols
	rings   []*sample.Ring
	samples []sample.Sample
	lost    int64
	cycles  bool
}

// open makes the rings, for a schedule of so many ns.
func (s *sampling) open(ns int64) (err error) {
	if s.symbols == nil {
		if s.symbols, err = sample.ReadSymbols(results.Root("")); err != nil {
			return err
		}
	}
	for _, cpu := range s.cpus {
		r, err := sample.Open(cpu, sampleHz, int(ns/1e9+1)*sampleHz*sampleBytes)
		if err != nil {
			s.close()
			return err
		}
		s.rings = append(s.rings, r)
		s.cycles = s.cycles || r.Cycles
	}
	return nil
}

func (s *sampling) begin() error {
	var errs []error
	for _, r := range s.rings {
		errs = append(errs, r.Enable())
	}
	return errors.Join(errs...)
}

// pause takes no samples until the next begin: so that blocks without the accounting are
// without the sampling, too.
func (s *sampling) pause() error {
	var errs []error
	for _, r := range s.rings {
		errs = append(errs, r.Disable())
	}
	return errors.Join(errs...)
}

func (s *sampling) end() error {
	errs := []error{s.pause()}
	for _, r := range s.rings {
		lost, err := r.Drain(func(x sample.Sample) { s.samples = append(s.samples, x) })
		s.lost += lost
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *sampling) close() {
	for _, r := range s.rings {
		_ = r.Close() // the kernel takes it all the same
	}
	s.rings = nil
}

// every is the time between two samples; 0 = cycles are counted.
func (s *sampling) every() int64 {
	if s.cycles {
		return 0
	}
	return int64(1e9) / sampleHz
}

// addSamples adds the stacks of the role's samples in accounted slices.
func (in *instruments) addSamples(x *results.Explain, turns []turn) {
	s := in.sampling
	if x.Samples == nil {
		x.Samples = &results.Samples{Role: s.role, CPUs: s.cpus, EveryNS: s.every(), Functions: []string{}, Stacks: []results.SampleStack{}}
	}
	x.Samples.Lost += s.lost
	counted := slices.DeleteFunc(slices.Clone(turns), func(t turn) bool { return t.slice < 0 || in.was(t) != on })
	seen := map[string]*results.SampleStack{}
	number := map[string]int{}
	for i, name := range x.Samples.Functions {
		number[name] = i
	}
	for _, one := range s.samples {
		at := one.At - in.start
		i := sort.Search(len(counted), func(i int) bool { return counted[i].end > at })
		if i == len(counted) || at < counted[i].count {
			continue
		}
		arm := counted[i].arm
		setup := slices.IndexFunc(in.setups, func(s *setup) bool { return slices.Contains(s.arms, arm) })
		slot, known := in.threads[one.TID]
		if !known || slot != account.Role(setup, s.role == vocab.SinkTime) {
			continue
		}
		stack := results.SampleStack{Arm: arm}
		var frames []int
		var key strings.Builder
		key.WriteString(strconv.Itoa(arm))
		if len(s.cpus) > 1 {
			cpu := one.CPU
			stack.CPU = &cpu
			key.WriteString("@" + strconv.Itoa(one.CPU))
		}
		for _, name := range s.symbols.Names(one.Chain) {
			n, known := number[name]
			if !known {
				n = len(x.Samples.Functions)
				number[name] = n
				x.Samples.Functions = append(x.Samples.Functions, name)
			}
			frames = append(frames, n)
			key.WriteByte(' ')
			key.WriteString(strconv.Itoa(n))
		}
		if seen[key.String()] == nil {
			stack.Frames = frames
			seen[key.String()] = &stack
		}
		seen[key.String()].N++
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		x.Samples.Stacks = append(x.Samples.Stacks, *seen[key])
	}
	x.Samples.Sizes = s.symbols.Sizes(x.Samples.Functions)
}
