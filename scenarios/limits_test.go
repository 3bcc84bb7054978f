package scenarios

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestEveryFieldHasALimit sets each field of a scenario to what nobody means.
// A field that takes it was added without a limit.
func TestEveryFieldHasALimit(t *testing.T) {
	keys := map[string]string{"sysctl": "net.core.x", "device": "lo", "irq": "lo", "queue": "rx-0", "offload": "gro", "channels": "rx", "beside": "rpc", "gate": "goodput"}
	tried := 0
	var walk func(path string, typ reflect.Type, depth int)
	walk = func(path string, typ reflect.Type, depth int) {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case typ == reflect.TypeFor[Matrix]() || typ == reflect.TypeFor[Arms]() || typ == reflect.TypeFor[Sizes]() || depth > 8:
			return // see TestLimits
		case typ.Kind() == reflect.Struct:
			for _, m := range membersOf(typ) {
				walk(join(path, m.key), m.typ, depth+1)
			}
			return
		case typ.Kind() == reflect.Map:
			key := keys[path[strings.LastIndexByte(path, '.')+1:]]
			if key == "" {
				t.Fatalf("%s: no key is known", path)
			}
			walk(path+"."+key, typ.Elem(), depth+1)
			return
		}
		for _, value := range []string{strings.Repeat("x", 5000), strings.Repeat("9", 40), "-1", "99999h"} {
			if typ.Kind() == reflect.Bool || typ == reflect.TypeFor[Fraction]() || typ.Kind() == reflect.String || typ.Kind() == reflect.Slice {
				if len(value) < 5000 {
					continue // text of a usual length
				}
			}
			tried++
			_, err := ParseWith("x.yaml", []byte("traffic: {beside: {rpc: tcp}}"), []string{path + "=" + value})
			if err == nil {
				t.Errorf("%s takes %s", path, shortened(value, 50))
				continue
			}
			if text := err.(Errors)[0].Error(); utf8.RuneCountInString(text) > 500 {
				t.Errorf("%s: a fault of %d characters: %s", path, len(text), text)
			}
		}
	}
	walk("", reflect.TypeFor[Scenario](), 0)
	if tried < 150 {
		t.Errorf("only %d values were tried", tried)
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("n", 5000)
	several := func(n int, entry string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, entry+"\n", i)
		}
		return b.String()
	}
	for _, tt := range []struct{ name, src, want string }{
		{"name of an arm", "arms:\n  " + long + ": {}\n", "x.yaml:2:3: a name of an arm of 5000 characters, where 100 at most are taken"},
		{"name of an arm in a list", "arms: [{name: " + long + "}]\n", "x.yaml:1:15: a name of an arm of 5000"},
		{"name of a scenario", "name: " + long, "x.yaml:1:7: name: a text of 5000 characters, where 100"},
		{"question", "question: " + long, "x.yaml:1:11: question: a text of 5000 characters, where 1000"},
		{"longest time", "measure: {max_time: 99999h}", "x.yaml:1:21: measure.max_time: 99999h is too long; want at most 168h"},
		{"a time of a request", "traffic: {protocol: TCP_RR, think: 2h}", "x.yaml:1:36: traffic.think: 2h is too long; want at most 1m"},
		{"a time of the kernel", "knobs: {device: {sink: {gro_flush_timeout: 3600s}}}", "is longer than 1m"},
		{"name of a level", "matrix: {rps: {path: knobs.device.sink.rps_cpus, levels: {" + long + ": none}}}", "factor rps: a name of a level of 5000"},
		{"level as a value", "matrix: {knobs.sysctl.net.core.x: [" + long + "]}", "a name of a level of 5000"},
		{"name of a factor", "matrix: {" + long + ": [1]}", "x.yaml:1:10: matrix: a name of a factor of 5000"},
		{"factors", "matrix:\n" + several(17, "  f%d: {path: ., levels: {a: }}"), "matrix: 17 entries are too many; want at most 16"},
		{"levels", "matrix:\n  traffic.message:\n" + several(201, "    - %d"), "factor traffic.message: 201 entries are too many; want at most 200"},
		{"label of an arm of a matrix", "matrix:\n" + several(3, "  f%d: {path: ., levels: {"+strings.Repeat("l", 100)+": }}"), "has a name of 311 characters, where 250"},
		{"arms", "arms:\n" + several(201, "  a%d: {}"), "arms: 201 entries are too many; want at most 200"},
		{"sysctls", "knobs:\n  sysctl:\n" + several(1001, "    net.x%d: 1"), "knobs.sysctl: 1001 entries are too many"},
		{"metrics", "measure:\n  metrics:\n" + several(1001, "    - m%d"), "measure.metrics: 1001 entries are too many"},
		{"a list of numbers of a sysctl", "knobs: {sysctl: {net.x: [" + strings.Repeat("1234567, ", 600) + "1]}}", "characters, where 4096 at most"},
		{"traffic beside", "traffic:\n  beside:\n" + several(17, "    t%d: tcp"), "traffic.beside: 17 entries are too many; want at most 16"},
		{"file", strings.Repeat("#", MaxFile+1), "x.yaml:1:1: this is too large for a scenario; want a file of at most 1048576 bytes"},
		{"an unknown key is quoted in part", long + ": 1", "…"},
		{"name of a file", "", "the file's name makes a name of a scenario of 204"},
	} {
		file := "x.yaml"
		if tt.name == "name of a file" {
			file, tt.src = strings.Repeat("long", 51)+".yaml", "traffic: tcp"
		}
		_, err := Parse(file, []byte(tt.src))
		var faults Errors
		if !errors.As(err, &faults) {
			t.Errorf("%s: taken", tt.name)
			continue
		}
		if text := faults[0].Error(); !strings.Contains(text, tt.want) || utf8.RuneCountInString(text) > 500 {
			t.Errorf("%s: %s\nwant ...%s...", tt.name, text, tt.want)
		}
		for _, line := range strings.Split(faults.Render(), "\n") {
			if n := utf8.RuneCountInString(line); n > 800 {
				t.Errorf("%s: a line of %d characters", tt.name, n)
			}
		}
	}
}

// TestExcerptOfALongLine: 49 KB in one line are not shown, but what stands
// around the fault, and the caret is below it.
func TestExcerptOfALongLine(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after int
	}{{"at the begin", 0, 49_000}, {"in the middle", 20_000, 29_000}, {"at the end", 49_000, 0}, {"a line that fits", 20, 20}} {
		src := "{question: \"" + strings.Repeat("é", min(tt.before, 900)) + "\"" + strings.Repeat(" ", max(tt.before-900, 0)) +
			", nonsense: 1" + strings.Repeat(" ", tt.after) + "}"
		_, err := Parse("x.yaml", []byte(src))
		faults, ok := errors.AsType[Errors](err)
		if !ok {
			t.Fatalf("%s: %v", tt.name, err)
		}
		lines := strings.Split(faults[0].Excerpt, "\n")
		if n := utf8.RuneCountInString(lines[0]); n > maxExcerpt+8 {
			t.Errorf("%s: %d characters", tt.name, n)
		}
		at := utf8.RuneCountInString(lines[1]) - 1
		if got := string([]rune(lines[0])[at:]); !strings.HasPrefix(got, "nonsense") {
			t.Errorf("%s: the caret is at %q", tt.name, got)
		}
	}
}
