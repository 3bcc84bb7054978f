package traffic

import (
	"fmt"
	"math"
	"testing"
)

// What is spun away is the share that was asked for, of the whole counted time
// and of nothing else: not of the rest between windows.
func TestSlowdown(t *testing.T) {
	for _, share := range []float64{0, 0.02, 0.3} {
		for _, call := range []string{"send", "sendmmsg"} {
			t.Run(fmt.Sprint(call, share), func(t *testing.T) {
				retry(t, func(t *testing.T, by stretch) string {
					c := Config{Protocol: "udp", Message: 500, Source: Path{Call: call, Batch: 8, Slowdown: share}}
					windows := by.shortRun(4)
					r, ok := runs(t, openFlows(t, c, 1), windows)
					if !ok {
						return "late"
					}
					source, sink := r.Groups[0].windowSums()
					if sink.Spun != 0 {
						t.Fatalf("the sink spun %d ns", sink.Spun)
					}
					counted := int64(0)
					for _, w := range windows {
						counted += w.End - w.Count
					}
					got := float64(source.Spun) / float64(counted)
					if share == 0 && got != 0 {
						t.Fatalf("spun %v without being asked", got)
					}
					// A source that is preempted has more to spin when it is back: by
					// then a window may be over.
					if math.Abs(got-share) > 0.02*share {
						return fmt.Sprintf("spun %.4f of the time, want %.4f", got, share)
					}
					if source.Spun > source.CPU {
						t.Fatalf("spun %d ns of %d ns of CPU time", source.Spun, source.CPU)
					}
					return ""
				})
			})
		}
	}
}

// What one spin takes too long, the next takes less; but an interruption while
// it spins is none of it.
func TestSlowdownKeepsAccount(t *testing.T) {
	retry(t, func(t *testing.T, by stretch) string {
		s := newSlowdown(0.1)
		start := nanotime()
		s.begin(start)
		now := start
		for range 40_000 {
			for until := now + 500; now < until; {
				now = nanotime()
			}
			now = s.spin(now)
		}
		if got := float64(s.spun) / float64(now-start); math.Abs(got-0.1) > 0.001 {
			return fmt.Sprintf("spun %.4f of the time, want 0.1", got)
		}
		return ""
	})
	s := newSlowdown(0.1)
	now := nanotime()
	s.begin(now - 5_900_000) // owes 0.1 ms, and finds them long over
	s.spin(now - 5_000_000)
	if s.spun > 0 && s.spun > 100_000+mostOver || s.owed < -mostOver {
		t.Errorf("spun %d, owed %v after an interruption of 5 ms", s.spun, s.owed)
	}
}
