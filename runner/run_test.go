package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/knob"
	"netab/scenarios"
	"netab/test/busytest"
	"netab/test/need"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		if err := agent.Serve(); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// options makes a run of the scenario that stops after so many trials.
func options(t *testing.T, text string, trials int) Options {
	t.Helper()
	s, err := scenarios.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	topology, err := results.ReadCPUTopology(results.Root(""))
	if err != nil {
		t.Fatal(err)
	}
	arms, err := scenarios.Expand(s, scenarios.CPUs{Online: topology.Online, Node: topology.Node, Siblings: topology.Siblings})
	if err != nil {
		t.Fatal(err)
	}
	j, err := knob.Open(t.TempDir(), knob.Options{Undo: knob.Undos()})
	if err != nil {
		t.Fatal(err)
	}
	owner, err := knob.Self("test", "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Begin(owner); err != nil {
		t.Fatal(err)
	}
	design := results.Design{Name: "test"}
	for _, a := range arms {
		design.Arms = append(design.Arms, results.Arm{Name: a.Name})
	}
	return Options{
		Arms: arms, Slice: 20 * time.Millisecond, Settle: 5 * time.Millisecond, Trial: 120 * time.Millisecond,
		MaxTime: 10 * time.Second, Seed: 1, Store: t.TempDir(), Journal: j,
		Header: results.Header{ID: "test", Design: design},
		Stop: func(done []results.Trial, _ time.Duration, last bool) Decision {
			return Decision{Stop: last || len(onTime(done)) == trials, Reason: "decided"}
		},
	}
}

// busy says whether a trial was lost to a busy machine: an agent heard of its
// schedule too late, or a sink did not come to run in all of its slices.
func busy(t results.Trial) bool {
	return strings.Contains(t.Invalid, "the machine was too busy") || strings.Contains(t.Invalid, "the sinks received nothing") ||
		slices.ContainsFunc(t.Arms, func(a results.ArmTrial) bool { return strings.HasPrefix(a.Failed, "the sinks received nothing") })
}

// onTime leaves out trials that a busy machine made invalid.
func onTime(trials []results.Trial) []results.Trial {
	return slices.DeleteFunc(slices.Clone(trials), busy)
}

// measured runs the scenario until so many trials were on time.
func measured(t *testing.T, text string, trials int, change func(*Options)) (o Options, run *results.Run) {
	t.Helper()
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
		o = options(t, text, trials)
		o.Trial = by.Of(o.Trial)
		if change != nil {
			change(&o)
		}
		var err error
		if run, err = Run(t.Context(), o); err != nil {
			if run != nil && len(onTime(run.Trials)) < len(run.Trials) {
				return err.Error()
			}
			t.Fatal(err)
		}
		if n := len(onTime(run.Trials)); n != trials {
			return fmt.Sprintf("%d trials were on time, want %d", n, trials)
		}
		return ""
	})
	if t.Failed() {
		t.FailNow()
	}
	return o, run
}

const sideBySide = `
question: q
topology: {kind: loopback}
traffic: {protocol: tcp, message: 16K}
arms:
  off: {}
  sink: {knobs: {device: {lo: {rps_cpus: "0"}}}}
  veth: {topology: {kind: veth}, traffic: {protocol: udp, message: 1000, flows: 2}}
`

func TestRunSideBySide(t *testing.T) {
	need.Root(t)
	o, run := measured(t, sideBySide, 2, nil)
	trials := onTime(run.Trials)
	if run.Header.Plan.Grain != vocab.BySlice || len(trials) != 2 {
		t.Fatalf("grain %s, %d trials", run.Header.Plan.Grain, len(trials))
	}
	for _, trial := range trials {
		if trial.Invalid != "" {
			t.Fatalf("trial %d: %s", trial.Index, trial.Invalid)
		}
		if len(trial.Slices) != 3*run.Header.Plan.BlocksPerTrial {
			t.Errorf("trial %d has %d slices", trial.Index, len(trial.Slices))
		}
		received := map[int]int64{}
		for _, s := range trial.Slices {
			received[s.Arm] += s.RxBytes
			if s.CountedNS != int64(15*time.Millisecond) {
				t.Errorf("slice %+v", s)
			}
		}
		if received[0] == 0 || received[1] == 0 || received[2] == 0 {
			t.Errorf("bytes received by arm: %v", received)
		}
		if got := trial.Arms[1].Knobs; !hasSetting(got, "lo rx-0 rps_cpus", "0") {
			t.Errorf("the knob as read back is not in the record: %+v", got)
		}
		for _, f := range trial.Arms[2].Flows {
			if f.Source.CPUNS <= 0 || f.Sink.CPUNS <= 0 {
				t.Errorf("the cost of each thread is not in the record: %+v", f)
			}
		}
		if udp := trial.Arms[2]; !udp.Ledger.Valid || len(udp.Flows) != 2 || udp.Ledger.Sent == 0 {
			t.Errorf("UDP arm: %+v", udp.Ledger)
		}
	}
	stored, err := results.ReadFile(o.Store + "/test/run.jsonl")
	if err != nil || len(stored.Trials) != len(run.Trials) || stored.End == nil || stored.End.Reason != "decided" {
		t.Errorf("the run file: %+v, %v", stored, err)
	}
}

func hasSetting(all []results.Setting, knob, after string) bool {
	for _, s := range all {
		if s.Knob == knob && s.After == after {
			return true
		}
	}
	return false
}

const switchedBudget = `
question: q
traffic: {protocol: udp, message: 64}
matrix:
  knobs.sysctl.net.core.netdev_budget: [301, 302]
`

// Arms that differ in a host-wide knob share one live flow, on which the knob
// is switched, and the machine has its value back afterwards.
func TestRunSwitchesHostKnob(t *testing.T) {
	need.Root(t)
	const path = "/proc/sys/net/core/netdev_budget"
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, run := measured(t, switchedBudget, 1, nil)
	after, _ := os.ReadFile(path)
	if string(after) != string(before) {
		t.Errorf("netdev_budget was %s and is %s", before, after)
	}
	trial := onTime(run.Trials)[0]
	if run.Header.Plan.Grain != vocab.BySliceSwitched || trial.Invalid != "" {
		t.Fatalf("grain %s, %s", run.Header.Plan.Grain, trial.Invalid)
	}
	for i, want := range []string{"301", "302"} {
		if a := trial.Arms[i]; !a.Shared || !hasSetting(a.Knobs, "sysctl net.core.netdev_budget", want) {
			t.Errorf("arm %d: shared %v, %+v", i, a.Shared, a.Knobs)
		}
	}
	if len(run.End.Restored) != 1 {
		t.Errorf("restored: %+v", run.End.Restored)
	}
}

func TestInterruptedRunKeepsWhatItHas(t *testing.T) {
	need.Root(t)
	o := options(t, sideBySide, 1000)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := o.Stop
	o.Stop = func(done []results.Trial, elapsed time.Duration, last bool) Decision {
		if len(onTime(done)) == 2 && !last {
			time.AfterFunc(50*time.Millisecond, func() { cancel(ErrInterrupted) })
		}
		return stop(done, elapsed, last)
	}
	run, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(onTime(run.Trials)) != 2 || run.End.Reason != "interrupted" {
		t.Errorf("%d trials, %q", len(run.Trials), run.End.Reason)
	}
}

// What a device or kernel lacks is said before anything is measured.
func TestPlanRefusesWhatCannotBeSet(t *testing.T) {
	need.Root(t)
	for name, tc := range map[string]struct{ knobs, want string }{
		"sysctl":  {`{sysctl: {net.ipv4.no_such_thing: "1"}}`, "no_such_thing"},
		"queue":   {`{device: {lo: {queue: {rx-7: {rps_cpus: "0"}}}}}`, "rx-7"},
		"feature": {`{device: {lo: {offload: {tx-tcp-segmentation: off, no-such-feature: on}}}}`, "no-such-feature"},
		"device":  {`{device: {nosuchdev: {mtu: "1500"}}}`, "nosuchdev"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, "question: q\narms:\n  a: {}\n  b: {knobs: "+tc.knobs+"}\n", 1)
			_, err := Run(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "test.yaml:4:") {
				t.Errorf("got %v, want %q with its line", err, tc.want)
			}
			if entries, _ := os.ReadDir(o.Store); len(entries) != 0 {
				t.Error("a run file was made")
			}
		})
	}
}

// Trials that fail are in the record with their reason; after three in a row the
// run gives up.
func TestFailingTrials(t *testing.T) {
	need.Root(t)
	o := options(t, sideBySide, 1000)
	o.Arms = o.Arms[:1]
	// Refused by validation, which these arms do not go through: it fails in the
	// trial, not in the plan.
	o.Arms[0].Config.Traffic.Threads, o.Arms[0].Config.Traffic.Verify = 1, true
	run, err := Run(t.Context(), o)
	if err == nil || len(run.Trials) != maxInvalid || !strings.Contains(err.Error(), "leave off threads") {
		t.Fatalf("%v", err)
	}
	if errors.Is(err, ErrInterrupted) || !strings.HasPrefix(string(run.End.Reason), "failed: ") {
		t.Errorf("reason %q", run.End.Reason)
	}
}

// A run ends where CPUs come or go: that is another machine.
func TestOtherCPUs(t *testing.T) {
	need.Root(t)
	o := options(t, sideBySide, 1000)
	o.Header.Machine.CPUsOnline = "0-4094"
	run, err := Run(t.Context(), o)
	if err == nil || len(run.Trials) < maxInvalid || !strings.Contains(err.Error(), "the machine changed: when the run began CPUs 0-4094 were online, and now ") {
		t.Errorf("%v", err)
	}
}

// An arm whose path takes nothing, and one that cannot be set up, fail by
// themselves: the trial is valid, and the others have all of their slices.
func TestFailedArmIsAnOutcome(t *testing.T) {
	need.Root(t)
	for name, tc := range map[string]struct {
		spoil func(*scenarios.Arm)
		why   string
	}{
		"a receiver with a smaller MTU": {func(a *scenarios.Arm) {
			a.Knobs = append(a.Knobs, scenarios.Knob{Family: "mtu", Device: "sink", Value: "1500"})
		}, "the sinks received nothing"},
		"a path that cannot be opened": {func(a *scenarios.Arm) { a.Config.Traffic.Threads, a.Config.Traffic.Verify = 1, true }, "leave off threads"},
	} {
		t.Run(name, func(t *testing.T) {
			busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
				o := options(t, "topology: {kind: veth, mtu: 9000}\ntraffic: {protocol: udp, message: 8000}\narms: {works: {}, fails: {}}\n", 2)
				o.Trial = by.Of(o.Trial)
				o.Stop = func(done []results.Trial, _ time.Duration, last bool) Decision {
					return Decision{Stop: len(done) == 2, Reason: "decided"}
				}
				tc.spoil(&o.Arms[1])
				run, err := Run(t.Context(), o)
				if err != nil {
					return err.Error()
				}
				for _, trial := range run.Trials {
					switch {
					case trial.Invalid != "" || trial.Arms[0].Failed != "":
						return trial.Invalid + trial.Arms[0].Failed // a busy machine's
					case !strings.Contains(trial.Arms[1].Failed, tc.why):
						t.Errorf("arm failed because of %q, want %q", trial.Arms[1].Failed, tc.why)
					}
					received, n := [2]int64{}, [2]int{}
					for _, s := range trial.Slices {
						received[s.Arm] += s.RxBytes
						n[s.Arm]++
					}
					if n != [2]int{run.Header.Plan.BlocksPerTrial, run.Header.Plan.BlocksPerTrial} || received[1] != 0 {
						t.Errorf("slices by arm %v, bytes received %v", n, received)
					}
				}
				return ""
			})
		})
	}
}

const mtuOfNIC = `
question: q
topology: {kind: nic, source_device: nttest0, sink_device: nttest1}
traffic: {protocol: tcp, message: 16K}
arms:
  large: {knobs: {device: {both: {mtu: "1500"}}}}
  small: {knobs: {device: {both: {mtu: "1300"}}}}
`

// A knob that disturbs live flows is set before an arm's own session begins,
// whatever the order of arms.
func TestRunTrialGrainSetsTheArmsKnobs(t *testing.T) {
	need.Root(t)
	link := netlink.NewVeth(netlink.LinkAttrs{Name: "nttest0"})
	link.PeerName = "nttest1"
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { netlink.LinkDel(link) })
	_, run := measured(t, mtuOfNIC, 4, func(o *Options) {
		o.Trial = time.Second // a session outlasts a segment that is lost and sent again (200 ms)
		o.MaxTime = time.Minute
	})
	if run.Header.Plan.Grain != vocab.ByTrial {
		t.Errorf("grain %s", run.Header.Plan.Grain)
	}
	trials := onTime(run.Trials)
	for _, trial := range trials {
		if trial.Invalid != "" {
			t.Fatal(trial.Invalid)
		}
		for arm, mss := range []int64{1448, 1248} { // less 20 of IP, 20 of TCP, 12 of its timestamps
			if got := trial.Arms[arm].Flows[0].TCP["mss"]; got != mss {
				t.Errorf("trial %d, order %v: arm %d ran with an MSS of %d, want %d", trial.Index, trial.Order, arm, got, mss)
			}
		}
	}
}

const longQueues = `
question: q
traffic: {protocol: udp, message: 60000, receive_buffer: 16M, flows: 8}
placement: same
arms: {a: {}, b: {}}
`

// Queues that outlast the settle part are received at the next arm's cost: the
// record must show it.
func TestCarryOverIsWarnedOf(t *testing.T) {
	need.Root(t)
	_, run := measured(t, longQueues, 2, func(o *Options) { o.Slice, o.Settle = 5*time.Millisecond, 20*time.Microsecond })
	for _, trial := range onTime(run.Trials) {
		if !slices.ContainsFunc(trial.Warnings, func(w results.Warning) bool { return w.Code == "carry-over" }) {
			t.Errorf("trial %d: no carry-over in %+v", trial.Index, trial.Warnings)
		}
	}
}

// TestHandIsReplaced: the agent that switches knobs is killed between two trials, and
// within one. Each costs a trial, and at the end the machine is as it was.
func TestHandIsReplaced(t *testing.T) {
	need.Root(t)
	before := budget(t)
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string {
		o := options(t, switchedBudget, 6)
		o.Trial = by.Of(o.Trial)
		r, err := prepare(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		r.Progress = func(trials []results.Trial, _ time.Duration) {
			if n := len(trials); n == 1 || n == 3 { // between two trials, and within one
				hand := r.switcher.hands[0].agent.PID()
				time.AfterFunc(time.Duration(n-1)*by.Of(60*time.Millisecond), func() { unix.Kill(hand, unix.SIGKILL) })
			}
		}
		run, err := r.carryOut()
		if after := budget(t); after != before || len(r.Journal.Pending()) > 0 {
			t.Errorf("netdev_budget was %s and is %s; %d entries pending", before, after, len(r.Journal.Pending()))
		}
		if run == nil {
			t.Fatal(err)
		}
		lost, late := 0, 0
		for _, trial := range run.Trials {
			switch {
			case strings.Contains(trial.Invalid, "killed"):
				lost++
			case busy(trial):
				late++
			case trial.Invalid != "":
				t.Errorf("a trial was lost: %s", trial.Invalid)
			}
		}
		if late > 0 {
			return fmt.Sprintf("%d trials were late", late)
		}
		if err != nil {
			t.Fatal(err)
		}
		if lost != 2 {
			return fmt.Sprintf("%d trials lost to 2 kills", lost)
		}
		return ""
	})
}
