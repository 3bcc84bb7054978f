package sample

import (
	"math/rand/v2"

	"netab/results"
	"netab/results/vocab"
)

// path is who called whom, the outermost first, and what of a context's samples it had
// in the baseline and in another arm.
type path struct {
	context  string
	calls    []string
	from, to float64
}

// explainedPaths are a source's whose sink is woken by an interrupt of its own instead of
// by the source's softirq.
var explainedPaths = []path{
	{"task", []string{"entry_SYSCALL_64_after_hwframe", "do_syscall_64", "__x64_sys_sendto", "tcp_sendmsg", "tcp_sendmsg_locked", "_copy_from_iter", "rep_movs_alternative"}, 0.55, 0.57},
	{"task", []string{"entry_SYSCALL_64_after_hwframe", "do_syscall_64", "__x64_sys_sendto", "tcp_sendmsg", "tcp_sendmsg_locked", "sk_page_frag_refill", "alloc_pages_mpol"}, 0.15, 0.15},
	{"task", []string{"entry_SYSCALL_64_after_hwframe", "do_syscall_64", "__x64_sys_sendto", "tcp_sendmsg", "tcp_sendmsg_locked", "tcp_write_xmit", "ip_queue_xmit"}, 0.20, 0.19},
	{"task", []string{"entry_SYSCALL_64_after_hwframe", "do_syscall_64", "__x64_sys_sendto", "tcp_sendmsg", "release_sock", "_raw_spin_lock_bh"}, 0.07, 0.06},
	{"task", nil, 0.03, 0.03},
	{"net_rx", []string{"do_softirq", "handle_softirqs", "net_rx_action", "__napi_poll", "process_backlog", "tcp_v4_rcv", "tcp_rcv_established", "tcp_ack"}, 0.45, 0.20},
	{"net_rx", []string{"do_softirq", "handle_softirqs", "net_rx_action", "__napi_poll", "process_backlog", "tcp_v4_rcv", "tcp_rcv_established", "sock_def_readable", "try_to_wake_up"}, 0.40, 0},
	{"net_rx", []string{"do_softirq", "handle_softirqs", "net_rx_action", "net_rps_send_ipi", "x2apic_send_IPI", "native_write_msr"}, 0, 0.62},
	{"net_rx", []string{"do_softirq", "handle_softirqs", "net_rx_action", "__napi_poll", "process_backlog", "__netif_receive_skb_one_core"}, 0.15, 0.18},
	{"irq", []string{"asm_sysvec_apic_timer_interrupt", "sysvec_apic_timer_interrupt", "hrtimer_interrupt", "update_process_times"}, 1, 1},
}

// Explained is a run of a world with explain trials behind it: its source is busy, and
// needs for a KiB what contexts says, ns, in the baseline and in every other arm.
func Explained(w World, trials int) *results.Run {
	run := w.Run()
	contexts := map[string][2]float64{"task": {87.5, 81.7}, "net_rx": {62.8, 42.2}, "irq": {1.2, 0.8}}
	rng := rand.New(rand.NewPCG(w.Seed, 4))
	const slice, cost, every = 20e6, 4.0, 500_000
	for i := range trials {
		x := results.Explain{Index: i, Started: worldStart, Instrument: vocab.Accounting}
		var samples *results.Samples
		number := map[string]int{}
		if i%2 == 1 {
			x.Instrument = vocab.Sampling
			samples = &results.Samples{Role: vocab.SourceTime, CPUs: []int{1}, EveryNS: every}
		}
		for arm := range w.Design.Arms {
			side := min(arm, 1)
			had := results.ExplainCPU{CPU: 1, Arm: arm, NS: map[vocab.Owner]map[string]int64{vocab.SourceTime: {}, vocab.IdleTime: {"net_rx": int64(1e6 * (1 + 40*side))}}}
			for block := range 18 {
				s := results.ExplainSlice{Block: block, Arm: arm, CountedNS: slice, Between: block == 11}
				need := 0.0
				for _, c := range []string{"irq", "net_rx", "task"} {
					need += contexts[c][side]
				}
				need *= 1 + 0.004*rng.NormFloat64()
				on := samples != nil || block < 11
				if on {
					need += cost
				}
				kib := 0.97 * slice / need
				s.RxBytes, s.SourceCPU, s.SinkCPU = int64(1024*kib), 0.97*slice, 0.6*slice
				if on {
					s.Source = &results.RoleTime{NS: map[string]int64{}, Events: map[string]int64{"task": int64(0.02 * kib)}}
					s.Sink = &results.RoleTime{NS: map[string]int64{"task": int64(40 * kib), "net_rx": int64((10 + 20*float64(side)) * kib)}}
					for _, c := range []string{"irq", "net_rx", "task"} {
						s.Source.NS[c] = int64(contexts[c][side] * kib)
					}
					s.Source.NS["task"] += int64(cost * kib)
					had.CountedNS += slice
					for c, ns := range s.Source.NS {
						had.NS[vocab.SourceTime][c] += ns
					}
				}
				x.Slices = append(x.Slices, s)
			}
			x.CPUs = append(x.CPUs, had)
			if samples == nil {
				continue
			}
			for _, p := range explainedPaths {
				share := []float64{p.from, p.to}[side]
				n := share * float64(had.NS[vocab.SourceTime][p.context]) / every
				if n = n * (1 + 0.02*rng.NormFloat64()); n < 1 {
					continue
				}
				var frames []int
				for j := len(p.calls) - 1; j >= 0; j-- {
					name := p.calls[j]
					if _, known := number[name]; !known {
						number[name] = len(samples.Functions)
						samples.Functions = append(samples.Functions, name)
					}
					frames = append(frames, number[name])
				}
				samples.Stacks = append(samples.Stacks, results.SampleStack{Arm: arm, Frames: frames, N: int64(n)})
			}
		}
		x.Samples = samples
		run.Explains = append(run.Explains, x)
	}
	return run
}

// Widened is a world whose arms have effects, as many as there are.
func Widened(w World) World {
	for i := len(w.effects); i < len(w.Design.Arms); i++ {
		w.effects, w.lottery = append(w.effects, 0.001*float64(i)), append(w.lottery, false)
	}
	w.Trials, w.Blocks = 6, 4
	return w
}
