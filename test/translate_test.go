package test

import (
	"os"
	"strings"
	"testing"

	"netab/test/need"
)

// TestSwitchers: command lines of people who come from other tools are planned on this
// machine, and a few of them measured; all of them in bench/soak.sh (envLong).
func TestSwitchers(t *testing.T) {
	need.Root(t)
	text, err := os.ReadFile("../cmd/netab/translate/testdata/switchers.txt")
	if err != nil {
		t.Fatal(err)
	}
	long := os.Getenv(envLong) != ""
	few := []string{"netperf -H HOST -t TCP_RR -- -r 128,8192 -b 16", "iperf3 -c HOST -u -b 1G -l 1400", "iperf3 -c HOST -M 1200", "iperf3 -c HOST -S 0x20", "nuttcp -B HOST"}
	sandboxed(t, hostNetwork, func(t *testing.T) {
		p := newPlace(t)
		ok, n := 0, 0
		for line := range strings.Lines(string(text)) {
			line, no := strings.CutSuffix(strings.TrimSpace(line), " -> no")
			if strings.HasPrefix(line, "#") {
				continue
			}
			n++
			translated, err := p.command("translate", line).Output()
			if no {
				if err == nil {
					t.Errorf("%s: translated: %s", line, translated)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			command, _, _ := strings.Cut(string(translated), "\n")
			// Whatever it says of time, 0.2 s are enough here.
			how := " --dry-run"
			for _, one := range few {
				if long || one == line {
					how = " --set measure.slice=10ms --set measure.trial=100ms --max-time 200ms --quiet"
				}
			}
			cmd := p.command()
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", command + how}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v\n%s", line, command, err, out)
				continue
			}
			ok++
		}
		if n != 44 || ok < 40 {
			t.Errorf("%d of %d lines, want 40 of 44", ok, n)
		}
	})
}
