package export

import (
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

func TestFolded(t *testing.T) {
	run := &results.Run{Header: results.Header{Design: results.Design{Arms: []results.Arm{{Name: "a;b"}, {Name: "sink"}}}}}
	if err := Folded(&strings.Builder{}, run); err == nil || !strings.Contains(err.Error(), "netab explain") {
		t.Errorf("a run without samples: %v", err)
	}
	stacks := []results.SampleStack{{Arm: 1, Frames: []int{1, 0}, N: 3}, {Arm: 0, N: 2}}
	s := &results.Samples{Role: vocab.SourceTime, Functions: []string{"do_syscall_64", "tcp_sendmsg\n"}, Stacks: stacks}
	run.Explains = []results.Explain{{Samples: s}, {Samples: s}, {Samples: s, Invalid: "late"}, {}}
	var b strings.Builder
	if err := Folded(&b, run); err != nil {
		t.Fatal(err)
	}
	if want := "a,b;source;user space 4\nsink;source;do_syscall_64;tcp_sendmsg 6\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
