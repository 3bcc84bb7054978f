package pktgen

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fixture(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestParse(t *testing.T) {
	const us = time.Microsecond
	for name, want := range map[string]Status{
		"ipv4-done": {Packets: 100000, Started: 623913381008 * us, Stopped: 623913396439 * us, Idle: 25 * us,
			Result: "OK: 15430(c15405+d25) usec, 100000 (60byte,0frags)\n  6480562pps 3110Mb/sec (3110669760bps) errors: 0"},
		"ipv4-old": {Packets: 100000, Started: 409540069 * us, Stopped: 424989620 * us, Idle: 12551 * us,
			Result: "OK: 15449550(c15436999+d12551) nsec, 100000 (600byte,0frags)\n 6472pps 31Mb/sec (31065600bps) errors: 0"},
		"ipv6-running": {Packets: 18446744, Errors: 17, Started: 8001 * us, Stopped: 9123456 * us, Idle: 70 * us, Result: "Starting"},
	} {
		got, err := parse(fixture(t, name))
		if diff := cmp.Diff(want, got); diff != "" || err != nil || got.Failed() != nil {
			t.Errorf("%s: %v, %v (-want +got):\n%s", name, err, got.Failed(), diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := fixture(t, "ipv4-done")
	for want, change := range map[string][2]string{
		`no "Current:"`:                        {"Current:", "current:"},
		`no "Result:"`:                         {"Result:", "result:"},
		`no "pkts-sofar"`:                      {"pkts-sofar", "packets"},
		`"-1" is not a number`:                 {"pkts-sofar: 100000", "pkts-sofar: -1"},
		`"25ms" is not a number of us`:         {"25us", "25ms"},
		`idle: 9223372036854776 us are out of`: {"25us", "9223372036854776us"},
	} {
		_, err := parse(strings.ReplaceAll(good, change[0], change[1]))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, result := range []string{"Error starting", "No memory", `No such parameter "x"`} {
		s, err := parse(strings.Replace(good, "OK: 15430", result, 1))
		if err != nil || s.Failed() == nil || !strings.HasPrefix(s.Failed().Error(), result) {
			t.Errorf("%s: %v, %v", result, err, s.Failed())
		}
	}
}

func TestRunning(t *testing.T) {
	text := fixture(t, "thread")
	for name, want := range map[string]bool{"veth-source@1": true, "eth4@1": true, "eth5@1": false, "eth4": false, "OK:": false} {
		if running(text, name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"ipv4-done", "ipv4-old", "ipv6-running", "thread"} {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, text string) {
		running(text, "va@1")
		s, err := parse(text)
		if err == nil && (s.Packets < 0 || s.Errors < 0 || s.Started < 0 || s.Stopped < 0 || s.Idle < 0) {
			t.Errorf("%+v", s)
		}
	})
}
