package kernel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"netab/runner/guest/arch"
)

// Kernels, modules and packages of a few kB, made as the real ones are.

const (
	release = "9.9.1-netab"
	banner  = release + " (builder@host) #1 SMP Mon Nov 30 2026"
)

// bzImage makes one whose header says what is given.
func bzImage(banner string, flags uint16) []byte {
	const sectors, rest = 3, 64
	image := make([]byte, (sectors+1)*512+16*rest)
	image[offSetupSects] = sectors
	binary.LittleEndian.PutUint32(image[offSysSize:], rest)
	binary.LittleEndian.PutUint16(image[offBootFlag:], 0xaa55)
	copy(image[offHdrS:], "HdrS")
	binary.LittleEndian.PutUint16(image[offVersion:], 0x20f)
	binary.LittleEndian.PutUint16(image[offXLoadFlags:], flags)
	const at = 0x400
	binary.LittleEndian.PutUint16(image[offBanner:], at-0x200)
	copy(image[at:], banner)
	return image
}

// withPayload makes one with something compressed behind its setup.
func withPayload(payload []byte) []byte {
	image := bzImage(banner, xlfKernel64)
	setup := len(image) - 16*64
	image = append(image[:setup], payload...)
	image = append(image, make([]byte, -len(payload)&15)...)
	binary.LittleEndian.PutUint32(image[offSysSize:], uint32(len(image)-setup)/16)
	binary.LittleEndian.PutUint32(image[offPayload:], 0)
	binary.LittleEndian.PutUint32(image[offPayloadSize:], uint32(len(payload)))
	return image
}

// elf64 makes an ELF file of one section and one segment a part.
func elf64(kind, machine uint16, parts ...elfPart) []byte {
	const fileHeader, progHeader, sectionHeader = 64, 56, 64
	names := []byte{0}
	var body []byte
	at := uint64(fileHeader + progHeader*len(parts))
	le := binary.LittleEndian
	progs, sections := []byte{}, make([]byte, sectionHeader) // the first section is none
	section := func(name string, kind uint32, data []byte) {
		h := le.AppendUint32(nil, uint32(len(names)))
		h = le.AppendUint32(h, kind)
		h = append(h, make([]byte, 16)...) // flags, address
		h = le.AppendUint64(h, at+uint64(len(body)))
		h = le.AppendUint64(h, uint64(len(data)))
		sections = append(sections, append(h, make([]byte, sectionHeader-len(h))...)...)
		names = append(append(names, name...), 0)
	}
	for _, p := range parts {
		h := le.AppendUint32(nil, p.segment)
		h = le.AppendUint32(h, 0)
		h = le.AppendUint64(h, at+uint64(len(body)))
		h = append(h, make([]byte, 16)...) // addresses
		h = le.AppendUint64(h, uint64(len(p.data)))
		h = le.AppendUint64(h, uint64(len(p.data)))
		progs = append(progs, append(h, make([]byte, progHeader-len(h))...)...)
		section(p.name, 1, p.data)
		body = append(body, p.data...)
	}
	names = append(names, ".shstrtab\x00"...)
	table := bytes.Clone(names)
	names = names[:len(names)-len(".shstrtab\x00")]
	section(".shstrtab", 3, table)
	body = append(body, table...)
	file := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	file = le.AppendUint16(file, kind)
	file = le.AppendUint16(file, machine)
	file = le.AppendUint32(file, 1)
	file = le.AppendUint64(file, 0)
	file = le.AppendUint64(file, fileHeader)
	file = le.AppendUint64(file, at+uint64(len(body)))
	file = le.AppendUint32(file, 0)
	for _, n := range []int{fileHeader, progHeader, len(parts), sectionHeader, len(parts) + 2, len(parts) + 1} {
		file = le.AppendUint16(file, uint16(n))
	}
	return bytes.Join([][]byte{file, progs, body, sections}, nil)
}

type elfPart struct {
	name    string
	segment uint32
	data    []byte
}

const (
	elfRel, elfExec      = 1, 2
	elfX86, elfARM       = 62, 183
	segmentLoad, segNote = 1, 4
)

// note is Xen's, of a kernel that QEMU can enter.
func note(name string, kind uint32) []byte {
	n := binary.LittleEndian.AppendUint32(nil, uint32(len(name)+1))
	n = binary.LittleEndian.AppendUint32(n, 4)
	n = binary.LittleEndian.AppendUint32(n, kind)
	n = append(append(n, name...), make([]byte, 4-len(name)%4)...)
	return append(n, 0, 0, 0, 1)
}

func vmlinux(banner string, machine uint16, notes []byte) []byte {
	text := []byte("Linux version %s (%s)\x00Linux version " + banner + "\n\x00")
	return elf64(elfExec, machine, elfPart{".rodata", segmentLoad, text}, elfPart{".notes", segNote, notes})
}

// ko makes a module of a release.
func ko(release, name string, info ...string) []byte {
	entries := append([]string{"license=GPL", "name=" + name, "vermagic=" + release + " SMP preempt mod_unload "}, info...)
	return elf64(elfRel, elfX86, elfPart{".modinfo", 0, []byte(strings.Join(entries, "\x00") + "\x00")})
}

// A tree is files by their paths.
type files map[string][]byte

// tarred is in the order of names.
func tarred(f files) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range (&index{Files: asInside(f)}).paths() {
		must(w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(f[name])), Typeflag: tar.TypeReg, Format: tar.FormatGNU}))
		_, err := w.Write(f[name])
		must(err)
	}
	must(w.Close())
	return out.Bytes()
}

func asInside(f files) map[string]inside {
	out := map[string]inside{}
	for name := range f {
		out[name] = inside{}
	}
	return out
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// compressors are by what they add to a name.
var compressors = map[string]func([]byte) []byte{
	"": func(b []byte) []byte { return b },
	".gz": func(b []byte) []byte {
		return compressed(b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	},
	".xz": func(b []byte) []byte { return storedXZ(b) },
	".zst": func(b []byte) []byte {
		return compressed(b, func(w io.Writer) io.WriteCloser { z, err := zstd.NewWriter(w); must(err); return z })
	},
}

func compressed(data []byte, by func(io.Writer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := by(&out)
	_, err := w.Write(data)
	must(err)
	must(w.Close())
	return out.Bytes()
}

// storedXZ makes an .xz file of a block a part, whose LZMA2 says what it has and
// compresses nothing. What is compressed the program xz makes (TestXZ).
func storedXZ(parts ...[]byte) []byte { return filteredXZ(0, parts...) }

// filteredXZ is storedXZ of parts that a filter for code would leave as they are.
func filteredXZ(filter byte, parts ...[]byte) []byte {
	le := binary.LittleEndian
	flags := []byte{0, 1} // CRC32
	out := le.AppendUint32(append([]byte(magicXZ), flags...), crc32.ChecksumIEEE(flags))
	index := binary.AppendUvarint([]byte{0}, uint64(len(parts)))
	for _, part := range parts {
		block := []byte{2, 0, 0x21, 1, 16, 0, 0, 0} // of 1 MiB
		if filter != 0 {
			block = []byte{2, 1, filter, 0, 0x21, 1, 16, 0}
		}
		block = le.AppendUint32(block, crc32.ChecksumIEEE(block))
		control := byte(1)
		for rest := part; len(rest) > 0; control = 2 {
			n := min(len(rest), 1<<16)
			block = binary.BigEndian.AppendUint16(append(block, control), uint16(n-1))
			block, rest = append(block, rest[:n]...), rest[n:]
		}
		block = append(block, 0)
		index = binary.AppendUvarint(index, uint64(len(block)+4))
		index = binary.AppendUvarint(index, uint64(len(part)))
		block = append(block, make([]byte, -len(block)&3)...)
		out = append(out, le.AppendUint32(block, crc32.ChecksumIEEE(part))...)
	}
	index = append(index, make([]byte, -len(index)&3)...)
	index = le.AppendUint32(index, crc32.ChecksumIEEE(index))
	foot := append(le.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	out = le.AppendUint32(append(out, index...), crc32.ChecksumIEEE(foot))
	return append(append(out, foot...), "YZ"...)
}

// arArchive puts members together.
func arArchive(members ...[2]string) []byte {
	out := []byte(arMagic)
	for _, m := range members {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m[0], 0, 0, 0, "100644", len(m[1]), m[1])
		if len(m[1])%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

// deb makes a Debian package; by is a compressor.
func deb(control string, f files, by string) []byte {
	c := compressors[by]
	return arArchive([2]string{"debian-binary", "2.0\n"},
		[2]string{"control.tar" + by, string(c(tarred(files{"./control": []byte(control)})))},
		[2]string{"data.tar" + by, string(c(tarred(f)))})
}

func control(name, version, arch string, more ...string) string {
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: nobody\nDescription: a kernel\n of a test\n%s", name, version, arch, strings.Join(more, ""))
}

// rpmPackage makes one with a payload in cpio.
func rpmPackage(name, version, arch string, f files, by string) []byte {
	payload := compressors[by](cpioArchive(f))
	sum := sha256.Sum256(payload)
	lead := make([]byte, rpmLead)
	copy(lead, rpmMagic+"\x03\x00")
	out := append(lead, rpmTags(map[uint32]string{1: "signature"})...)
	out = append(out, make([]byte, -len(out)&7)...)
	out = append(out, rpmTags(map[uint32]string{tagName: name, tagVersion: version, tagRelease: "1", tagArch: arch,
		tagPayloadFormat: "cpio", tagPayloadDigest: hex.EncodeToString(sum[:])})...)
	return append(out, payload...)
}

func rpmTags(tags map[uint32]string) []byte {
	var index, store []byte
	for tag, value := range tags {
		index = binary.BigEndian.AppendUint32(index, tag)
		index = binary.BigEndian.AppendUint32(index, typeString)
		index = binary.BigEndian.AppendUint32(index, uint32(len(store)))
		index = binary.BigEndian.AppendUint32(index, 1)
		store = append(append(store, value...), 0)
	}
	head := append([]byte(headerMagic), 0, 0, 0, 0)
	head = binary.BigEndian.AppendUint32(head, uint32(len(tags)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(store)))
	return bytes.Join([][]byte{head, index, store}, nil)
}

func cpioArchive(f files) []byte {
	var out []byte
	add := func(name string, mode int, data []byte) {
		out = fmt.Appendf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		out = append(out, make([]byte, -len(out)&3)...)
		out = append(out, data...)
		out = append(out, make([]byte, -len(out)&3)...)
	}
	add("./lib", 0o040755, nil)
	for _, name := range (&index{Files: asInside(f)}).paths() {
		add(name, 0o100644, f[name])
	}
	add("TRAILER!!!", 0, nil)
	return out
}

// small is the content of a package of a kernel: its modules are compressed so.
func small(by string) files {
	in := "lib/modules/" + release + "/"
	c := compressors[by]
	return files{
		"./boot/vmlinuz-" + release:                            bzImage(banner, xlfKernel64),
		"./boot/config-" + release:                             []byte("# a comment\nCONFIG_X86_64=y\nCONFIG_VETH=m\nCONFIG_TCP_CONG_CUBIC=y\nCONFIG_VIRTIO=m\n# CONFIG_NET_PKTGEN is not set\n"),
		"./boot/System.map-" + release:                         []byte("not kept"),
		"./" + in + "modules.builtin":                          []byte("kernel/net/ipv4/tcp_cubic.ko\nkernel/drivers/net/loopback.ko\n"),
		"./" + in + "kernel/veth.ko" + by:                      c(ko(release, "veth", "depends=")),
		"./" + in + "kernel/v/virtio.ko" + by:                  c(ko(release, "virtio", "depends=virtio_ring")),
		"./" + in + "kernel/virtio_ring.ko" + by:               c(ko(release, "virtio_ring", "depends=")),
		"./" + in + "kernel/virtio-net.ko" + by:                c(ko(release, "virtio_net", "depends=failover,virtio,virtio_ring", "softdep=pre: crypto-none crc9 post: late")),
		"./" + in + "kernel/crypto/crc9-generic.ko" + by:       c(ko(release, "crc9_generic", "depends=", "alias=crc9", "alias=crypto-crc9")),
		"./" + in + "kernel/arch/x86/crypto/crc9-fast.ko" + by: c(ko(release, "crc9_fast", "depends=failover", "alias=crypto-crc9", "alias=crc9")),
		"./" + in + "kernel/crypto/hard.ko" + by:               c(ko(release, "hard", "depends=crc9-fast")),
		"./" + in + "kernel/failover.ko" + by:                  c(ko(release, "failover", "depends=")),
		"./" + in + "kernel/late.ko" + by:                      c(ko(release, "late", "depends=virtio-net")),
		"./" + in + "kernel/orphan.ko" + by:                    c(ko(release, "orphan", "depends=virtio,gone")),
		"./" + in + "kernel/other.ko" + by:                     c(ko("6.6.6", "other", "depends=")),
		"./" + in + "kernel/broken.ko" + by:                    []byte("no module"),
		"./usr/share/doc/linux/copyright":                      []byte("not kept"),
	}
}

// put writes files below a directory.
func put(t testing.TB, dir string, f files) {
	t.Helper()
	for name, data := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// options are those of a test: nothing of the machine's own kernels or cache.
func options(t testing.TB) (Options, *strings.Builder) {
	t.Helper()
	var log strings.Builder
	return Options{Cache: filepath.Join(t.TempDir(), "cache"), Log: &log, Arch: arch.X86, root: t.TempDir()}, &log
}

// got is what a kernel is, in a line.
func got(t testing.TB, ref string, o Options) (*Kernel, string) {
	t.Helper()
	k, err := Find(context.Background(), ref, o)
	if err != nil {
		return nil, err.Error()
	}
	return k, ""
}

// files of modules, and what is missing, in a line.
func loaded(k *Kernel, names ...string) string {
	mods, missing := k.Load(names...)
	var out []string
	for _, m := range mods {
		out = append(out, m.File)
	}
	for _, name := range missing {
		out = append(out, "-"+name)
	}
	return strings.Join(out, " ")
}
