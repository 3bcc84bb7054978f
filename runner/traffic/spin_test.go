package traffic

import (
	"fmt"
	"testing"
	"time"
)

// A sink that spins takes all of a CPU while its windows last, as it is there for,
// and none of it while other arms have theirs.
func TestSpinningSinkRestsBetweenWindows(t *testing.T) {
	for name, c := range map[string]Config{
		"udp":      {Protocol: "udp", Message: 64, Sink: Path{Spin: true}},
		"read":     {Protocol: "udp", Message: 64, Sink: Path{Call: "read", Spin: true}},
		"recvmmsg": {Protocol: "udp", Message: 64, Sink: Path{Call: "recvmmsg", Batch: 8, Spin: true}},
		"verify":   {Protocol: "udp", Message: 64, Verify: true, Sink: Path{Spin: true}},
		"paced":    {Protocol: "udp", Message: 64, Rate: 2000, Sink: Path{Spin: true}},
		"tcp":      {Protocol: "tcp", Message: 4096, Sink: Path{Spin: true}},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				windows := by.windowsFrom(8*time.Millisecond, 3, 30*time.Millisecond, 5*time.Millisecond, 60*time.Millisecond)
				r, ok := runs(t, openFlows(t, c, 1), windows)
				if !ok {
					return "the schedule was known too late"
				}
				source, sink := r.Groups[0].sums()
				if source.Total.Msgs == 0 || sink.Total.Msgs == 0 {
					return fmt.Sprintf("%d messages sent, %d received", source.Total.Msgs, sink.Total.Msgs)
				}
				if sink.Events["empty polls"] == 0 {
					t.Errorf("it never looked in vain: %v", sink.Events)
				}
				var inside, waited, open int64
				for _, w := range r.Groups[0].Windows {
					inside, waited = inside+w.SinkCPU, waited+w.SinkWait
				}
				for _, w := range windows {
					open += w.End - w.Count
				}
				// 25 of 30 ms of each window are counted.
				if all := sink.Total.CPU; all > inside*30/25+open/4 {
					return fmt.Sprintf("%v of CPU time, of which %v in windows of %v", time.Duration(all), time.Duration(inside), time.Duration(open))
				}
				// Who waits for a CPU that another has does not sleep.
				if inside+waited < open/2 {
					return fmt.Sprintf("%v of CPU time and %v of waiting for it in %v of windows: it slept", time.Duration(inside), time.Duration(waited), time.Duration(open))
				}
				return ""
			})
		})
	}
}
