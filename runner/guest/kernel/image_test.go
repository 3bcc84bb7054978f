package kernel

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netab/runner/guest/arch"
)

func TestInspect(t *testing.T) {
	long := strings.Repeat("x", 1<<18-100)
	arm := func(text string) []byte { return append(append(make([]byte, 56), "ARM\x64"...), text...) }
	changed := func(image []byte, off int, to byte) []byte { image[off] = to; return image }
	for name, tt := range map[string]struct {
		image []byte
		want  string // format, architecture, release, entry
		fault string
	}{
		"bzImage":              {bzImage(banner, xlfKernel64), "bzImage x86_64 9.9.1-netab true", ""},
		"bzImage of 32 bits":   {bzImage(banner, 0), "bzImage i386 9.9.1-netab true", ""},
		"signed":               {append(bzImage(banner, xlfKernel64), make([]byte, 2000)...), "bzImage x86_64 9.9.1-netab true", ""},
		"old protocol":         {changed(bzImage(banner, xlfKernel64), offVersion, 0x0b), "bzImage i386 9.9.1-netab true", ""},
		"no version":           {changed(changed(bzImage(banner, xlfKernel64), offBanner, 0), offBanner+1, 0), "", "its header has no version"},
		"version outside":      {changed(bzImage(banner, xlfKernel64), offBanner+1, 0xff), "", "its header has no version"},
		"version is no number": {bzImage("../../etc (x)", xlfKernel64), "", `its release reads "../../etc"`},
		"version is empty":     {bzImage("", xlfKernel64), "", `its release reads ""`},
		"escapes":              {bzImage("6.1.0 \x1b[31mred\x1b[0m", xlfKernel64), "bzImage x86_64 6.1.0 true", ""},
		"header cut":           {bzImage(banner, xlfKernel64)[:0x210], "", "it is cut off: a bzImage begins with"},
		"cut":                  {bzImage(banner, xlfKernel64)[:3071], "", "it is cut off: its header promises 3072 bytes, and 3071 are there"},
		"vmlinux":              {vmlinux(banner, elfX86, append(note("GNU", 3), note("Xen", 18)...)), "vmlinux x86_64 9.9.1-netab true", ""},
		"vmlinux, no PVH":      {vmlinux(banner, elfX86, note("GNU", 18)), "vmlinux x86_64 9.9.1-netab false", ""},
		"vmlinux, arm64":       {vmlinux(banner, elfARM, nil), "vmlinux aarch64 9.9.1-netab true", ""},
		"vmlinux cut":          {vmlinux(banner, elfX86, note("Xen", 18))[:200], "", "damaged ELF file"},
		"another program":      {elf64(elfExec, elfX86, elfPart{".text", segmentLoad, []byte("hello")}), "", "neither a bzImage nor a vmlinux but another program"},
		"a module":             {ko(release, "veth"), "", "such as a module"},
		"arm64":                {arm("Linux version 6.1.0-arm64 (b@h) #1\x00"), "Image aarch64 6.1.0-arm64 true", ""},
		"far away":             {arm(long + "Linux version 6.1.0-far (b@h) #1\x00"), "Image aarch64 6.1.0-far true", ""},
		"two formats":          {arm("Linux version %s (\x00Linux version 1 x\x00Linux version 6.1.0-b (b@h) #1\x00"), "Image aarch64 6.1.0-b true", ""},
		"arm64 without":        {arm(long + long), "", "Linux version"},
		"riscv":                {append(make([]byte, 0x38), "RSC\x05...."...), "", "it is a kernel for riscv64"},
		"zboot":                {zboot(compressors[".gz"](arm("Linux version 6.1.0-z (b@h) #1\x00"))), "Image aarch64 6.1.0-z true", ""},
		"zboot by xz":          {zboot(compressors[".xz"](arm("Linux version 6.1.0-z (b@h) #1\x00"))), "Image aarch64 6.1.0-z true", ""},
		"zboot of riscv":       {zboot(compressors[".gz"](append(make([]byte, 0x38), "RSC\x05...."...))), "", "it is a kernel for riscv64"},
		"zboot cut":            {zboot(make([]byte, 100))[:80], "", "it is cut off: its header promises 164 bytes, and 80 are there"},
		"zboot without":        {[]byte("MZ\x00\x00zimg...."), "", "a compressed file: decompress it first"},
		"gzip, arm64":          {compressors[".gz"](arm("Linux version 6.1.0-g (b@h) #1\x00")), "Image aarch64 6.1.0-g true", ""},
		"gzip, arm64 cut":      {compressors[".gz"](arm("Linux version 6.1.0-g (b@h) #1\x00"))[:40], "", "what is compressed in it: "},
		"gzip":                 {compressors[".gz"](bzImage(banner, xlfKernel64)), "", "a compressed file: decompress it first"},
		"text":                 {[]byte("hi"), "", `it begins with "hi"`},
		"nothing":              {nil, "", `it begins with ""`},
	} {
		i, err := inspect(bytes.NewReader(tt.image), int64(len(tt.image)))
		if err != nil {
			if tt.fault == "" || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s: %v, want %q", name, err, tt.fault)
			}
			continue
		}
		if got := fmt.Sprint(i.format, " ", i.arch, " ", i.release, " ", i.entry); got != tt.want || strings.Contains(i.banner, "\x1b") {
			t.Errorf("%s: %s %q, want %s%s", name, got, i.banner, tt.want, tt.fault)
		}
	}
}

// zboot makes an EFI zboot image of what is compressed.
func zboot(packed []byte) []byte {
	head := append([]byte("MZ\x00\x00zimg"), make([]byte, headZboot-8)...)
	binary.LittleEndian.PutUint32(head[offZboot:], headZboot)
	binary.LittleEndian.PutUint32(head[offZbootSize:], uint32(len(packed)))
	return append(append(head, packed...), make([]byte, 16)...)
}

// TestUnpack: what QEMU boots is what was compressed.
func TestUnpack(t *testing.T) {
	image := append(append(make([]byte, 56), "ARM\x64"...), "Linux version 6.1.0-z (b@h) #1\x00"...)
	path := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(path, zboot(compressors[".zst"](image)), 0o600); err != nil {
		t.Fatal(err)
	}
	o, _ := options(t)
	o.Arch = arch.ARM
	k, err := Find(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := k.Unpack(&out); err != nil || !k.Packed || !bytes.Equal(out.Bytes(), image) {
		t.Errorf("%v, packed %v, %q", err, k.Packed, out.Bytes())
	}
}

// TestEmbeddedConfig: a kernel may have its configuration in itself.
func TestEmbeddedConfig(t *testing.T) {
	const text = "CONFIG_VETH=y\n"
	inside := bytes.Join([][]byte{make([]byte, 1<<18-3), []byte("IKCFG_ST"), compressors[".gz"]([]byte(text)), []byte("IKCFG_ED")}, nil)
	for name, image := range map[string][]byte{
		"vmlinux": append(vmlinux(banner, elfX86, nil), inside...),
		"gzip":    withPayload(compressors[".gz"](inside)),
		"zstd":    withPayload(append(compressors[".zst"](inside), 1, 2, 3, 4)),
		"xz":      withPayload(append(compressors[".xz"](inside), 1, 2, 3, 4)),
		"plain":   withPayload(inside),
	} {
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := embeddedConfig(context.Background(), path); string(got) != text {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, image := range map[string][]byte{"none": bzImage(banner, xlfKernel64), "short": []byte("x"), "cut": append(vmlinux(banner, elfX86, nil), inside[:1<<18+20]...)} {
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := embeddedConfig(context.Background(), path); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestOptionOf(t *testing.T) {
	for module, want := range map[string]string{
		"veth": "CONFIG_VETH", "tcp_bbr": "CONFIG_TCP_CONG_BBR", "sch_netem": "CONFIG_NET_SCH_NETEM", "virtio_console": "CONFIG_VIRTIO_CONSOLE",
		"pktgen": "CONFIG_NET_PKTGEN", "act_mirred": "CONFIG_NET_ACT_MIRRED", "virtio_ring": "CONFIG_VIRTIO", "e1000e": "CONFIG_E1000E",
	} {
		if got := optionOf(module); got != want {
			t.Errorf("%s: %s, want %s", module, got, want)
		}
	}
}

// FuzzInspect: whatever a file holds, it is a kernel of a plausible release, or an
// error of one line.
func FuzzInspect(f *testing.F) {
	for _, seed := range [][]byte{bzImage(banner, xlfKernel64), vmlinux(banner, elfX86, note("Xen", 18)), ko(release, "veth"), append(append(make([]byte, 56), "ARM\x64"...), "Linux version 6.1 (b@h)"...), zboot(compressors[".gz"](append(append(make([]byte, 56), "ARM\x64"...), "Linux version 6.1 (b@h)"...)))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := inspect(bytes.NewReader(data), int64(len(data)))
		if err == nil && (!releaseName.MatchString(i.release) || !strings.HasPrefix(i.banner, i.release)) {
			t.Errorf("%+v", i)
		}
		if r, err := payload(bytes.NewReader(data), int64(len(data))); err == nil {
			_, _ = searchConfig(r)
		}
	})
}
