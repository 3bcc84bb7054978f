package traffic

import (
	"testing"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/test/need"
)

// TestHeaderOptions: what scenarios set of segments and headers is what the sockets of
// both ends have, and what TCP makes of it.
func TestHeaderOptions(t *testing.T) {
	get := func(t *testing.T, fd, level, which int) int {
		t.Helper()
		v, err := unix.GetsockoptInt(fd, level, which)
		must(t, err)
		return v
	}
	for _, v6 := range []bool{false, true} {
		tos, discover := [2]int{unix.IPPROTO_IP, unix.IP_TOS}, [3]int{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO}
		if v6 {
			tos, discover = [2]int{unix.IPPROTO_IPV6, unix.IPV6_TCLASS}, [3]int{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO}
		}
		s := openFlows(t, Config{Kind: vocab.Stream, Protocol: vocab.TCP, IPv6: v6, Message: 4096, MSS: 1200, TOS: 0x20}, 1)
		for _, e := range s.endpoints {
			if got := get(t, e.fd, tos[0], tos[1]); got != 0x20 {
				t.Errorf("IPv6 %v: TOS %#x", v6, got)
			}
			if got := tcpInfo(e.fd)["mss"]; got > 1200 || got < 1100 {
				t.Errorf("IPv6 %v: segments of %d, want 1200 less options", v6, got)
			}
		}
		s = openFlows(t, Config{Kind: vocab.Stream, Protocol: vocab.UDP, IPv6: v6, Message: 100, TOS: 184, DontFragment: true}, 1)
		for _, e := range s.endpoints {
			if got := get(t, e.fd, tos[0], tos[1]); got != 184 {
				t.Errorf("IPv6 %v: TOS %d over udp", v6, got)
			}
			if got := get(t, e.fd, discover[0], discover[1]); got != discover[2] {
				t.Errorf("IPv6 %v: MTU discovery %d, want %d", v6, got, discover[2])
			}
		}
	}
}

func TestSinkBuffer(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    Config
		want int
	}{
		{"of tcp whatever the message", Config{Kind: vocab.Stream, Protocol: vocab.TCP, Message: 64}, tcpReceive},
		{"as asked", Config{Kind: vocab.Stream, Protocol: vocab.TCP, Message: 64, Sink: Path{Read: 16 << 10}}, 16 << 10},
		{"of udp a message", Config{Kind: vocab.Stream, Protocol: vocab.UDP, Message: 64}, 64},
	} {
		if got := tt.c.sinkBuffer(1); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestSchedule: the threads of a role have its policy, and those of the other do not.
func TestSchedule(t *testing.T) {
	c := Config{Kind: vocab.Stream, Protocol: vocab.UDP, Message: 100, Source: Path{Policy: "batch", Nice: 5}, Sink: Path{Policy: "idle"}}
	s := openFlows(t, c, 1)
	for _, w := range s.workers {
		got, err := unix.SchedGetAttr(w.thread.tid, 0)
		must(t, err)
		if want := map[bool]uint32{false: unix.SCHED_BATCH, true: unix.SCHED_IDLE}[w.sink]; got.Policy != want || !w.sink && got.Nice != 5 {
			t.Errorf("sink %v: policy %d, nice %d", w.sink, got.Policy, got.Nice)
		}
	}
	if caps := c.Capabilities(); len(caps) != 0 {
		t.Errorf("capabilities %v for what anybody may", caps)
	}
	need.Root(t)
	c = Config{Kind: vocab.Stream, Protocol: vocab.UDP, Message: 100, Source: Path{Nice: -3}, Sink: Path{Policy: "fifo"}}
	s = openFlows(t, c, 1)
	for _, w := range s.workers {
		got, err := unix.SchedGetAttr(w.thread.tid, 0)
		must(t, err)
		if w.sink && (got.Policy != unix.SCHED_FIFO || got.Priority != 1) || !w.sink && got.Nice != -3 {
			t.Errorf("sink %v: policy %d, priority %d, nice %d", w.sink, got.Policy, got.Priority, got.Nice)
		}
	}
	if caps := c.Capabilities(); len(caps) != 1 || caps[0] != unix.CAP_SYS_NICE {
		t.Errorf("capabilities %v", caps)
	}
}

// TestMPTCP: a flow of it moves what is sent, and both ends speak it: on one that fell
// back to TCP the kernel knows no MPTCP_INFO.
func TestMPTCP(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		need.Missing(t, "MPTCP in the kernel", "boot one with CONFIG_MPTCP, and sysctl net.mptcp.enabled=1")
	}
	unix.Close(fd)
	for _, sink := range []string{"recv", "read", "splice"} {
		config := Config{Kind: vocab.Stream, Protocol: vocab.TCP, Message: 64 << 10, MPTCP: true, Congestion: "cubic", NoDelay: true, Sink: Path{Call: sink}}
		retry(t, func(t *testing.T, by stretch) string {
			l := newLedger(t)
			s := openFlows(t, config, 1)
			for _, e := range s.endpoints {
				if got, err := unix.GetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || got != unix.IPPROTO_MPTCP {
					t.Errorf("protocol %d, %v", got, err)
				}
			}
			windows := by.shortRun(2)
			r, ok := runs(t, s, windows)
			if !ok {
				return "late"
			}
			return checkReport(t, l, config, 1, windows, r, nil)
		})
	}
}
