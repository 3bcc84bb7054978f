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
	keys := map[string]string{"sysctl": "net.core.x", "device": "lo", "irq": "lo", "queue": "rx-0", "offload": "gro", "beside": "rpc", "gate": "goodput"}
	tried, book := 0, rules()
	var walk func(path, rule string, typ reflect.Type, depth int)
	walk = func(path, rule string, typ reflect.Type, depth int) {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case typ == reflect.TypeFor[Matrix]() || typ == reflect.TypeFor[Arms]() || typ == reflect.TypeFor[Sizes]() || depth > 8:
			return // see TestLimits
		case typ.Kind() == reflect.Struct:
			for _, m := range membersOf(typ) {
				walk(join(path, m.key), m.rule, m.typ, depth+1)
			}
			return
		case typ.Kind() == reflect.Map:
			key := keys[path[strings.LastIndexByte(path, '.')+1:]]
			if s := book[rule].key; key == "" && s != nil {
				key = firstWord(s)
			}
			if key == "" {
				t.Fatalf("%s: no key is known", path)
			}
			walk(path+"."+key, rule, typ.Elem(), depth+1)
			return
		}
		for _, value := range []string{strings.Repeat("x", 5000), strings.Repeat("9", 40), "-1", "99999h"} {
			if typ.Kind() == reflect.Bool || typ == reflect.TypeFor[Fraction]() || typ.Kind() == reflect.String || typ.Kind() == reflect.Slice {
				if len(value) < 5000 {
					continue // text of a usual length
				}
			}
			if value == "-1" && strings.HasSuffix(path, "_nice") {
				continue // which it may be
			}
			tried++
			_, err := ParseWith("x.yaml", []byte("traffic: {beside: {rpc: tcp}}"), []string{path + "=" + value})
			if err == nil {
				t.Errorf("%s takes %s", path, shortened(value, 50))
				continue
			}
			if text := faultsIn(t, err)[0].Error(); utf8.RuneCountInString(text) > 500 {
				t.Errorf("%s: a fault of %d characters: %s", path, len(text), text)
			}
		}
	}
	walk("", "", reflect.TypeFor[Scenario](), 0)
	if tried < 150 {
		t.Errorf("only %d values were tried", tried)
	}
}

// firstWord is the first word of a choice of words; "" of another syntax.
func firstWord(s *syntax) string {
	words, _, _ := strings.Cut(strings.TrimPrefix(s.pattern, "^("), "|")
	if _, err := s.canon(words); err != nil {
		return ""
	}
	return words
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

// TestScenariosAreDataSysctls: item 5: what a scenario sets as root unasked is of
// families that are its business, and none of those that harm; names that lead out of
// /proc/sys are no names.
func TestScenariosAreDataSysctls(t *testing.T) {
	for name, asks := range map[string]bool{
		"net.core.netdev_budget": false, "net/ipv4/conf/eth0.100/rp_filter": false, "net.ipv4.conf.all.forwarding": false, "vm.swappiness": false,
		"kernel.sched_autogroup_enabled": false, "net.core.default_qdisc": false,
		"kernel.core_pattern": true, "kernel.modprobe": true, "kernel/sysrq": true, "fs.suid_dumpable": true, "user.max_user_namespaces": true, "dev.tty.ldisc_autoload": true,
		"netx.core": true, "Net.core.x": true, "kernel.panic": true, "kernel.sched_rt_runtime_us": true, "net.core.bpf_jit_harden": true, "net.core.bpf_jit_kallsyms": true,
		"vm.overcommit_memory": true, "vm.panic_on_oom": true, "vm.drop_caches": true, "vm.nr_hugepages": true, "vm.mmap_min_addr": true, "vm.min_free_kbytes": true,
		"/proc/sys/kernel/core_pattern": true,
	} {
		path, err := ParseSysctl(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		knobs := []Knob{{Family: "sysctl", Name: path, Value: "1", Pos: Pos{"x.yaml", 3, 5}}}
		faults := Unasked(knobs, nil)
		if (len(faults) > 0) != asks {
			t.Errorf("%s: %v", name, faults)
		}
		if asks && (!strings.HasPrefix(faults.Error(), "x.yaml:3:5: sysctl ") || !strings.Contains(faults.Error(), "--allow-sysctl "+dotted(path))) {
			t.Errorf("%s: the fault says neither where it is nor what to do: %v", name, faults)
		}
		if len(Unasked(knobs, []string{path})) > 0 {
			t.Errorf("%s: refused though it is allowed", name)
		}
		if asks && len(Unasked(knobs, []string{path + "x", strings.ToUpper(path), "kernel", ""})) == 0 {
			t.Errorf("%s: allowed by another name", name)
		}
	}
	for _, name := range []string{
		"net/../kernel/core_pattern", "net.//.kernel.core_pattern", "../kernel/core_pattern", "net/core/../../../etc/passwd", "/kernel/core_pattern", "//proc/sys/net/x",
		"net//core", "net.core..x", "net.core.x.", "net/./core", ".", "..", "", "net", "net/core/x\x00", "net/core/x y", "net/core/*", "/proc/sys//kernel/core_pattern", "net/core/é",
	} {
		if path, err := ParseSysctl(name); err == nil {
			t.Errorf("%q is taken as %s", name, path)
		}
	}
}

// TestScenariosAreDataBounds: item 5: what no machine can measure is refused where it
// is written.
func TestScenariosAreDataBounds(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"measure: {slice: 2ns}", "x.yaml:1:18: measure.slice: 2ns is too short; want at least 1ms"},
		{"measure: {slice: 999us}", "measure.slice: 999us is too short"},
		{"measure: {slice: 2ms, settle: 2ms}", "measure.slice: 2ms is less than twice the settle time of 2ms"},
		{"measure: {slice: 1ms, settle: 1us, trial: 101s, max_time: 1h}", "x.yaml:1:43: measure.trial: 101s holds 101000 slices of 1ms; want at most 100000"},
		{"traffic: {rate: 1e-300}", "x.yaml:1:17: traffic.rate: 1e-300 is too low; want at least 0.0001, or 0"},
		{"traffic: {rate: 1e300}", "traffic.rate: 4611686018427387904 is out of range"},
		{"traffic: {protocol: udp, sizes: {64: 60000, 65: 60000}}", "x.yaml:1:33: traffic.sizes: the weights come to 120000 together; want at most 100000"},
		{"measure: {slice: 1ms, settle: 100us, trial: 100s, max_time: 1h}", "<nil>"},
	} {
		s, err := Parse("x.yaml", []byte(tt.src))
		if err == nil {
			_, err = Expand(s, CPUs{Online: []int{0, 1}})
		}
		if !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s: %v, want %s", tt.src, err, tt.want)
		}
	}
}
