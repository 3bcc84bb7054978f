package test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"netab/runner/guest"
	"netab/test/guests"
)

// inGuest boots the binary under test as process 1 of a guest, and has it run itself.
func inGuest(t *testing.T, stream string, args ...string) (o guest.Outcome, lines []string, said string) {
	t.Helper()
	return inGuestOf(t, guests.Kernel(t), []string{"veth"}, stream, args...)
}

// inGuestOf is inGuest with another kernel and these of its modules.
func inGuestOf(t *testing.T, k guest.Kernel, modules []string, stream string, args ...string) (o guest.Outcome, lines []string, said string) {
	t.Helper()
	return inMachine(t, guest.Machine{}, 2*time.Minute, k, modules, stream, args...)
}

// inMachine is inGuestOf in another machine, with another deadline.
func inMachine(t *testing.T, m guest.Machine, deadline time.Duration, k guest.Kernel, modules []string, stream string, args ...string) (o guest.Outcome, lines []string, said string) {
	t.Helper()
	var text bytes.Buffer
	m.Program = os.Getenv(envBinary)
	o, err := m.Run(t.Context(), k, guest.Job{Args: args, Stream: stream, Deadline: deadline, Modules: modules},
		func(line []byte) error { lines = append(lines, string(line)); return nil }, &text)
	if err != nil || o.End != guest.Finished || o.Status != 0 {
		t.Fatalf("netab %s: %v, %s %s\n%s\n%s", strings.Join(args, " "), err, o.End, o.Text, text.String(), strings.Join(o.Console, "\n"))
	}
	t.Logf("netab %s: up after %v, over after %v, lacks %q", strings.Join(args, " "), o.Up.Round(time.Millisecond), o.Took.Round(time.Millisecond), o.Hello.Lacks)
	return o, lines, text.String()
}

// TestGuestRun: a run in a guest is an ordinary run, of the guest's kernel, and its
// lines arrive. TestCampaign has such runs, too, in each make test.
func TestGuestRun(t *testing.T) {
	longBoots(t)
	o, lines, said := inGuest(t, "/tmp/store/*/run.jsonl", "run", "loopback-rps", "--store", "/tmp/store", "--max-time", "4s")
	var types []string
	for i, line := range lines {
		var record struct {
			Type    string
			Machine struct {
				Kernel string
				BootID string `json:"boot_id"`
			}
			Reason string
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("line %d: %v\n%.200s", i, err, line)
		}
		types = append(types, record.Type)
		if i == 0 && (record.Machine.Kernel != o.Hello.Release || record.Machine.BootID != o.Hello.BootID) {
			t.Errorf("a run on %+v, not in the guest %+v", record.Machine, *o.Hello)
		}
	}
	if n := len(types); n < 3 || types[0] != "header" || types[1] != "trial" || types[n-1] != "end" {
		t.Errorf("lines %q\n%s", types, said)
	}
}

// TestGuestCommands: what else is asked of a guest.
func TestGuestCommands(t *testing.T) {
	longBoots(t)
	for want, args := range map[string][]string{
		"netab ":       {"version"},
		"privileges  ": {"doctor"},
	} {
		if _, lines, said := inGuest(t, "", args...); len(lines) == 0 || !strings.HasPrefix(lines[0], want) {
			t.Errorf("%q: %q\n%s", args, lines, said)
		} else {
			t.Log(strings.Join(lines, "\n"))
		}
	}
}
