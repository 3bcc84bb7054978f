package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestMark(t *testing.T) {
	for _, tc := range []struct {
		w      wanted
		lo, hi float64
		want   string
	}{
		{wanted{}, 0.1, 9, "-"},
		{atLeast(0.98), 0.98, 1.2, "met"},
		{atLeast(0.98), 0.97, 0.99, "unclear"},
		{atLeast(0.98), 0.9, 0.979, "MISSED"},
		{atMost(1), 0, 1, "met"},
		{atMost(1), 1.01, 2, "MISSED"},
		{within(0.005), 0.996, 1.004, "met"},
		{within(0.005), 0.994, 1.004, "unclear"},
		{within(0.005), 1.006, 1.01, "MISSED"},
	} {
		if got := tc.w.mark(ratio{lo: tc.lo, hi: tc.hi, n: 2}); got != tc.want {
			t.Errorf("%v: [%g, %g] is %q, want %q", tc.w, tc.lo, tc.hi, got, tc.want)
		}
	}
}

func testMatch() match {
	return match{
		name:       "x",
		contenders: []entrant{{name: "slow"}, {name: "fast"}, {name: "peer"}, {name: "gone", missing: "install gone"}},
		ratios: []comparison{
			{"x/peer", []string{"slow", "fast"}, []string{"peer", "gone"}, atLeast(2)},
			{"x/gone", []string{"slow"}, []string{"gone"}, atLeast(1)},
		},
		limits: []limit{{"x/objects", "fast", 1000, "objects", func(o outcome) float64 { return float64(o.allocated) }, true}},
	}
}

func TestJudge(t *testing.T) {
	all := testMatch()
	there := all.withoutMissing().contenders
	if len(there) != 3 {
		t.Fatalf("%d contenders take part, want 3: %+v", len(there), there)
	}
	rates := [][]float64{{1, 3, 2}, {1, 3, 2}}
	trials := [][]outcome{{{}, {allocated: 10, messages: 7}, {}}, {{}, {allocated: 1500, messages: 9}, {}}}
	var out bytes.Buffer
	for _, r := range all.judge(there, trials, rates) {
		r.print(&out)
	}
	want := []string{
		"x/peer 1.500 1.500 1.500 2 >=2 MISSED fast / peer",
		"x/gone - - - 0 >=1 - install gone",
		"x/objects 0.755 0.010 1.500 2 <=1 MISSED at most 1500 of 1000 objects (fast), 7 messages or more",
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if got := strings.Join(strings.Fields(line), " "); i >= len(want) || got != want[i] {
			t.Errorf("line %d: %s", i+1, got)
		}
	}
}

// Who is not needed for the lines wanted must not take part: every contender
// costs the others time.
func TestOnly(t *testing.T) {
	for pattern, want := range map[string]string{"x/peer": "slow fast peer gone", "x/gone": "slow gone", "x/objects": "fast", "none": ""} {
		var names []string
		for _, e := range testMatch().only(func(name string) bool { return name == pattern }).contenders {
			names = append(names, e.name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

// Every line must have somebody on both sides, and a name of its own.
func TestTable(t *testing.T) {
	o := options{bareloop: "/nonexistent", iperf3: "/nonexistent"}
	seen := map[string]bool{}
	for _, m := range o.matches() {
		contenders := map[string]bool{}
		for _, e := range m.contenders {
			if contenders[e.name] {
				t.Errorf("%s: two contenders %q", m.name, e.name)
			}
			contenders[e.name] = true
		}
		for _, c := range m.ratios {
			for _, name := range append(c.ours, c.peers...) {
				if !contenders[name] {
					t.Errorf("%s: there is no %q", c.name, name)
				}
			}
		}
		for _, l := range m.limits {
			if !contenders[l.of] {
				t.Errorf("%s: there is no %q", l.name, l.of)
			}
		}
	}
	for _, name := range o.names(func(string) bool { return true }) {
		if seen[name] {
			t.Errorf("two lines %q", name)
		}
		seen[name] = true
	}
}

// Without any peer the lines say what to install, and nothing is measured.
func TestMissingPeers(t *testing.T) {
	o := testOptions()
	o.bareloop, o.iperf3 = "/nonexistent/bareloop", "/nonexistent/iperf3"
	b := bench{options: o}
	for _, m := range o.selected(func(name string) bool {
		return strings.HasSuffix(name, "/bareloop") || strings.HasSuffix(name, "/iperf3")
	}) {
		results, err := b.play(t.Context(), m)
		if err != nil || len(results) == 0 {
			t.Fatalf("%s: %d lines, %v", m.name, len(results), err)
		}
		for _, r := range results {
			if r.ratio.n != 0 || !strings.Contains(r.note, "apt-get install") {
				t.Errorf("%+v", r)
			}
		}
	}
}
