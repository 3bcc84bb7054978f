package question

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"netab/results"
	"netab/runner"
	"netab/runner/campaign"
	"netab/scenarios"
)

// NamesKernels says whether the scenario itself names kernels.
func (q *Question) NamesKernels() bool {
	return slices.ContainsFunc(q.Arms, func(a scenarios.Arm) bool { return a.Config.Kernel != "" })
}

// ByKernel is what each kernel's boots measure: all arms with each kernel of a list, or
// those that name it.
func (q *Question) ByKernel(kernels []string) ([]scenarios.KernelArms, error) {
	named := q.Scenario.ByKernel(q.Arms)
	switch {
	case len(kernels) == 0:
		return named, nil
	case len(named) > 0:
		return nil, fmt.Errorf("the arms of %s name their kernels already: leave --kernels off, or the kernels out of the scenario", q.Name)
	}
	var out []scenarios.KernelArms
	for _, k := range kernels {
		if k == "" {
			return nil, errors.New("--kernels has an empty name between its commas")
		}
		if slices.ContainsFunc(out, func(o scenarios.KernelArms) bool { return o.Kernel == k }) {
			return nil, fmt.Errorf("--kernels names %s twice: each is booted --boots times anyhow", k)
		}
		out = append(out, scenarios.KernelArms{Kernel: k, Arms: q.Arms, Baseline: q.BaselineArm(q.Arms)})
	}
	return out, nil
}

// OfKernel is what one boot of a kernel measures, for its part of the time.
func (q *Question) OfKernel(kernel string) (*Question, error) {
	parts := q.Scenario.ByKernel(q.Arms)
	at := slices.IndexFunc(parts, func(p scenarios.KernelArms) bool { return p.Kernel == kernel })
	if at < 0 {
		var known []string
		for _, p := range parts {
			known = append(known, p.Kernel)
		}
		return nil, fmt.Errorf("no arm of %s names kernel %s: there are %s", q.Name, kernel, strings.Join(known, ", "))
	}
	return q.of(parts[at]).Lasting(q.EachBoot(len(parts))), nil
}

// of is the question of one kernel's arms.
func (q *Question) of(part scenarios.KernelArms) *Question {
	s := *q.Scenario
	s.Baseline, s.Matrix = part.Baseline, nil
	for _, f := range q.Matrix {
		if slices.ContainsFunc(part.Arms, func(a scenarios.Arm) bool {
			return slices.ContainsFunc(a.Levels, func(l scenarios.ArmLevel) bool { return l.Factor == f.Name })
		}) {
			s.Matrix = append(s.Matrix, f)
		}
	}
	return &Question{Scenario: &s, Source: q.Source, Arms: part.Arms, Allowed: q.Allowed}
}

// EachBoot is how long each boot measures.
func (q *Question) EachBoot(kernels int) time.Duration {
	return time.Duration(q.Measure.MaxTime) / time.Duration(kernels*q.Measure.BootsOfEach())
}

// Campaign is the record that a campaign begins with: all but what is known of its
// kernels and its guest.
func (q *Question) Campaign(parts []scenarios.KernelArms, seed uint64) results.CampaignHeader {
	h := results.CampaignHeader{Source: q.Source, Design: q.of(parts[0]).Design(), Seed: seed, Planned: campaign.Order(len(parts), q.Measure.BootsOfEach(), seed)}
	for _, p := range parts {
		h.Kernels = append(h.Kernels, results.Kernel{Ref: p.Kernel})
	}
	return h
}

// WholeTime makes a run last as long as it may, and looks at it once: what it comes to
// is one of several units, and whether it has a verdict of its own is nobody's question.
func WholeTime(o *runner.Options) {
	judge := o.Stop
	o.Stop = func(trials []results.Trial, elapsed time.Duration, last bool) runner.Decision {
		if !last {
			return runner.Decision{}
		}
		return judge(trials, elapsed, last)
	}
}

// Recorded is the question of a scenario that a record holds, for its guest.
func Recorded(source string, scenario []byte) (*Question, error) {
	return recorded(source, scenario, guestCPUs)
}

// RecordedHere is Recorded for this machine.
func RecordedHere(source string, scenario []byte) (*Question, error) {
	return recorded(source, scenario, hereCPUs)
}

// OfCampaign is what the boots of a campaign ask: those of guests, or of this machine.
func OfCampaign(h results.CampaignHeader) (*Question, error) {
	read := RecordedHere
	if h.Guest != nil {
		read = Recorded
	}
	q, err := read(h.Source, h.Scenario)
	if err != nil {
		return nil, fmt.Errorf("campaign %s: its scenario: %w", h.ID, err)
	}
	return q, nil
}

func recorded(source string, scenario []byte, cpus func(*scenarios.Scenario) (scenarios.CPUs, error)) (*Question, error) {
	s, err := scenarios.Parse("recorded", scenario)
	if err != nil {
		return nil, err
	}
	return (&Question{Source: source}).placed(s, cpus)
}

// Lasting is q with another time to measure.
func (q *Question) Lasting(d time.Duration) *Question {
	s := *q.Scenario
	s.Measure.MaxTime = scenarios.Duration(d)
	return &Question{Scenario: &s, Source: q.Source, Arms: q.Arms, Allowed: q.Allowed}
}
