package kernel

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"netab/results/disk"
)

// An image is what can be read of a kernel without running it.
type image struct {
	format  string // "bzImage", "vmlinux", "Image"
	arch    string // as uname -m has it
	banner  string // begins with the release
	release string
	entry   bool // QEMU can enter it: a vmlinux needs a PVH note for that
	packed  bool // it lies compressed in the file
}

// The header of a bzImage: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
// Header". All of it is little endian, counted from the begin of the file.
const (
	offSetupSects  = 0x1f1 // u8: sectors of 512 bytes behind the first
	offSysSize     = 0x1f4 // u32: the rest, in units of 16 bytes
	offBootFlag    = 0x1fe // u16: 0xaa55
	offHdrS        = 0x202
	offVersion     = 0x206 // u16: of the boot protocol
	offBanner      = 0x20e // u16: of a text, less 0x200; 0 = none
	offXLoadFlags  = 0x236 // u16, protocol 2.12
	offPayload     = 0x248 // u32, protocol 2.08: of the compressed vmlinux, behind setup
	offPayloadSize = 0x24c // u32
	headerEnd      = 0x268

	xlfKernel64 = 1 // the kernel is of 64 bits

	protocolPayload = 0x208
	protocolXLoad   = 0x20c
)

// What is looked at of an image at most. A vmlinux with debugging information has
// some hundred MB.
const (
	maxImage  = 2 << 30
	maxSetup  = 256 * 512 // setup_sects is a byte
	maxBanner = 1024
)

func inspectFile(path string, o Options) (*image, error) {
	f, size, err := openImage(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	i, err := inspect(f, size)
	return i, o.at(path, err)
}

func openImage(path string) (*os.File, int64, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > maxImage {
		err = fmt.Errorf("%s: %w: %d bytes, and no kernel has more than %d", path, disk.ErrTooLarge, info.Size(), int64(maxImage))
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

var errNoKernel = errors.New("it is neither a bzImage nor a vmlinux")

// inspect reads an image's header.
func inspect(r io.ReaderAt, size int64) (*image, error) {
	head := make([]byte, min(size, headerEnd))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
		return nil, err
	}
	at := func(off int, text string) bool {
		return len(head) >= off+len(text) && string(head[off:off+len(text)]) == text
	}
	var i *image
	var err error
	switch {
	case at(0, elf.ELFMAG):
		i, err = inspectELF(r, size)
	case at(offHdrS, "HdrS"):
		i, err = inspectBzImage(r, size, head)
	case at(offMagicARM, magicARM):
		i, err = inspectImage(io.NewSectionReader(r, 0, size))
	case at(0, zbootMagic) && at(4, zbootType), at(0, magicGzip), at(0, magicXZ), at(0, magicZstd):
		i, err = inspectPacked(r, size)
	default:
		return nil, strange(head, at)
	}
	if err != nil {
		return nil, err
	}
	i.release, _, _ = strings.Cut(i.banner, " ")
	if !releaseName.MatchString(i.release) {
		return nil, fmt.Errorf("its release reads %q: it is damaged, or no kernel", i.release)
	}
	return i, nil
}

// The header of an Image of arm64, whose first instruction may read "MZ": it is an EFI
// program too (Documentation/arch/arm64/booting.rst).
const (
	offMagicARM = 56
	magicARM    = "ARM\x64"
	headARM     = 64
)

// An EFI zboot image is a program that unpacks one of these
// (drivers/firmware/efi/libstub/zboot-header.S).
const (
	zbootMagic   = "MZ\x00\x00"
	zbootType    = "zimg"
	offZboot     = 8  // u32: where what is compressed begins
	offZbootSize = 12 // u32
	headZboot    = 64
)

func inspectImage(r io.Reader) (i *image, err error) {
	i = &image{format: "Image", arch: "aarch64", entry: true}
	i.banner, err = searchBanner(r)
	return i, err
}

// inspectPacked reads an Image that is compressed.
func inspectPacked(r io.ReaderAt, size int64) (*image, error) {
	text, err := payload(r, size)
	if err != nil {
		return nil, fmt.Errorf("what is compressed in it: %w", err)
	}
	text = toItsEnd{text}
	head := make([]byte, headARM)
	n, err := io.ReadFull(text, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("what is compressed in it: %w", err)
	}
	head = head[:n]
	at := func(off int, text string) bool {
		return len(head) >= off+len(text) && string(head[off:off+len(text)]) == text
	}
	if !at(offMagicARM, magicARM) {
		var other *ArchError
		if err := strange(head, at); errors.As(err, &other) {
			return nil, err
		}
		return nil, fmt.Errorf("%w but a compressed file: decompress it first", errNoKernel)
	}
	i, err := inspectImage(io.MultiReader(bytes.NewReader(head), text))
	if err != nil {
		return nil, fmt.Errorf("what is compressed in it: %w", err)
	}
	i.packed = true
	return i, nil
}

// A toItsEnd reads what is compressed: that it ends early is no end.
type toItsEnd struct{ r io.Reader }

func (t toItsEnd) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it is cut off; copy or fetch it again")
	}
	return n, err
}

// releaseName is what make kernelrelease may give; it becomes part of paths.
var releaseName = regexp.MustCompile(`^[0-9][A-Za-z0-9.+~_-]{0,63}$`)

// strange says what a file is that is no kernel of ours.
func strange(head []byte, at func(int, string) bool) error {
	switch {
	case at(0x38, "RSC\x05"):
		return &ArchError{What: "a kernel", Is: "riscv64"}
	case at(0x24, "\x18\x28\x6f\x01"):
		return &ArchError{What: "a kernel", Is: "arm (32 bits)"}
	case at(offBootFlag, "\x55\xaa"):
		return fmt.Errorf("%w but the boot sector of something else, or of a kernel before 2.0", errNoKernel)
	}
	return fmt.Errorf("%w: it begins with %q", errNoKernel, head[:min(len(head), 8)])
}

// runs says why the kernel cannot be booted.
func (i *image) runs(o Options) error {
	if err := o.runs("a kernel", i.arch); err != nil {
		return err
	}
	if !i.entry {
		return errors.New("this vmlinux has no PVH entry (CONFIG_PVH=y), so QEMU cannot boot it: name the bzImage (arch/x86/boot/bzImage)")
	}
	return nil
}

func inspectBzImage(r io.ReaderAt, size int64, head []byte) (*image, error) {
	if len(head) < headerEnd {
		return nil, fmt.Errorf("it is cut off: a bzImage begins with %d bytes of header, and %d are there", headerEnd, len(head))
	}
	u16 := func(off int) int64 { return int64(binary.LittleEndian.Uint16(head[off:])) }
	sectors := int64(head[offSetupSects])
	if sectors == 0 {
		sectors = 4
	}
	setup := (sectors + 1) * 512
	if want := setup + 16*int64(binary.LittleEndian.Uint32(head[offSysSize:])); size < want {
		return nil, fmt.Errorf("it is cut off: its header promises %d bytes, and %d are there; copy or fetch it again", want, size)
	}
	i := &image{format: "bzImage", arch: "i386", entry: true}
	if u16(offVersion) >= protocolXLoad && u16(offXLoadFlags)&xlfKernel64 != 0 {
		i.arch = "x86_64"
	}
	at := u16(offBanner)
	if at == 0 || at+0x200 >= setup {
		return nil, errors.New("its header has no version: it is damaged, or was built by hand")
	}
	text := make([]byte, min(maxBanner, setup-at-0x200))
	if _, err := r.ReadAt(text, at+0x200); err != nil {
		return nil, err
	}
	i.banner = printable(text)
	return i, nil
}

// printable is a text up to its first NUL, without what a terminal might take for a
// command.
func printable(text []byte) string {
	text, _, _ = bytes.Cut(text, []byte{0})
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0x7e {
			return -1
		}
		return r
	}, string(text)))
}

var machines = map[elf.Machine]string{
	elf.EM_X86_64: "x86_64", elf.EM_386: "i386", elf.EM_AARCH64: "aarch64", elf.EM_ARM: "arm (32 bits)",
	elf.EM_RISCV: "riscv", elf.EM_PPC64: "ppc64", elf.EM_S390: "s390", elf.EM_LOONGARCH: "loongarch", elf.EM_MIPS: "mips",
}

func inspectELF(r io.ReaderAt, size int64) (*image, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("it is a damaged ELF file: %w", err)
	}
	defer f.Close()
	i := &image{format: "vmlinux", arch: cmp.Or(machines[f.Machine], f.Machine.String()), entry: f.Machine != elf.EM_X86_64}
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return nil, fmt.Errorf("%w but another ELF file (%v), such as a module", errNoKernel, f.Type)
	}
	for _, p := range f.Progs {
		if p.Off > uint64(size) || p.Filesz > uint64(size)-p.Off {
			return nil, errors.New("it is cut off: parts that its header names are behind its end; copy or fetch it again")
		}
		switch {
		case p.Type == elf.PT_LOAD && i.banner == "":
			banner, err := searchBanner(p.Open())
			if err != nil && !errors.Is(err, errNoBanner) {
				return nil, err
			}
			i.banner = banner
		case p.Type == elf.PT_NOTE && !i.entry:
			i.entry = pvh(p.Open(), f.ByteOrder)
		}
	}
	if i.banner == "" {
		return nil, fmt.Errorf("%w but another program: %w", errNoKernel, errNoBanner)
	}
	return i, nil
}

// maxNotes bounds what is read of a kernel's notes, which have a few hundred bytes.
const maxNotes = 1 << 20

// pvh says whether notes have the entry by which QEMU starts a vmlinux: Xen's
// XEN_ELFNOTE_PHYS32_ENTRY (include/xen/interface/elfnote.h).
func pvh(r io.Reader, order binary.ByteOrder) bool {
	const physEntry = 18
	notes, err := io.ReadAll(io.LimitReader(r, maxNotes))
	if err != nil {
		return false
	}
	for len(notes) >= 12 {
		name, desc, kind := order.Uint32(notes), order.Uint32(notes[4:]), order.Uint32(notes[8:])
		notes = notes[12:]
		padded := func(n uint32) uint64 { return (uint64(n) + 3) &^ 3 }
		if padded(name)+padded(desc) > uint64(len(notes)) {
			return false
		}
		if kind == physEntry && string(notes[:name]) == "Xen\x00" {
			return true
		}
		notes = notes[padded(name)+padded(desc):]
	}
	return false
}

var errNoBanner = errors.New(`the text "Linux version" is not in it`)

// searchBanner finds linux_banner (init/version.c) in what a kernel loads.
func searchBanner(r io.Reader) (string, error) {
	const mark = "Linux version "
	banner := regexp.MustCompile(mark + `([0-9][^\x00]*)`)
	buf := make([]byte, 0, 1<<18)
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		last := err != nil
		if last && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return "", err
		}
		// A text that goes on behind what was read is looked for again with more.
		search := buf
		for {
			m := banner.FindSubmatchIndex(search)
			if m == nil || !last && m[0] > len(search)-maxBanner {
				break
			}
			if text := search[m[2]:min(m[3], m[2]+maxBanner)]; bytes.Contains(text, []byte("(")) {
				return printable(text), nil
			}
			search = search[m[1]:]
		}
		if last {
			return "", errNoBanner
		}
		buf = buf[:copy(buf, buf[len(buf)-maxBanner:])]
	}
}

// maxVmlinux bounds what a compressed kernel unpacks to.
const maxVmlinux = 512 << 20

// embeddedConfig is the configuration that a kernel was built with, if it has it in
// itself (CONFIG_IKCONFIG) and what it is compressed with is known here; else nil.
func embeddedConfig(ctx context.Context, path string) []byte {
	f, size, err := openImage(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	vmlinux, err := payload(f, size)
	if err != nil {
		return nil
	}
	text, err := searchConfig(withContext(ctx, vmlinux))
	if err != nil {
		return nil
	}
	return text
}

// payload is the vmlinux in a bzImage, the Image that is compressed in a file, or the
// file itself.
func payload(r io.ReaderAt, size int64) (io.Reader, error) {
	whole := io.NewSectionReader(r, 0, size)
	head := make([]byte, headerEnd)
	n, err := whole.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case n >= headZboot && string(head[:4]) == zbootMagic && string(head[4:8]) == zbootType:
		from, length := int64(binary.LittleEndian.Uint32(head[offZboot:])), int64(binary.LittleEndian.Uint32(head[offZbootSize:]))
		if from+length > size {
			return nil, fmt.Errorf("it is cut off: its header promises %d bytes, and %d are there; copy or fetch it again", from+length, size)
		}
		return plain(io.NewSectionReader(r, from, length))
	case n < headerEnd || string(head[offHdrS:offHdrS+4]) != "HdrS":
		return plain(whole)
	}
	u32 := func(off int) int64 { return int64(binary.LittleEndian.Uint32(head[off:])) }
	if binary.LittleEndian.Uint16(head[offVersion:]) < protocolPayload {
		return nil, errors.New("an old boot protocol")
	}
	sectors := int64(head[offSetupSects])
	if sectors == 0 {
		sectors = 4
	}
	from := (sectors+1)*512 + u32(offPayload)
	if from+u32(offPayloadSize) > size {
		return nil, io.ErrUnexpectedEOF
	}
	length := u32(offPayloadSize)
	section := io.NewSectionReader(r, from, length)
	if at := make([]byte, len(magicXZ)); length > 4 {
		// Behind all but gzip the build puts the length of what was compressed.
		if _, err := section.ReadAt(at, 0); err == nil && (string(at) == magicXZ || strings.HasPrefix(string(at), magicZstd)) {
			section = io.NewSectionReader(r, from, length-4)
		}
	}
	return plain(section)
}

// plain is what is compressed, or not, within bounds.
func plain(section *io.SectionReader) (io.Reader, error) {
	d, err := decompress(section)
	if err != nil {
		return nil, err
	}
	return io.LimitReader(d, maxVmlinux), nil
}

// Unpack writes what boots: the Image that lies compressed in the file.
func (k *Kernel) Unpack(w io.Writer) error {
	f, size, err := openImage(k.Image)
	if err != nil {
		return err
	}
	defer f.Close()
	from, err := payload(f, size)
	if err == nil {
		_, err = io.Copy(w, from)
	}
	if err != nil {
		return fmt.Errorf("%s: unpack it: %w", k.Image, err)
	}
	return nil
}

// searchConfig finds what kernel/configs.c puts between two marks, compressed with
// gzip.
func searchConfig(r io.Reader) ([]byte, error) {
	const mark = "IKCFG_ST"
	buf := make([]byte, 0, 1<<18)
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if i := bytes.Index(buf, []byte(mark+"\x1f\x8b")); i >= 0 {
			text, err := gzip.NewReader(io.MultiReader(bytes.NewReader(buf[i+len(mark):]), r))
			if err != nil {
				return nil, err
			}
			text.Multistream(false) // another mark follows
			return io.ReadAll(disk.AtMost(text, maxText))
		}
		if err != nil {
			return nil, err
		}
		buf = buf[:copy(buf, buf[len(buf)-len(mark)-2:])]
	}
}
