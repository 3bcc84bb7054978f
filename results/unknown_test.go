package results

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A file of a later netab, with members unknown here in every record.
const laterRun = `{"type":"header","schema":"netab/run/1.3","id":"x","scenario":{"mood":1},"new":{"a":[1,2]},"design":{"name":"n","arms":[{"name":"off","color":"red"},{"name":"on","levels":[{"factor":"f","value":"v","weight":2}]}],"fresh":true},"plan":{"grain":"slice","why":"<x>"},"netab":{"version":"9","sbom":"s"},"machine":{"kernel":"7.0","pmu":{"a/b":1,"~":2},"sysctls":{"k":"v"}},"warnings":[{"code":"c","text":"t","hint":"h"}]}
{"type":"mood","any":["thing"]}
{"type":"trial","index":0,"slices":[{"arm":0},{"arm":1,"energy_j":1.50,"deep":{"er":null}}],"arms":[{"arm":0,"source":{"threads":1,"ipc":2.0},"flows":[{"sink_port":1,"ecn":true}],"knobs":[{"knob":"k","unit":"ns"}],"ledger":{"valid":true,"spare":3}}],"host":{"cpus":[{"cpu":0,"temp":45}],"psi":{"some":1}}}
{"type":"mood"}
{"type":"end","reason":"decided","looks":[{"trials":8,"beta":0.1}],"bye":"now"}
`

// normal is a decoded JSON text, numbers as written.
func normal(t *testing.T, line string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return v
}

// missing lists what of want is not in got. Members that got has in addition
// (this version's own, zero) are fine.
func missing(want, got any, at string) []string {
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		var all []string
		for k, v := range w {
			if _, ok := g[k]; !ok {
				all = append(all, at+"/"+k)
				continue
			}
			all = append(all, missing(v, g[k], at+"/"+k)...)
		}
		return all
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			return []string{at + ": length"}
		}
		var all []string
		for i := range w {
			all = append(all, missing(w[i], g[i], at+"/#")...)
		}
		return all
	}
	if !cmp.Equal(want, got) {
		return []string{at + ": value"}
	}
	return nil
}

func TestUnknownKept(t *testing.T) {
	run, err := Read(strings.NewReader(laterRun))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Trials) != 1 || run.Trials[0].Slices[1].Arm != 1 || run.End.Reason != "decided" {
		t.Errorf("known members were not read: %+v", run)
	}
	var out bytes.Buffer
	if _, err := run.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(strings.TrimSpace(laterRun), "\n"), strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(want) != len(got) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range want {
		for _, m := range missing(normal(t, want[i]), normal(t, got[i]), "") {
			t.Errorf("line %d: lost %s", i+1, m)
		}
	}
}

// Elements that are gone take their unknown members with them.
func TestUnknownOfRemovedElements(t *testing.T) {
	run, err := Read(strings.NewReader(laterRun))
	if err != nil {
		t.Fatal(err)
	}
	trial := run.Trials[0]
	trial.Slices = trial.Slices[:1]
	trial.Arms = nil
	data, err := json.Marshal(trial)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"energy_j", "ipc", "ecn"} {
		if bytes.Contains(data, []byte(gone)) {
			t.Errorf("%s is still in %s", gone, data)
		}
	}
	if !bytes.Contains(data, []byte(`"temp":45`)) {
		t.Errorf("temp of the CPU is lost: %s", data)
	}
}

// Records without unknown members cost no map.
func TestUnknownNilWithoutAny(t *testing.T) {
	var trial Trial
	if err := json.Unmarshal([]byte(`{"type":"trial","slices":[{"arm":1}]}`), &trial); err != nil {
		t.Fatal(err)
	}
	if trial.Unknown != nil {
		t.Errorf("Unknown = %v, want nil", trial.Unknown)
	}
}
