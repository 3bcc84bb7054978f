package why

import (
	"strings"
	"testing"
)

// stacks, the innermost function first, as the kernels named have them.
var stacks = []struct {
	kernel, stack, context, category, function string
}{
	{"6.18", "rep_movs_alternative copyin _copy_from_iter tcp_sendmsg_locked tcp_sendmsg sock_write_iter vfs_write ksys_write do_syscall_64", "task", "data copy", "rep_movs_alternative"},
	{"6.18", "_raw_spin_unlock_irqrestore try_to_wake_up default_wake_function sock_def_readable tcp_data_ready tcp_rcv_established tcp_v4_do_rcv tcp_v4_rcv ip_local_deliver __netif_receive_skb_one_core process_backlog __napi_poll net_rx_action handle_softirqs do_softirq __local_bh_enable_ip __dev_queue_xmit ip_finish_output2 tcp_sendmsg do_syscall_64",
		"net_rx", "scheduling and wake-ups", "try_to_wake_up"},
	{"6.18", "native_write_msr x2apic_send_IPI ttwu_queue_wakelist try_to_wake_up sock_def_readable udp_queue_rcv_one_skb", "task", "drivers and IPIs", "native_write_msr"},
	{"6.18", "kmem_cache_free skb_attempt_defer_free tcp_recvmsg_locked tcp_recvmsg inet_recvmsg sock_recvmsg __sys_recvfrom do_syscall_64", "task", "memory", "kmem_cache_free"},
	{"6.18", "skb_release_data consume_skb __sys_recvfrom do_syscall_64", "task", "skb management", "skb_release_data"},
	{"6.18", "_raw_spin_lock_bh lock_sock_nested tcp_sendmsg do_syscall_64", "task", "locks", "_raw_spin_lock_bh"},
	{"6.18", "nft_do_chain nft_do_chain_inet nf_hook_slow ip_local_deliver net_rx_action handle_softirqs do_softirq", "net_rx", "TCP/IP", "nft_do_chain"},
	{"6.18", "[bpf] bpf_trace_run1 __traceiter_softirq_entry handle_softirqs do_softirq __dev_queue_xmit", "net_rx", "BPF and measuring", "[bpf]"},
	{"6.18", "[bpf] cls_bpf_classify __tcf_classify tc_run sch_handle_egress __dev_queue_xmit ip_finish_output2 udp_sendmsg", "task", "netdevice", "cls_bpf_classify"},
	{"6.18", "update_process_times tick_nohz_handler hrtimer_interrupt __sysvec_apic_timer_interrupt sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt tcp_sendmsg", "irq", "scheduling and wake-ups", "update_process_times"},
	{"6.18", "sched_balance_softirq handle_softirqs irq_exit_rcu sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt", "sched", "scheduling and wake-ups", "sched_balance_softirq"},
	{"6.18", "rcu_do_batch rcu_core handle_softirqs run_ksoftirqd smpboot_thread_fn kthread", "rcu", "scheduling and wake-ups", "rcu_do_batch"},
	{"6.18", "entry_SYSRETQ_unsafe_stack", "task", "entry", "entry_SYSRETQ_unsafe_stack"},
	{"6.18", "veth_xmit dev_hard_start_xmit __dev_queue_xmit ip_finish_output2", "task", "netdevice", "veth_xmit"},
	{"6.1", "copy_user_enhanced_fast_string copyin _copy_from_iter tcp_sendmsg_locked", "task", "data copy", "copy_user_enhanced_fast_string"},
	{"6.1", "__skb_datagram_iter skb_copy_datagram_iter udp_recvmsg inet_recvmsg __sys_recvfrom", "task", "data copy", "__skb_datagram_iter"},
	{"6.1", "tcp_ack tcp_rcv_established tcp_v4_do_rcv tcp_v4_rcv process_backlog __napi_poll net_rx_action __do_softirq do_softirq", "net_rx", "TCP/IP", "tcp_ack"},
	{"6.12", "queued_spin_lock_slowpath _raw_spin_lock __udp_enqueue_schedule_skb udp_queue_rcv_one_skb", "task", "locks", "queued_spin_lock_slowpath"},
	{"6.12", "my_new_function_of_nobody tcp_sendmsg", "task", "other", "my_new_function_of_nobody"},
	{"", "", "task", "user space", "user space"},
	{"", "memset", "task", "other", "memset"},
}

// TestCategories holds the rules to named stacks, so that "other" swallows nothing and
// a rule that is put before another is seen.
func TestCategories(t *testing.T) {
	for _, test := range stacks {
		stack := strings.Fields(test.stack)
		category, function := categorize(stack)
		if context := Context(stack); context != test.context || category != test.category || function != test.function {
			t.Errorf("%s: %.60s:\n%s, %s, %s; want %s, %s, %s", test.kernel, test.stack, context, category, function, test.context, test.category, test.function)
		}
	}
}

func TestRules(t *testing.T) {
	r, err := parseRules(ruleText)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, category := range r.of {
		seen[category] = true
	}
	if len(seen) != 11 {
		t.Errorf("%d categories: %v", len(seen), seen)
	}
	for text, want := range map[string]string{"a b\n": "line 1: a rule before", "x:\na\ny:\nb a\n": `line 4: "a" is of x already`} {
		if _, err := parseRules(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
