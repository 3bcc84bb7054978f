package results

import "strings"

// pathSysctls are the settings, below /proc/sys, that can move a measurement
// of the network path: everything that a tuning guide touches. Keys are left
// out on purpose (net/core/netdev_rss_key, net/ipv4/tcp_fastopen_key).
var pathSysctls = []string{
	// The softirq's budget and queues.
	"net/core/netdev_budget", "net/core/netdev_budget_usecs", "net/core/dev_weight",
	"net/core/dev_weight_rx_bias", "net/core/dev_weight_tx_bias",
	"net/core/netdev_max_backlog", "net/core/gro_normal_batch", "net/core/skb_defer_max",
	"net/core/busy_poll", "net/core/busy_read", "net/core/netdev_tstamp_prequeue", "net/core/tstamp_allow_data",
	"net/core/rps_sock_flow_entries", "net/core/rps_default_mask",
	"net/core/flow_limit_cpu_bitmap", "net/core/flow_limit_table_len",
	"net/core/default_qdisc", "net/core/txrehash",
	// Memory of sockets.
	"net/core/rmem_default", "net/core/rmem_max", "net/core/wmem_default", "net/core/wmem_max",
	"net/core/optmem_max", "net/core/mem_pcpu_rsv", "net/core/high_order_alloc_disable", "net/core/max_skb_frags",
	"net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem", "net/ipv4/tcp_mem", "net/ipv4/tcp_moderate_rcvbuf",
	"net/ipv4/udp_mem", "net/ipv4/udp_rmem_min", "net/ipv4/udp_wmem_min",
	// TCP's behaviour.
	"net/ipv4/tcp_congestion_control", "net/ipv4/tcp_slow_start_after_idle", "net/ipv4/tcp_timestamps",
	"net/ipv4/tcp_sack", "net/ipv4/tcp_window_scaling", "net/ipv4/tcp_adv_win_scale", "net/ipv4/tcp_shrink_window",
	"net/ipv4/tcp_autocorking", "net/ipv4/tcp_limit_output_bytes", "net/ipv4/tcp_notsent_lowat",
	"net/ipv4/tcp_min_tso_segs", "net/ipv4/tcp_tso_rtt_log", "net/ipv4/tcp_tso_win_divisor",
	"net/ipv4/tcp_pacing_ca_ratio", "net/ipv4/tcp_pacing_ss_ratio", "net/ipv4/tcp_backlog_ack_defer",
	"net/ipv4/tcp_comp_sack_nr", "net/ipv4/tcp_comp_sack_delay_ns", "net/ipv4/tcp_ecn", "net/ipv4/tcp_mtu_probing",
	"net/ipv4/tcp_no_metrics_save", "net/ipv4/tcp_rto_min_us", "net/ipv4/tcp_recovery",
	// The way of a packet.
	"net/ipv4/ip_early_demux", "net/ipv4/tcp_early_demux", "net/ipv4/udp_early_demux",
	"net/ipv4/ip_forward", "net/ipv4/conf/all/rp_filter", "net/netfilter/nf_conntrack_max",
	"net/bridge/bridge-nf-call-iptables",
	// eBPF.
	"net/core/bpf_jit_enable", "net/core/bpf_jit_harden", "kernel/bpf_stats_enabled", "kernel/unprivileged_bpf_disabled",
	// The scheduler and what interrupts it.
	"kernel/sched_autogroup_enabled", "kernel/sched_rt_runtime_us", "kernel/sched_rt_period_us",
	"kernel/sched_schedstats", "kernel/sched_cfs_bandwidth_slice_us", "kernel/sched_energy_aware",
	"kernel/sched_min_granularity_ns", "kernel/sched_wakeup_granularity_ns", "kernel/sched_migration_cost_ns", // to 5.12
	"kernel/numa_balancing", "kernel/timer_migration", "kernel/nmi_watchdog", "kernel/soft_watchdog",
	"kernel/watchdog_thresh", "kernel/watchdog_cpumask",
	"kernel/perf_event_paranoid", "kernel/perf_cpu_time_max_percent", "kernel/perf_event_max_sample_rate",
	"kernel/ftrace_enabled", "kernel/stack_tracer_enabled", "kernel/io_uring_disabled",
	"vm/stat_interval", "vm/zone_reclaim_mode", "vm/compaction_proactiveness",
}

// readSysctls reads those of pathSysctls that this kernel has and lets us
// read, by their dotted names.
func readSysctls(files Files) map[string]string {
	all := make(map[string]string, len(pathSysctls))
	for _, path := range pathSysctls {
		data, err := files.ReadFile("/proc/sys/" + path)
		if err != nil {
			continue
		}
		// None of these names has a dot in one of its parts.
		all[strings.ReplaceAll(path, "/", ".")] = strings.Join(strings.Fields(string(data)), " ")
	}
	return all
}
