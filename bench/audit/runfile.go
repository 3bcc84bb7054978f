package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// The lines of a run file (results/record.go), as far as a verdict needs them.
// They are written down here once more: what the audit shares with netab it
// cannot find wrong.
type (
	header struct {
		Type     string         `json:"type"`
		Schema   string         `json:"schema"`
		ID       string         `json:"id"`
		Scenario map[string]any `json:"scenario"`
		Source   string         `json:"source"`
		Design   design         `json:"design"`
		Plan     map[string]any `json:"plan"`
		Seed     uint64         `json:"seed"`
		Netab    map[string]any `json:"netab"`
		Command  []string       `json:"command"`
		Started  time.Time      `json:"started"`
		Machine  map[string]any `json:"machine"`
	}
	design struct {
		Name       string             `json:"name"`
		Question   string             `json:"question"`
		Arms       []arm              `json:"arms"`
		Baseline   string             `json:"baseline"`
		Metrics    []string           `json:"metrics"`
		Confidence float64            `json:"confidence"`
		Resolution float64            `json:"resolution"`
		Width      float64            `json:"width"`
		MaxTimeS   float64            `json:"max_time_s"`
		Gate       map[string]float64 `json:"gate,omitempty"`
	}
	arm struct {
		Name     string `json:"name"`
		Kind     string `json:"kind"`
		Protocol string `json:"protocol"`
		Message  int    `json:"message_bytes"`
		Flows    int    `json:"flows"`
		Topology string `json:"topology"`
	}
	trial struct {
		Type       string         `json:"type"`
		Index      int            `json:"index"`
		Started    time.Time      `json:"started"`
		SetupNS    int64          `json:"setup_ns"`
		RunNS      int64          `json:"run_ns"`
		TeardownNS int64          `json:"teardown_ns"`
		Order      []int          `json:"order"`
		Slices     []slice        `json:"slices"`
		Arms       []armTrial     `json:"arms"`
		Host       map[string]any `json:"host"`
	}
	slice struct {
		Block     int       `json:"block"`
		Arm       int       `json:"arm"`
		StartNS   int64     `json:"start_ns"`
		CountedNS int64     `json:"counted_ns"`
		RxBytes   int64     `json:"rx_bytes"`
		RxMsgs    int64     `json:"rx_msgs"`
		TxBytes   int64     `json:"tx_bytes"`
		TxMsgs    int64     `json:"tx_msgs"`
		SourceCPU int64     `json:"source_cpu_ns"`
		SinkCPU   int64     `json:"sink_cpu_ns"`
		Canaries  *canaries `json:"canaries,omitempty"`
	}
	canaries struct {
		DistanceNS float64 `json:"distance_ns"`
		SourceCPU  int     `json:"source_cpu"`
		SinkCPU    int     `json:"sink_cpu"`
	}
	armTrial struct {
		Arm    int    `json:"arm"`
		Source role   `json:"source"`
		Sink   role   `json:"sink"`
		Flows  []int  `json:"flows"`
		Ledger ledger `json:"ledger"`
	}
	role struct {
		Threads int   `json:"threads"`
		Pinned  []int `json:"pinned"`
	}
	ledger struct {
		Valid       bool  `json:"valid"`
		Sent        int64 `json:"sent_msgs"`
		Received    int64 `json:"received_msgs"`
		Unexplained int64 `json:"unexplained_msgs"`
	}
	look struct {
		Trials   int     `json:"trials"`
		ElapsedS float64 `json:"elapsed_s"`
		Fraction float64 `json:"fraction"`
		Alpha    float64 `json:"alpha"`
		Decided  bool    `json:"decided"`
	}
	end struct {
		Type   string    `json:"type"`
		Ended  time.Time `json:"ended"`
		Reason string    `json:"reason"`
		Looks  []look    `json:"looks"`
	}
)

// The schedule of every simulated run.
const (
	sliceLength = 25 * time.Millisecond
	settle      = 5 * time.Millisecond
	setup       = 100 * time.Millisecond
	message     = 1000 // bytes
	// perSlice is what the baseline receives in the counted part of a slice: 4
	// Gbit/s.
	perSlice = 10e6
)

var began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// A run is what a world drew: all that its file is made of.
type run struct {
	id         string
	seed       uint64
	started    time.Time
	arms       int
	trials     int
	blocks     int
	resolution float64
	metric     string
	gate       map[string]float64
	// log gives what is added to the logarithm of a slice's rate, and lost the
	// share of its messages that are lost; at is the time since the run began.
	log, lost func(trial, arm int, at time.Duration) float64
	distance  func(at time.Duration) float64 // ns, of a canary; nil = there is none
	order     func(n int) []int
}

func (r *run) trialLength() time.Duration {
	return setup + time.Duration(r.arms*r.blocks)*sliceLength
}

func (r *run) armName(i int) string {
	if i == 0 {
		return "base"
	}
	return fmt.Sprint("arm", i)
}

// write writes the run file. Its one look was taken when time was up, at all of
// alpha.
func (r *run) write(w io.Writer) error {
	e := json.NewEncoder(w)
	length := time.Duration(r.trials) * r.trialLength()
	d := design{Name: "audit", Question: "What is the effect?", Baseline: r.armName(0), Metrics: []string{r.metric}, Confidence: 0.95,
		Resolution: r.resolution, Width: 0.05, MaxTimeS: length.Seconds(), Gate: r.gate}
	protocol := "tcp"
	if r.metric == "loss" {
		protocol = "udp"
	}
	for i := range r.arms {
		d.Arms = append(d.Arms, arm{r.armName(i), "stream", protocol, message, 1, "loopback"})
	}
	if err := e.Encode(header{
		Type: "header", Schema: "netab/run/1", ID: r.id, Scenario: map[string]any{"name": d.Name}, Source: "builtin:audit", Design: d,
		Plan: map[string]any{"grain": "slice", "reason": "simulated", "slice_ns": sliceLength, "settle_ns": settle, "blocks_per_trial": r.blocks},
		Seed: r.seed, Netab: map[string]any{"version": "audit", "semantics": 1}, Command: []string{"audit"}, Started: r.started,
		Machine: map[string]any{"hostname": "audit", "boot_id": "boot-1", "kernel": "6.18.0", "kernel_build": "#1", "arch": "x86_64",
			"cpu_model": "simulated", "cpus_online": 2, "cpus_online_list": "0-1", "threads_per_core": 1, "sockets": 1, "numa_nodes": 1,
			"clocksource": "tsc", "irq_time_accounting": "no"},
	}); err != nil {
		return err
	}
	for i := range r.trials {
		if err := e.Encode(r.trial(i)); err != nil {
			return err
		}
	}
	return e.Encode(end{"end", r.started.Add(length), "max-time", []look{{r.trials, length.Seconds(), 1, 0.05, false}}})
}

func (r *run) trial(i int) trial {
	begins := time.Duration(i)*r.trialLength() + setup/2
	t := trial{Type: "trial", Index: i, Started: r.started.Add(begins), SetupNS: int64(setup / 2), TeardownNS: int64(setup / 2),
		RunNS: int64(r.trialLength() - setup), Order: r.order(r.arms), Host: map[string]any{"cpus": []int{}}}
	for a := range r.arms {
		t.Arms = append(t.Arms, armTrial{Arm: a, Source: role{1, []int{0}}, Sink: role{1, []int{1}}, Flows: []int{},
			Ledger: ledger{Valid: r.metric == "loss"}})
	}
	at := time.Duration(0)
	for block := range r.blocks {
		for _, a := range r.order(r.arms) {
			sent := int64(perSlice / message * math.Exp(r.log(i, a, begins+at)))
			received := sent - int64(math.Round(float64(sent)*r.lost(i, a, begins+at)))
			s := slice{Block: block, Arm: a, StartNS: int64(at), CountedNS: int64(sliceLength - settle), RxBytes: received * message, RxMsgs: received,
				TxBytes: sent * message, TxMsgs: sent, SourceCPU: int64(sliceLength - settle), SinkCPU: int64(sliceLength-settle) * 6 / 10}
			if r.distance != nil {
				s.Canaries = &canaries{r.distance(begins + at), 0, 1}
			}
			if l := &t.Arms[a].Ledger; l.Valid {
				l.Sent, l.Received, l.Unexplained = l.Sent+sent, l.Received+received, l.Unexplained+sent-received
			}
			t.Slices = append(t.Slices, s)
			at += sliceLength
		}
	}
	return t
}
