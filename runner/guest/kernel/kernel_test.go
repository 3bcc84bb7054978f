package kernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for list, want := range map[string][]string{
		"a":                             {"a"},
		"a,b":                           {"a", "b"},
		"a,modules=x,modules=y,b":       {"a,modules=x,modules=y", "b"},
		"apt:x,6.1.0,./k,modules=/m/,c": {"apt:x", "6.1.0", "./k,modules=/m/", "c"},
		"modules=x":                     {"modules=x"},
	} {
		if got := Split(list); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

func TestHome(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	name, modules, err := parse("~/linux,modules=~/out,modules=/x/~/y")
	if name != "/home/me/linux" || !slices.Equal(modules, []string{"/home/me/out", "/x/~/y"}) || err != nil {
		t.Errorf("%s, %q, %v", name, modules, err)
	}
}

// TestFindPackage: a package is unpacked once, and says all of its kernel.
func TestFindPackage(t *testing.T) {
	for _, by := range []string{"", ".gz", ".xz", ".zst"} {
		for kind, make := range map[string]func() []byte{
			"k.deb": func() []byte { return deb(control("linux-image-9", "9.9-1", "amd64"), small(by), by) },
			"k.rpm": func() []byte { return rpmPackage("kernel", "9.9", "x86_64", small(by), by) },
		} {
			t.Run(kind+by, func(t *testing.T) {
				o, log := options(t)
				file := filepath.Join(t.TempDir(), kind)
				put(t, "/", files{file: make()})
				k, fault := got(t, file, o)
				if fault != "" {
					t.Fatal(fault)
				}
				pkg := "linux-image-9 9.9-1 amd64"
				if kind == "k.rpm" {
					pkg = "kernel 9.9-1 x86_64"
				}
				if k.Release != release || k.Build != banner || k.Arch != "x86_64" || k.Package != pkg || k.Ref != file || k.Config["CONFIG_VETH"] != "m" {
					t.Errorf("%+v", k)
				}
				image, err := os.ReadFile(k.Image)
				sum := sha256.Sum256(image)
				if err != nil || !bytes.Equal(image, bzImage(banner, xlfKernel64)) || k.Digest != hex.EncodeToString(sum[:]) {
					t.Errorf("the image has %d bytes, %v", len(image), err)
				}
				want := "veth.ko failover.ko crc9-fast.ko crc9-generic.ko virtio_ring.ko virtio.ko virtio-net.ko late.ko"
				if got := loaded(k, "veth", "virtio-net", "tcp_cubic", "virtio_net"); got != strings.ReplaceAll(want, ".ko", ".ko"+by) {
					t.Errorf("loads %s, want %s", got, want)
				}
				mods, _ := k.Load("veth")
				plain, err := mods[0].Read()
				raw := reads(t, mods[0])
				if err != nil || !bytes.Equal(plain, ko(release, "veth", "depends=")) || !bytes.Equal(raw, compressors[by](plain)) {
					t.Errorf("%d and %d bytes, %v", len(plain), len(raw), err)
				}
				if said := log.String(); said != "unpacking "+file+"\n" {
					t.Errorf("said %q", said)
				}
				// The second time it is there already.
				log.Reset()
				again, fault := got(t, file, o)
				if fault != "" || log.Len() != 0 || again.Image != k.Image {
					t.Errorf("again: %s %s", fault, log)
				}
				leftNothing(t, o)
			})
		}
	}
}

func reads(t *testing.T, m Module) []byte {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// leftNothing: no half of anything stays in the cache.
func leftNothing(t *testing.T, o Options) {
	t.Helper()
	err := filepath.WalkDir(o.Cache, func(path string, e fs.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), scratchPrefix) {
			t.Errorf("left: %s", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestSoft: what is only wanted is marked, unless something else needs it.
func TestSoft(t *testing.T) {
	o, _ := options(t)
	put(t, o.root, files{"k.deb": deb(control("linux-image-9", "9.9-1", "amd64"), small(""), ".xz")})
	k, fault := got(t, filepath.Join(o.root, "k.deb"), o)
	if fault != "" {
		t.Fatal(fault)
	}
	for names, want := range map[string]string{
		"virtio-net":      "(failover) (crc9_fast) (crc9_generic) virtio_ring virtio virtio_net (late)",
		"virtio-net,hard": "(failover) crc9_fast (crc9_generic) virtio_ring virtio virtio_net (late) hard",
		"hard,virtio-net": "failover crc9_fast hard (crc9_generic) virtio_ring virtio virtio_net (late)",
	} {
		var out []string
		mods, _ := k.Load(strings.Split(names, ",")...)
		for _, m := range mods {
			if m.Soft {
				m.Name = "(" + m.Name + ")"
			}
			out = append(out, m.Name)
		}
		if got := strings.Join(out, " "); got != strings.ReplaceAll(want, "(failover)", "failover") {
			t.Errorf("%s: %s, want %s", names, got, want)
		}
	}
}

// TestLacks: what cannot be loaded is said, and why; what needs it is not loaded
// either.
func TestLacks(t *testing.T) {
	o, _ := options(t)
	put(t, o.root, files{"k.deb": deb(control("linux-image-9", "9.9-1", "amd64"), small(""), ".xz")})
	k, fault := got(t, filepath.Join(o.root, "k.deb"), o)
	if fault != "" {
		t.Fatal(fault)
	}
	for name, want := range map[string]string{
		"veth": "", "virtio-net": "", "tcp_cubic": "", "loopback": "",
		"pktgen": "it has no pktgen: neither a module nor built in, and CONFIG_NET_PKTGEN is not set",
		"orphan": "orphan needs gone: it has no gone: neither a module nor built in, and CONFIG_GONE is not set",
		"other":  "is for the kernel 6.6.6, and this is " + release + ": name the modules of this one",
		"broken": "it is no module, or damaged",
	} {
		if got := k.Lacks(name); want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if _, missing := k.Load("veth", name); (len(missing) == 1) != (want != "") {
			t.Errorf("%s: missing are %q", name, missing)
		}
	}
	if got := loaded(k, "orphan", "pktgen", "veth"); got != "veth.ko -orphan -pktgen" {
		t.Errorf("what orphan needs is loaded, for nothing: %s", got)
	}
}

// TestFindPlaces: each way to name a kernel that is no package.
func TestFindPlaces(t *testing.T) {
	o, _ := options(t)
	at := func(path string) string { return filepath.Join(o.root, path) }
	elsewhere := "8.8.8-else"
	tree := files{
		"tree/.config":                  []byte("CONFIG_VETH=m\nCONFIG_DUMMY=m\nCONFIG_VIRTIO=y\n"),
		"tree/include/config/auto.conf": nil,
		"tree/arch/x86/boot/bzImage":    bzImage(banner, xlfKernel64),
		"tree/modules.order":            []byte("drivers/net/veth.o\ndrivers/net/dummy.o\nkernel/trace/t.o\n../../x.o\n"),
		"tree/kernel/trace/t.ko":        ko(release, "t"),
		"tree/modules.builtin":          []byte("kernel/drivers/virtio/virtio_pci.ko\n"),
		"tree/drivers/net/veth.ko":      ko(release, "veth", "depends="),
		"tree/drivers/net/stale.ko":     ko(release, "stale", "depends="),
		"old/.config":                   []byte("CONFIG_VETH=m\n"),
		"old/include/config/auto.conf":  nil,
		"old/vmlinux":                   vmlinux(banner, elfX86, note("Xen", 18)),
		"old/modules.order":             []byte("kernel/drivers/net/veth.ko\nkernel/kernel/trace/t.ko\n"),
		"old/drivers/net/veth.ko":       ko(release, "veth"),
		"old/kernel/trace/t.ko":         ko(release, "t"),
		"empty/.config":                 []byte("CONFIG_VETH=m\n"),
		"empty/include/config/x":        nil,
		"nothing/readme":                nil,
	}
	installed := files{
		"boot/vmlinuz-" + release:                       bzImage(banner, xlfKernel64),
		"boot/config-" + release:                        []byte("CONFIG_VETH=m\n"),
		"lib/modules/" + release + "/modules.dep":       []byte("kernel/veth.ko.gz: updates/virtio.ko kernel/dummy.ko\nkernel/dummy.ko:\nupdates/virtio.ko: kernel/dummy.ko\n"),
		"lib/modules/" + release + "/modules.softdep":   []byte("# Soft dependencies\nsoftdep veth pre: extra none post: late\n"),
		"lib/modules/" + release + "/modules.builtin":   []byte("kernel/lo.ko\n"),
		"lib/modules/" + release + "/kernel/veth.ko.gz": compressors[".gz"](ko(release, "veth", "depends=wrong")),
		"lib/modules/" + release + "/kernel/dummy.ko":   ko(release, "dummy"),
		"lib/modules/" + release + "/kernel/virtio.ko":  []byte("the older one"),
		"lib/modules/" + release + "/updates/virtio.ko": ko(release, "virtio"),
		"lib/modules/" + release + "/kernel/extra.ko":   ko(release, "extra"),
		"lib/modules/" + release + "/kernel/late.ko":    ko(release, "late"),
		"lib/modules/" + elsewhere + "/vmlinuz":         bzImage(elsewhere+" (b@h) #1", xlfKernel64),
		"lib/modules/" + elsewhere + "/config":          []byte("CONFIG_VETH=y\n"),
		"lib/modules/" + elsewhere + "/kernel/dummy.ko": ko(elsewhere, "dummy"),
		"bare/bzImage": bzImage(banner, xlfKernel64),
		"bare/modules/lib/modules/" + release + "/kernel/veth.ko": ko(release, "veth"),
		"bare/flat/veth.ko":                ko(release, "veth"),
		"bare/none/readme":                 nil,
		"bare/wrong/veth.ko":               ko("6.6.6", "veth"),
		"bare/i386":                        bzImage(banner, 0),
		"bare/arm64":                       append(append(make([]byte, 56), "ARM\x64"...), "....Linux version 6.1.0-arm64 (b@h) #1\n\x00"...),
		"bare/vmlinux":                     vmlinux(banner, elfX86, note("Xen", 18)),
		"bare/vmlinux-nopvh":               vmlinux(banner, elfX86, note("Xen", 7)),
		"bare/vmlinux-arm64":               vmlinux(banner, elfARM, nil),
		"bare/cut":                         bzImage(banner, xlfKernel64)[:2100],
		"bare/text":                        []byte("hello, world"),
		"bare/zero":                        nil,
		"bare/page.deb":                    []byte("<!DOCTYPE html><title>404</title>"),
		"bare/module.ko":                   ko(release, "veth"),
		"unpacked/boot/vmlinuz-" + release: bzImage(banner, xlfKernel64),
		"unpacked/lib/modules/" + release + "/kernel/drivers/veth.ko": ko(release, "veth"),
		"several/boot/vmlinuz-1.1":                                    bzImage("1.1 (b@h)", xlfKernel64),
		"several/boot/vmlinuz-2.2":                                    bzImage("2.2 (b@h)", xlfKernel64),
	}
	put(t, o.root, tree)
	put(t, o.root, installed)
	for ref, want := range map[string]struct {
		release, load string // of veth, virtio, dummy
		fault         string
	}{
		at("tree"):                          {release: release, load: "veth.ko -dummy"},
		at("tree/arch/x86/boot/bzImage"):    {release: release, load: "veth.ko -dummy"},
		at("old"):                           {release: release, load: "veth.ko -virtio -dummy"},
		at("empty"):                         {fault: "nothing is built in it yet: there is no arch/x86/boot/bzImage; run make bzImage modules"},
		at("nothing"):                       {fault: "there is no kernel in it: it is no build tree"},
		at("unpacked"):                      {release: release, load: "veth.ko"},
		at("several"):                       {fault: "it has several kernels, name one of them: " + at("several/boot/vmlinuz-1.1")},
		release:                             {release: release, load: "extra.ko dummy.ko virtio.ko veth.ko.gz late.ko"},
		at("boot/vmlinuz-" + release):       {release: release, load: "extra.ko dummy.ko virtio.ko veth.ko.gz late.ko"},
		elsewhere:                           {release: elsewhere, load: "dummy.ko -virtio"},
		at("bare/bzImage"):                  {release: release},
		at("bare/vmlinux"):                  {release: release},
		"7.7.7":                             {fault: "no kernel of that version is installed, and there is no such file: installed are " + elsewhere + ", " + release + "; a package of apt's"},
		at("gone"):                          {fault: "there is no such file: want a bzImage, a vmlinux"},
		"":                                  {fault: "it names no kernel"},
		at("bare/i386"):                     {fault: "it is a kernel for i386, and this netab is for x86_64"},
		at("bare/arm64"):                    {fault: "it is a kernel for aarch64, and this netab is for x86_64"},
		at("bare/vmlinux-arm64"):            {fault: "it is a kernel for aarch64, and this netab is for x86_64"},
		at("bare/vmlinux-nopvh"):            {fault: "has no PVH entry (CONFIG_PVH=y), so QEMU cannot boot it: name the bzImage"},
		at("bare/cut"):                      {fault: "it is cut off: its header promises 3072 bytes, and 2100 are there"},
		at("bare/text"):                     {fault: `it is neither a bzImage nor a vmlinux: it begins with "hello, w"`},
		at("bare/zero"):                     {fault: "it is empty"},
		at("bare/page.deb"):                 {fault: `it is no Debian package, for all its name: it begins with "<!DOCTYP"`},
		at("bare/module.ko"):                {fault: "another ELF file (ET_REL), such as a module"},
		at("bare/bzImage,modules="):         {fault: "modules= names no directory"},
		at("bare/bzImage,modules=/none/at"): {fault: "modules=/none/at: no such file or directory"},
		at("bare/bzImage") + ",modules=" + at("bare/none"):    {fault: "it has no modules: neither lib/modules/" + release},
		at("bare/bzImage") + ",modules=" + at("bare/text"):    {fault: "it is neither a directory nor a .deb nor an .rpm"},
		at("bare/bzImage") + ",modules=" + at("bare/modules"): {release: release, load: "veth.ko"},
		at("bare/bzImage") + ",modules=" + at("bare/flat"):    {release: release, load: "veth.ko"},
		at("bare/bzImage") + ",modules=" + at("bare/wrong"):   {release: release, load: "-veth"},
	} {
		k, fault := got(t, ref, o)
		if k == nil {
			if want.fault == "" || !strings.Contains(fault, want.fault) || !strings.HasPrefix(fault, "kernel "+ref+": ") || strings.Contains(fault, "\n") {
				t.Errorf("%s\nwant %q", fault, want.fault)
			}
			continue
		}
		if want.fault != "" || k.Release != want.release {
			t.Errorf("%s: release %s, want %s%s", ref, k.Release, want.release, want.fault)
		}
		if got := loaded(k, "veth", "virtio", "dummy"); got != want.load {
			t.Errorf("%s: loads %q, want %q; %s %s %s", ref, got, want.load, k.Lacks("veth"), k.Lacks("virtio"), k.Lacks("dummy"))
		}
	}
	if entries, err := os.ReadDir(o.Cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is no package came into the cache: %v, %v", entries, err)
	}
}

// TestModulesOfPackages: where a distribution has the modules in packages of their
// own, each is named.
func TestModulesOfPackages(t *testing.T) {
	o, _ := options(t)
	all := small(".zst")
	image, modules := files{}, files{}
	for name, data := range all {
		if strings.Contains(name, ".ko") {
			modules[name] = data
		} else {
			image[name] = data
		}
	}
	at := func(path string) string { return filepath.Join(o.root, path) }
	put(t, o.root, files{"core.rpm": rpmPackage("kernel-core", "9.9", "x86_64", image, ".zst"), "modules.rpm": rpmPackage("kernel-modules", "9.9", "x86_64", modules, ".xz")})
	k, fault := got(t, at("core.rpm")+",modules="+at("modules.rpm"), o)
	if fault != "" {
		t.Fatal(fault)
	}
	if got := loaded(k, "virtio-net"); got != "failover.ko.zst crc9-fast.ko.zst crc9-generic.ko.zst virtio_ring.ko.zst virtio.ko.zst virtio-net.ko.zst late.ko.zst" {
		t.Error(got)
	}
	if k, _ = got(t, at("core.rpm"), o); k == nil || !strings.Contains(k.Lacks("veth"), "veth is a module (CONFIG_VETH=m), and its file is not there: name where its modules are, as ,modules=DIR") {
		t.Errorf("%v", k.Lacks("veth"))
	}
	if _, fault = got(t, at("modules.rpm"), o); !strings.Contains(fault, "there is no kernel in "+at("modules.rpm")+", only modules") {
		t.Error(fault)
	}
}

// TestDebInParts: files of a kernel that Debian has in several packages. What was unpacked
// of all of them into one directory is a kernel too.
func TestDebInParts(t *testing.T) {
	o, _ := options(t)
	at := func(path string) string { return filepath.Join(o.root, path) }
	image, modules, base := inParts(small(".xz"))
	put(t, o.root, files{
		"image.deb":   deb(control("linux-image-10.1", "10.1-1", "amd64", "Depends: linux-base (>= 4), linux-base-10.1 (= 10.1-1), linux-binary-10.1 (= 10.1-1), linux-modules-10.1 (= 10.1-1)"), nil, ".xz"),
		"binary.deb":  deb(control("linux-binary-10.1", "10.1-1", "amd64"), image, ".xz"),
		"modules.deb": deb(control("linux-modules-10.1", "10.1-1", "amd64"), modules, ".xz"),
		"base.deb":    deb(control("linux-base-10.1", "10.1-1", "amd64"), base, ".xz"),
		"other.deb":   deb(control("linux-base-9", "9-1", "amd64"), files{"./usr/lib/modules/9/config": []byte("CONFIG_VETH=y\n")}, ".xz"),
	})
	for _, f := range []files{image, modules, base} {
		put(t, at("unpacked"), f)
	}
	for _, ref := range []string{
		at("binary.deb") + ",modules=" + at("modules.deb") + ",modules=" + at("base.deb"),
		at("binary.deb") + ",modules=" + at("other.deb") + ",modules=" + at("base.deb") + ",modules=" + at("modules.deb"),
		at("unpacked"),
	} {
		k, fault := got(t, ref, o)
		if fault != "" || loaded(k, "veth", "tcp_cubic") != "veth.ko.xz" || k.Config["CONFIG_VETH"] != "m" {
			t.Errorf("%s: %s, %+v", ref, fault, k)
		}
	}
	const want = "the package linux-image-10.1 10.1-1 amd64 has no kernel: neither boot/vmlinuz-RELEASE nor lib/modules/RELEASE; it is in other packages: name the file of linux-binary-10.1,modules=that of linux-base-10.1,modules=that of linux-modules-10.1"
	if _, fault := got(t, at("image.deb"), o); !strings.HasSuffix(fault, want) {
		t.Error(fault)
	}
}

// TestUnchanged: a tree may be built again under a campaign.
func TestUnchanged(t *testing.T) {
	o, _ := options(t)
	file := filepath.Join(o.root, "bzImage")
	put(t, "/", files{file: bzImage(banner, xlfKernel64)})
	k, fault := got(t, file, o)
	if fault != "" {
		t.Fatal(fault)
	}
	if err := k.Unchanged(context.Background()); err != nil {
		t.Error(err)
	}
	put(t, "/", files{file: bzImage(banner+" again", xlfKernel64)})
	if err := k.Unchanged(context.Background()); err == nil || !strings.Contains(err.Error(), "is no longer what it was when this began") {
		t.Error(err)
	}
}
