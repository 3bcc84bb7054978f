package agent

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// talk serves methods to a client over two pipes.
func talk(t *testing.T, methods map[string]method) (c *client, hangUp func()) {
	t.Helper()
	requests, out := io.Pipe()
	in, answers := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- serve(requests, answers, methods); answers.Close() }()
	hangUp = func() {
		out.Close()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	return newClient(in, out), hangUp
}

func TestWire(t *testing.T) {
	slow := make(chan bool)
	c, hangUp := talk(t, map[string]method{
		"Double": get(func(n int) (int, error) { return 2 * n, nil }),
		"Slow":   do(func(Nothing) error { <-slow; return nil }),
		"Half":   get(func(n int) (int, error) { return n / 2, unix.ENOENT }),
		"NaN":    get(func(Nothing) (float64, error) { return math.NaN(), nil }),
	})
	ask := func(method string, args any) received {
		t.Helper()
		w, err := c.send(method, args)
		if err != nil {
			t.Fatal(err)
		}
		return <-w
	}
	waiting, err := c.send("Slow", Nothing{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask("Double", 21); string(got.Value) != "42" || got.Fault != nil {
		t.Errorf("beside a call that waits: %s, %v", got.Value, got.Fault)
	}
	if got := ask("Half", 7); string(got.Value) != "3" || !errors.Is(got.Fault, unix.ENOENT) || !errors.Is(got.Fault, fs.ErrNotExist) {
		t.Errorf("a value and an error: %s, %v", got.Value, got.Fault)
	}
	for method, says := range map[string]string{"Treble": "no method Treble", "NaN": "NaN"} {
		if got := ask(method, Nothing{}); got.Fault == nil || !strings.Contains(got.Fault.Text, says) {
			t.Errorf("%s: %v, want %q", method, got.Fault, says)
		}
	}
	if got := ask("Double", "two"); got.Fault == nil {
		t.Error("arguments of another type: no error")
	}
	close(slow)
	if got := <-waiting; got.Fault != nil {
		t.Error(got.Fault)
	}
	hangUp()
}

// Who waits for an answer, and who asks afterwards, hears that there is none.
func TestWireThatEnds(t *testing.T) {
	never := make(chan bool)
	c, hangUp := talk(t, map[string]method{"Wait": do(func(Nothing) error { <-never; return nil })})
	w, err := c.send("Wait", Nothing{})
	if err != nil {
		t.Fatal(err)
	}
	hangUp()
	if _, ok := <-w; ok || !errors.Is(c.err(), io.EOF) {
		t.Errorf("an answer came, or the end has no reason: %v", c.err())
	}
	if _, err := c.send("Wait", Nothing{}); !errors.Is(err, io.EOF) {
		t.Errorf("asked after the end: %v", err)
	}
}

// Whatever comes, the agent answers or ends. (No fuzz test: the loops of package
// traffic are nosplit, and have no room for what the fuzzer adds to them.)
func TestServeBearsAnything(t *testing.T) {
	double := map[string]method{"Double": get(func(n int) (int, error) { return 2 * n, nil })}
	for in, fine := range map[string]bool{
		"":                                     true,
		`{"ID":1,"Method":"Double","Args":3}`:  true,
		"{\"ID\":1,\"Method\":\"Double\"}\n{}": true,
		`{"Method":"Double","Args":{"a":[1]}}`: true,
		`{"ID":-1}`:                            false,
		`{"ID":1,"Method":"D`:                  false,
		"{} x":                                 false,
		"\x00\xff":                             false,
		`[1,2]`:                                false,
	} {
		if err := serve(strings.NewReader(in), io.Discard, double); (err == nil) != fine {
			t.Errorf("%q: %v", in, err)
		}
	}
}
