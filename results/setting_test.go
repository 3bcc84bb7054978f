package results

import "testing"

func TestTook(t *testing.T) {
	for _, tt := range []struct {
		knob, asked, after string
		read               ReadBack
		want               bool
	}{
		{"sysctl net.ipv4.tcp_rmem", "4096 131072 6291456", "4096\t131072\t6291456", "", true},
		{"sysctl net.core.busy_poll", "1", "2", "", false},
		{"lo rx-0 rps_cpus", "1", "00000002", "", true},
		{"lo rx-0 rps_cpus", "0-1", "3", "", true},
		{"lo rx-0 rps_cpus", "0,1", "0-1", "", true},
		{"lo rx-0 rps_cpus", "", "00", "", true},
		{"lo rx-0 rps_cpus", "32,33", "00000003,00000000", "", true},
		{"lo rx-0 rps_cpus", "f", "0000000f", "", true},
		{"lo rx-0 rps_cpus", "0-3", "7", "", false},
		{"eth0 offload gro", "on", "off", "", false},
		{"lo rx-0 rps_flow_cnt", "1000", "1024", AsAsked, true}, // the kernel takes powers of two
		{"lo rx-0 rps_flow_cnt", "1000", "1000", Different, false},
	} {
		if got := (Setting{Knob: tt.knob, Asked: tt.asked, After: tt.after, ReadBack: tt.read}).Took(); got != tt.want {
			t.Errorf("%s: %q read back as %q: took = %v, want %v", tt.knob, tt.asked, tt.after, got, tt.want)
		}
	}
}

func FuzzTook(f *testing.F) {
	f.Add("0,2-4", "0000001d")
	f.Add("", "0")
	f.Fuzz(func(t *testing.T, asked, got string) {
		if !(Setting{Knob: "rps_cpus", Asked: asked, After: asked}).Took() {
			t.Errorf("%q is not itself", asked)
		}
		_ = Setting{Knob: "rps_cpus", Asked: asked, After: got}.Took()
	})
}
