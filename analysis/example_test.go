package analysis_test

import (
	"fmt"
	"time"

	"netab/analysis"
	"netab/analysis/world"
)

// lottery is a world in which one arm gains 7 %, and another draws -8 or +8 %
// once per trial, by the CPU of the softirq.
var lottery = world.World{
	Effects: []float64{0.07, 0}, Modes: []float64{-0.08, 0.08},
	Blocks: 10, Slice: 100 * time.Millisecond, Fixed: 80 * time.Millisecond, White: 0.02, Drift: 0.02,
}

func ExampleSummarize() {
	run := lottery.Run(lottery.Design(0.01, time.Minute), 1, 12)
	s := analysis.Summarize(run)
	fmt.Println(s.Answer)
	for _, c := range s.Comparisons {
		if c.Judged {
			fmt.Printf("%s: %s\n", c.Arm, c.Verdict)
		}
	}
	// Output:
	// Against off (28.5 Gbit/s), TCP goodput over loopback is 6.9 % higher with arm1 (+5.8 to +8.1 %, 95 % confidence); depends on the trial with arm2 (trials fall into two modes: softirq on CPU 0 (the source's): -7.8 % (5 of 12 trials); softirq on CPU 1 (the sink's): +7.7 % (7 of 12)).
	// arm1: improvement
	// arm2: inconclusive
}

// The runner calls Look after every trial and stores the looks that were
// taken: an interval means nothing without the alpha of its look.
func ExampleStop() {
	design := lottery.Design(0.01, time.Minute)
	stop := analysis.NewStop(design, 1)
	run := lottery.Run(design, 1, 0)
	trials := lottery.Source(1)
	for {
		run.Trials = append(run.Trials, trials.Trial())
		elapsed := time.Duration(len(run.Trials)) * lottery.TrialTime()
		d := stop.Look(run.Trials, elapsed, elapsed+lottery.TrialTime() > time.Minute)
		if d.Stop {
			fmt.Printf("after %d of at most %d trials: converged %v\n", len(run.Trials), d.MostTrials, d.Converged)
			break
		}
	}
	for _, l := range stop.Looks() {
		fmt.Printf("%d trials: alpha %.4f, decided %v\n", l.Trials, l.Alpha, l.Decided)
	}
	// Output:
	// after 8 of at most 19 trials: converged true
	// 8 trials: alpha 0.0211, decided true
}
