package world

import (
	"math"
	"testing"
	"time"

	"netab/results"
)

// effects are the true-to-the-record log ratios of a run's trials.
func effects(t *testing.T, w World, n int) []float64 {
	t.Helper()
	var out []float64
	for _, trial := range w.Run(w.Design(0.01, 0), 7, n).Trials {
		a, b := totals(trial)
		out = append(out, math.Log(b/a))
	}
	return out
}

func totals(trial results.Trial) (a, b float64) {
	for _, s := range trial.Slices {
		if s.Arm == 0 {
			a += float64(s.RxBytes)
		} else {
			b += float64(s.RxBytes)
		}
	}
	return a, b
}

func moments(xs []float64) (mean, sd, lag float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	var v, c float64
	for i, x := range xs {
		v += (x - mean) * (x - mean)
		if i > 0 {
			c += (x - mean) * (xs[i-1] - mean)
		}
	}
	return mean, math.Sqrt(v / float64(len(xs)-1)), c / v
}

// Each world must have the mean, the spread between trials, and the correlation
// of neighbours that its parameters promise.
func TestMoments(t *testing.T) {
	own := 0.03 * math.Sqrt(2.0/10) // standard deviation of a trial of the quiet world
	for _, tt := range []struct {
		name      string
		w         World
		sd, lag   float64
		tolerance float64 // relative, of sd
	}{
		{"quiet", Quiet(), own, 0, 0.06},
		{"an effect", with(func(w *World) { w.Effects = []float64{0.1} }), own, 0, 0.06},
		{"trial effects", with(func(w *World) { w.White, w.Trial = 0, 0.02 }), 0.02, 0, 0.06},
		{"correlated trial effects", with(func(w *World) { w.White, w.Trial, w.TrialAR = 0, 0.02, 0.6 }), 0.02, 0.6, 0.12},
		{"skewed trial effects", with(func(w *World) { w.White, w.Trial, w.Skew = 0, 0.02, true }), 0.02, 0, 0.12},
		{"states of four trials", with(func(w *World) { w.White, w.Modes, w.ModeDwell = 0, []float64{-0.02, 0.02}, 4 }), 0.02, 0.5, 0.06},
		{"tails", with(func(w *World) { w.White, w.Trial, w.Tail = 0, 0.02, 5 }), 0.02, 0, 0.12},
		{"states", with(func(w *World) { w.White, w.FarEffect, w.Dwell = 0, -0.1, 20*time.Millisecond }), 0.0083, 0, 0.3},
		{"modes", with(func(w *World) { w.White, w.Modes = 0, []float64{-0.05, 0.09} }), 0.07, 0, 0.06},
	} {
		mean, sd, lag := moments(effects(t, tt.w, 1500))
		if want := tt.w.Mean(0); math.Abs(mean-want) > 4*sd/math.Sqrt(1500)*math.Sqrt((1+tt.lag)/(1-tt.lag)) {
			t.Errorf("%s: mean effect %.4f, want %.4f", tt.name, mean, want)
		}
		if math.Abs(sd/tt.sd-1) > tt.tolerance {
			t.Errorf("%s: spread of trials %.4f, want %.4f", tt.name, sd, tt.sd)
		}
		if math.Abs(lag-tt.lag) > 0.1 {
			t.Errorf("%s: correlation of neighbours %.2f, want %.2f", tt.name, lag, tt.lag)
		}
	}
}

// Jumps, steps and stalls are the machine's: both arms see them, in the shares
// that were asked for.
func TestWanderOfTheMachine(t *testing.T) {
	w := Quiet()
	w.White = 0
	rates := func(change func(*World)) []float64 {
		v := w
		change(&v)
		var out []float64
		for _, trial := range v.Run(v.Design(0.01, 0), 3, 400).Trials {
			for _, s := range trial.Slices {
				out = append(out, math.Log(float64(s.RxBytes)/(Rate*float64(s.CountedNS)/1e9)))
			}
		}
		return out
	}
	jumps := func(xs []float64, size float64) (n int) {
		for i := range xs[1:] {
			if d := math.Abs(xs[i+1] - xs[i]); math.Abs(d-size) < 1e-6 {
				n++
			} else if d > 1e-6 {
				t.Fatalf("a jump by %v, want %v or none", d, size)
			}
		}
		return n
	}
	const slices, trials = 8000, 400
	near := func(what string, n int, want float64) {
		if math.Abs(float64(n)-want) > 4*math.Sqrt(want) {
			t.Errorf("%d %s, want about %.0f", n, what, want)
		}
	}
	near("jumps", jumps(rates(func(w *World) { w.Regime, w.RegimeSlices = 0.15, 10 }), 0.15), slices/10)
	near("steps", jumps(rates(func(w *World) { w.Steps, w.StepSize = 0.5, 0.3 }), 0.3), trials/2)
	stalled := 0
	for _, x := range rates(func(w *World) { w.Stalls = 0.02 }) {
		if math.IsInf(x, -1) {
			stalled++
		}
	}
	near("stalls", stalled, slices*0.02)
}

// TestBursts: datagrams are lost in some trials only, by as much on average as the
// effect says, and the ledger knows of them.
func TestBursts(t *testing.T) {
	w := with(func(w *World) { w.Effects, w.Bursts = []float64{0.001}, 0.1 })
	run := w.Run(w.Design(0.001, time.Minute), 4, 400)
	lossy, sum := 0, 0.0
	for _, tr := range run.Trials {
		if l := tr.Arms[0].Ledger; !l.Valid || l.Sent == 0 || l.Sent != l.Received {
			t.Fatalf("the baseline's ledger is %+v", l)
		}
		l := tr.Arms[1].Ledger
		if l.Unexplained != l.Sent-l.Received {
			t.Fatalf("a ledger that does not balance: %+v", l)
		}
		if l.Unexplained > 0 {
			lossy++
		}
		sum += float64(l.Unexplained) / float64(l.Sent) / 400
	}
	if lossy < 20 || lossy > 60 || sum < 0.0005 || sum > 0.0015 {
		t.Errorf("%d of 400 trials lose, %.5f on average; want 40 and 0.001", lossy, sum)
	}
}

// TestEveryArmsModes are drawn by each arm for itself, and hidden ones leave no
// trace.
func TestEveryArmsModes(t *testing.T) {
	w := with(func(w *World) {
		w.White, w.Effects, w.Modes, w.EveryArm, w.Hidden = 0, make([]float64, 2), []float64{-0.1, 0.1}, true, true
	})
	apart := 0
	for _, tr := range w.Run(w.Design(0.01, time.Minute), 4, 40).Trials {
		var bytes [3]int64
		for _, s := range tr.Slices {
			bytes[s.Arm] += s.RxBytes
		}
		if bytes[1] == bytes[0] || bytes[2] == bytes[0] {
			t.Fatal("an arm has drawn no mode")
		}
		if bytes[1] != bytes[2] {
			apart++
		}
		if len(tr.Arms[2].Flows[0].SoftirqCPU) != 1 || tr.Arms[2].Flows[0].SoftirqCPU[0] != 1 {
			t.Fatalf("the mode left a trace: %v", tr.Arms[2].Flows[0].SoftirqCPU)
		}
	}
	if apart < 10 || apart > 30 {
		t.Errorf("two arms drew another mode in %d of 40 trials", apart)
	}
}

func with(change func(*World)) World {
	w := Quiet()
	change(&w)
	return w
}
