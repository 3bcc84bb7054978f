package world

import (
	"math"
	"testing"
	"time"
)

// TestHiddenStates: the machine stays in a state for as long as was asked for, time
// between trials included; what it does is in every arm's slices, and what the
// canaries say is where it is.
func TestHiddenStates(t *testing.T) {
	w := with(func(w *World) {
		w.White, w.Far, w.FarEffect, w.Dwell, w.Canaries = 0, -0.3, -0.1, 10*time.Second, true
	})
	const trials = 4000
	run := w.Run(w.Design(0.01, 0), 3, trials)
	far, all, changes := 0, 0, 0
	was := false
	for _, trial := range run.Trials {
		for i, s := range trial.Slices {
			is := IsFar(*s.Canaries.DistanceNS)
			if all > 0 && is != was {
				changes++
			}
			was = is
			all++
			if is {
				far++
			}
			if i+1 < len(trial.Slices) && IsFar(*trial.Slices[i+1].Canaries.DistanceNS) != is {
				continue // it changed within the slice
			}
			want := 0.0
			if is {
				want = -0.3 - 0.1*float64(s.Arm)
			}
			if got := math.Log(float64(s.RxBytes) / (Rate * float64(s.CountedNS) / 1e9)); i+1 < len(trial.Slices) && math.Abs(got-want) > 1e-6 {
				t.Fatalf("arm %d, far %v: %v, want %v", s.Arm, is, got, want)
			}
		}
	}
	if share := float64(far) / float64(all); share < 0.42 || share > 0.58 {
		t.Errorf("far for %.2f of the time, want half", share)
	}
	want := trials * w.TrialTime().Seconds() / w.Dwell.Seconds()
	if math.Abs(float64(changes)-want) > 4*math.Sqrt(want) {
		t.Errorf("%d changes, want about %.0f", changes, want)
	}
	near, farTruth := w.StateTruth(0, false), w.StateTruth(0, true)
	if math.Abs(near) > 1e-12 || math.Abs(math.Log1p(farTruth)+0.1) > 1e-12 || w.Truth(0) >= near || w.Truth(0) <= farTruth {
		t.Errorf("truths %v near, %v far, %v in the long run", near, farTruth, w.Truth(0))
	}
}
