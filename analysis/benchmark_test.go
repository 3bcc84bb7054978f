package analysis

import (
	"testing"
	"time"

	"netab/analysis/world"
)

// BenchmarkSummarize judges a run of five arms, whose trials disagree, as long as a
// run of a minute has them.
func BenchmarkSummarize(b *testing.B) {
	w := with(func(w *world.World) { w.Effects, w.Trial, w.Blocks = []float64{0.05, 0, -0.02, 0.1}, 0.02, 20 })
	run := w.Run(w.Design(0.02, time.Minute), 1, 20)
	for b.Loop() {
		Summarize(run)
	}
}

// BenchmarkCompare judges two builds by six runs each.
func BenchmarkCompare(b *testing.B) {
	groups := twoKernels(6, 6, 0.02, 0.02, 1)
	for b.Loop() {
		CompareGroups(groups, CompareOptions{})
	}
}
