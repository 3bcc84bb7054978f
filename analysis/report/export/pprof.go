package export

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"netab/analysis/escape"
	"netab/analysis/record"
	"netab/analysis/why"
	"netab/results"
)

// Pprof writes the stacks of explain trials as `go tool pprof`, speedscope and whatever
// else reads profile.proto take them. Labels say the arm, the role and the context, so
// that one is held against the other: pprof -tagfocus=arm=sink. Where a timer took the
// samples there is the time too that each stands for.
func Pprof(w io.Writer, run *results.Run) error {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}},
		Mapping:    []*profile.Mapping{{ID: 1, File: "[kernel.kallsyms]", HasFunctions: true}},
		Comments:   []string{"netab run " + escape.Line(run.Header.ID), "scenario " + escape.Line(run.Header.Design.Name), "kernel " + escape.Line(run.Header.Machine.Kernel)},
	}
	b := &profiling{profile: p, locations: map[string]*profile.Location{}, samples: map[string]*profile.Sample{}}
	var ended time.Time
	for i := range run.Explains {
		x := &run.Explains[i]
		if x.Samples == nil || x.Invalid != "" {
			continue
		}
		if p.TimeNanos == 0 && !x.Started.IsZero() {
			p.TimeNanos = x.Started.UnixNano()
		}
		if end := x.Started.Add(time.Duration(x.RunNS)); end.After(ended) && !x.Started.IsZero() {
			ended = end
		}
		b.timed = b.timed || x.Samples.EveryNS > 0
		for _, s := range x.Samples.Stacks {
			b.add(record.ArmName(run.Header.Design, s.Arm), x.Samples, s)
		}
	}
	if len(b.samples) == 0 {
		return errNoSamples
	}
	if p.TimeNanos != 0 {
		p.DurationNanos = max(0, ended.UnixNano()-p.TimeNanos)
	}
	if b.timed {
		p.SampleType = append(p.SampleType, &profile.ValueType{Type: "cpu", Unit: "nanoseconds"})
	}
	for _, key := range slices.Sorted(maps.Keys(b.samples)) {
		s := b.samples[key]
		s.Value = s.Value[:len(p.SampleType)]
		p.Sample = append(p.Sample, s)
	}
	if err := p.CheckValid(); err != nil {
		return err
	}
	return p.Write(w)
}

// A profiling is a profile in the making.
type profiling struct {
	profile   *profile.Profile
	locations map[string]*profile.Location
	samples   map[string]*profile.Sample
	timed     bool
}

func (b *profiling) location(name string) *profile.Location {
	if l := b.locations[name]; l != nil {
		return l
	}
	f := &profile.Function{ID: uint64(len(b.profile.Function) + 1), Name: name, SystemName: name}
	l := &profile.Location{ID: f.ID, Mapping: b.profile.Mapping[0], Line: []profile.Line{{Function: f}}}
	b.profile.Function, b.profile.Location = append(b.profile.Function, f), append(b.profile.Location, l)
	b.locations[name] = l
	return l
}

func (b *profiling) add(arm string, of *results.Samples, s results.SampleStack) {
	names := make([]string, 0, len(s.Frames)+1) // the innermost first, as pprof has them
	for _, f := range s.Frames {
		names = append(names, escape.Line(of.Functions[f]))
	}
	context := why.Context(names)
	if len(names) == 0 {
		names = append(names, "user space")
	}
	labels := map[string][]string{"arm": {escape.Line(arm)}, "role": {string(of.Role)}, "context": {context}}
	key := strings.Join([]string{strconv.Itoa(s.Arm), string(of.Role), context, strings.Join(names, ";")}, "\n")
	sample := b.samples[key]
	if sample == nil {
		sample = &profile.Sample{Value: make([]int64, 2), Label: labels}
		for _, name := range names {
			sample.Location = append(sample.Location, b.location(name))
		}
		b.samples[key] = sample
	}
	sample.Value[0] += s.N
	sample.Value[1] += s.N * of.EveryNS
}
