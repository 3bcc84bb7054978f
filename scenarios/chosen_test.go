package scenarios

import (
	"slices"
	"strings"
	"testing"
)

const six = "matrix: {traffic.message: [64, 1K, 4K], rps: {path: knobs.device.lo.rps_cpus, levels: {off: none, on: all}}}\n"

func chosenOf(t *testing.T, src string) ([]string, string, error) {
	t.Helper()
	s, err := Parse("x.yaml", []byte(src))
	if err != nil {
		return nil, "", err
	}
	arms, err := Expand(s, CPUs{Online: []int{0, 1}})
	var names []string
	for _, a := range arms {
		names = append(names, a.Name)
	}
	if plain, err2 := Unplaced(s); err == nil && (err2 != nil || len(plain) != len(arms)) {
		t.Errorf("%d arms without places, %d with: %v", len(plain), len(arms), err2)
	}
	return names, s.BaselineArm(arms), err
}

func TestOnly(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"arms: {a: , b: , c: }\nonly: [c]", "a c"},
		{"arms: {a: , b: , c: }\nonly: [c, b]\nbaseline: b", "b c"},
		{"arms: {a: , b: , c: }\nonly: [a]", "a"},
		{six + "only: [rps=on]", "message=64,rps=off message=64,rps=on message=1K,rps=on message=4K,rps=on"},
		{six + "only: ['message=1K,rps=on', message=64]", "message=64,rps=off message=64,rps=on message=1K,rps=on"},
	} {
		names, _, err := chosenOf(t, tt.src)
		if got := strings.Join(names, " "); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.src, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ src, want string }{
		{"arms: {a: , b: }\nonly: [d]", `"d" is no arm`},
		{six + "only: [message=65]", `"message=65" is no arm, nor what some have in common`},
		{"arms: {a: {kernel: /k}, b: {kernel: /l}}\nonly: [a]", "the arms name kernels"},
	} {
		if _, _, err := chosenOf(t, tt.src); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.src, err, tt.want)
		}
	}
}

// Shards hold every arm once and the baseline each, whatever their number, the same ones
// every time.
func TestShards(t *testing.T) {
	all, base, err := chosenOf(t, six)
	if err != nil {
		t.Fatal(err)
	}
	for of := 2; of <= 5; of++ {
		var seen []string
		for part := 1; part <= of; part++ {
			names, baseline, err := chosenOf(t, six+"shard: "+Shard{part, of}.String())
			if err != nil || names[0] != base || baseline != base {
				t.Fatalf("%d of %d: %v, %v", part, of, names, err)
			}
			if n := len(names) - 1; n < 5/of || n > 5/of+1 {
				t.Errorf("%d of %d has %d arms", part, of, n)
			}
			seen = append(seen, names[1:]...)
		}
		if !slices.Equal(seen, all[1:]) {
			t.Errorf("%d shards hold %v", of, seen)
		}
	}
	if names, _, err := chosenOf(t, six+"only: [rps=on]\nshard: 2/3"); err != nil || strings.Join(names, " ") != "message=64,rps=off message=1K,rps=on" {
		t.Errorf("of some arms: %v, %v", names, err)
	}
	for _, tt := range []struct{ src, want string }{
		{"shard: 0/3", "there is no part 0 of 3"}, {"shard: 4/3", "there is no part 4 of 3"}, {"shard: 1/1", "is all of it"}, {"shard: half", "no part of several"},
		{"shard: -1/3", "there is no part -1"}, {"shard: 1/6", "5 arms are compared with message=64,rps=off, too few for 6 parts"},
	} {
		if _, _, err := chosenOf(t, six+tt.src); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.src, err, tt.want)
		}
	}
}
