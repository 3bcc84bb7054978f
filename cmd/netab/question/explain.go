package question

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"netab/analysis"
	"netab/results"
	"netab/runner"
)

// An Explanation is what a user asks for: whether a run's differences are explained,
// and for how long.
type Explanation struct {
	Mode    string        // auto, on, off
	Time    time.Duration // 0 = as long as the mode takes
	Unasked bool          // it is the default: where it cannot be, nothing is said
}

// ExplainMode is what is done where no flag says it: the environment's, else auto.
func ExplainMode() string { return cmp.Or(os.Getenv(explainEnv), "auto") }

// explainEnv is for those who run netab often, and have no time for explanations.
const explainEnv = "NETAB_EXPLAIN"

// How long explain trials take unless somebody says: of one pair in a hurry, or of all
// arms.
const (
	hurriedTime = 15 * time.Second
	askedTime   = 60 * time.Second
)

// Check says what is wrong with it.
func (e Explanation) Check() error {
	switch e.Mode {
	case "auto", "on", "off":
	default:
		if e.Unasked {
			return fmt.Errorf("%s=%s in the environment: want auto, on or off", explainEnv, e.Mode)
		}
		return fmt.Errorf("--explain=%s: want auto, on or off", e.Mode)
	}
	if e.Time < 0 || e.Time > 24*time.Hour {
		return fmt.Errorf("--explain-time %v: want a length of time up to 24h", e.Time)
	}
	return nil
}

// Ask lets the runner explain what the mode is for.
func (e Explanation) Ask(o *runner.Options) {
	if e.Mode == "off" {
		return
	}
	o.Explain = func(trials []results.Trial) *runner.Explaining {
		return e.About(&results.Run{Header: o.Header, Trials: trials})
	}
}

// About says which arms of a run are explained, and for how long; nil = none needs it.
func (e Explanation) About(run *results.Run) *runner.Explaining {
	if e.Mode == "auto" && endangered(&run.Header.Machine) {
		return nil
	}
	summary := analysis.Summarize(run)
	return e.about(&summary, &run.Header.Design)
}

// endangered says whether to explain may end the machine: to switch a tracepoint the kernel
// rewrites its code, and QEMU's emulated CPUs that run this code meanwhile hang in one boot
// of three (docs/explain.md). Only whoever asks for it shall risk that.
func endangered(m *results.Machine) bool { return m.Emulated != "" && m.CPUs > 1 }

// CheckMachine says why what is measured here and now would not be about the machine of
// a run; nil = it is.
func CheckMachine(run *results.Run, is *results.Machine) error {
	was := &run.Header.Machine
	switch {
	case len(run.Header.Others) > 0:
		return errors.New("its sides are on two machines")
	case !was.Identity().Same(is.Identity()):
		return fmt.Errorf("it was measured on %s, and this is %s", was.Identity(), is.Identity())
	case was.Kernel != is.Kernel || was.KernelBuild != is.KernelBuild:
		return fmt.Errorf("it was measured under the kernel %s, and here %s runs", was.Kernel, is.Kernel)
	}
	return nil
}

// CheckArms does so of its arms.
func CheckArms(run *results.Run, o *runner.Options) error {
	names := func(d *results.Design) (out []string) {
		for _, a := range d.Arms {
			out = append(out, a.Name)
		}
		return out
	}
	if !slices.Equal(names(&run.Header.Design), names(&o.Header.Design)) {
		return errors.New("its scenario has other arms here: they are made of what the machine has")
	}
	return nil
}

// about says which arms. A difference that is shown to be too small to matter needs no
// cause. What is shown to differ goes before what is undecided, and may be nothing; of
// these the largest does most.
func (e Explanation) about(s *analysis.Summary, d *results.Design) *runner.Explaining {
	if s.Trials == 0 {
		return nil
	}
	out := &runner.Explaining{Time: e.Time, Unasked: e.Unasked, States: len(s.States) > 1}
	if e.Mode == "on" {
		if out.Time == 0 {
			out.Time = askedTime
		}
		base := d.ArmAt(d.Baseline)
		if base >= 0 {
			out.Arms = append(out.Arms, base)
		}
		for i := range d.Arms {
			if i != base {
				out.Arms = append(out.Arms, i)
			}
		}
		return out
	}
	if out.Time == 0 {
		out.Time = hurriedTime
	}
	largest, shown := -1.0, false
	for _, c := range s.Comparisons {
		if !c.Judged || c.Metric != d.Metrics[0] || c.Verdict == analysis.Equivalent && c.Modes == nil || c.Untold() {
			continue
		}
		differs := c.Verdict == analysis.Improvement || c.Verdict == analysis.Regression
		if size := math.Abs(math.Log1p(max(c.Change, -0.999))); differs && !shown || differs == shown && size > largest {
			largest, shown = size, differs
			out.Arms = []int{d.ArmAt(c.Baseline), d.ArmAt(c.Arm)}
		}
	}
	if largest < 0 {
		return nil
	}
	return out
}
