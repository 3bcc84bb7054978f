package knob

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netab/runner/probe"
	"netab/scenarios"
)

func TestInterruptsOfDevices(t *testing.T) {
	for _, c := range []struct {
		file, device string
		want         []int
	}{
		{"interrupts-nics.txt", "eth0", []int{140, 141, 142}},
		{"interrupts-nics.txt", "eth1", []int{150, 151, 152}},
		{"interrupts-nics.txt", "eth10", []int{160}},
		{"interrupts-nics.txt", "eth2", []int{170}},
		{"interrupts-nics.txt", "eth", nil},
		{"interrupts-nics.txt", "mlx5", nil},
		{"interrupts-virtio.txt", "virtio2", []int{37, 38, 39}},
		{"interrupts-virtio.txt", "eth0", nil},
	} {
		got, err := interruptsNamed(interruptRows(t, c.file), c.device)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s of %s: %v, %v; want %v", c.device, c.file, got, err, c.want)
		}
	}
}

// interruptRows reads a captured /proc/interrupts.
func interruptRows(t testing.TB, file string) []probe.Interrupt {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	must(t, err)
	rows, err := probe.ReadInterrupts(newTree(t, map[string]string{"/proc/interrupts": string(text)}))
	must(t, err)
	return rows
}

// virtioTree is this project's guest: eth0 is a virtio device whose interrupts
// belong to the PCI function above it, and have names without "eth0".
func virtioTree(t *testing.T) *tree {
	t.Helper()
	text, err := os.ReadFile("testdata/interrupts-virtio.txt")
	must(t, err)
	const pci = "/sys/devices/pci0000:00/0000:00:03.0"
	h := newTree(t, map[string]string{
		"/proc/interrupts":               string(text),
		pci + "/msi_irqs/37":             "msix\n",
		pci + "/msi_irqs/38":             "msix\n",
		pci + "/msi_irqs/39":             "msix\n",
		pci + "/virtio2/modalias":        "virtio:d00000001v00001AF4\n",
		pci + "/virtio2/net/eth0/mtu":    "1500\n",
		"/sys/class/net/":                "",
		"/proc/irq/38/smp_affinity_list": "0-1\n",
		"/proc/irq/39/smp_affinity_list": "0-1\n",
	})
	must(t, os.Symlink("../..", h.at(pci+"/virtio2/net/eth0/device")))
	must(t, os.Symlink(h.at(pci+"/virtio2/net/eth0"), h.at("/sys/class/net/eth0")))
	return h
}

func TestVirtioInterruptsAreOfItsParent(t *testing.T) {
	h := virtioTree(t)
	got, err := irqsOf(h, "eth0")
	// 37 is allocated but not requested: it has no file to write.
	if want := []int{38, 39}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestBindIRQ(t *testing.T) {
	h := nic(t)
	for _, c := range []struct {
		key, device string
		want        []string
		scope       Scope
	}{
		{"eth1", "eth1", []string{"eth1 irq 41 smp_affinity", "eth1 irq 42 smp_affinity"}, Device},
		{"42", "", []string{"irq 42 smp_affinity"}, Host},
	} {
		knobs, err := Bind(h, scenarios.Knob{Family: "irq", Device: c.key, Value: "1"}, c.device, Device)
		must(t, err)
		var names []string
		for _, k := range knobs {
			names = append(names, k.String())
			if k.Scope() != c.scope {
				t.Errorf("%s: scope %s, want %s", k, k.Scope(), c.scope)
			}
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%s: %v, want %v", c.key, names, c.want)
		}
		s, err := Apply(h, knobs[0], "1,3")
		if err != nil || s.Before != "0-3" || s.After != "1,3" {
			t.Errorf("%+v, %v", s, err)
		}
		if _, err := Apply(h, knobs[0], ""); err == nil || !strings.Contains(err.Error(), "at least one CPU") {
			t.Errorf("an empty set: %v", err)
		}
	}
	if _, err := Bind(h, scenarios.Knob{Family: "irq", Device: "99"}, "", Host); err == nil || !strings.Contains(err.Error(), "irq 99") {
		t.Errorf("interrupt 99: %v", err)
	}
}

// Whatever a device is called, its name is not taken as a pattern.
func FuzzInterruptsNamed(f *testing.F) {
	rows := append(interruptRows(f, "interrupts-nics.txt"), interruptRows(f, "interrupts-virtio.txt")...)
	f.Add("eth1")
	f.Add(".*")
	f.Fuzz(func(t *testing.T, device string) {
		numbers, err := interruptsNamed(rows, device)
		for _, n := range numbers {
			found := func(r probe.Interrupt) bool { return r.IRQ == n && strings.Contains(r.Detail, device) }
			if err == nil && !slices.ContainsFunc(rows, found) {
				t.Errorf("interrupt %d is not of %q", n, device)
			}
		}
	})
}
