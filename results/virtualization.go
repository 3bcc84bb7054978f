package results

import (
	"slices"
	"strings"
)

const clocksource = "/sys/devices/system/clocksource/clocksource0/"

// dmiVendors are the vendors that hypervisors write into their guests' DMI
// tables, by the start of sys_vendor, and what is below them.
var dmiVendors = []struct{ prefix, kind string }{
	{"QEMU", "kvm"},
	{"Red Hat", "kvm"}, // sys_vendor of RHEV and OpenShift guests
	{"Amazon EC2", "kvm"},
	{"Google", "kvm"},
	{"DigitalOcean", "kvm"},
	{"OpenStack Foundation", "kvm"},
	{"Alibaba Cloud", "kvm"},
	{"VMware", "vmware"},
	{"innotek GmbH", "virtualbox"},
	{"Xen", "xen"},
	{"Bochs", "bochs"},
	{"Parallels", "parallels"},
	{"BHYVE", "bhyve"},
	{"Apple Virtualization", "apple"},
}

// readVirtualization says what runs below the kernel: kvm, xen, microsoft,
// vmware, ..., "none" for bare metal, "unknown" where there is a hypervisor
// that none of the signs names, or no way to tell.
//
// On x86 CPUID's hypervisor bit decides whether there is one: DMI alone does
// not, because Amazon, Google and Red Hat sell bare metal under the same
// names. Other architectures have no such bit, so there DMI must do.
func readVirtualization(files Files, cpu cpuModel) string {
	if kind := textOr(files, "/sys/hypervisor/type", ""); kind == "xen" {
		return kind // dom0 too: its CPUs are scheduled by Xen
	}
	if cpu.emulated() != "" {
		return "qemu" // which its DMI says of KVM's guests too; the word is systemd-detect-virt's
	}
	if cpu.x86 && !cpu.hypervisor {
		return "none"
	}
	available := strings.Fields(textOr(files, clocksource+"available_clocksource", ""))
	switch {
	case slices.Contains(available, "kvm-clock"):
		return "kvm"
	case slices.ContainsFunc(available, func(c string) bool { return strings.HasPrefix(c, "hyperv_clocksource") }):
		return "microsoft"
	}
	vendor := textOr(files, "/sys/class/dmi/id/sys_vendor", "")
	product := textOr(files, "/sys/class/dmi/id/product_name", "")
	if vendor == "Microsoft Corporation" && product == "Virtual Machine" {
		return "microsoft"
	}
	for _, v := range dmiVendors {
		if strings.HasPrefix(vendor, v.prefix) && !strings.Contains(product, "metal") {
			return v.kind
		}
	}
	if !cpu.x86 && vendor != "" {
		return "none" // a real vendor's firmware tables
	}
	return "unknown"
}
