package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixture reads a file that was captured from a 2-CPU guest, Linux 6.18.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// parsed parses a fixture.
func parsed[T any](t *testing.T, name string, parse func([]byte) (T, error)) T {
	t.Helper()
	v, err := parse(fixture(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: -want +got:\n%s", what, d)
	}
}

// pick keeps some names of a map, so that a test names what it looks at.
func pick[V any](m map[string]V, names ...string) map[string]V {
	some := make(map[string]V)
	for _, n := range names {
		if v, ok := m[n]; ok {
			some[n] = v
		}
	}
	return some
}

func TestCapturedFiles(t *testing.T) {
	softirqs := parsed(t, "softirqs", parseSoftirqs)
	diff(t, "softirqs", map[string]uint32{"NET_RX": 4848, "TIMER": 8889, "RCU": 15642}, pick(softirqs[1], "NET_RX", "TIMER", "RCU"))
	stat := parsed(t, "stat", parseStat)
	diff(t, "stat", map[int]CPUTimes{
		0: {User: 1834e7, System: 1019e7, Idle: 87272e7, IOWait: 34e7, IRQ: 0, Softirq: 11e7, Steal: 5e7},
		1: {User: 2589e7, System: 1794e7, Idle: 85364e7, IOWait: 352e7, IRQ: 0, Softirq: 53e7, Steal: 9e7},
	}, stat)
	diff(t, "softnet", []Softnet{{CPU: 0, Processed: 0x10}, {CPU: 1, Processed: 0x1883}}, parsed(t, "softnet_stat", parseSoftnet))
	diff(t, "snmp", map[string]int64{"UdpInDatagrams": 61, "UdpMemErrors": 0, "TcpMaxConn": -1, "IpOutTransmits": 4473, "IcmpMsgInType3": 1}, pick(parsed(t, "snmp", parseSNMP), "UdpInDatagrams", "UdpMemErrors", "TcpMaxConn", "IpOutTransmits", "IcmpMsgInType3"))
	netstat := parsed(t, "netstat", parseSNMP)
	diff(t, "netstat", map[string]int64{"TcpExtTW": 58, "TcpExtTCPOrigDataSent": 1772, "IpExtInOctets": 219112708, "MPTcpExtMPCapableSYNRX": 0}, pick(netstat, "TcpExtTW", "TcpExtTCPOrigDataSent", "IpExtInOctets", "MPTcpExtMPCapableSYNRX"))
	diff(t, "snmp6", map[string]int64{"Ip6InReceives": 1, "Udp6InErrors": 0, "Icmp6OutMsgs": 9}, pick(parsed(t, "snmp6", parseSNMP6), "Ip6InReceives", "Udp6InErrors", "Icmp6OutMsgs"))
	dev := parsed(t, "dev", parseDevices)
	diff(t, "dev", map[string]int64{"lo.rx_bytes": 3193, "lo.rx_dropped": 0, "eth0.rx_packets": 6262, "eth0.tx_bytes": 482466, "eth0.tx_compressed": 0}, pick(dev, "lo.rx_bytes", "lo.rx_dropped", "eth0.rx_packets", "eth0.tx_bytes", "eth0.tx_compressed"))
	diff(t, "number of devices' counters", 4*16, len(dev))
	diff(t, "schedstat", schedStat{RunNS: 34039737, WaitNS: 10066016}, parsed(t, "schedstat", parseSchedstat))
	diff(t, "status", switches{Voluntary: 82, Involuntary: 24}, parsed(t, "status", parseTaskStatus))
	diff(t, "nr_migrations", int64(17), parsed(t, "sched", parseSched))
	diff(t, "pid stat", Process{PID: 7892, Parent: 7890, Name: "cat", Started: 90425e7, CPU: 1}, parsed(t, "pid_stat", parsePIDStat))
	diff(t, "cpuinfo", map[int]float64{0: 2596.142, 1: 2596.142}, parsed(t, "cpuinfo", parseCPUInfoMHz))
}

func TestInterrupts(t *testing.T) {
	all := parsed(t, "interrupts", parseInterrupts)
	byName := make(map[string]Interrupt)
	for _, i := range all {
		byName[i.Name] = i
	}
	diff(t, "rows", 35, len(all))
	diff(t, "42", Interrupt{Name: "42", IRQ: 42, Counts: map[int]uint32{0: 0, 1: 3720},
		Detail: "PCI-MSIX-0000:00:04.0 2-edge virtio3-tx", Actions: []string{"virtio3-tx"}}, byName["42"])
	diff(t, "ERR", Interrupt{Name: "ERR", IRQ: -1, Counts: map[int]uint32{}}, byName["ERR"])
	diff(t, "RES detail", "Rescheduling interrupts", byName["RES"].Detail)

	// Shared line, arm64, an offline CPU.
	const arm = "           CPU0       CPU2       \n" +
		" 11:  150432850          1     GICv3  27 Level     arch_timer\n" +
		" 18:          0          3   IO-APIC   9-fasteoi   acpi, ehci hcd, eth0-TxRx-0\n" +
		"IPI0:      5432       1234       Rescheduling interrupts\n" +
		"Err:          0\n"
	rows, err := parseInterrupts([]byte(arm))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "actions", []string{"acpi", "ehci hcd", "eth0-TxRx-0"}, rows[1].Actions)
	diff(t, "arm", Interrupt{Name: "11", IRQ: 11, Counts: map[int]uint32{0: 150432850, 2: 1}, Detail: "GICv3 27 Level arch_timer", Actions: []string{"arch_timer"}}, rows[0])
}

// A row without counts is none that cannot be read: on one CPU arm's FIQ has as
// many columns as a row that counts.
func TestInterruptsFIQ(t *testing.T) {
	rows := parsed(t, "interrupts-fiq", parseInterrupts)
	diff(t, "rows", []Interrupt{
		{Name: "3", IRQ: 3, Counts: map[int]uint32{0: 8053}, Detail: "ARMCTRL 3 Edge BCM2708 Timer Tick", Actions: []string{"BCM2708 Timer Tick"}},
		{Name: "FIQ", IRQ: -1, Counts: map[int]uint32{}},
		{Name: "Err", IRQ: -1, Counts: map[int]uint32{0: 0}},
	}, rows)
}

// A name in parentheses can hold anything.
func TestPIDStatNames(t *testing.T) {
	text := string(fixture(t, "pid_stat"))
	_, rest, _ := strings.Cut(text, ") ")
	for _, name := range []string{"", "a b", "x) R 1 (", "(sd-pam)", "ksoftirqd/0"} {
		p, err := parsePIDStat([]byte("42 (" + name + ") " + rest))
		if err != nil || p.Name != name || p.PID != 42 {
			t.Errorf("name %q: got %q, %d, %v", name, p.Name, p.PID, err)
		}
	}
}

// Counters use all 64 bits, and some columns are signed.
func TestCounterRange(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		bad  bool
	}{
		{in: "0"}, {in: "-1", want: -1}, {in: "9223372036854775807", want: 1<<63 - 1},
		{in: "18446744073709551615", want: -1},
		{in: "18446744073709551616", bad: true}, {in: "", bad: true}, {in: "-", bad: true}, {in: "+1", bad: true}, {in: "1_0", bad: true}, {in: "0x1", bad: true},
	}
	for _, tt := range tests {
		got, err := counter(tt.in)
		if (err != nil) != tt.bad || (err == nil && got != tt.want) {
			t.Errorf("counter(%q) = %d, %v", tt.in, got, err)
		}
	}
}

// What is not understood is an error that says where, never a zero.
func TestFaults(t *testing.T) {
	tests := []struct {
		name  string
		parse func([]byte) error
		in    string
		want  string
	}{
		{"softnet", fails(parseSoftnet), "00000001 00000002\n", "line 1: 2 columns, want at least 9"},
		{"softnet", fails(parseSoftnet), strings.Repeat("00000001 ", 8) + "x\n", "line 1: column 8"},
		{"softnet over 32 bit", fails(parseSoftnet), "100000000" + strings.Repeat(" 00000001", 8) + "\n", "line 1: column 0"},
		{"softirqs", fails(parseSoftirqs), "", "line 1: no CPU columns"},
		{"softirqs", fails(parseSoftirqs), "CPU0 cpu1\n", `line 1: column "cpu1"`},
		{"softirqs", fails(parseSoftirqs), "CPU0 CPU1\nHI: 1\n", "line 2: want a name and 2 counts"},
		{"softirqs", fails(parseSoftirqs), "CPU0\nHI: x\n", "line 2: HI"},
		{"stat", fails(parseStat), "cpu  1 2 3\n", "line 1: no cpuN rows"},
		{"stat", fails(parseStat), "cpu0 1 2 3\n", "line 1: 4 columns"},
		{"stat", fails(parseStat), "cpu0 1 2 3 4 5 6 x\n", "line 1: column 7"},
		{"stat", fails(parseStat), "cpux 1 2 3 4 5 6 7\n", "line 1: cpux"},
		{"snmp", fails(parseSNMP), "Udp: A\nTcp: 1\n", "line 2: 1 values of Tcp: under 1 names of Udp:"},
		{"snmp", fails(parseSNMP), "Udp: A B\nUdp: 1\n", "line 2: 1 values of Udp: under 2 names"},
		{"snmp", fails(parseSNMP), "Udp: A\n", "line 1: names of Udp: without values"},
		{"snmp", fails(parseSNMP), "Udp: A\nUdp: x\n", "line 2: UdpA"},
		{"snmp", fails(parseSNMP), "Udp A\n", "line 1: want a protocol"},
		{"snmp6", fails(parseSNMP6), "Ip6InReceives\n", "line 1: want a name and a value"},
		{"snmp6", fails(parseSNMP6), "Ip6InReceives x\n", "line 1: Ip6InReceives"},
		{"dev", fails(parseDevices), "h\nh\nlo: 1 2\n", "line 3: lo: 2 columns, want 16"},
		{"dev", fails(parseDevices), "h\nh\nlo 1 2\n", "line 3: no colon"},
		{"dev", fails(parseDevices), "h\nh\nlo: 0 0 0 x 0 0 0 0 0 0 0 0 0 0 0 0\n", "line 3: lo.rx_dropped"},
		{"dev", fails(parseDevices), "", "header lines are missing"},
		{"schedstat", fails(parseSchedstat), "1\n", "line 1: 1 columns"},
		{"schedstat", fails(parseSchedstat), "1 x 3\n", "line 1: wait time"},
		{"status", fails(parseTaskStatus), "voluntary_ctxt_switches:\t1\n", "found 1 of the two"},
		{"status", fails(parseTaskStatus), "voluntary_ctxt_switches:\tx\n", "line 1: voluntary_ctxt_switches"},
		{"sched", fails(parseSched), "se.nr_migrations : 5\n", "no nr_migrations"}, // the first line is the name's
		{"sched", fails(parseSched), "x\nse.nr_migrations : x\n", "line 2: nr_migrations"},
		{"pid stat", fails(parsePIDStat), "1 init S\n", "no name in parentheses"},
		{"pid stat", fails(parsePIDStat), "1 (init) S 0\n", "2 fields behind the name"},
		{"pid stat", fails(parsePIDStat), ")1(", "no name in parentheses"},
		{"cpuinfo", fails(parseCPUInfoMHz), "processor : x\n", "line 1: processor"},
		{"cpuinfo", fails(parseCPUInfoMHz), "cpu MHz : 1000\n", "line 1: cpu MHz"},
		{"cpuinfo", fails(parseCPUInfoMHz), "processor : 0\ncpu MHz : NaN\n", "line 2: cpu MHz"},
		{"interrupts", fails(parseInterrupts), "", "line 1: no CPU columns"},
		{"interrupts", fails(parseInterrupts), "CPU0\nx\n", "line 2: no name"},
		{"interrupts", fails(parseInterrupts), "CPU0\n1: x\n", "line 2: 1 on CPU 0"},
	}
	for _, tt := range tests {
		err := tt.parse([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %q: error %v, want %q", tt.name, tt.in, err, tt.want)
		}
	}
}

func fails[T any](parse func([]byte) (T, error)) func([]byte) error {
	return func(data []byte) error {
		_, err := parse(data)
		return err
	}
}
