package knob

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"

	"netab/runner/host"
	"netab/runner/probe"
)

// irqKnob is the affinity of one interrupt. device is the one whose interrupt
// it is, "" when the scenario gave the number.
//
// effective_affinity follows only with the next interrupt, so what is read
// back is smp_affinity_list, which shows a pending change at once.
func irqKnob(number int, device string) Knob {
	name := fmt.Sprintf("irq %d smp_affinity", number)
	if device != "" {
		name = device + " " + name
	}
	return &fileKnob{
		codec: listCodec{},
		// Interrupts belong to no namespace, whatever the device does.
		spec: Spec{Family: familyIRQ, Device: device, Name: strconv.Itoa(number), Scope: irqScope(device)},
		name: name,
		path: irqFile(number),
		// The move itself happens in the first interrupt after the write; one
		// coalescing period and the old CPU's poll round come on top.
		settle: 20 * time.Millisecond,
		hint: "the kernel or the driver manages this interrupt's affinity itself, or none of the CPUs is online; " +
			"see /proc/irq/" + strconv.Itoa(number),
	}
}

func irqScope(device string) Scope {
	if device == "" {
		return Host
	}
	return Device
}

func irqFile(number int) string {
	return path.Join("/proc/irq", strconv.Itoa(number), "smp_affinity_list")
}

func newIRQ(spec Spec) (Knob, error) {
	n, err := strconv.ParseUint(spec.Name, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("irq: %q is not an interrupt number", spec.Name)
	}
	if spec.Device != "" {
		if err := checkDeviceName(spec.Device); err != nil {
			return nil, err
		}
	}
	return irqKnob(int(n), spec.Device), nil
}

// bindIRQ finds the interrupts that the key speaks of: a number, or a device.
func bindIRQ(h host.Host, a asked) ([]Knob, error) {
	numbers, device := []int{}, a.device
	if n, err := strconv.ParseUint(a.Knob.Device, 10, 31); err == nil {
		numbers, device = append(numbers, int(n)), ""
	} else {
		if err := checkDevice(h, device); err != nil {
			return nil, fmt.Errorf("irq %s: %w", device, err)
		}
		if numbers, err = irqsOf(h, device); err != nil {
			return nil, fmt.Errorf("irq %s: %w", device, err)
		}
		if len(numbers) == 0 {
			return nil, fmt.Errorf("irq %s: the device has no interrupts of its own (a virtual device?); "+
				"looked in %s and /proc/interrupts", device, path.Join(netClass, device, "device/msi_irqs"))
		}
	}
	knobs := make([]Knob, len(numbers))
	for i, n := range numbers {
		knobs[i] = irqKnob(n, device)
		if err := readable(h, knobs[i]); err != nil {
			return nil, err
		}
	}
	return knobs, nil
}

// irqsOf finds a device's interrupts. Message-signalled ones are listed by the
// device's bus; older or oddly made drivers only show in the names of
// /proc/interrupts, so both are asked.
func irqsOf(h host.Host, device string) ([]int, error) {
	numbers, err := msiIRQs(h, device)
	if err != nil {
		return nil, err
	}
	rows, err := probe.ReadInterrupts(h)
	if err != nil {
		return nil, err
	}
	named, err := interruptsNamed(rows, device)
	if err != nil {
		return nil, err
	}
	all := slices.Compact(slices.Sorted(slices.Values(append(numbers, named...))))
	// A vector can be allocated and not be requested; it has no file to write.
	return slices.DeleteFunc(all, func(n int) bool {
		_, err := h.Mode(irqFile(n))
		return errors.Is(err, fs.ErrNotExist)
	}), nil
}

// msiIRQs lists the device's entries of msi_irqs. A virtio device has none of
// its own: they are its PCI function's, one level up. No other device's parent
// is looked at: a plain PCI device's parent is a bridge with its own interrupts.
func msiIRQs(h host.Host, device string) ([]int, error) {
	dir := path.Join(netClass, device, "device")
	patterns := []string{dir + "/msi_irqs/*"}
	if alias, err := h.ReadFile(dir + "/modalias"); err == nil && bytes.HasPrefix(alias, []byte("virtio:")) {
		// Not path.Join: ".." must be resolved by the kernel, behind the symlink.
		patterns = append(patterns, dir+"/../msi_irqs/*")
	}
	var numbers []int
	for _, pattern := range patterns {
		paths, err := h.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			if n, err := strconv.Atoi(path.Base(p)); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	return numbers, nil
}

// interruptsNamed finds the numbered rows of /proc/interrupts whose action name
// speaks of the device: eth0, eth0-TxRx-0, i40e-eth0-TxRx-3, eth0@pci:... The
// name must stand alone, so that eth1 does not find eth10.
func interruptsNamed(rows []probe.Interrupt, device string) ([]int, error) {
	alone, err := regexp.Compile(`(^|[^A-Za-z0-9_.])` + regexp.QuoteMeta(device) + `($|[^A-Za-z0-9_.])`)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, row := range rows {
		if row.IRQ >= 0 && alone.MatchString(row.Detail) { // others are NMI, LOC, ...
			numbers = append(numbers, row.IRQ)
		}
	}
	return numbers, nil
}
