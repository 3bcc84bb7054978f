package agent

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGreet: an agent and a runner of different builds say so before anything is
// set up, whichever of them is the older.
func TestGreet(t *testing.T) {
	newer := Greeting{protocol + 1}
	for name, tt := range map[string]struct {
		hello method
		says  string // "" = welcome
		errno unix.Errno
	}{
		"same build":                       {hello: get(func(g Greeting) (Greeting, error) { return welcome(g, nil) })},
		"without sysfs":                    {hello: get(func(g Greeting) (Greeting, error) { return welcome(g, unix.EPERM) }), says: "operation not permitted", errno: unix.EPERM},
		"agent is newer":                   {hello: get(func(Greeting) (Greeting, error) { return newer, nil }), says: "speaks version 2 of their protocol, this one version 1"},
		"agent is newer and without sysfs": {hello: get(func(Greeting) (Greeting, error) { return newer, unix.EPERM }), says: "speaks version 2"},
		"agent from before greetings":      {hello: do(func(Nothing) error { return nil }), says: "speaks version 0"},
		"runner is newer":                  {hello: get(func(Greeting) (Greeting, error) { return welcome(newer, unix.EPERM) }), says: "speaks version 2"},
		"runner from before greetings":     {hello: get(func(Greeting) (Greeting, error) { return welcome(Greeting{}, nil) }), says: "speaks version 0"},
	} {
		t.Run(name, func(t *testing.T) {
			c, hangUp := talk(t, map[string]method{"Hello": tt.hello})
			defer hangUp()
			a := &Agent{client: c, ctx: t.Context()}
			err := a.greet()
			if tt.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want a line with %q", err, tt.says)
			}
			if errors.Is(err, unix.EPERM) != (tt.errno == unix.EPERM) {
				t.Errorf("%v: only without a sysfs of its own may an agent go on", err)
			}
		})
	}
}
