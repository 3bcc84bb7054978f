package results

import (
	"reflect"
	"testing"
)

func TestDescriptionHash(t *testing.T) {
	d := Description{"traffic.protocol": "tcp", "topology.mtu": "1500", "knobs.sysctl.net/core/rmem_max": "1"}
	with := func(path, value string) Description {
		out := Description{path: value}
		for k, v := range d {
			if k != path {
				out[k] = v
			}
		}
		return out
	}
	for _, tt := range []struct {
		name                   string
		other                  Description
		sameHash, sameQuestion bool
	}{
		{"the same", with("topology.mtu", "1500"), true, true},
		{"another MTU", with("topology.mtu", "9000"), false, false},
		{"a fact more", with("traffic.nodelay", "on"), false, false},
		{"another knob", with("knobs.sysctl.net/core/rmem_max", "2"), false, true},
		{"a knob more", with("knobs.governor", "performance"), false, true},
		{"none", nil, false, false},
	} {
		if got := tt.other.Hash() == d.Hash(); got != tt.sameHash {
			t.Errorf("%s: same hash %v", tt.name, got)
		}
		if got := tt.other.Question() == d.Question(); got != tt.sameQuestion {
			t.Errorf("%s: same question %v", tt.name, got)
		}
	}
	if (Description{}).Hash() != "" || (Description{}).Question() != "" {
		t.Error("no description has a hash")
	}
	// Stores and records hold hashes: another one for the same is a change of the
	// format.
	if got := d.Question(); got != "082baa85bfc2f41e" {
		t.Errorf("hash %s is not what it was", got)
	}
}

func TestDifferences(t *testing.T) {
	got := Differences(Description{"a": "1", "b": "1"}, Description{"a": "1", "b": "2"}, Description{"a": "1", "b": "1", "c": "3"})
	want := []Difference{{"b", []string{"1", "2", "1"}}, {"c", []string{"", "", "3"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Differences(Description{"a": "1"}, Description{"a": "1"}); len(got) != 0 {
		t.Errorf("of the same: %v", got)
	}
}
