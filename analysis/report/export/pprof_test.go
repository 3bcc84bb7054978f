package export

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"netab/results"
	"netab/results/vocab"
)

// TestPprof: what is written is read again, each stack once an arm, with its labels.
func TestPprof(t *testing.T) {
	run := &results.Run{Header: results.Header{ID: "r", Design: results.Design{Name: "s", Arms: []results.Arm{{Name: "off"}, {Name: "sink"}}}}}
	if err := Pprof(&bytes.Buffer{}, run); err == nil || !strings.Contains(err.Error(), "netab explain") {
		t.Errorf("a run without samples: %v", err)
	}
	stacks := []results.SampleStack{{Arm: 1, Frames: []int{2, 1, 0}, N: 3}, {Arm: 0, N: 2}}
	s := &results.Samples{Role: vocab.SourceTime, EveryNS: 500, Functions: []string{"handle_softirqs", "net_rx_action", "tcp_ack\n"}, Stacks: stacks}
	run.Explains = []results.Explain{{Samples: s}, {Samples: s}, {Samples: s, Invalid: "late"}, {}}
	var b, again bytes.Buffer
	if err := Pprof(&b, run); err != nil {
		t.Fatal(err)
	}
	if err := Pprof(&again, run); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("the same run is not the same bytes: %v", err)
	}
	p, err := profile.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Sample) != 2 || len(p.SampleType) != 2 || p.SampleType[1].Type != "cpu" {
		t.Fatalf("%v", p)
	}
	for i, want := range []struct {
		arm, context, leaf string
		n                  int64
	}{{"off", "task", "user space", 4}, {"sink", "net_rx", "tcp_ack", 6}} {
		x := p.Sample[i]
		leaf := x.Location[0].Line[0].Function.Name
		if x.Label["arm"][0] != want.arm || x.Label["role"][0] != "source" || x.Label["context"][0] != want.context || !strings.HasPrefix(leaf, want.leaf) || x.Value[0] != want.n || x.Value[1] != 500*want.n {
			t.Errorf("%v %v %s, want %+v", x.Label, x.Value, leaf, want)
		}
	}
	// Of cycles nobody knows the time.
	s.EveryNS = 0
	b.Reset()
	if err := Pprof(&b, run); err != nil {
		t.Fatal(err)
	}
	if p, err = profile.Parse(&b); err != nil || len(p.SampleType) != 1 {
		t.Errorf("%v: %v", p.SampleType, err)
	}
}
