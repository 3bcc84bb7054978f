package translate

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/scenarios"
)

// said is a translation as its settings, without what the host makes of the topology.
func said(t *Translation) string {
	var out []string
	for _, f := range t.Flags {
		text := f.Text
		if f.Path != "" {
			text = f.Path + "=" + f.Text
		}
		if text != "topology=veth" {
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

// An optionCase is one option: what the line comes to with it, if it is mapped.
type optionCase struct {
	option string
	fate   Fate
	want   string
}

func checkOptions(t *testing.T, before string, cases []optionCase) {
	t.Helper()
	for _, tt := range cases {
		line := strings.TrimSpace(before + " " + tt.option)
		got, err := Line(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		accounted := false
		for _, p := range got.Parts {
			if p.Text == "" {
				t.Errorf("%s: nothing is said of %q", line, p.Typed)
			}
			words := append([]string{""}, strings.Fields(tt.option)...)
			if p.Fate == tt.fate && (strings.Contains(p.Typed, words[len(words)-1]) || strings.Contains(tt.option, p.Typed)) {
				accounted = true
			}
		}
		if !accounted {
			t.Errorf("%s: not %s: %+v", line, tt.fate, got.Parts)
		}
		if tt.fate == Mapped && !strings.Contains(" "+said(got)+" ", " "+tt.want+" ") {
			t.Errorf("%s: comes to %q, want %q in it", line, said(got), tt.want)
		}
		if (len(got.Refused()) > 0) != (tt.fate == Refused) {
			t.Errorf("%s: refused %+v", line, got.Refused())
		}
		if len(got.Refused()) == 0 {
			if s, err := scenarios.ParseTyped(got.Flags); err != nil {
				t.Errorf("%s: %s: %v", line, said(got), err)
			} else if _, err := scenarios.Expand(s, scenarios.CPUs{Online: []int{0, 1}}); err != nil {
				t.Errorf("%s: %s: %v", line, said(got), err)
			}
		}
	}
}

func TestIperf3(t *testing.T) {
	checkOptions(t, "iperf3 -c H", []optionCase{
		{"", Mapped, "traffic=tcp traffic.message=128K"},
		{"-u", Mapped, "traffic=udp traffic.message=1448 traffic.rate=1Mbit/s"},
		{"-u -b 1G -l 1400 -P 4", Mapped, "traffic=udp traffic.message=1400 traffic.flows=4 traffic.rate=4Gbit/s"},
		{"-u -b 0", Mapped, "traffic=udp traffic.message=1448"},
		{"-u -b 10M/8", Mapped, "traffic.rate=10Mbit/s traffic.burst=8"},
		{"-b 1G", Mapped, "traffic.rate=1Gbit/s"},
		{"--bitrate=2G", Mapped, "traffic.rate=2Gbit/s"},
		{"-l 64K", Mapped, "traffic.message=64K"}, {"--length=64K", Mapped, "traffic.message=64K"},
		{"--len 64K", Mapped, "traffic.message=64K"},
		{"-P 8", Mapped, "traffic.flows=8"}, {"-t 20", Mapped, "measure.max_time=20s"},
		{"-n 10G", Mapped, "measure.max_bytes=10G"}, {"-k 1K", Mapped, "measure.max_messages=1024"},
		{"-R", Mapped, "traffic.direction=reverse"}, {"--bidir", Mapped, "traffic.direction=both"},
		{"-w 4M", Mapped, "traffic.receive_buffer=4M traffic.send_buffer=4M"},
		{"-C bbr", Mapped, "traffic.congestion=bbr"}, {"-M 1200", Mapped, "traffic.mss=1200"}, {"-N", Mapped, "traffic.nodelay=on"},
		{"-4", Mapped, "topology.family=ipv4"}, {"-6", Mapped, "topology.family=ipv6"},
		{"-S 0x20", Mapped, "traffic.tos=0x20"}, {"--dscp 46", Mapped, "traffic.tos=184"}, {"--dscp ef", Mapped, "traffic.tos=ef"},
		{"-u -b 0 -l 1400 --dont-fragment", Mapped, "traffic.dont_fragment=on"},
		{"-Z", Mapped, "traffic.source=sendfile"}, {"--skip-rx-copy", Mapped, "traffic.sink.truncate=on"},
		{"--fq-rate 500M", Mapped, "traffic.pacing_rate=500M"},
		{"-u -b 0 --gsro", Mapped, "traffic.source.segment=1448"},
		{"-A 0,1", Mapped, "placement.source=0 placement.sink=1"}, {"-A 0", Refused, ""},
		{"--pacing-timer 1000", Moot, ""}, {"-O 2", Moot, ""}, {"-i 0.1", Moot, ""}, {"-J", Moot, ""}, {"--json-stream", Moot, ""}, {"-f m", Moot, ""}, {"-V", Moot, ""},
		{"-d", Moot, ""}, {"--debug=4", Moot, ""}, {"--logfile x", Moot, ""}, {"--forceflush", Moot, ""}, {"--timestamps", Moot, ""}, {"-T x", Moot, ""},
		{"--extra-data x", Moot, ""}, {"--get-server-output", Moot, ""}, {"-p 5201", Moot, ""}, {"--cport 1", Moot, ""}, {"--connect-timeout 9", Moot, ""},
		{"--rcv-timeout 9", Moot, ""}, {"--snd-timeout 9", Moot, ""}, {"-I x", Moot, ""}, {"--udp-counters-64bit", Moot, ""}, {"--repeating-payload", Moot, ""},
		{"-B 1.2.3.4", Refused, ""}, {"--bind-dev e", Refused, ""}, {"-F x", Refused, ""}, {"-L 1", Refused, ""}, {"--sctp", Refused, ""}, {"-X a", Refused, ""},
		{"--nstreams 2", Refused, ""}, {"-m", Mapped, "traffic.mptcp=on"}, {"--username x", Refused, ""}, {"--rsa-public-key-path x", Refused, ""}, {"-s", Refused, ""}, {"-D", Refused, ""}, {"-1", Refused, ""},
		{"--bogus", Refused, ""}, {"-q", Refused, ""}, {"stray", Refused, ""}, {"-l", Refused, ""}, {"-t 0", Refused, ""}, {"-b fast", Refused, ""}, {"-P 0", Refused, ""}, {"-u -Z", Refused, ""},
		{"-uR", Mapped, "traffic.direction=reverse"},
	})
}

func TestNetperf(t *testing.T) {
	checkOptions(t, "netperf -H H", []optionCase{
		{"", Mapped, "traffic=TCP_STREAM traffic.message=16K"},
		{"-t TCP_STREAM -l 30 -- -m 65536", Mapped, "traffic=TCP_STREAM traffic.message=64K"},
		{"-t TCP_MAERTS", Mapped, "traffic=TCP_MAERTS"}, {"-t TCP_SENDFILE -- -m 131072", Mapped, "traffic=TCP_SENDFILE traffic.message=128K"},
		{"-t UDP_STREAM", Mapped, "traffic=UDP_STREAM traffic.message=65507"}, {"-t UDP_STREAM -- -m 1472", Mapped, "traffic=UDP_STREAM traffic.message=1472"},
		{"-t TCP_RR -- -r 1,1", Mapped, "traffic=TCP_RR traffic.message=1 traffic.response=1"}, {"-t tcp_rr -- -r 64", Mapped, "traffic.message=64 traffic.response=64"},
		{"-t TCP_RR -- -b 16", Mapped, "traffic.depth=17"}, {"-t TCP_CRR", Mapped, "traffic=TCP_CRR"}, {"-t STREAM_STREAM -H localhost", Mapped, "traffic=STREAM_STREAM"},
		{"-t OMNI -- -d send -T tcp", Mapped, "traffic=TCP_STREAM"}, {"-t OMNI -- -d recv", Mapped, "traffic=TCP_MAERTS"}, {"-t OMNI -- -d rr -T udp", Mapped, "traffic=UDP_RR"},
		{"-t OMNI -- -c", Mapped, "traffic=TCP_CRR"}, {"-t OMNI -- -d recv -T udp -m 100", Mapped, "traffic.direction=reverse"},
		{"-t SCTP_STREAM", Refused, ""}, {"-t OMNI -- -T sctp", Refused, ""}, {"-t OMNI -- -d both", Refused, ""},
		{"-l 30", Mapped, "measure.max_time=30s"}, {"-t TCP_RR -l -1000", Mapped, "measure.max_messages=1000"},
		{"-T 0,1", Mapped, "placement.source=0 placement.sink=1"}, {"-T 1", Mapped, "placement.source=1 placement.sink=1"}, {"-T ,1", Refused, ""},
		{"-I 99,5", Mapped, "measure.confidence=99% measure.width=2.5%"}, {"-I 95", Mapped, "measure.confidence=95% measure.width=2.5%"}, {"-I 99,x", Refused, ""},
		{"-4", Mapped, "topology.family=ipv4"}, {"-6", Mapped, "topology.family=ipv6"}, {"-H h,6", Mapped, "topology.family=ipv6"},
		{"-Y 0x20", Mapped, "traffic.tos=0x20"}, {"-Y EF,EF", Mapped, "traffic.tos=ef"}, {"-Y EF,CS1", Refused, ""}, {"-y 1", Refused, ""},
		{"-c", Moot, ""}, {"-C", Moot, ""}, {"-i 10,3", Moot, ""}, {"-D 1", Moot, ""}, {"-a 8", Moot, ""}, {"-A 8", Moot, ""}, {"-o 8", Moot, ""}, {"-O 8", Moot, ""}, {"-W 3", Moot, ""},
		{"-j", Moot, ""}, {"-N", Moot, ""}, {"-S", Moot, ""}, {"-s 2", Moot, ""}, {"-f m", Moot, ""}, {"-v 2", Moot, ""}, {"-P 0", Moot, ""}, {"-d", Moot, ""}, {"-B x", Moot, ""},
		{"-k x", Moot, ""}, {"-K x", Moot, ""}, {"-p 12865", Moot, ""}, {"-L x", Moot, ""}, {"-n 2", Moot, ""}, {"-Z x", Moot, ""},
		{"-b 9", Refused, ""}, {"-w 10ms", Refused, ""}, {"-F x", Refused, ""}, {"-x", Refused, ""}, {"stray", Refused, ""},
		{"-- -s 1M -S 1M", Mapped, "traffic.receive_buffer=1M traffic.send_buffer=1M"}, {"-- -s 1m", Mapped, "traffic.receive_buffer=1000000 traffic.send_buffer=1000000"}, {"-- -s 1M,2M", Refused, ""}, {"-- -s x", Refused, ""},
		{"-- -M 64K", Mapped, "traffic.sink.read=64K"}, {"-- -D", Mapped, "traffic.nodelay=on"}, {"-- -K cubic,cubic", Mapped, "traffic.congestion=cubic"}, {"-- -K cubic,bbr", Refused, ""},
		{"-- -G 1200", Mapped, "traffic.mss=1200"}, {"-- -C", Refused, ""}, {"-- -k THROUGHPUT,LOCAL_CPU_UTIL", Moot, ""}, {"-- -o x", Moot, ""}, {"-- -O x", Moot, ""},
		{"-- -P 1,2", Moot, ""}, {"-- -H x", Moot, ""}, {"-- -L x", Moot, ""}, {"-- -h", Moot, ""}, {"-- -N", Moot, ""}, {"-- -u x", Moot, ""}, {"-- -R 1", Moot, ""}, {"-- -6", Mapped, "topology.family=ipv6"},
		{"-- -z", Refused, ""}, {"-- stray", Refused, ""},
	})
	for line, want := range map[string]string{
		"super_netperf 8 -H h -t TCP_RR": "traffic=TCP_RR traffic.flows=8",
		"iperf3 -c H -l64K -uR -b0":      "traffic=udp traffic.message=64K traffic.direction=reverse",
		"tcp_stream -H H --num_flows=4":  "traffic=TCP_STREAM traffic.message=16K traffic.flows=4 traffic.threads=1",
		"netperf":                        "topology=loopback traffic=TCP_STREAM traffic.message=16K",
	} {
		if got, err := Line(line); err != nil || said(got) != want {
			t.Errorf("%s: %q, %v; want %q", line, said(got), err, want)
		}
	}
	if got, err := Line("super_netperf -H h"); err != nil || len(got.Refused()) == 0 {
		t.Errorf("super_netperf without a number: %+v, %v", got, err)
	}
}

func TestNeper(t *testing.T) {
	checkOptions(t, "tcp_stream -c -H H", []optionCase{
		{"", Mapped, "traffic=TCP_STREAM traffic.message=16K"},
		{"--num-flows 100 --num-threads 2 -l 20", Mapped, "traffic.flows=100 measure.max_time=20s traffic.threads=2"}, {"--num-flows=4", Mapped, "traffic.flows=4 traffic.threads=1"},
		{"-F 4 -T 4", Mapped, "traffic.threads=4"}, {"-B 1K", Mapped, "traffic.message=1K"}, {"-m 125M", Mapped, "traffic.pacing_rate=1G"},
		{"-4", Mapped, "topology.family=ipv4"}, {"-6", Mapped, "topology.family=ipv6"}, {"-Z", Mapped, "traffic.source.zerocopy=on"}, {"--enable-tcp-maerts", Mapped, "traffic.direction=reverse"},
		{"--skip-rx-copy", Mapped, "traffic.sink.truncate=on"}, {"-z", Mapped, "traffic.sink=tcp-zerocopy"}, {"-r", Mapped, "traffic.direction=both"}, {"--split-bidir", Mapped, "traffic.direction=both"},
		{"-I 0.1", Moot, ""}, {"-A", Moot, ""}, {"--iostat-ms 1", Moot, ""}, {"--discard 1", Moot, ""}, {"--wait-start 1", Moot, ""}, {"-s 1", Moot, ""}, {"-C 1", Moot, ""}, {"-P 1", Moot, ""},
		{"--source-port 1", Moot, ""}, {"--num-ports 2", Moot, ""}, {"--listen-backlog 2", Moot, ""}, {"--maxevents 2", Moot, ""}, {"--magic 2", Moot, ""}, {"-U", Moot, ""}, {"-N", Moot, ""}, {"-S", Moot, ""},
		{"-d", Moot, ""}, {"--logtostderr", Moot, ""}, {"--nolog", Moot, ""}, {"-n", Moot, ""}, {"--nonblocking", Moot, ""}, {"--optimistic", Moot, ""}, {"--freebind", Moot, ""}, {"--time-wait", Moot, ""},
		{"--async-connect", Moot, ""}, {"-w", Moot, ""}, {"-E", Moot, ""}, {"-R", Moot, ""}, {"--throughput-opt Mb", Moot, ""},
		{"--num-clients 2", Refused, ""}, {"--busywait 5", Refused, ""}, {"--mark 1", Refused, ""}, {"-L x", Refused, ""}, {"-X", Refused, ""}, {"-t 5", Refused, ""}, {"-D 5", Refused, ""}, {"--bogus", Refused, ""},
	})
	checkOptions(t, "tcp_rr -c -H H", []optionCase{
		{"", Mapped, "traffic=TCP_RR"}, {"-Q 1 -R 4096", Mapped, "traffic.message=1 traffic.response=4K"}, {"-p 50,99", Moot, ""}, {"-B 64K", Moot, ""}, {"-l -100", Mapped, "measure.max_messages=100"},
		{"-F 64 -T 4", Mapped, "traffic.threads=4"}, {"-D 5", Refused, ""}, {"--noburst 5", Refused, ""},
	})
	checkOptions(t, "tcp_crr -c -H H", []optionCase{{"--num-flows 16", Mapped, "traffic=TCP_CRR traffic.flows=16"}, {"-T 2", Moot, ""}})
	checkOptions(t, "udp_stream -c -H H", []optionCase{{"--num-flows 4 --buffer-size 1200", Mapped, "traffic=UDP_STREAM traffic.message=1200 traffic.flows=4"}, {"", Mapped, "traffic.message=1400"}})
	checkOptions(t, "udp_rr -c -H H", []optionCase{{"--num-flows 8", Mapped, "traffic=UDP_RR traffic.flows=8"}})
}

func TestSockperf(t *testing.T) {
	checkOptions(t, "sockperf ping-pong -i H", []optionCase{
		{"-t 10 -m 64", Mapped, "traffic=UDP_RR traffic.message=64"}, {"--tcp", Mapped, "traffic=TCP_RR"}, {"--mps 1000 -m 64", Mapped, "traffic.rate=1k"}, {"--mps max", Mapped, "traffic=UDP_RR"},
		{"--mps 1000 -b 4", Mapped, "traffic.burst=4"}, {"--lls 50", Mapped, "traffic.sink.busy_poll=50us"}, {"--tos 32", Mapped, "traffic.tos=32"}, {"--buffer-size 1M", Mapped, "traffic.receive_buffer=1M traffic.send_buffer=1M"},
		{"--sender-affinity 0", Mapped, "placement.source=0"}, {"--tcp --tcp-avoid-nodelay", Mapped, "traffic.nodelay=off"},
		{"--receiver-affinity 0", Moot, ""}, {"--full-rtt", Moot, ""}, {"--giga-size", Moot, ""}, {"--increase_output_precision", Moot, ""}, {"--full-log x", Moot, ""}, {"-a 1", Moot, ""}, {"-A 1", Moot, ""}, {"-d", Moot, ""},
		{"--dontwarmup", Moot, ""}, {"--pre-warmup-wait 1", Moot, ""}, {"--no-rdtsc", Moot, ""}, {"-p 1", Moot, ""}, {"--client_port 1", Moot, ""}, {"--client_ip x", Moot, ""}, {"--srv-num 1", Moot, ""}, {"--timeout 1", Moot, ""},
		{"-F e", Moot, ""}, {"--uc-reuseaddr", Moot, ""}, {"--daemonize", Moot, ""}, {"--recv_looping_num 2", Moot, ""},
		{"-r 10", Refused, ""}, {"-f x", Refused, ""}, {"--nonblocked", Refused, ""}, {"--data-integrity", Refused, ""}, {"--mc-rx-if x", Refused, ""}, {"--mc-loopback-enable", Refused, ""}, {"--vmazcopyread", Refused, ""}, {"--rate-limit 1", Refused, ""},
		{"--tcp-skip-blocking-send", Refused, ""}, {"--bogus", Refused, ""},
	})
	checkOptions(t, "sockperf throughput -i H", []optionCase{{"--tcp -m 1400", Mapped, "traffic=TCP_STREAM traffic.message=1400"}, {"--nonblocked", Mapped, "traffic.sink.wait=spin"}, {"-m 64 --data-integrity", Mapped, "traffic.verify=on"}})
	checkOptions(t, "sockperf under-load -i H", []optionCase{
		{"--mps 10000 -m 200 --reply-every 1", Mapped, "traffic=UDP_RR traffic.message=200 traffic.rate=10k"}, {"-m 64", Mapped, "traffic.rate=10k"}, {"--reply-every 100", Refused, ""}})
	checkOptions(t, "sockperf", []optionCase{{"playback -i H --data-file x", Refused, ""}, {"server", Refused, ""}})
}

func TestNuttcp(t *testing.T) {
	checkOptions(t, "nuttcp", []optionCase{
		{"H", Mapped, "traffic=tcp traffic.message=64K"}, {"-T10 H", Mapped, "measure.max_time=10s"}, {"-T2m H", Mapped, "measure.max_time=2m"}, {"-u H", Mapped, "traffic=udp traffic.message=1K"},
		{"-u -Ri100m/100 H", Mapped, "traffic.rate=100Mbit/s traffic.burst=100"}, {"-u -R10000pps H", Mapped, "traffic.rate=10k"}, {"-u -R500 H", Mapped, "traffic.rate=500kbit/s"}, {"-u -N2 -R1g H", Mapped, "traffic.rate=1Gbit/s"},
		{"-N4 H", Mapped, "traffic.flows=4"}, {"-w1m H", Mapped, "traffic.receive_buffer=1M traffic.send_buffer=1M"}, {"-w64 H", Mapped, "traffic.receive_buffer=64K traffic.send_buffer=64K"}, {"-ws1m H", Mapped, "traffic.receive_buffer=1M"},
		{"-l8K H", Mapped, "traffic.message=8K"}, {"-n1000 H", Mapped, "measure.max_messages=1000"}, {"-n1g H", Mapped, "measure.max_bytes=1G"}, {"-M1200 H", Mapped, "traffic.mss=1200"}, {"-D H", Mapped, "traffic.nodelay=on"},
		{"-c46 H", Mapped, "traffic.tos=184"}, {"-c32t H", Mapped, "traffic.tos=32"}, {"-B H", Mapped, "traffic.sink.low_water=64K traffic.sink.read=64K"}, {"-r H", Mapped, "traffic.direction=reverse"}, {"-4 H", Mapped, "topology.family=ipv4"}, {"-6 H", Mapped, "topology.family=ipv6"},
		{"-xc0/1 H", Mapped, "placement.source=0 placement.sink=1"},
		{"-t H", Moot, ""}, {"-F H", Moot, ""}, {"-i1 H", Moot, ""}, {"-Ix H", Moot, ""}, {"-vv H", Moot, ""}, {"-b H", Moot, ""}, {"-fparse H", Moot, ""}, {"-d H", Moot, ""}, {"-p1 H", Moot, ""}, {"-P1 H", Moot, ""}, {"-a H", Moot, ""}, {"-wb H", Moot, ""},
		{"--disable-v4-mapped H", Moot, ""}, {"-m4 H", Refused, ""}, {"-s H", Refused, ""}, {"-S", Refused, ""}, {"-1", Refused, ""}, {"-xP5 H", Refused, ""}, {"-xt H", Refused, ""}, {"-q H", Refused, ""},
	})
}

func TestUDPSink(t *testing.T) {
	checkOptions(t, "udp_sink", []optionCase{
		{"", Mapped, "traffic=UDP_STREAM traffic.message=18"}, {"--recvmmsg", Mapped, "traffic.sink=recvmmsg"}, {"--recvmmsg --batch 8", Mapped, "traffic.sink.batch=8"}, {"--read", Mapped, "traffic.sink=read"}, {"--recvmsg", Mapped, "traffic.sink=recvmsg"},
		{"--recvfrom", Mapped, "traffic.sink=recvfrom"}, {"--recv", Mapped, "traffic.sink=recv"}, {"--reuse-port", Mapped, "traffic.sink.socket=reuseport"}, {"--use-bpf", Mapped, "traffic.sink.socket=reuseport-cpu"}, {"--connect", Mapped, "traffic.sink.socket=connected"},
		{"--dont-wait", Mapped, "traffic.sink.wait=spin"}, {"-4", Mapped, "topology.family=ipv4"}, {"--ipv6", Mapped, "topology.family=ipv6"},
		{"--count 5", Moot, ""}, {"--repeat 5", Moot, ""}, {"--port 9", Moot, ""}, {"--verbose", Moot, ""},
		{"--recv --read", Refused, ""}, {"--lite", Refused, ""}, {"--check-pktgen", Refused, ""}, {"--timestamp", Refused, ""}, {"--bogus", Refused, ""},
	})
}

// TestSwitchers: the command lines that people come with. All but those that say so
// themselves are translated, and are a scenario.
func TestSwitchers(t *testing.T) {
	lines := Switchers(t)
	ok := 0
	for _, line := range lines {
		command, no := strings.CutSuffix(line, " -> no")
		got, err := Line(command)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if len(got.Refused()) > 0 {
			if !no {
				t.Errorf("%s: %+v", line, got.Refused())
			}
			continue
		}
		if _, err := scenarios.ParseTyped(got.Flags); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		ok++
	}
	if ok < 40 || len(lines) != 44 {
		t.Errorf("%d of %d lines are translated, want 40 of 44", ok, len(lines))
	}
}

// Switchers are the lines of testdata/switchers.txt.
func Switchers(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/switchers.txt")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		`a b  c`:             {"a", "b", "c"},
		`a 'b c' "d e" f\ g`: {"a", "b c", "d e", "f g"},
		`a ''`:               {"a", ""},
	} {
		if got, err := Split(line); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	for _, line := range []string{"a | b", "a > b", "a $X", "a 'b"} {
		if got, err := Split(line); err == nil {
			t.Errorf("%s: %q", line, got)
		}
	}
	for _, line := range []string{"", "iperf -c x", "ping x"} {
		if _, err := Line(line); err == nil {
			t.Errorf("%s: no error", line)
		}
	}
}
