package kernel

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netab/test/need"
)

// An archive of apt's in a directory, of our own packages: apt itself reads it.
type repository struct {
	dir     string
	sources string
	index   strings.Builder
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	need.Program(t, "apt-get")
	need.Program(t, "apt-cache")
	r := &repository{dir: t.TempDir()}
	r.sources = filepath.Join(t.TempDir(), "test.list")
	put(t, "/", files{r.sources: fmt.Appendf(nil, "deb [trusted=yes] file:%s ./\n", r.dir)})
	return r
}

// add adds a package; depends is a field of its index.
func (r *repository) add(t *testing.T, name, version, depends string, f files) {
	t.Helper()
	file := name + "_" + version + "_all.deb"
	data := deb(control(name, version, "all"), f, ".gz")
	put(t, r.dir, files{file: data})
	fmt.Fprintf(&r.index, "%sFilename: ./%s\nSize: %d\nSHA256: %x\n", control(name, version, "all"), file, len(data), sha256.Sum256(data))
	if depends != "" {
		fmt.Fprintf(&r.index, "Depends: %s\n", depends)
	}
	r.index.WriteString("\n")
	put(t, r.dir, files{"Packages": []byte(r.index.String())})
}

// inParts are a kernel's files as Debian's packages since 6.19 have them.
func inParts(all files) (image, modules, base files) {
	image, modules, base = files{}, files{}, files{}
	for name, data := range all {
		in := strings.Replace(strings.TrimPrefix(name, "./"), "lib/modules/", "./usr/lib/modules/", 1)
		switch {
		case strings.HasPrefix(in, "boot/vmlinuz"):
			image["./usr/lib/modules/"+release+"/vmlinuz"] = data
		case strings.HasPrefix(in, "boot/config"):
			base["./usr/lib/modules/"+release+"/config"] = data
		case strings.Contains(in, ".ko"):
			modules[in] = data
		default:
			base[in] = data
		}
	}
	return image, modules, base
}

// addParts adds the packages of a kernel in parts, of version 10.1-1.
func addParts(t *testing.T, r *repository, abi string, image, modules, base files) {
	t.Helper()
	const version = "10.1-1"
	on := func(name string) string { return fmt.Sprintf("linux-%s-%s (= %s)", name, abi, version) }
	r.add(t, "linux-image-"+abi, version, "dracut | linux-initramfs-tool, "+strings.Join([]string{on("base"), on("binary"), on("modules")}, ", "), nil)
	r.add(t, "linux-binary-"+abi, version, on("base"), image)
	r.add(t, "linux-modules-"+abi, version, "kmod, "+on("base"), modules)
	r.add(t, "linux-base-"+abi, version, "", base)
}

// TestApt: packages, meta packages, and modules in packages of their own, by apt from
// sources of our own.
func TestApt(t *testing.T) {
	r := newRepository(t)
	all := small(".xz")
	image, modules, base := inParts(all)
	imageAndBase := maps.Clone(base)
	maps.Copy(imageAndBase, image)
	r.add(t, "linux-image-9.9.1-netab", "9.9.1-2", "kmod, linux-base (>= 4.3~), initramfs-tools | linux-initramfs-tool", all)
	r.add(t, "linux-image-9.9-netab", "9.9.1-2", "linux-image-9.9.1-netab (= 9.9.1-2)", nil)
	r.add(t, "linux-image-netab", "9.9.1-2", "linux-image-9.9-netab", nil)
	r.add(t, "linux-image-9.9.1-split", "9.9.1-3", "kmod, linux-modules-9.9.1-split", imageAndBase)
	r.add(t, "linux-modules-9.9.1-split", "9.9.1-3", "", modules)
	addParts(t, r, "10.1+deb14", image, modules, base)
	r.add(t, "linux-image-parts", "10.1-1", "linux-base-parts, linux-image-10.1+deb14 (= 10.1-1), linux-modules-parts (= 10.1-1)", nil)
	r.add(t, "linux-binary-unsigned-10.1+deb14", "10.1-1", "linux-base-10.1+deb14 (= 10.1-1)", image)
	r.add(t, "linux-image-10.2", "10.2-1", "linux-binary-10.2 (= 10.2-1)", nil)
	r.add(t, "linux-image-round", "1-1", "linux-image-1-round", nil)
	r.add(t, "linux-image-1-round", "1-1", "linux-image-2-round", nil)
	r.add(t, "linux-image-2-round", "1-1", "linux-image-1-round", nil)
	r.add(t, "no-kernel", "1-1", "", files{"./bin/x": []byte("x")})
	o, log := options(t)
	o.Apt = r.sources
	for ref, want := range map[string]struct{ pkg, fault string }{
		"apt:linux-image-9.9.1-netab":          {pkg: "linux-image-9.9.1-netab 9.9.1-2 all"},
		"apt:linux-image-9.9.1-netab=9.9.1-2":  {pkg: "linux-image-9.9.1-netab 9.9.1-2 all"},
		"apt:linux-image-netab":                {pkg: "linux-image-9.9.1-netab 9.9.1-2 all"},
		"apt:linux-image-9.9-netab":            {pkg: "linux-image-9.9.1-netab 9.9.1-2 all"},
		"apt:linux-image-9.9.1-split":          {pkg: "linux-image-9.9.1-split 9.9.1-3 all"},
		"apt:linux-image-parts":                {pkg: "linux-binary-10.1+deb14 10.1-1 all"},
		"apt:linux-image-10.1+deb14=10.1-1":    {pkg: "linux-binary-10.1+deb14 10.1-1 all"},
		"apt:linux-binary-10.1+deb14":          {pkg: "linux-binary-10.1+deb14 10.1-1 all"},
		"apt:linux-binary-unsigned-10.1+deb14": {pkg: "linux-binary-unsigned-10.1+deb14 10.1-1 all"},
		"apt:linux-image-10.2":                 {fault: "linux-image-10.2 needs linux-binary-10.2: apt knows no such package as linux-binary-10.2=10.2-1"},
		"apt:linux-image-9.9.1-netab=8-8":      {fault: "apt knows no such package as linux-image-9.9.1-netab=8-8: its lists, of the sources in " + r.sources},
		"apt:linux-image-none":                 {fault: "apt knows no such package as linux-image-none"},
		"apt:linux-image-round":                {fault: "the package stands for"},
		"apt:no-kernel":                        {fault: "the package no-kernel 1-1 all has no kernel"},
		"apt:":                                 {fault: `"" is no name of a package`},
		"apt:-o=Dir::Bin=/bin/sh":              {fault: "is no name of a package"},
		"apt:../x":                             {fault: "is no name of a package"},
		"apt:x y":                              {fault: "is no name of a package"},
	} {
		k, fault := got(t, ref, o)
		if fault != "" || want.fault != "" {
			if want.fault == "" || !strings.Contains(fault, want.fault) || strings.Contains(fault, "\n") {
				t.Errorf("%s: %s\nwant %q", ref, fault, want.fault)
			}
			continue
		}
		if k.Package != want.pkg || k.Release != release || loaded(k, "veth", "tcp_cubic") != "veth.ko.xz" || k.Config["CONFIG_VETH"] != "m" {
			t.Errorf("%s: %s, %s, loads %s, configured %v", ref, k.Package, k.Release, loaded(k, "veth", "tcp_cubic"), k.Config)
		}
	}
	leftNothing(t, o)
	// What is there already is not asked for again.
	log.Reset()
	if _, fault := got(t, "apt:linux-image-netab", o); fault != "" || log.Len() > 0 {
		t.Errorf("%s, said %q", fault, log)
	}
}

// TestAptKept: an archive drops old kernels; the cache still has them. What was
// changed there is not used.
func TestAptKept(t *testing.T) {
	r := newRepository(t)
	r.add(t, "linux-image-9.9.1-netab", "9.9.1-2", "", small(".xz"))
	o, log := options(t)
	o.Apt = r.sources
	const ref = "apt:linux-image-9.9.1-netab"
	if _, fault := got(t, ref, o); fault != "" {
		t.Fatal(fault)
	}
	image, modules, base := inParts(small(".xz"))
	addParts(t, r, "10.1+deb14", image, modules, base)
	if _, fault := got(t, "apt:linux-image-10.1+deb14", o); fault != "" {
		t.Fatal(fault)
	}
	// Another archive, which never had it.
	empty := newRepository(t)
	empty.add(t, "bash", "1", "", nil)
	o.Apt = empty.sources
	for _, ref := range []string{ref, ref + "=9.9.1-2"} {
		log.Reset()
		k, fault := got(t, ref, o)
		if fault != "" || k.Package != "linux-image-9.9.1-netab 9.9.1-2 all" || !strings.Contains(log.String(), "apt no longer knows linux-image-9.9.1-netab: ") {
			t.Errorf("%s, said %s", fault, log)
		}
	}
	if _, fault := got(t, ref+"=1-1", o); !strings.Contains(fault, "apt knows no such package as linux-image-9.9.1-netab=1-1") {
		t.Error(fault)
	}
	for _, ref := range []string{"apt:linux-image-10.1+deb14", "apt:linux-image-10.1+deb14=10.1-1"} {
		k, fault := got(t, ref, o)
		if fault != "" || k.Package != "linux-binary-10.1+deb14 10.1-1 all" || loaded(k, "veth", "tcp_cubic") != "veth.ko.xz" || k.Config["CONFIG_VETH"] != "m" {
			t.Errorf("%s: %s, %+v", ref, fault, k)
		}
	}
	file := filepath.Join(o.Cache, dirPackages, "linux-image-9.9.1-netab_9.9.1-2_all.deb")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	put(t, "/", files{file: data})
	if _, fault := got(t, ref, o); !strings.Contains(fault, "the cache's "+file+" is damaged") {
		t.Error(fault)
	}
	// Where apt knows it, it is downloaded again if it is wanted again.
	o.Apt = r.sources
	if err := os.RemoveAll(filepath.Join(o.Cache, dirUnpacked)); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if _, fault := got(t, ref, o); fault != "" || !strings.Contains(log.String(), "downloading linux-image-9.9.1-netab 9.9.1-2") {
		t.Errorf("%s, said %s", fault, log)
	}
}

// TestAptDamaged: what the archive has is not what its index says.
func TestAptDamaged(t *testing.T) {
	r := newRepository(t)
	r.add(t, "linux-image-9.9.1-netab", "9.9.1-2", "", small(".xz"))
	put(t, r.dir, files{"linux-image-9.9.1-netab_9.9.1-2_all.deb": []byte("something else")})
	o, _ := options(t)
	o.Apt = r.sources
	if _, fault := got(t, "apt:linux-image-9.9.1-netab", o); !strings.Contains(fault, "apt-get: ") || strings.Contains(fault, "\n") {
		t.Errorf("%q", fault)
	}
	leftNothing(t, o)
}

// TestAptSources: each way to name sources, and what cannot be used.
func TestAptSources(t *testing.T) {
	r := newRepository(t)
	r.add(t, "linux-image-9.9.1-netab", "9.9.1-2", "", small(".xz"))
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	line, err := os.ReadFile(r.sources)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, files{
		"a.sources":               fmt.Appendf(nil, "Types: deb\nURIs: file:%s\nSuites: ./\nTrusted: yes\n", r.dir),
		"d/sources.list":          line,
		"e/sources.list.d/x.list": line,
		"e/sources.list":          nil,
		"e/apt.conf":              []byte("Acquire::Retries 0;\n"),
		"gone.list":               []byte("deb [trusted=yes] file:/none/at/all ./\n"),
		"broken.list":             []byte("what is this\n"),
	})
	for from, want := range map[string]string{
		at("a.sources"): "", at("d"): "", at("e"): "",
		at("gone.list"):   "apt-get: ",
		at("broken.list"): "apt-get: ",
		at("none.list"):   "apt's sources: stat",
	} {
		o, _ := options(t)
		o.Apt = from
		if _, fault := got(t, "apt:linux-image-9.9.1-netab", o); (fault == "") != (want == "") || !strings.Contains(fault, want) || strings.Contains(fault, "\n") {
			t.Errorf("%s: %q, want %q", from, fault, want)
		}
	}
}

// TestNoApt: a machine without apt.
func TestNoApt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	o, _ := options(t)
	if _, fault := got(t, "apt:linux-image-x", o); !strings.Contains(fault, "it needs apt-get, which this machine does not have: fetch the package elsewhere, and name its file") {
		t.Error(fault)
	}
}

// TestDebian: Debian's own kernels, by the machine's own apt, and what a guest needs
// of them.
func TestDebian(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads and unpacks two kernels")
	}
	need.Root(t)
	need.Program(t, "apt-get")
	o, _ := options(t)
	o.Log, o.root = nil, ""
	// Kept between runs of the test, as for users.
	dir, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	o.Cache = dir
	for ref, want := range map[string]struct{ release, guest string }{
		"apt:linux-image-cloud-amd64": {"6.1.", "veth.ko virtio.ko virtio_console.ko virtio_pci.ko virtio_pci_legacy_dev.ko virtio_pci_modern_dev.ko virtio_ring.ko"},
		// Virtio is built in there.
		"apt:linux-image-6.12-cloud-amd64": {"6.12.", "veth.ko.xz"},
	} {
		k, err := Find(context.Background(), ref, o)
		if errors.Is(err, errUnknown) {
			need.Missing(t, ref, "use Debian 12, with its security updates, after apt-get update")
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasPrefix(k.Release, want.release) || k.Arch != "x86_64" || !strings.Contains(k.Build, "debian") || k.Config["CONFIG_VETH"] != "m" {
			t.Errorf("%s: %s %s %s", ref, k.Release, k.Arch, k.Build)
		}
		mods, missing := k.Load("virtio_pci", "virtio_console", "veth", "tcp_cubic")
		var files []string
		before := map[string]bool{}
		for _, m := range mods {
			files = append(files, m.File)
			text, err := m.Read()
			if err != nil {
				t.Fatal(err)
			}
			info, err := modinfo(text)
			if err != nil || info.name != m.Name {
				t.Errorf("%s says that it is %q, %v", m.File, info.name, err)
			}
			for _, need := range info.depends {
				if !before[need] && !k.modules.built[need] {
					t.Errorf("%s: %s loads before %s, which it needs", ref, m.Name, need)
				}
			}
			before[m.Name] = true
		}
		slices.Sort(files)
		if got := strings.Join(files, " "); got != want.guest || len(missing) > 0 {
			t.Errorf("%s: a guest loads %s, want %s; missing are %q", ref, got, want.guest, missing)
		}
		if got := loaded(k, "no_such_module", "veth"); !strings.HasSuffix(got, "-no_such_module") {
			t.Errorf("%s: %s", ref, got)
		}
	}
}
