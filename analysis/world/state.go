package world

import (
	"math"
	"time"

	"netab/results"
)

// Round trips of a cache line between the CPUs in the two states, ns, as they
// were seen on a guest whose virtual CPUs the host moves.
const (
	nearNS = 75
	farNS  = 340
)

// StateTruth is the change of the arm at this position after the baseline in one
// state of the machine, as Truth.
func (w World) StateTruth(i int, far bool) float64 {
	x := w.Mean(i) - w.stateMean()
	if far {
		x += w.FarEffect
	}
	return math.Exp(x) - 1
}

// stateMean is what the states add to an effect in the long run, both being as
// frequent: of all that is received.
func (w World) stateMean() float64 {
	if w.Dwell == 0 {
		return 0
	}
	return math.Log((1 + math.Exp(w.Far+w.FarEffect)) / (1 + math.Exp(w.Far)))
}

// IsFar says which state's canary this is.
func IsFar(distanceNS float64) bool { return distanceNS > (nearNS+farNS)/2 }

// dwell is how long the machine stays in the state that it is in now.
func (s *Source) dwell() time.Duration {
	return time.Duration(s.rng.ExpFloat64() * float64(s.world.Dwell))
}

// pass lets time go by, and returns the share of it in the far state.
func (s *Source) pass(d time.Duration) float64 {
	if s.world.Dwell == 0 {
		return 0
	}
	far, all := time.Duration(0), d
	for {
		step := min(d, s.stayed)
		if s.far {
			far += step
		}
		d, s.stayed = d-step, s.stayed-step
		if d <= 0 {
			return far.Seconds() / all.Seconds()
		}
		s.far, s.stayed = !s.far, s.dwell()
	}
}

// hidden lets a slice of an arm go by, and returns what the states in it do to
// its rate.
func (s *Source) hidden(arm int) float64 {
	far := s.pass(s.world.Slice)
	x := s.world.Far
	if arm > 0 {
		x += s.world.FarEffect
	}
	return 1 - far + far*math.Exp(x)
}

// canaries are those before a slice.
func (s *Source) canaries() *results.Canaries {
	if !s.world.Canaries {
		return nil
	}
	ns := nearNS * math.Exp(0.08*s.rng.NormFloat64())
	if s.far {
		ns = farNS * math.Exp(0.05*s.rng.NormFloat64())
	}
	return &results.Canaries{DistanceNS: &ns, SourceCPU: 0, SinkCPU: 1}
}
