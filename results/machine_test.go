package results

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixture unpacks testdata/NAME.txtar to a tree of /proc and /sys. One file a
// tree is easier to review than seventy.
func fixture(t *testing.T, name string) Root {
	t.Helper()
	archive, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, files, _ := strings.Cut(string(archive), "\n-- ")
	for f := range strings.SplitSeq(files, "\n-- ") {
		path, text, _ := strings.Cut(f, " --\n")
		text += "\n"
		if strings.HasSuffix(path, ".gz") {
			text = string(pack(t, []byte(text)))
		}
		writeFile(t, filepath.Join(dir, path), text)
	}
	return Root(dir)
}

func pack(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadMachineGuest(t *testing.T) {
	got, err := ReadMachine(fixture(t, "guest"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Mitigations["spec_store_bypass"] != "Vulnerable" || len(got.Mitigations) < 10 {
		t.Errorf("mitigations %v", got.Mitigations)
	}
	got.Mitigations = nil
	want := Machine{
		Hostname: "vm", BootID: got.BootID, Kernel: "6.18.44-fc-v669", KernelBuild: "#1 SMP PREEMPT_DYNAMIC @0",
		KernelCmdline: "mitigations=auto console=ttyS0 quiet", Arch: "x86_64",
		CPUModel: "AMD EPYC", Microcode: "0x1000065", CPUs: 2, CPUsOnline: "0-1",
		ThreadsPerCore: 1, Sockets: 1, NUMANodes: 1, MemoryBytes: 25276502016,
		Clocksource: "tsc", Virtualization: "kvm", IRQTime: "no",
		Sysctls: map[string]string{
			"kernel.numa_balancing": "0", "net.core.default_qdisc": "pfifo_fast", "net.core.netdev_budget": "300",
			"net.core.netdev_max_backlog": "1000", "net.ipv4.tcp_congestion_control": "bbr", "net.ipv4.tcp_rmem": "4096 131072 33554432",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadMachineServer(t *testing.T) {
	got, err := ReadMachine(fixture(t, "server"))
	if err != nil {
		t.Fatal(err)
	}
	want := Machine{
		Board: "Dell Inc. PowerEdge R640", Hostname: "bench1", BootID: "6b1c7a36-0000-4000-8000-0123456789ab",
		Kernel: "6.1.0-28-amd64", KernelBuild: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
		KernelCmdline: "BOOT_IMAGE=/vmlinuz root=/dev/sda1 isolcpus=3,7", Arch: "x86_64",
		CPUModel: "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", Microcode: "0x2007006",
		CPUs: 8, CPUsOnline: "0-7", CPUsIsolated: "3,7", ThreadsPerCore: 2, Sockets: 2, NUMANodes: 2,
		MemoryBytes: 263947392 << 10, Mitigations: map[string]string{"meltdown": "Mitigation: PTI"},
		Clocksource: "hpet", Governor: "performance 6, powersave 2", Virtualization: "none",
		IRQTime: "yes", Debug: []string{"KASAN", "PROVE_LOCKING", "DEBUG_OBJECTS"},
		Modules: []string{"br_netfilter", "ifb", "nf_conntrack", "xt_conntrack"},
		Sysctls: map[string]string{"net.ipv4.tcp_rmem": "4096 131072 6291456"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadCPUTopology(t *testing.T) {
	got, err := ReadCPUTopology(fixture(t, "server"))
	if err != nil {
		t.Fatal(err)
	}
	want := CPUTopology{
		Online: []int{0, 1, 2, 3, 4, 5, 6, 7}, Allowed: []int{0, 1, 2, 3, 4, 5, 6, 7}, Isolated: []int{3, 7},
		Node:     map[int]int{0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 1, 7: 1},
		Siblings: map[int][]int{0: {0, 4}, 1: {1, 5}, 2: {2, 6}, 3: {3, 7}, 4: {0, 4}, 5: {1, 5}, 6: {2, 6}, 7: {3, 7}},
		Package:  map[int]int{0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 1, 7: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A machine that tells little is described by little, not refused.
func TestReadMachineBare(t *testing.T) {
	root := Root(t.TempDir())
	if _, err := ReadMachine(root); err == nil {
		t.Error("a machine without /proc: no error")
	}
	writeFile(t, string(root)+"/proc/sys/kernel/osrelease", "7.0\n")
	if _, err := ReadMachine(root); err == nil {
		t.Error("a machine without CPUs: no error")
	}
	writeFile(t, string(root)+"/sys/devices/system/cpu/online", "0\n")
	got, err := ReadMachine(root)
	if err != nil {
		t.Fatal(err)
	}
	if got.IRQTime != "unknown" || got.Virtualization != "unknown" || got.Governor != "" || got.CPUs != 1 || got.ThreadsPerCore != 1 {
		t.Errorf("%+v", got)
	}
}

// The machine under test itself: what every Linux has must be there.
func TestReadMachineHere(t *testing.T) {
	m, err := ReadMachine(Root(""))
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(m)
	for _, name := range []string{"Hostname", "BootID", "Kernel", "KernelBuild", "KernelCmdline", "Arch", "CPUs", "CPUsOnline",
		"ThreadsPerCore", "Sockets", "NUMANodes", "MemoryBytes", "Clocksource", "Virtualization", "IRQTime", "Sysctls"} {
		if v.FieldByName(name).IsZero() {
			t.Errorf("%s is empty", name)
		}
	}
}

func TestVirtualization(t *testing.T) {
	const dmi, avail = "/sys/class/dmi/id/", clocksource + "available_clocksource"
	guest, metal, arm := cpuModel{x86: true, hypervisor: true}, cpuModel{x86: true}, cpuModel{}
	tests := []struct {
		name  string
		cpu   cpuModel
		files map[string]string
		want  string
	}{
		{"bare metal", metal, map[string]string{dmi + "sys_vendor": "Dell Inc."}, "none"},
		{"bare metal of a cloud", metal, map[string]string{dmi + "sys_vendor": "Amazon EC2"}, "none"},
		{"kvm by its clock", guest, map[string]string{avail: "tsc kvm-clock acpi_pm"}, "kvm"},
		{"emulated", cpuModel{model: "QEMU TCG CPU version 2.5+", x86: true, hypervisor: true}, map[string]string{dmi + "sys_vendor": "QEMU", avail: "tsc"}, "qemu"},
		{"kvm by DMI", guest, map[string]string{dmi + "sys_vendor": "QEMU", avail: "tsc"}, "kvm"},
		{"Hyper-V by its clock", guest, map[string]string{avail: "hyperv_clocksource_tsc_page acpi_pm"}, "microsoft"},
		{"Hyper-V by DMI", guest, map[string]string{dmi + "sys_vendor": "Microsoft Corporation", dmi + "product_name": "Virtual Machine"}, "microsoft"},
		{"vmware", guest, map[string]string{dmi + "sys_vendor": "VMware, Inc."}, "vmware"},
		{"xen", guest, map[string]string{"/sys/hypervisor/type": "xen"}, "xen"},
		{"some hypervisor", guest, nil, "unknown"},
		{"arm guest", arm, map[string]string{dmi + "sys_vendor": "QEMU"}, "kvm"},
		{"arm cloud metal", arm, map[string]string{dmi + "sys_vendor": "Amazon EC2", dmi + "product_name": "a1.metal"}, "none"},
		{"arm server", arm, map[string]string{dmi + "sys_vendor": "Ampere"}, "none"},
		{"arm without DMI", arm, nil, "unknown"},
	}
	for _, tt := range tests {
		root := Root(t.TempDir())
		for path, text := range tt.files {
			writeFile(t, string(root)+path, text+"\n")
		}
		if got := readVirtualization(root, tt.cpu); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Of kernels' files as they are; of riscv64 without a name, numbers that are all
// zero say nothing (SBI 0.1 has no call for them).
func TestParseCPUModel(t *testing.T) {
	tests := []struct {
		name string
		want cpuModel
	}{
		{"loong64", cpuModel{model: "Loongson-3A5000", board: "generic-loongson-machine"}},
		{"s390x", cpuModel{model: "IBM/S390 machine 2964"}},
		{"riscv64", cpuModel{model: "sifive,u74-mc"}},
		{"riscv64-acpi", cpuModel{model: "RISC-V vendor 0x5b7 architecture 0x8000000009140d00 implementation 0x50000"}},
		{"riscv64-old-sbi", cpuModel{}},
		{"mips", cpuModel{model: "MIPS 1004Kc V2.15", board: "Ubiquiti EdgeRouter X"}},
		{"arm64", cpuModel{model: "ARM implementer 0x41 part 0xd0c variant 0x3 revision 1"}},
		{"arm", cpuModel{model: "ARMv7 Processor rev 4 (v7l), ARM implementer 0x41 part 0xd03 variant 0x0 revision 4"}},
		{"ppc64", cpuModel{model: "POWER9, altivec supported", board: "PowerNV 9006-22P"}},
	}
	for _, tt := range tests {
		text, err := os.ReadFile(filepath.Join("testdata", "cpuinfo", tt.name))
		if err != nil {
			t.Fatal(err)
		}
		if got := parseCPUModel(string(text)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func FuzzParseCPUModel(f *testing.F) {
	f.Add("processor\t: 0\nmodel name\t: x\nflags\t: hypervisor\n")
	f.Add("CPU part: 1")
	f.Fuzz(func(t *testing.T, s string) {
		if c := parseCPUModel(s); c.hypervisor && !c.x86 {
			t.Errorf("%q: a hypervisor flag without flags", s)
		}
	})
}

func TestKernelConfigNeverInflatesForever(t *testing.T) {
	text, err := gunzip(pack(t, bytes.Repeat([]byte("\n"), maxConfig+1)))
	if err != nil || len(text) != maxConfig {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestMakeBuild(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}
	if got, want := makeBuild("", info), (Build{Version: "devel", Revision: "abc", Modified: true, Go: "go1.26.8", Semantics: Semantics}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := makeBuild("v1.2", info).Version; got != "v1.2" {
		t.Errorf("version %s", got)
	}
	if got := ReadBuild(""); got.Go == "" || got.Version == "" {
		t.Errorf("%+v", got)
	}
}
