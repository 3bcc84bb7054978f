package runner

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/runner/agent"
	"netab/runner/place"
	"netab/test/need"
)

// TestPanicPutsTheMachineBack: whatever panics in this process while a setting of the
// machine is borrowed, it is put back, and the run file ends with the reason.
func TestPanicPutsTheMachineBack(t *testing.T) {
	need.Root(t)
	const path = "/proc/sys/net/core/netdev_budget"
	borrowed := func(when string) {
		if now, _ := os.ReadFile(path); string(now) != "301\n" && string(now) != "302\n" {
			t.Errorf("%s: netdev_budget is %s: nothing is borrowed, and the test shows nothing", when, now)
		}
	}
	for _, tt := range []struct {
		name   string
		spoil  func(*run)
		trials int
		where  string
	}{
		{"in the stop rule", func(r *run) {
			r.Stop = func([]results.Trial, time.Duration, bool) Decision { borrowed("stop"); panic("out of order") }
		}, 1, "out of order at .*panic_test.go:"},
		{"in the progress", func(r *run) {
			r.Progress = func([]results.Trial, time.Duration) { borrowed("progress"); _ = os.Args[len(os.Args)] }
		}, 1, "index out of range .* at .*panic_test.go:"},
		{"in a goroutine", func(r *run) { r.at = place.Both(new(place.Local)) }, 0, "nil pointer dereference at .*runner/agent/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("TMPDIR", t.TempDir()) // for the stack
			r, err := prepare(t.Context(), options(t, switchedBudget, 3))
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			tt.spoil(r)
			run, err := r.carryOut()
			if err == nil || !regexp.MustCompile("a fault of netab: panic: .*"+tt.where).MatchString(err.Error()) {
				t.Errorf("the run ended with %v", err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, before) {
				t.Errorf("netdev_budget was %s and is %s", before, after)
			}
			if len(r.Journal.Pending()) > 0 {
				t.Errorf("the journal has %d entries left", len(r.Journal.Pending()))
			}
			stored, unread := results.ReadFile(r.Store + "/test/run.jsonl")
			if unread != nil || stored.End == nil || !strings.HasPrefix(string(stored.End.Reason), "failed: a fault of netab: panic: ") || len(stored.End.Restored) == 0 {
				t.Fatalf("the run file: %+v, %v", stored, unread)
			}
			if len(stored.Trials) != tt.trials || run == nil || len(run.Trials) != tt.trials {
				t.Errorf("%d trials are kept, want %d", len(stored.Trials), tt.trials)
			}
			stack := regexp.MustCompile(`its stack is in (\S+):`).FindStringSubmatch(string(stored.End.Reason))
			if stack == nil {
				t.Fatalf("no stack is kept: %s", stored.End.Reason)
			}
			if text, err := os.ReadFile(stack[1]); err != nil || !strings.Contains(string(text), "goroutine ") {
				t.Errorf("the stack: %s %v", text, err)
			}
		})
	}
}

// TestPanicBeforeTheRun: while nothing is borrowed yet, a panic is an error.
func TestPanicBeforeTheRun(t *testing.T) {
	need.Root(t)
	t.Setenv("TMPDIR", t.TempDir())
	o := options(t, switchedBudget, 1)
	o.Planned = func(*Preview) { panic("no plan") }
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "panic: no plan") {
		t.Errorf("Run: %v", err)
	}
}

// TestAgentsAreExpendable: of all processes agents go first when memory runs out, and
// the runner, if it may, goes late; afterwards it has its own score again.
func TestAgentsAreExpendable(t *testing.T) {
	need.Root(t)
	score := func(process string) string {
		text, err := os.ReadFile("/proc/" + process + "/oom_score_adj")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	before := score("self")
	undo := spareFromOOM()
	here := place.NewLocal()
	defer here.Close(t.Context())
	a, err := here.Start(t.Context(), agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	if own, its := score("self"), score(fmt.Sprint(a.PID())); its != "1000" || own != "-500" && own != before {
		t.Errorf("the runner's score is %s (was %s), the agent's %s", own, before, its)
	}
	undo()
	if after := score("self"); after != before {
		t.Errorf("the runner's score was %s and is %s", before, after)
	}
}
