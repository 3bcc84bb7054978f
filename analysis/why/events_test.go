package why

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/results"
	"netab/results/vocab"
)

// lossy is a run of two UDP arms with trials of events, of which half of the slices are
// watched.
func lossy(trials int, change func(*results.Explain)) *results.Run {
	r := &results.Run{Header: results.Header{Design: results.Design{Baseline: "off", Confidence: 0.95,
		Arms: []results.Arm{{Name: "off", Protocol: vocab.UDP, Message: 64}, {Name: "sink", Protocol: vocab.UDP, Message: 64}}}}}
	for i := range trials {
		x := results.Explain{Index: i, Instrument: vocab.Events}
		for block := range 6 {
			for arm := range 2 {
				s := results.ExplainSlice{Block: block, Arm: arm, CountedNS: 100e6, Watched: block < 3}
				if s.RxMsgs = 1000; s.Watched {
					s.RxMsgs = 900
				}
				x.Slices = append(x.Slices, s)
			}
		}
		change(&x)
		r.Explains = append(r.Explains, x)
	}
	return r
}

func TestEvents(t *testing.T) {
	run := lossy(3, func(x *results.Explain) {
		x.Drops = []results.DropPlace{
			{Arm: 0, Reason: "SOCKET_RCVBUFF", Place: "udp_queue_rcv_one_skb", Namespace: "both", Packets: 10},
			{Arm: 1, Reason: "NETFILTER_DROP", Place: "nf_hook_slow", Namespace: "sink", Packets: 40},
			{Arm: 1, Reason: "NO_SOCKET", Place: "__udp4_lib_rcv", Namespace: "other", Packets: 99},
			{Arm: 7, Reason: "NO_SOCKET", Place: "__udp4_lib_rcv", Packets: 99},
		}
		x.Ledgers = map[int]results.Ledger{0: {Valid: true, Sent: 100, Received: 90}, 1: {Valid: true, Sent: 100, Received: 58, Unexplained: 42}}
		x.Scheduling = []results.RoleScheduling{{Arm: 1, Role: vocab.SinkTime, Wakeups: 1350, Runs: 1400, Migrations: 3, Preemptions: 6,
			PreemptedBy: map[string]int64{"kworker": 6}, WakeLatency: &results.Histogram{}}}
		for range 100 {
			x.Scheduling[0].WakeLatency.Add(5000)
		}
		x.Interrupts = []results.SentInterrupt{{Arm: 1, Role: vocab.SinkTime, From: "ttwu_queue_wakelist", N: 270}}
		x.Locks = []results.LockWait{{Arm: 1, Role: vocab.SinkTime, Kind: "spinlock", Caller: "udp_rmem_release", N: 27, NS: 2.7e6}}
		x.Withheld = map[string]string{"namespaces": "no type information"}
	})
	e := EventsOf(run)
	wantDrops := []Drop{
		{Arm: "off", Reason: "SOCKET_RCVBUFF", Place: "udp_queue_rcv_one_skb", Namespace: "both", Packets: 30, Ledger: vocab.PlaceReceiveBuffer},
		{Arm: "sink", Reason: "NETFILTER_DROP", Place: "nf_hook_slow", Namespace: "sink", Packets: 120},
	}
	if diff := cmp.Diff(wantDrops, e.Drops); diff != "" {
		t.Error(diff)
	}
	near := cmpopts.EquateApprox(0.01, 1e-9)
	latency, often := 5000.0, 0.01
	wantScheduling := []Scheduling{{Arm: "sink", Role: vocab.SinkTime, Unit: "message", Wakeups: 0.5, LatencyP50: &latency, LatencyP99: &latency, Migrations: 10, Preemptions: 20,
		PreemptedBy: []Preempter{{"kworker", 20}}, Interrupts: []Interrupt{{From: "ttwu_queue_wakelist", PerUnit: 0.1}}}}
	if diff := cmp.Diff(wantScheduling, e.Scheduling, near); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Lock{{Arm: "sink", Role: vocab.SinkTime, Kind: "spinlock", Caller: "udp_rmem_release", NS: 1000, PerUnit: &often, Share: 0.009}}, e.Locks, near); diff != "" {
		t.Error(diff)
	}
	w := e.Watching
	if w == nil || w.Trials != 3 || w.Change == nil || math.Abs(*w.Change+0.1) > 0.001 {
		t.Fatalf("%+v", w)
	}
	want := []string{"Of sink, 126 datagrams are at no place of its ledger; the kernel threw away 120 packets that are not there either: NETFILTER_DROP in nf_hook_slow 120.",
		"Not told: namespaces: no type information."}
	if diff := cmp.Diff(want, append(w.Unexplained, w.Texts...)); diff != "" {
		t.Error(diff)
	}
	wantNotes := append([]string{"Packets that the kernel threw away, of off: SOCKET_RCVBUFF in udp_queue_rcv_one_skb 30; of sink: NETFILTER_DROP in nf_hook_slow 120."}, want...)
	if diff := cmp.Diff(wantNotes, e.notes("off", "sink")); diff != "" {
		t.Error(diff)
	}
	e.Locks[0].Share = 0.25
	want = []string{"Packets that the kernel threw away, of sink: NETFILTER_DROP in nf_hook_slow 120.", "The sink was woken, in sink 0.5 times a message, and ran 5.02 µs later (in the median).",
		"In sink the sink waits for a spinlock in udp_rmem_release for 25.0 % of the time."}
	if diff := cmp.Diff(want, e.notes("", "sink")[:3]); diff != "" {
		t.Error(diff)
	}
	// They tell nothing of the accounting's.
	if got := Of(run); got != nil {
		t.Errorf("explained by events: %+v", got)
	}
}

// TestUnexplained: what was not thrown away is said to be so.
func TestUnexplained(t *testing.T) {
	for want, change := range map[string]func(*results.Explain){
		"the kernel threw away none that are not there": func(*results.Explain) {},
		"and this kernel has no tracepoints of it": func(x *results.Explain) {
			x.Withheld = map[string]string{"drops": "this kernel has no tracepoints of it"}
		},
	} {
		e := EventsOf(lossy(1, func(x *results.Explain) {
			x.Ledgers = map[int]results.Ledger{1: {Valid: true, Unexplained: 5}}
			change(x)
		}))
		if len(e.Watching.Unexplained) != 1 || !strings.Contains(e.Watching.Unexplained[0], want) {
			t.Errorf("%q, want %q", e.Watching.Unexplained, want)
		}
		if e.Watching.Change != nil {
			t.Error("a cost of one trial")
		}
	}
}

// TestSampledLocks: where the kernel does not tell of locks, the samples of functions
// that wait for one do.
func TestSampledLocks(t *testing.T) {
	run := lossy(1, func(x *results.Explain) {
		x.Instrument = vocab.Sampling
		for i := range x.Slices {
			x.Slices[i].Source, x.Slices[i].Sink = &results.RoleTime{}, &results.RoleTime{}
		}
		x.Samples = &results.Samples{Role: vocab.SinkTime, EveryNS: 500e3,
			Functions: []string{"native_queued_spin_lock_slowpath", "_raw_spin_lock", "udp_rmem_release", "udp_recvmsg"},
			Stacks:    []results.SampleStack{{Arm: 1, Frames: []int{0, 1, 2, 3}, N: 12}, {Arm: 1, Frames: []int{2, 3}, N: 100}, {Arm: 1, Frames: []int{3}, N: 7}}}
	})
	want := []Lock{{Arm: "sink", Role: vocab.SinkTime, Kind: "spinlock", Caller: "udp_rmem_release", NS: 6e6 / 5700, Share: 0.01, Sampled: true}}
	if diff := cmp.Diff(want, EventsOf(run).Locks, cmpopts.EquateApprox(1e-6, 0)); diff != "" {
		t.Error(diff)
	}
}

// TestSplit: where system calls were told in some trials, a role's own time is split by
// them, and still adds up.
func TestSplit(t *testing.T) {
	w := steered()
	w.trials = 9
	run := w.run()
	for i := range run.Explains {
		if i%3 != 2 {
			continue
		}
		for j := range run.Explains[i].Slices {
			s := &run.Explains[i].Slices[j]
			if s.Source == nil {
				continue
			}
			user, none := s.Source.NS["task"]/4, int64(0)
			if s.Arm == 1 {
				user = s.Source.NS["task"] / 8
			}
			s.Source.UserNS, s.Sink.UserNS = &user, &none
		}
	}
	e := one(t, run)
	if e.Trials != 6 {
		t.Errorf("%d trials, of which 3 tell system calls", e.Trials)
	}
	got := map[string]Part{}
	for _, p := range append(e.Parts, e.Split...) {
		if p.Role == vocab.SourceTime && p.Category == "" {
			got[p.Context] = p
		}
	}
	user, system, both := got[UserTime], got[SystemTime], got["task"]
	if math.Abs(user.From-87.5/4) > 1 || math.Abs(user.To-81.7/8) > 1 || math.Abs(system.From-87.5*3/4) > 1 || !user.Significant {
		t.Errorf("user %+v, system %+v", user, system)
	}
	if math.Abs(user.From+system.From-both.From) > 1e-6 || math.Abs(user.Delta+system.Delta-both.Delta) > 1e-6 {
		t.Errorf("user %+v and system %+v, of %+v", user, system, both)
	}
}

// TestCounted: what a counter told of all slices is told per unit; what one slice lacks
// is not.
func TestCounted(t *testing.T) {
	run := lossy(2, func(x *results.Explain) {
		for i := range x.Slices {
			s := &x.Slices[i]
			cycles, instructions, misses := 3e6, 6e6, 5e4
			if s.Watched {
				cycles = 9e9 // with what watching takes
			}
			s.SinkCounted = &results.HardwareCounts{Cycles: new(int64(cycles)), Instructions: new(int64(instructions))}
			if i != 9 { // of the second arm
				s.SinkCounted.CacheMisses = new(int64(misses))
			}
		}
	})
	want := []Counted{
		{Arm: "off", Role: vocab.SinkTime, Unit: "message", Cycles: new(3000.0), Instructions: new(6000.0), IPC: new(2.0), CacheMisses: new(50.0)},
		{Arm: "sink", Role: vocab.SinkTime, Unit: "message", Cycles: new(3000.0), Instructions: new(6000.0), IPC: new(2.0)},
	}
	if diff := cmp.Diff(want, EventsOf(run).Counted, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Error(diff)
	}
}

// TestWaiting: a neighbour on the source's CPU is shown as that: as waiting, and by who
// took it, and not as work.
func TestWaiting(t *testing.T) {
	w := steered()
	w.source[1] = w.source[0]
	w.busy[1] = 0.6 // the rest it waits
	run := w.run()
	for i := range run.Explains {
		for j := range run.Explains[i].Slices {
			if s := &run.Explains[i].Slices[j]; s.Arm == 1 {
				s.SourceWait = 0.4 * slice
			} else {
				s.SourceWait = 0.001 * slice
			}
		}
	}
	events := lossy(1, func(x *results.Explain) {
		x.Index = 99
		x.Scheduling = []results.RoleScheduling{{Arm: 1, Role: vocab.SourceTime, Runs: 30, Preemptions: 30, PreemptedBy: map[string]int64{"stress": 30}}}
		for i := range x.Slices {
			x.Slices[i].RxBytes = 1 << 20
		}
	})
	run.Explains = append(run.Explains, events.Explains...)
	e := one(t, run)
	if len(e.Waiting) != 1 || e.Waiting[0].Role != vocab.SourceTime || !e.Waiting[0].Significant || e.Waiting[0].Delta < 50 {
		t.Fatalf("%+v", e.Waiting)
	}
	if e.Predicted != nil || strings.Contains(e.Text, "because") {
		t.Errorf("explained by waiting: %s", e.Text)
	}
	want := " more for a CPU, which is no work of its own and explains nothing; stress (100 times a second) took it away."
	if !strings.Contains(strings.Join(e.Notes, " "), want) {
		t.Errorf("%q, want %q in it", e.Notes, want)
	}
}
