package traffic

import (
	"testing"

	"netab/results/vocab"
)

func TestIdleSleep(t *testing.T) {
	const text = "cpu: 0\n  .idle_entrytime : 12 nsecs\n  .idle_sleeptime : 19736957 nsecs\ncpu: 1\n  .idle_sleeptime:    43 nsecs\n"
	if n, err := idleSleep([]byte(text)); err != nil || n != 19737000 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "  .idle_sleeptime : x nsecs\n"} {
		if n, err := idleSleep([]byte(bad)); err == nil {
			t.Errorf("%q: %d", bad, n)
		}
	}
}

func TestNetCounters(t *testing.T) {
	got := netCounters([]byte("Tcp: InSegs OutSegs\nTcp: 5 7\nUdp: InDatagrams\nUdp: 3\nTorn: a b\nTorn: 1\n"))
	if len(got) != 3 || got["Tcp.InSegs"] != 5 || got["Tcp.OutSegs"] != 7 || got["Udp.InDatagrams"] != 3 {
		t.Errorf("%v", got)
	}
}

func TestTakesTurns(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    Config
		want bool
	}{
		{"datagrams", Config{Kind: vocab.Stream, Protocol: vocab.UDP}, true},
		{"segments", Config{Kind: vocab.Stream, Protocol: vocab.UDP, Source: Path{Segment: 1472}, Sink: Path{GRO: true}}, true},
		{"a stream, whose source waits", Config{Kind: vocab.Stream, Protocol: vocab.TCP}, false},
		{"answers", Config{Kind: vocab.RR, Protocol: vocab.UDP}, false},
		{"a shared socket", Config{Kind: vocab.Stream, Protocol: vocab.UDP, Sink: Path{Socket: "shared"}}, false},
		{"a sink that spins", Config{Kind: vocab.Stream, Protocol: vocab.UDP, Sink: Path{Spin: true}}, false},
	} {
		if got := tt.c.TakesTurns(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
