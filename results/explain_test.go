package results

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const explainHeader = `{"type":"header","schema":"netab/run/1","design":{"arms":[{"name":"a"},{"name":"b"}]}}` + "\n"

// TestExplainLines: they stand beside the trials, wherever in the file, each once, and
// what a newer version wrote into them is kept.
func TestExplainLines(t *testing.T) {
	const one = `{"type":"explain","index":0,"instrument":"accounting","slices":[{"arm":1,"rx_bytes":5,"source":{"ns":{"task":7,"net_rx":2}},"mood":1}],"cpus":[{"cpu":1,"arm":1,"counted_ns":9,"ns":{"idle":{"task":9}}}]}` + "\n"
	const two = `{"type":"explain","index":1,"instrument":"accounting","invalid":"not explained: no root"}` + "\n"
	run, err := Read(strings.NewReader(explainHeader + one + `{"type":"trial","index":0}` + "\n" + `{"type":"end"}` + "\n" + two + two))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Explains) != 2 || run.Explains[0].Slices[0].Source.NS["net_rx"] != 2 || run.Explains[0].CPUs[0].NS["idle"]["task"] != 9 || run.Explains[1].Invalid == "" {
		t.Fatalf("%+v", run.Explains)
	}
	if len(run.ReadWarnings) != 1 || !strings.Contains(run.ReadWarnings[0].Text, "1 explain trial is in the file more than once") {
		t.Errorf("warnings: %v", run.ReadWarnings)
	}
	var b bytes.Buffer
	if _, err := run.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"mood":1`) {
		t.Error("what a newer version wrote is lost")
	}
	again, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Explains, again.Explains); diff != "" {
		t.Error(diff)
	}
	if redacted := Redacted(run); len(redacted.Explains) != 2 || redacted.Explains[0].Unknown != nil {
		t.Errorf("redacted: %+v", redacted.Explains)
	}
}

func TestExplainBounded(t *testing.T) {
	for line, want := range map[string]string{
		`{"type":"explain","slices":[{"arm":2}]}`:                                                   "line 2: slices[0].arm: 2 is out of range: the design has 2 arms",
		`{"type":"explain","cpus":[{"arm":3}]}`:                                                     "line 2: cpus[0].arm: 3 is out of range: the design has 2 arms",
		`{"type":"explain","index":-1}`:                                                             "line 2: index: -1 is out of range",
		`{"type":"explain","slices":[{"source":{"ns":{"task":100000000000000000}}}]}`:               "slices[0].source.ns[task]: 100000000000000000 is out of range",
		`{"type":"explain","cpus":[{"ns":{"idle":{"task":-9100000000000000000}}}]}`:                 "cpus[0].ns[idle][task]: -9100000000000000000 is out of range",
		`{"type":"explain","cpus":[{"cpu":-4}]}`:                                                    "cpus[0].cpu: -4 is out of range",
		`{"type":"explain","samples":{"functions":["a"],"stacks":[{"frames":[0]},{"frames":[1]}]}}`: "line 2: samples.stacks[1].frames: 1 is out of range: there are 1 functions",
		`{"type":"explain","samples":{"functions":["a","b"],"sizes":[1],"stacks":[]}}`:              "line 2: samples.sizes: 1 sizes of 2 functions",
		`{"type":"explain","samples":{"functions":["a"],"stacks":[{"cpu":-1}]}}`:                    "samples.stacks[0].cpu: -1 is out of range",
		`{"type":"explain","drops":[{"arm":2}]}`:                                                    "line 2: drops[0].arm: 2 is out of range",
		`{"type":"explain","drops":[{"packets":-9100000000000000000}]}`:                             "drops[0].packets: -9100000000000000000 is out of range",
		`{"type":"explain","ledgers":{"2":{}}}`:                                                     "line 2: ledgers[2]: 2 is out of range",
		`{"type":"explain","scheduling":[{"arm":2}]}`:                                               "line 2: scheduling[0].arm: 2 is out of range",
		`{"type":"explain","interrupts_sent":[{"arm":2}]}`:                                          "line 2: interrupts_sent[0].arm: 2 is out of range",
		`{"type":"explain","locks":[{"arm":2}]}`:                                                    "line 2: locks[0].arm: 2 is out of range",
		`{"type":"explain","samples":{"stacks":[{"arm":2}]}}`:                                       "line 2: samples.stacks[0].arm: 2 is out of range",
	} {
		_, err := Read(strings.NewReader(explainHeader + line + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", line, err, want)
		}
	}
}
