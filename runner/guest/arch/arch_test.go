package arch

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]*Arch{"amd64": X86, "x86_64": X86, "arm64": ARM, "aarch64": ARM} {
		if got, err := Parse(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := Parse("riscv64"); err == nil || err.Error() != "--arch riscv64: want amd64 or arm64" {
		t.Error(err)
	}
	if own, err := Parse(""); Here() != nil && (err != nil || own != Here()) {
		t.Errorf("%v, %v", own, err)
	}
}

// TestTable: a row that lacks something would boot a guest of which nobody hears.
func TestTable(t *testing.T) {
	for _, a := range All {
		if Of(a.Name) != a || a.ELF == 0 || a.Machine == "" || a.LineNode == "" || a.Exact.CPUModel == "" || len(a.Exact.Cmdline) == 0 {
			t.Errorf("%+v", a)
		}
		if !strings.HasPrefix(a.Parameters[0], "console=") || !strings.HasPrefix(a.QEMU, "qemu-system-") || !strings.Contains(strings.Join(a.Line, " "), "chardev") {
			t.Errorf("%+v", a)
		}
	}
}
