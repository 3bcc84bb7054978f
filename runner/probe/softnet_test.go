package probe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSoftnet(t *testing.T) {
	// Rows as the kernels of each width print them, 9 to 15 columns and one
	// more for the future.
	const (
		cols9  = "00015c73 00000002 00000d76 00000000 00000000 00000000 00000000 00000000 00000005"
		cols10 = cols9 + " 00000007"
		cols11 = cols10 + " 00000009"
		cols13 = cols11 + " 0000000b 00000004"
		cols15 = cols11 + " 0000000b ffffffff 00000003 00000008"
	)
	base := Softnet{CPU: -1, Processed: 0x15c73, Dropped: 2, TimeSqueeze: 0xd76}
	with := func(change func(*Softnet)) Softnet {
		s := base
		change(&s)
		return s
	}
	tests := []struct {
		name, in string
		want     Softnet
	}{
		{"2.6.23, 9 columns", cols9, base},
		{"2.6.35, 10 columns", cols10, with(func(s *Softnet) { s.ReceivedRPS = 7 })},
		{"3.11, 11 columns", cols11, with(func(s *Softnet) { s.ReceivedRPS, s.FlowLimit = 7, 9 })},
		{"5.10, 13 columns", cols13, with(func(s *Softnet) { s.ReceivedRPS, s.FlowLimit, s.BacklogLen, s.CPU = 7, 9, 11, 4 })},
		{"6.4, 15 columns", strings.Replace(cols15, "ffffffff", "00000200", 1), with(func(s *Softnet) {
			s.ReceivedRPS, s.FlowLimit, s.BacklogLen, s.CPU, s.InputLen, s.ProcessLen = 7, 9, 11, 512, 3, 8
		})},
		{"a later kernel, 16 columns", strings.Replace(cols15, "ffffffff", "00000001", 1) + " 00000042", with(func(s *Softnet) {
			s.ReceivedRPS, s.FlowLimit, s.BacklogLen, s.CPU, s.InputLen, s.ProcessLen = 7, 9, 11, 1, 3, 8
		})},
	}
	for _, tt := range tests {
		got, err := parseSoftnet([]byte(tt.in + "\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff([]Softnet{tt.want}, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// Old kernels do not say whose row it is: the rows are the online CPUs' in
// their order.
func TestSoftnetByCPU(t *testing.T) {
	got := softnetByCPU([]Softnet{{CPU: -1, Processed: 1}, {CPU: -1, Processed: 2}}, []int{0, 3})
	want := map[int]Softnet{0: {CPU: 0, Processed: 1}, 3: {CPU: 3, Processed: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got = softnetByCPU([]Softnet{{CPU: 3, Processed: 2}}, []int{0, 3})
	if diff := cmp.Diff(map[int]Softnet{3: {CPU: 3, Processed: 2}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
