package main

import (
	"os"
	"strings"
	"testing"

	"netab/runner/traffic"
)

// figures are texts and what a parser should find in them; -1 = an error.
type figures map[string]struct {
	text string
	want int64
}

func (f figures) check(t *testing.T, parse func(string) (int64, error)) {
	t.Helper()
	for name, tc := range f {
		got, err := parse(tc.text)
		if (err != nil) != (tc.want < 0) || err == nil && got != tc.want {
			t.Errorf("%s: got %d, %v; want %d", name, got, err, tc.want)
		}
	}
}

func TestParseRchar(t *testing.T) {
	fixture, err := os.ReadFile("testdata/proc-pid-io")
	if err != nil {
		t.Fatal(err)
	}
	figures{
		"iperf3 server": {string(fixture), 293871107},
		"not first":     {"wchar: 1\nrchar: 7\n", 7},
		"missing":       {"wchar: 1\n", -1},
		"no number":     {"rchar: x\n", -1},
		"empty":         {"", -1},
	}.check(t, parseRchar)
}

func TestParseInDatagrams(t *testing.T) {
	figures{
		"usual":      {"Ip: A B\nIp: 1 2\nUdp: InDatagrams NoPorts\nUdp: 402072 0\nUdpLite: InDatagrams\nUdpLite: 9\n", 402072},
		"not first":  {"Udp: NoPorts InDatagrams\nUdp: 3 4\n", 4},
		"no values":  {"Udp: InDatagrams NoPorts\n", -1},
		"too few":    {"Udp: NoPorts InDatagrams\nUdp: 3\n", -1},
		"no number":  {"Udp: InDatagrams\nUdp: x\n", -1},
		"other only": {"UdpLite: InDatagrams\nUdpLite: 9\n", -1},
	}.check(t, parseInDatagrams)
}

func TestParsePeak(t *testing.T) {
	figures{
		"usual":     {"Name:\tnetab\nVmPeak:\t 1300000 kB\nVmHWM:\t   20532 kB\nVmRSS:\t 9 kB\n", 20532 << 10},
		"missing":   {"VmPeak:\t 1 kB\n", -1},
		"no number": {"VmHWM: much kB\n", -1},
		"too large": {"VmHWM: 9223372036854775807 kB\n", -1},
	}.check(t, parsePeak)
}

func TestHasSocket(t *testing.T) {
	const table = "  sl  local_address rem_address   st tx_queue\n" +
		"   0: 0100007F:5209 00000000:0000 0A 00000000\n" + // 21001, listening
		"   1: 0100007F:520A 0100007F:9C40 01 00000000\n" // 21002, connected
	for _, tc := range []struct {
		protocol string
		port     int
		want     bool
	}{{"tcp", 21001, true}, {"tcp", 21002, false}, {"udp", 21002, true}, {"udp", 21003, false}, {"tcp", 0x9C40, false}} {
		if got := hasSocket(table, tc.protocol, tc.port); got != tc.want {
			t.Errorf("%s port %d: %v", tc.protocol, tc.port, got)
		}
	}
}

func TestParseBare(t *testing.T) {
	windows := []traffic.Window{{Count: 20, End: 100}, {Count: 220, End: 320}}
	got, err := parseBare(strings.NewReader("640 10\n0 0\n"), windows, bytesUnit)
	if err != nil || got[0] != (count{units: 640, ns: 80}) || got[1] != (count{units: 0, ns: 100}) {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = parseBare(strings.NewReader("640 10\n0 0\n"), windows, transactions)
	if err != nil || got[0] != (count{units: 10, ns: 80}) {
		t.Errorf("transactions: got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "640 10\n", "640\n0 0\n", "x 10\n0 0\n"} {
		if got, err := parseBare(strings.NewReader(bad), windows, bytesUnit); err == nil {
			t.Errorf("%q: got %+v and no error", bad, got)
		}
	}
}

// A figure must not come out of a text that does not have it.
func FuzzParseFigures(f *testing.F) {
	f.Add("rchar: 12\nwchar: 3\n")
	f.Add("Udp: InDatagrams NoPorts\nUdp: 402072 0\n")
	f.Add("VmHWM:\t   20532 kB\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, parse := range map[string]func(string) (int64, error){"rchar:": parseRchar, "InDatagrams": parseInDatagrams, "VmHWM:": parsePeak} {
			if n, err := parse(text); err == nil && !strings.Contains(text, name) {
				t.Errorf("%s: %d out of %q", name, n, text)
			}
		}
	})
}

func FuzzParseBare(f *testing.F) {
	f.Add("640 10\n0 0\n")
	f.Fuzz(func(t *testing.T, out string) {
		windows := make([]traffic.Window, 2)
		if counts, err := parseBare(strings.NewReader(out), windows, bytesUnit); err == nil && len(counts) != 2 {
			t.Errorf("%d counts for 2 windows", len(counts))
		}
	})
}
