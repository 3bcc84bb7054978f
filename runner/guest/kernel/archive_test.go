package kernel

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netab/test/need"
)

// TestDamagedPackages: one line that says what is wrong, and nothing in the cache.
func TestDamagedPackages(t *testing.T) {
	good := deb(control("linux-image-9", "9.9-1", "amd64"), small(""), ".xz")
	goodRPM := rpmPackage("kernel", "9.9", "x86_64", small(""), ".zst")
	changed := func(data []byte, at int) []byte {
		data = bytes.Clone(data)
		data[at] ^= 0x55
		return data
	}
	planted := func(name string) []byte {
		f := small("")
		f[name] = []byte("mine")
		return deb(control("evil", "1", "amd64"), f, ".gz")
	}
	two := small("")
	two["./boot/vmlinuz-1.1-other"] = bzImage("1.1-other (b@h)", xlfKernel64)
	for name, tt := range map[string]struct {
		file []byte
		want string
	}{
		"cut at once":         {good[:7], "it is neither a bzImage nor a vmlinux"},
		"cut in a header":     {good[:100], "it is cut off in the header of a member, at byte 72"},
		"cut in the data":     {good[:len(good)-100], "it is cut off: its member"},
		"cut members":         {arArchive([2]string{"debian-binary", "2.0\n"}), "it is no whole .deb: want the members control.tar and data.tar"},
		"an archive":          {arArchive([2]string{"a.o", "x"}), "its first member is not debian-binary"},
		"empty archive":       {[]byte(arMagic), "its first member is not debian-binary"},
		"format 3":            {arArchive([2]string{"debian-binary", "3.0\n"}, [2]string{"control.tar", ""}, [2]string{"data.tar", ""}), `it is a .deb of the format "3.0"`},
		"changed header":      {changed(good, 8+58), "there is no header of a member"},
		"changed data":        {changed(good, len(good)-700), "is damaged"},
		"no control":          {arArchive([2]string{"debian-binary", "2.0\n"}, [2]string{"control.tar", string(tarred(files{"x": nil}))}, [2]string{"data.tar", ""}), "control.tar: it has no file named control"},
		"another arch":        {deb(control("linux-image-9", "9.9-1", "arm64"), small(""), ".xz"), "it is a package for aarch64, and this netab is for x86_64"},
		"no kernel":           {deb(control("bash", "5", "amd64"), files{"./bin/bash": []byte("x")}, ".xz"), "the package bash 5 amd64 has no kernel"},
		"two kernels":         {deb(control("linux-images", "5", "all"), two, ".xz"), "it has files of several kernels"},
		"path outside":        {planted("./lib/modules/../../../../tmp/evil.ko"), "whose path leads out of it"},
		"path outside, above": {planted("../boot/vmlinuz-1.1"), "whose path leads out of it"},
		"rpm cut at once":     {goodRPM[:50], "cut off in its first 96 bytes"},
		"rpm cut in a header": {goodRPM[:200], "it is cut off at byte 200"},
		"rpm cut in the data": {goodRPM[:len(goodRPM)-100], "it is cut off or damaged: the SHA-256 of its payload is"},
		"rpm changed":         {changed(goodRPM, len(goodRPM)-100), "it is cut off or damaged: the SHA-256"},
		"rpm without header":  {changed(goodRPM, rpmLead), "at byte 96 there is none"},
		"rpm of source":       {append([]byte(rpmMagic+"\x03\x00\x00\x01"), make([]byte, 200)...), "it is a source package"},
		"rpm, another arch":   {rpmPackage("kernel", "9.9", "aarch64", small(""), ""), "it is a package for aarch64"},
		"rpm, path outside":   {rpmPackage("kernel", "9.9", "x86_64", files{"./../../etc/x.ko": []byte("x")}, ""), "whose path leads out of it"},
	} {
		o, _ := options(t)
		file := filepath.Join(o.root, "package")
		put(t, "/", files{file: tt.file})
		_, fault := got(t, file, o)
		if !strings.Contains(fault, tt.want) || strings.Contains(fault, "\n") || strings.Count(fault, file) != 1 {
			t.Errorf("%s: %q, want %q", name, fault, tt.want)
		}
		leftNothing(t, o)
		if found, _ := filepath.Glob(filepath.Join(o.Cache, dirUnpacked, "*")); len(found) > 0 {
			t.Errorf("%s: in the cache are %q", name, found)
		}
	}
}

// TestKept: names in the cache are ours, or the last part of a module's.
func TestKept(t *testing.T) {
	for name, want := range map[string]string{
		"./boot/vmlinuz-6.1.0":                          "vmlinuz 6.1.0",
		"boot/config-6.1.0":                             "config 6.1.0",
		"/boot/Image-6.1.0":                             "vmlinuz 6.1.0",
		"./usr/lib/modules/6.1.0/vmlinuz":               "vmlinuz 6.1.0",
		"./lib/modules/6.1.0/modules.builtin":           "modules.builtin 6.1.0",
		"./lib/modules/6.1.0/kernel/a/b-c.ko.xz":        "modules/b-c.ko.xz 6.1.0",
		"./lib/modules/6.1.0/kernel/a/.ko":              " ",
		"./lib/modules/6.1.0/kernel/a/..ko":             " ",
		"./lib/modules/6.1.0/kernel/a/x\x1b.ko":         " ",
		"./lib/modules/6.1.0/kernel/a/readme":           " ",
		"./lib/modules/-x/kernel/a/b.ko":                " ",
		"./boot/System.map-6.1.0":                       " ",
		"./boot/vmlinuz-":                               " ",
		"./usr/lib/debug/lib/modules/6.1.0/x.ko":        " ",
		"./lib/modules/6.1.0/../../../etc/x.ko":         "!",
		"../../boot/vmlinuz-6.1.0":                      "!",
		"./lib/modules/6.1.0/kernel/..a/b.ko":           "modules/b.ko 6.1.0",
		"./lib/modules/6.1.0/kernel/" + "l.ko/" + "n.o": " ",
	} {
		as, release, err := kept(name)
		got := as + " " + release
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestBlocks: what is read by several goroutines is in order, and whole.
func TestBlocks(t *testing.T) {
	parts := make([][]byte, 7)
	for i := range parts {
		parts[i] = make([]byte, 5000*i+1)
		rand.Read(parts[i])
	}
	all := slices.Concat(parts...)
	file := storedXZ(parts...)
	plain, err := decompressBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(plain); err != nil || !bytes.Equal(got, all) {
		t.Errorf("%d bytes of %d, %v", len(got), len(all), err)
	}
	// Every damage is found, wherever it is.
	for _, file := range [][]byte{file, filteredXZ(filterX86, make([]byte, 3000), make([]byte, 500))} {
		for at := 6; at < len(file); at += 97 {
			bad := bytes.Clone(file)
			bad[at] ^= 0x10
			plain, err := decompressBytes(bad)
			if err == nil {
				_, err = io.ReadAll(plain)
			}
			if err == nil {
				t.Errorf("a changed byte %d was not noticed", at)
			}
		}
	}
	for _, cut := range []int{0, 11, 30, len(file) / 2, len(file) - 1} {
		if plain, err := newXZ(io.NewSectionReader(bytes.NewReader(file[:cut]), 0, int64(cut))); err == nil {
			t.Errorf("cut at %d: %v", cut, plain)
		}
	}
}

// TestXZ: what the program xz makes is read, whatever it is told.
func TestXZ(t *testing.T) {
	program := need.Program(t, "xz")
	random := make([]byte, 300_000)
	rand.Read(random)
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	// Long matches far back, what cannot be compressed, a run of one byte.
	data := slices.Concat(text, random, text, make([]byte, 5<<20), random, bytes.Repeat([]byte("netab "), 1000))
	for _, args := range []string{"-0", "-6", "-9e", "-6 -T2 --block-size=300000", "-6 -T2 --block-size=1MiB", "--check=none", "--check=crc32", "--check=sha256",
		"--lzma2=preset=6,lc=0,lp=4,pb=4", "--lzma2=preset=6,lc=4,lp=0,pb=0", "--lzma2=preset=6,dict=4KiB", "--lzma2=preset=9,dict=96MiB", "--lzma2=preset=6,nice=2,mf=hc3,mode=fast",
		"--x86 --lzma2=preset=6", "--check=crc32 --x86 --lzma2=preset=1", "--check=sha256 --x86 --lzma2=preset=1", "--check=none --x86 --lzma2=preset=1", "--arm64 --lzma2=preset=6"} {
		if strings.HasPrefix(args, "--arm64") && exec.Command(program, "--arm64", "--lzma2=preset=0", "-c", os.DevNull).Run() != nil {
			continue // older than 5.4
		}
		for name, data := range map[string][]byte{"all": data, "one": []byte("x"), "none": {}} {
			cmd := exec.Command(program, append(strings.Fields(args), "-c")...)
			cmd.Stdin = bytes.NewReader(data)
			file, err := cmd.Output()
			if err != nil {
				t.Fatalf("xz %s: %v", args, err)
			}
			for _, way := range []string{"ahead", "streamed"} {
				plain, err := newXZ(io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file))))
				if err != nil {
					t.Errorf("%s, %s: %v", args, name, err)
					continue
				}
				plain.(*xzReader).streamed = way == "streamed"
				if got, err := io.ReadAll(plain); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s, %s, %s: %d bytes of %d, %v", args, name, way, len(got), len(data), err)
				}
			}
		}
	}
	for args, want := range map[string]string{
		"--powerpc --lzma2=preset=1":        "a filter (0x5, for code) that is not known here",
		"--delta --x86 --lzma2=preset=1":    "a filter (0x3, for code) that is not known here",
		"--x86=start=4096 --lzma2=preset=1": "a filter for code (0x4) that begins in its middle",
	} {
		cmd := exec.Command(program, append(strings.Fields(args), "-c")...)
		cmd.Stdin = bytes.NewReader(data)
		file, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decompressBytes(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// BenchmarkXZ is how fast packages are unpacked; NETAB_BENCH_XZ names another file.
func BenchmarkXZ(b *testing.B) {
	var file []byte
	var err error
	if name := os.Getenv("NETAB_BENCH_XZ"); name != "" {
		file, err = os.ReadFile(name)
	} else {
		text, errRead := os.ReadFile("/proc/self/exe")
		cmd := exec.Command(need.Program(b, "xz"), "-6", "-T2", "--block-size=4MiB", "-c")
		cmd.Stdin = bytes.NewReader(text)
		file, err = cmd.Output()
		err = errors.Join(errRead, err)
	}
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		plain, err := decompressBytes(file)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, plain)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
}

// TestMemory: a few bytes cannot make netab take gigabytes.
func TestMemory(t *testing.T) {
	huge := storedXZ([]byte("hello"))
	huge[xzHeader+4] = 40 // 2^32 - 1
	binary.LittleEndian.PutUint32(huge[xzHeader+8:], crc32.ChecksumIEEE(huge[xzHeader:xzHeader+8]))
	if _, err := decompressBytes(huge); err == nil || !strings.Contains(err.Error(), "4096 MiB of memory") {
		t.Error(err)
	}
	// A frame of zstd with a window of 2^41.
	plain, err := decompressBytes([]byte(magicZstd + "\x00\xf8\x00\x00\x00"))
	if err == nil {
		_, err = io.ReadAll(plain)
	}
	if err == nil {
		t.Error("a window of 2 TiB was taken")
	}
}

func TestParseDep(t *testing.T) {
	for text, want := range map[string]string{
		"kernel/a-b.ko.xz: kernel/c.ko kernel/d.ko.gz\n# a comment\n\nkernel/c.ko:\n": "map[a_b:[c d] c:[]]",
		"":                     "map[]",
		"a.ko:\nkernel/a.ko\n": "line 2: \"kernel/a.ko\" is not FILE.ko: FILES.ko",
		"a.ko: / b.ko":         "line 1: ",
		"a.txt: b.ko":          "line 1: ",
	} {
		deps, err := parseDep([]byte(text))
		if got := fmt.Sprint(deps); err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestParagraphs(t *testing.T) {
	got := paragraphs("\n# a comment\nPackage: a\nDescription: first\n second\n .\nVersion:1\n\n\nPackage: b\nno field\n more\n")
	want := "[map[description:first\nsecond\n. package:a version:1] map[package:b\nmore]]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// FuzzDeb: whatever a .deb holds, what is read of it ends, and is files or an error.
func FuzzDeb(f *testing.F) {
	for _, by := range []string{"", ".gz", ".xz", ".zst"} {
		f.Add(deb(control("linux-image-9", "9.9-1", "amd64"), files{"./boot/vmlinuz-6.1": []byte("x")}, by))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := openDeb(bytes.NewReader(data), int64(len(data))); err == nil {
			_ = bounded(a)
		}
	})
}

// bounded reads all of a package, or some MB of it: a small file may hold much.
func bounded(a *archive) error {
	for left := int64(16 << 20); left > 0; {
		e, err := a.next()
		if err != nil {
			return err
		}
		if _, _, err := kept(e.name); err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, io.LimitReader(e.body, left))
		if err != nil {
			return err
		}
		left -= n + 1
	}
	return nil
}

// FuzzRPM is FuzzDeb for RPM.
func FuzzRPM(f *testing.F) {
	for _, by := range []string{"", ".gz", ".zst"} {
		f.Add(rpmPackage("kernel", "9.9", "x86_64", files{"./boot/vmlinuz-6.1": []byte("x")}, by))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := openRPM(bytes.NewReader(data), int64(len(data))); err == nil {
			_ = bounded(a)
		}
		// Checksums keep mutations away from what is behind them.
		files := cpioFiles(bytes.NewReader(data))
		_ = bounded(&archive{next: files})
	})
}

// FuzzLists: lists of modules are names, or an error that says where.
func FuzzLists(f *testing.F) {
	f.Add([]byte("kernel/a.ko.xz: kernel/b.ko kernel/c-d.ko\nkernel/b.ko:\n"))
	f.Add([]byte("softdep a pre: b c post: d\n"))
	f.Add([]byte("kernel/net/a.ko\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newModules()
		for _, l := range []string{listBuiltin, listSoftdep, listDep} {
			err := m.take(l, data)
			if err != nil && (l != listDep || strings.Contains(err.Error(), "\n")) {
				t.Error(err)
			}
		}
		for name, needs := range m.deps {
			for _, n := range append(slices.Clone(needs), name) {
				if strings.ContainsAny(n, "-/") || n == "" {
					t.Errorf("%q of %q", n, data)
				}
			}
		}
	})
}

// FuzzModinfo: a module says something of itself, or it is an error.
func FuzzModinfo(f *testing.F) {
	f.Add(ko(release, "veth", "depends=a,b", "softdep=pre: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := modinfo(data)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Error(err)
		}
		for _, need := range info.depends {
			if strings.ContainsAny(need, "-/") {
				t.Errorf("%q", need)
			}
		}
	})
}

// FuzzXZ: whatever an .xz file holds, what is read of it ends.
func FuzzXZ(f *testing.F) {
	f.Add(storedXZ([]byte("hello"), []byte("again")))
	f.Add(filteredXZ(filterX86, []byte("hello"), []byte("again")))
	f.Add(filteredXZ(filterARM64, []byte("hello"), []byte("again")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if plain, err := newXZ(io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(plain, 16<<20))
		}
	})
}
