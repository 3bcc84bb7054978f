package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"netab/results/disk"
)

// TestNumbersBounded: whatever is used as an index, a size or a time is refused
// where it stands if it cannot be one, and what is added up cannot wrap.
func TestNumbersBounded(t *testing.T) {
	const header = `{"type":"header","schema":"netab/run/1","design":{"arms":[{"name":"a"},{"name":"b"}]}}` + "\n"
	for line, want := range map[string]string{
		`{"type":"trial","slices":[{},{"counted_ns":9223372036854775807}]}`:                               "line 2: slices[1].counted_ns: 9223372036854775807 is out of range (0 to 9007199254740992)",
		`{"type":"trial","slices":[{"counted_ns":-1}]}`:                                                   "line 2: slices[0].counted_ns: -1 is out of range",
		`{"type":"trial","slices":[{"rx_bytes":9200000000000000000}]}`:                                    "line 2: slices[0].rx_bytes: 9200000000000000000 is out of range (-9007199254740992 to 9007199254740992)",
		`{"type":"trial","slices":[{"rate":1e300}]}`:                                                      "slices[0].rate: 1e+300 is out of range",
		`{"type":"trial","slices":[{"arm":2}]}`:                                                           "line 2: slices[0].arm: 2 is out of range: the design has 2 arms",
		`{"type":"trial","slices":[{"arm":-1}]}`:                                                          "slices[0].arm: -1 is out of range",
		`{"type":"trial","order":[0,1000000]}`:                                                            "order[1]: 1000000 is out of range",
		`{"type":"trial","arms":[{"arm":0},{"arm":5}]}`:                                                   "arms[1].arm: 5 is out of range",
		`{"type":"trial","index":9000000}`:                                                                "index: 9000000 is out of range",
		`{"type":"trial","arms":[{"flows":[{"softirq_cpu":{"99999999":1}}]}]}`:                            "arms[0].flows[0].softirq_cpu[99999999]: CPU 99999999 is out of range",
		`{"type":"trial","arms":[{"source":{"cpus":{"0":9223372036854775807}}}]}`:                         "arms[0].source.cpus[0]: 9223372036854775807 is out of range",
		`{"type":"trial","arms":[{"sink_net":{"X":-9223372036854775808}}]}`:                               "arms[0].sink_net[X]: -9223372036854775808 is out of range",
		`{"type":"trial","arms":[{"beside":{"rpc":{"flows":[{"tcp":{"rtt_us":1000000000000000000}}]}}}]}`: "arms[0].beside[rpc].flows[0].tcp[rtt_us]: 1000000000000000000 is out of range",
		`{"type":"trial","host":{"cpus":[{"cpu":-2}]}}`:                                                   "host.cpus[0].cpu: -2 is out of range",
		`{"type":"trial","arms":[{"latency":[0,4503599627370496]},{"latency":[9999999,1]}]}`:              "histogram: bucket 9999999",
		`{"type":"end","looks":[{"elapsed_s":1e12}]}`:                                                     "looks[0].elapsed_s: 1e+12 is out of range (0 to 1000000000)",
		`{"type":"trial","slices":[` + strings.Repeat(`{"drops":9000000000000000},`, 300) + `{}]}`:        "line 2: slices[256].drops: all of these together are out of range",
		`{"type":"trial","arms":[` + strings.Repeat(`{"latency":[0,4000000000000000]},`, 600) + `{}]}`:    "latency: all of these together are out of range",
		`{"type":"trial","mood":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`:           "line 2, byte 87: nested deeper than the 64 levels",
	} {
		_, err := Read(strings.NewReader(header + line + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s:\n%v\nwant %s", line, err, want)
		}
	}
	many := strings.Repeat(`{"name":"a"},`, maxArms) + `{"name":"b"}`
	for header, want := range map[string]string{
		`"max_time_s":1e300`:    "line 1: design.max_time_s: 1e+300 is out of range",
		`"arms":[` + many + `]`: "line 1: design.arms: 1001 arms, where 1000 at most are read",
		`"arms":[{"flows":-1}]`: "line 1: design.arms[0].flows: -1 is out of range",
	} {
		_, err := Read(strings.NewReader(`{"type":"header","schema":"netab/run/1","design":{` + header + "}}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s:\n%v\nwant %s", header, err, want)
		}
	}
}

// TestHugeCounter is a file that overflowed the stack of what showed it.
func TestHugeCounter(t *testing.T) {
	_, err := ReadFile("testdata/huge-counter.jsonl")
	want := "testdata/huge-counter.jsonl: line 2: slices[0].counted_ns: 9223372036854775807 is out of range (0 to 9007199254740992)"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestEveryNumberHasLimits: a kind of number that nothing looks at would pass.
func TestEveryNumberHasLimits(t *testing.T) {
	for _, record := range []any{Header{}, Trial{}, End{}, CampaignHeader{}, Boot{}, CampaignEnd{}} {
		numbers(t, reflect.TypeOf(record), "")
	}
}

func numbers(t *testing.T, of reflect.Type, name string) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		numbers(t, of.Elem(), name)
	case reflect.Struct:
		if of == reflect.TypeFor[time.Time]() || of == reflect.TypeFor[Histogram]() {
			return
		}
		for i := range of.NumField() {
			tag, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if tag != "-" {
				numbers(t, of.Field(i).Type, tag)
			}
		}
	case reflect.String, reflect.Bool, reflect.Uint8: // texts and raw JSON
	default:
		// A seed is used as it is, whatever it is.
		if checkOf(of, name) == nil && name != "seed" {
			t.Errorf("%s, %v, has no limits", name, of)
		}
	}
}

// TestLinesBounded: a line is refused when it is too long, not when memory ends.
func TestLinesBounded(t *testing.T) {
	_, err := Read(&endless{})
	if !errors.Is(err, disk.ErrTooLarge) || !strings.Contains(fmt.Sprint(err), "line 1: it is too large: a line of more than 64 MiB") {
		t.Error(err)
	}
	if _, err := readOutline(hugeFile(t)); !errors.Is(err, disk.ErrTooLarge) {
		t.Error(err)
	}
}

// endless is a file of one line.
type endless struct{}

func (*endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// hugeFile has a header, and a hole of a terabyte that costs no disk.
func hugeFile(t *testing.T) string {
	file := filepath.Join(t.TempDir(), RunFile)
	if err := os.WriteFile(file, []byte(headerLine), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 1<<40); err != nil {
		t.Skip(err)
	}
	return file
}
