package scenarios

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

func TestGate(t *testing.T) {
	const file = "arms: {a: , b: {traffic: {message: 64}}}\ngate: {goodput: 2%, loss: 0.001}\n"
	s, err := ParseWith("g.yaml", []byte(file), []string{"gate.goodput=3%", "gate.rpc.latency_p99=10%"})
	if err != nil {
		t.Fatal(err)
	}
	want := Gate{"goodput": 0.03, "loss": 0.001, "rpc.latency_p99": 0.1}
	if !maps.Equal(s.Gate, want) {
		t.Errorf("gate %v, want %v", s.Gate, want)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse("back.yaml", text)
	if err != nil || !maps.Equal(back.Gate, want) {
		t.Errorf("as JSON and back: %v, %v", back, err)
	}
	coarse, err := Override(s, "gate.goodput=9%")
	if err != nil || coarse.Gate["goodput"] != 0.09 || s.Gate["goodput"] != 0.03 {
		t.Errorf("override: %v, %v; the original has %v", coarse, err, s.Gate)
	}
}

func TestGateFaults(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"gate: {goodput: 3}", "g.yaml:1:17: gate.goodput: 3 is not below 1; 3% for percent?"},
		{"gate: {goodput: -1%}", "gate.goodput: -1% is not between 0 and 1"},
		{"gate: {goodput: 1%, goodput: 2%}", `"goodput" is given twice`},
		{"gate: {goodput: {a: 1}}", "gate.goodput is a mapping here"},
	} {
		_, err := Parse("g.yaml", []byte(tt.src))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.src, err, tt.want)
		}
	}
}
