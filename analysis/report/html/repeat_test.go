package html

import (
	"testing"

	"netab/results"
)

// The command of an arm is the run's own, for that arm.
func TestArmCommand(t *testing.T) {
	two := results.Design{Arms: []results.Arm{{Name: "off"}, {Name: "message=64,rps=on"}}}
	for _, tt := range []struct {
		command []string
		arm     string
		want    string
	}{
		{[]string{"/usr/bin/netab", "run", "loopback-rps"}, "sink", "netab run loopback-rps --only sink"},
		{[]string{"netab", "run", "my sweep.yaml", "--budget", "20m", "--shard", "1/3", "--only=rps=on", "--html", "x.html", "--set", "traffic.message=64"}, "message=64,rps=on",
			"netab run 'my sweep.yaml' --budget 20m --set traffic.message=64 --only message=64,rps=on"},
		{[]string{"netab", "run", "x", "--store=s"}, "it's", `netab run x --only 'it'\''s'`},
		{[]string{"netab", "calibrate"}, "a", ""},
		{nil, "a", ""},
	} {
		if got := armCommand(&results.Run{Header: results.Header{Command: tt.command, Design: two}}, tt.arm); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.command, got, tt.want)
		}
	}
	if got := armCommand(&results.Run{Header: results.Header{Command: []string{"netab", "run", "level"}}}, "level"); got != "" {
		t.Errorf("of one arm: %s", got)
	}
}
