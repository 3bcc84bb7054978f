package kernel

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

type elfSection struct {
	name string
	kind elf.SectionType
	flag elf.SectionFlag
	data string
}

// writeELF writes an object of such sections.
func writeELF(t *testing.T, path string, sections []elfSection) {
	t.Helper()
	names := []byte{0}
	var body, heads bytes.Buffer
	head := func(h elf.Section64) { _ = binary.Write(&heads, binary.LittleEndian, h) }
	head(elf.Section64{})
	for _, s := range append(sections, elfSection{".shstrtab", elf.SHT_STRTAB, 0, ""}) {
		at := len(names)
		names = append(append(names, s.name...), 0)
		data := []byte(s.data)
		if s.kind == elf.SHT_STRTAB {
			data = names
		}
		head(elf.Section64{Name: uint32(at), Type: uint32(s.kind), Flags: uint64(s.flag), Off: uint64(64 + body.Len()), Size: uint64(len(data))})
		body.Write(data)
	}
	h := elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64,
		Shoff: uint64(64 + body.Len()), Shentsize: 64, Shnum: uint16(len(sections) + 2), Shstrndx: uint16(len(sections) + 1)}
	var out bytes.Buffer
	_ = binary.Write(&out, binary.LittleEndian, h)
	out.Write(body.Bytes())
	out.Write(heads.Bytes())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCodeOf: what is executed tells commits apart, and which build it was does not.
func TestCodeOf(t *testing.T) {
	const load, text = elf.SHF_ALLOC, elf.SHF_ALLOC | elf.SHF_EXECINSTR
	of := func(release, code, lines, id, module, vermagic string) string {
		t.Helper()
		tree := t.TempDir()
		writeELF(t, filepath.Join(tree, "vmlinux"), []elfSection{{".text", elf.SHT_PROGBITS, text, code}, {".rodata", elf.SHT_PROGBITS, load, "Linux version " + release + " (a@b) #1\x00"},
			{".notes", elf.SHT_NOTE, load, id}, {"__bug_table", elf.SHT_PROGBITS, load, lines}, {".debug_line", elf.SHT_PROGBITS, 0, lines}})
		ko := filepath.Join(tree, "drivers/net/veth.ko")
		writeELF(t, ko, []elfSection{{".text", elf.SHT_PROGBITS, text, module}, {".modinfo", elf.SHT_PROGBITS, load, vermagic}})
		code, err := (&Kernel{Release: release, Build: "Linux version " + release + " (a@b) #1", Digest: id}).Code(t.Context(), tree, []string{ko})
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	base := of("6.1.0-00001-gabcdef", "code", "1", "id1", "module", "6.1.0-00001-gabcdef")
	if same := of("6.1.0-00002-g123456", "code", "2", "id2", "module", "6.1.0-00002-g123456"); same != base {
		t.Error("another version of the same code is told apart")
	}
	if of("6.1.0-00001-gabcdef", "Code", "1", "id1", "module", "6.1.0-00001-gabcdef") == base {
		t.Error("other code is the same")
	}
	if of("6.1.0-00001-gabcdef", "code", "1", "id1", "Module", "6.1.0-00001-gabcdef") == base {
		t.Error("the code of another module is the same")
	}
	// A tree without vmlinux has its image.
	a, err := (&Kernel{Digest: "1"}).Code(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := (&Kernel{Digest: "2"}).Code(t.Context(), t.TempDir(), nil); err != nil || a == b {
		t.Errorf("images: %v", err)
	}
}
