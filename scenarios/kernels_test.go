package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

// TestByKernel: arms that are compared between kernels are called the same, and the
// baseline's kernel comes first.
func TestByKernel(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"factor": {
			"name: s\nmatrix: {kernel: [a, b], knobs.device.sink.rps_cpus: {off: none, on: sink}}\n",
			"a: rps_cpus=off* rps_cpus=on; b: rps_cpus=off* rps_cpus=on",
		},
		"only factor":      {"name: s\nmatrix: {kernel: [a, b]}\n", "a: s; b: s"},
		"baseline's first": {"name: s\nmatrix: {kernel: [a, b]}\nbaseline: kernel=b\n", "b: s; a: s"},
		"whole configuration": {
			"name: s\nmatrix: {k: {path: ., levels: {a: {kernel: a}, b: {kernel: b, traffic: {source: {slowdown: 30%}}}}}, traffic.message: [64, 1K]}\n",
			"a: message=64* message=1K; b: message=64* message=1K",
		},
		"explicit": {
			"name: s\narms: {old-off: {kernel: a}, old-on: {kernel: a, traffic: {flows: 2}}, new-off: {kernel: b}, new-on: {kernel: b, traffic: {flows: 2}}}\n",
			"a: off* on; b: off* on",
		},
		"explicit, named before": {"name: s\narms: {rps_old: {kernel: a}, rps_new: {kernel: b}}\n", "a: rps; b: rps"},
		"explicit, nothing common": {
			"name: s\narms: {old: {kernel: a}, new: {kernel: b}}\nbaseline: new\n",
			"b: s; a: s",
		},
		"explicit, not alike":          {"name: s\narms: {old: {kernel: a}, new: {kernel: b}, new-on: {kernel: b}}\n", "a: old; b: new* new-on"},
		"explicit, would be one name":  {"name: s\narms: {x-on: {kernel: a}, y-on: {kernel: a}, v-on: {kernel: b}, w-on: {kernel: b}}\n", "a: x-on* y-on; b: v-on* w-on"},
		"one kernel for all":           {"name: s\nkernel: a\nmatrix: {traffic.message: [64, 1K]}\n", "a: message=64* message=1K"},
		"none":                         {"name: s\nmatrix: {traffic.message: [64, 1K]}\n", ""},
		"two factors that go together": {"name: s\nmatrix: {kernel: [a]}\n", "a: kernel=a"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse("s.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			arms, err := Expand(s, CPUs{Online: []int{0, 1}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range s.ByKernel(arms) {
				text := k.Kernel + ":"
				for _, a := range k.Arms {
					text += " " + a.Name
					if a.Name == k.Baseline {
						text += "*"
					}
					if a.Config.Kernel != "" || strings.Contains(fmt.Sprint(a.Config.Describe()), "kernel") {
						t.Errorf("arm %s is still of kernel %s", a.Name, a.Config.Kernel)
					}
				}
				got = append(got, text)
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// TestKernelFaults: what cannot be booted, or not compared, is said where it stands.
func TestKernelFaults(t *testing.T) {
	for text, want := range map[string]string{
		"arms: {a: {kernel: x}, b: {}}":   "arm b names no kernel, and arm a does",
		"kernel: ' '":                     `" " names no kernel`,
		"kernel: x\nguest: {memory: 16M}": "16777216 is out of range",
		"kernel: x\nguest: {cpus: 0}":     "0 is out of range",
		"kernel: x\nguest: {accel: xen}":  `"xen" is not known`,
		"kernel: x\nmeasure: {boots: 0}":  "0 is out of range",
		"kernel: x\nmeasure: {boots: 90}": "shorter than two trials",
		"kernel: x\ntopology: {kind: nic, source_device: e0, sink_device: e1}": "a guest has no devices of this machine",
	} {
		_, err := Parse("s.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
