package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A source that is slowed down spins in its windows, and no other does; how much,
// the tests with a clock of their own hold to the share.
func TestSlowdown(t *testing.T) {
	for _, share := range []float64{0, 0.3} {
		for _, call := range []string{"send", "sendmmsg"} {
			t.Run(fmt.Sprint(call, share), func(t *testing.T) {
				retry(t, func(t *testing.T, by stretch) string {
					c := Config{Protocol: "udp", Message: 500, Source: Path{Call: call, Batch: 8, Slowdown: share}}
					windows := by.shortRun(4)
					r, ok := runs(t, openFlows(t, c, 1), windows)
					if !ok {
						return "late"
					}
					source, _ := r.Groups[0].windowSums(&c)
					if _, end := r.Groups[0].sums(); end.Total.Spun != 0 {
						t.Fatalf("the sink spun %d ns", end.Total.Spun)
					}
					counted := int64(0)
					for _, w := range windows {
						counted += w.End - w.Count
					}
					got := float64(source.Spun) / float64(counted)
					if share == 0 && got != 0 {
						t.Fatalf("spun %v without being asked", got)
					}
					// A source that is preempted has more to spin when it is back, or less
					// time for it.
					if got < share/3 || got > 2*share {
						return fmt.Sprintf("spun %.4f of the time, want about %.4f", got, share)
					}
					return ""
				})
			})
		}
	}
}

// What is spun away is the share that was asked for, whatever a step of work and a
// look at the clock take: what one spin takes too long, the next takes less.
func TestSlowdownKeepsAccount(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, share := range []float64{0.02, 0.1, 0.3} {
		for _, work := range []int64{300, 5_000, 40_000} {
			s := newSlowdown(share)
			now := int64(1e15)
			s.begin(now)
			for range 40_000 {
				now += work/2 + r.Int64N(work)
				until := s.until(now)
				end := now
				for end < until {
					end += 20 + r.Int64N(30) // a look at the clock
				}
				s.pay(now, until, end)
				now = end
			}
			if got := float64(s.spun) / float64(now-1e15); math.Abs(got-share) > 0.001 {
				t.Errorf("work of %d ns: spun %.4f of the time, want %v", work, got, share)
			}
		}
	}
}

// An interruption while it spins is none of the slowdown, and gives no credit that
// would keep it from spinning for long.
func TestSlowdownInterrupted(t *testing.T) {
	s := newSlowdown(0.1)
	const now = int64(1e15)
	s.begin(now - 900_000) // owes 0.1 ms
	until := s.until(now)
	s.pay(now, until, now+5_000_000)
	if s.spun > 100_000+maxOver || s.owed < -maxOver {
		t.Errorf("spun %d, owed %v after an interruption of 5 ms", s.spun, s.owed)
	}
	// Work that was itself interrupted owes for all of it, once.
	s = newSlowdown(0.5)
	s.begin(now)
	if until := s.until(now + 3_000_000); until != now+6_000_000 {
		t.Errorf("spins until %d ns after 3 ms of work", until-now)
	}
}
