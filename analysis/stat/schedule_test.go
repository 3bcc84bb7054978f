package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lookAt is one call of a schedule.
type lookAt struct {
	n       int
	elapsed time.Duration
	last    bool
}

func TestSchedule(t *testing.T) {
	every2s := func(n int) []lookAt {
		var calls []lookAt
		for i := 1; i <= n; i++ {
			calls = append(calls, lookAt{i, time.Duration(i) * 2 * time.Second, i == n})
		}
		return calls
	}
	for _, tt := range []struct {
		name  string
		calls []lookAt
		looks []int
		alpha []float64
	}{
		{"60 s of 2 s trials", every2s(30), []int{8, 12, 18, 30}, []float64{0.05 * 8 / 30, 0.05 * 4 / 30, 0.05 * 6 / 30, 0.05 * 12 / 30}},
		{"too few for an early look", every2s(5), []int{5}, []float64{0.05}},
		{"slower than thought", []lookAt{{8, 16 * time.Second, false}, {12, 59 * time.Second, true}}, []int{8, 12}, []float64{0.05 * 8 / 30, 0.05 * 22 / 30}},
		{"no early look near the deadline", []lookAt{{8, 50 * time.Second, false}, {9, 56 * time.Second, true}}, []int{9}, []float64{0.05}},
		{"interrupted before the first trial", []lookAt{{0, time.Second, true}}, nil, nil},
	} {
		s := Schedule{Alpha: 0.05, MaxTime: time.Minute}
		var looks []int
		var alpha []float64
		for _, c := range tt.calls {
			if _, share, ok := s.Look(c.n, c.elapsed, c.last); ok {
				looks, alpha = append(looks, c.n), append(alpha, share)
			}
		}
		if !slices.Equal(looks, tt.looks) {
			t.Errorf("%s: looks at %v, want %v", tt.name, looks, tt.looks)
			continue
		}
		for i := range alpha {
			near(t, tt.name, alpha[i], tt.alpha[i], 1e-12)
		}
	}
}

// Whatever the pace of the trials, alpha is neither overspent nor left over.
func TestScheduleSpendsAlphaOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := Schedule{Alpha: 0.05, MaxTime: time.Minute}
		spent, elapsed := 0.0, 0.0
		for n := 1; ; n++ {
			elapsed += math.Exp(2 * rng.NormFloat64())
			last := elapsed > 60 || rng.IntN(50) == 0
			if _, alpha, ok := s.Look(n, time.Duration(elapsed*1e9), last); ok {
				if alpha <= 0 {
					t.Fatalf("a look with alpha %v", alpha)
				}
				spent += alpha
			}
			if last {
				break
			}
		}
		near(t, "alpha spent", spent, 0.05, 1e-12)
	}
}

// A series that is broken off again and again, at any pace, spends alpha once.
func TestScheduleBrokenOff(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		s := Schedule{Alpha: 0.05, MaxTime: time.Minute, ByTime: rng.IntN(2) == 0}
		spent, elapsed := 0.0, 0.0
		take := func(fraction, alpha float64, ok bool) {
			if ok && (alpha <= 0 || fraction > 1+1e-12) {
				t.Fatalf("a look with alpha %v at %v of all", alpha, fraction)
			}
			spent += alpha
		}
		for n := 1; ; n++ {
			elapsed += math.Exp(rng.NormFloat64())
			last := elapsed > 60
			take(s.Look(n, time.Duration(elapsed*1e9), last))
			if last {
				break
			}
			if rng.IntN(8) == 0 {
				take(s.Break(n, time.Duration(elapsed*1e9)))
				s = s.Resumed(s.Left(), n, time.Duration(elapsed*1e9))
			}
		}
		near(t, "alpha spent", spent, 0.05, 1e-12)
	}
}

// Where trials get shorter, looks are by the time that is over.
func TestScheduleByTime(t *testing.T) {
	s := Schedule{Alpha: 0.05, MaxTime: 100 * time.Second, ByTime: true}
	spent, looks := 0.0, 0
	for n := 1; n <= 200; n++ {
		elapsed := time.Duration(8*min(n, 8)) * time.Second / 8 * 5 // 5 s each, then next to nothing
		elapsed += time.Duration(max(0, n-8)) * 200 * time.Millisecond
		fraction, alpha, ok := s.Look(n, elapsed, n == 200)
		if !ok {
			continue
		}
		looks++
		spent += alpha
		if n < 200 {
			near(t, "spent by the time", spent, 0.05*elapsed.Seconds()/100, 1e-12)
			near(t, "fraction", fraction, elapsed.Seconds()/100, 1e-12)
		}
	}
	if near(t, "in all", spent, 0.05, 1e-12); looks < 6 {
		t.Errorf("%d looks at 200 trials", looks)
	}
}
