package results

import (
	"slices"
	"strings"
	"testing"
)

// The value is that of `systemd-id128 machine-id --app-specific=` netab's id.
func TestMachineID(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"systemd", map[string]string{"/etc/machine-id": id}, "5d91ad0b9ba14f9a825c6a2756b45b4c"},
		{"D-Bus alone", map[string]string{"/var/lib/dbus/machine-id": id}, "5d91ad0b9ba14f9a825c6a2756b45b4c"},
		{"first boot", map[string]string{"/etc/machine-id": "uninitialized"}, ""},
		{"an image that was emptied", map[string]string{"/etc/machine-id": ""}, ""},
		{"zeros", map[string]string{"/etc/machine-id": strings.Repeat("0", 32)}, ""},
		{"too short", map[string]string{"/etc/machine-id": "0123"}, ""},
		{"a container", nil, ""},
	}
	for _, tt := range tests {
		root := Root(t.TempDir())
		for path, text := range tt.files {
			writeFile(t, string(root)+path, text+"\n")
		}
		if got := readMachineID(root); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestBoard(t *testing.T) {
	const dmi = "/sys/class/dmi/id/"
	tests := []struct {
		name  string
		files map[string]string
		cpu   cpuModel
		want  string
	}{
		{"server", map[string]string{dmi + "sys_vendor": "Dell Inc.", dmi + "product_name": "PowerEdge R640", dmi + "board_name": "0H28RR"}, cpuModel{}, "Dell Inc. PowerEdge R640, board 0H28RR"},
		{"board alone", map[string]string{dmi + "board_name": "X11"}, cpuModel{}, "board X11"},
		{"device tree", map[string]string{"/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\x00"}, cpuModel{board: "BCM2835"}, "Raspberry Pi 4 Model B Rev 1.4"},
		{"cpuinfo", nil, cpuModel{board: "Ubiquiti EdgeRouter X"}, "Ubiquiti EdgeRouter X"},
		{"nothing", nil, cpuModel{}, ""},
	}
	for _, tt := range tests {
		root := Root(t.TempDir())
		for path, text := range tt.files {
			writeFile(t, string(root)+path, text+"\n")
		}
		if got := readBoard(root, tt.cpu); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMachineNames(t *testing.T) {
	for _, name := range []string{"", "two words", "a,b", "tab\t", "line\nbreak", "\x1b[31m", strings.Repeat("x", 65)} {
		if CheckMachineName(name) == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	for _, name := range []string{"bench1", "Prüfstand-2", "rack/7", strings.Repeat("x", 64)} {
		if err := CheckMachineName(name); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct{ text, name, fault string }{
		{"bench1 \nof rack 7\n", "bench1", ""},
		{"\n", "", "/etc/netab/machine: a machine's name is empty"},
		{"two words\n", "", `/etc/netab/machine: machine name "two words": want letters`},
	} {
		root := Root(t.TempDir())
		writeFile(t, string(root)+MachineNameFile, tt.text)
		name, err := readMachineName(root)
		if name != tt.name || (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%q: name %q, %v", tt.text, name, err)
		}
	}
	if name, err := readMachineName(Root(t.TempDir())); name != "" || err != nil {
		t.Errorf("without the file: %q, %v", name, err)
	}
}

func TestSameMachine(t *testing.T) {
	tests := []struct {
		name string
		a, b Machine
		want bool
	}{
		{"another hostname every night", Machine{MachineID: "1", CPUModel: "X", Hostname: "ci-17"}, Machine{MachineID: "1", CPUModel: "X", Hostname: "ci-18"}, true},
		{"an installation on another CPU", Machine{MachineID: "1", CPUModel: "X", Hostname: "h"}, Machine{MachineID: "1", CPUModel: "Y", Hostname: "h"}, false},
		{"on another board", Machine{MachineID: "1", Board: "X", Hostname: "h"}, Machine{MachineID: "1", Board: "Y", Hostname: "h"}, false},
		{"installed anew", Machine{MachineID: "1", Hostname: "h"}, Machine{MachineID: "2", Hostname: "h"}, false},
		{"a fresh image with a name", Machine{Name: "n", MachineID: "1", Hostname: "h"}, Machine{Name: "n", MachineID: "2", Hostname: "i"}, true},
		{"clones with names", Machine{Name: "n", MachineID: "1", Hostname: "h"}, Machine{Name: "m", MachineID: "1", Hostname: "h"}, false},
		{"named since", Machine{Name: "n", MachineID: "1", Hostname: "h"}, Machine{MachineID: "1", Hostname: "h"}, true},
		{"an old record", Machine{Hostname: "h"}, Machine{Name: "n", MachineID: "1", Hostname: "h"}, true},
		{"old records", Machine{Hostname: "h"}, Machine{Hostname: "h"}, true},
		{"of other hosts", Machine{Hostname: "h"}, Machine{Hostname: "i"}, false},
		{"nothing known", Machine{}, Machine{}, false},
	}
	for _, tt := range tests {
		if got := tt.a.Identity().Same(tt.b.Identity()); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if tt.a.Identity().Same(tt.b.Identity()) != tt.b.Identity().Same(tt.a.Identity()) {
			t.Errorf("%s: not the same the other way round", tt.name)
		}
	}
}

func TestMachines(t *testing.T) {
	see := func(name, id, host, boot string) Sighting {
		return Sighting{Identity{Name: name, MachineID: id, Host: host}, boot}
	}
	tests := []struct {
		name string
		seen []Sighting
		want []int
	}{
		{"another hostname every night", []Sighting{see("", "1", "a", "1"), see("", "1", "b", "2"), see("", "1", "c", "3")}, []int{0, 0, 0}},
		{"old records go on", []Sighting{see("", "", "a", "1"), see("", "1", "a", "2")}, []int{0, 0}},
		{"named since", []Sighting{see("", "", "a", "1"), see("", "1", "a", "2"), see("n", "1", "b", "3")}, []int{0, 0, 0}},
		{"two machines", []Sighting{see("", "1", "a", "1"), see("", "2", "b", "2")}, []int{0, 1}},
		{"installed anew: whose the old records are is not known", []Sighting{see("", "", "a", "1"), see("", "1", "a", "2"), see("", "2", "a", "3")}, []int{2, 0, 1}},
		{"two names of one installation: whose the rest is is not known", []Sighting{see("n", "1", "a", "1"), see("m", "1", "a", "2"), see("", "1", "a", "3")}, []int{0, 1, 2}},
		{"clones, whose boots alternate", []Sighting{see("", "1", "a", "1"), see("", "1", "b", "2"), see("", "1", "a", "1"), see("", "1", "b", "3")}, []int{0, 1, 0, 1}},
		{"clones with names", []Sighting{see("n", "1", "a", "1"), see("m", "1", "b", "2"), see("n", "1", "a", "1")}, []int{0, 1, 0}},
		{"boots are unknown", []Sighting{see("", "1", "a", ""), see("", "1", "b", ""), see("", "1", "a", "")}, []int{0, 0, 0}},
	}
	for _, tt := range tests {
		if got := Machines(tt.seen); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
