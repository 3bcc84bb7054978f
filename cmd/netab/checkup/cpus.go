package checkup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"netab/runner/canary"
)

// CPUs are watched asleep but for some microseconds at a time, and more rarely where
// it takes long.
const (
	leastEvery = 10 * time.Millisecond
	maxEvery   = 100 * time.Millisecond
	maxSamples = 1000 // before they get rarer
)

// CPUs says in lines how far apart two of them are, for how long, and how steady each
// is.
func CPUs(ctx context.Context, cpus [2]int, d time.Duration) ([]string, error) {
	readings, err := canary.Sample(ctx, cpus, min(max(d/maxSamples, leastEvery), maxEvery), d)
	if err != nil {
		return []string{fmt.Sprintf("cannot be measured: %v", err)}, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return slices.Concat(apart(cpus, readings, d), steady(cpus, readings)), nil
}

const (
	// Distances are of two kinds if those of the one are farApart times those of the
	// other at least, and each is a share of fewKind of all and maxLuck of them.
	farApart = 1.5
	fewKind  = 0.02
	maxLuck  = 3
	// unsteady is by how much the slow tenth of a CPU's steps may be slower.
	unsteady = 0.03
)

// apart is what the distances say.
func apart(cpus [2]int, readings []canary.Reading, d time.Duration) []string {
	if cpus[0] == cpus[1] {
		return []string{fmt.Sprintf("one CPU, %d: there is no distance", cpus[0])}
	}
	all := answers(readings, func(r canary.Reading) float64 { return r.Distance })
	who := fmt.Sprintf("CPUs %d and %d", cpus[0], cpus[1])
	if len(all) == 0 {
		return []string{who + " never both answered: others have them"}
	}
	var out []string
	if n := kinds(all); n > 0 {
		out = append(out, fmt.Sprintf("%s were %.0f ns apart for %.0f %% of %v and %.0f ns for the rest: this host moves them, or what lies between them changes",
			who, median(all[:n]), 100*float64(n)/float64(len(all)), d, median(all[n:])),
			"effects may differ between the two: runs say how each of them is (states); pinning the guest's virtual CPUs ends it")
	} else {
		line := fmt.Sprintf("%s were %.0f ns apart for all of %v", who, median(all), d)
		if d < time.Minute {
			line += " (a state may last a minute: --for 2m)"
		}
		out = append(out, line)
	}
	if silent := 1 - float64(len(all))/float64(len(readings)); silent > 0.1 {
		out = append(out, fmt.Sprintf("%.0f %% of the time they did not both answer: others have them", 100*silent))
	}
	return out
}

// steady is what the steps say of each CPU.
func steady(cpus [2]int, readings []canary.Reading) (out []string) {
	var each []string
	var worst float64
	for i, cpu := range cpus {
		all := answers(readings, func(r canary.Reading) float64 { return r.Step[i] })
		if len(all) == 0 || i == 1 && cpus[0] == cpus[1] {
			continue
		}
		each = append(each, fmt.Sprintf("CPU %d takes %.3g ns", cpu, median(all)))
		worst = max(worst, all[len(all)*9/10]/median(all)-1)
	}
	if len(each) == 0 {
		return nil
	}
	line := fmt.Sprintf("a step of dependent instructions: %s; the slowest tenth are slower by %.1f %%", strings.Join(each, ", "), 100*worst)
	if worst > unsteady {
		line += ": their frequency changes, or others share their cores"
	}
	return []string{line}
}

// answers are the readings of one kind that there are, in order of size.
func answers(readings []canary.Reading, of func(canary.Reading) float64) (out []float64) {
	for _, r := range readings {
		if x := of(r); x > 0 {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

func median(sorted []float64) float64 { return sorted[len(sorted)/2] }

// kinds is how many of the sorted distances are of the nearer of two kinds; 0 = they
// are all of one.
func kinds(sorted []float64) int {
	few := max(maxLuck, int(fewKind*float64(len(sorted))))
	at, most := 0, 1.0
	for i := few; i <= len(sorted)-few; i++ {
		if ratio := sorted[i] / sorted[i-1]; ratio > most {
			at, most = i, ratio
		}
	}
	if at == 0 || median(sorted[at:]) < farApart*median(sorted[:at]) {
		return 0
	}
	return at
}
