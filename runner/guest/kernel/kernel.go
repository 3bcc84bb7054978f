// Package kernel says what a reference to a kernel means: the image that boots, its
// release, how it was configured, and its modules in the order in which they load.
//
// A kernel is looked at before anything boots, so that what it lacks is one line and
// not a guest that hangs. Everything is read here, in Go: packages, compression,
// modules. depmod, dpkg or rpm are not needed; only apt is asked, for what is named
// by apt:.
//
// Packages are unpacked once, into a cache, under their SHA-256 checksum. No path of
// an archive is used for that: what is kept has a name of ours, or the last part of a
// module's name, so that nothing can be written outside. What is reused is held
// against the checksums that were taken when it was unpacked.
//
// A kernel is refused if it is of another architecture than what boots it: this
// machine, or guests of the one that was asked for.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"netab/results/disk"
	"netab/runner/guest/arch"
)

// A Kernel is one that can be booted.
type Kernel struct {
	Ref     string // as it was named
	Release string // "6.1.0-57-cloud-amd64", as uname -r has it
	Build   string // its banner: the release, who built it, when
	Arch    string // "x86_64", as uname -m has it
	Package string // "linux-image-6.1.0-57-cloud-amd64 6.1.192-3 amd64", if it is of one
	Image   string // the path of a bzImage or vmlinux, for QEMU's -kernel
	Digest  string // the image's SHA-256, in hexadecimal
	Packed  bool   // what boots lies compressed in Image: see Unpack
	Config  Config // nil where nothing tells it

	modules *modules
	mu      sync.Mutex
	looked  map[string]*module // modules that were read
	aliases map[string][]string
}

// Options say where a kernel is looked for.
type Options struct {
	Cache string    // where packages are kept; "" = CacheDir()
	Log   io.Writer // what takes time is said there, a line each; nil = nowhere

	// Apt is how apt is asked by other sources than the machine's own: a file of
	// sources (*.list, *.sources), a directory with sources.list, sources.list.d or
	// apt.conf, or a configuration (*.conf). "" = as the machine's apt is set up.
	//
	// A configuration of apt can name programs that apt runs, so this must come from
	// who runs netab, never from a scenario.
	Apt string

	// Arch is what boots the kernel; nil = this netab's. Packages of another one are found
	// in apt's lists of our own.
	Arch *arch.Arch

	root string // where installed kernels are; "" = /
	name string // of the path that is looked at: errors have it already
}

// at says which file an error is of, unless it is the one that was named.
func (o Options) at(path string, err error) error {
	if err == nil || path == o.name {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (o Options) say(format string, args ...any) {
	if o.Log != nil {
		fmt.Fprintf(o.Log, format+"\n", args...)
	}
}

// wants is the architecture of kernels that can be booted.
func (o Options) wants() string {
	if o.Arch != nil {
		return o.Arch.Name
	}
	if here := arch.Here(); here != nil {
		return here.Name
	}
	return runtime.GOARCH
}

// foreign says whether that is another than this netab's.
func (o Options) foreign() bool { return o.Arch != nil && o.Arch != arch.Here() }

// An ArchError is a kernel, or a package, for other machines than those that boot it.
type ArchError struct {
	What, Is string // "a kernel", "aarch64"
	wants    string
	foreign  bool // guests are of another architecture than this netab
}

func (e *ArchError) Error() string {
	if e.foreign {
		return fmt.Sprintf("it is %s for %s, and the guests that were asked for are %s (--arch)", e.What, e.Is, e.wants)
	}
	return fmt.Sprintf("it is %s for %s, and this netab is for %s: a guest runs this same program", e.What, e.Is, e.wants)
}

// runs says why something is for none of the machines that boot.
func (o Options) runs(what, is string) error {
	if wants := o.wants(); is != wants {
		return &ArchError{what, is, wants, o.foreign()}
	}
	return nil
}

// Find finds a kernel that is named by one of
//
//	apt:PACKAGE[=VERSION]   a package of apt's
//	PATH                    of a bzImage, a vmlinux, a .deb, an .rpm, a build tree, or
//	                        a directory that has boot/vmlinuz-RELEASE
//	RELEASE                 installed: /boot/vmlinuz-RELEASE, /lib/modules/RELEASE
//
// followed by any number of ,modules=PATH: directories or packages that have its
// modules. Its errors are one line.
func Find(ctx context.Context, ref string, o Options) (*Kernel, error) {
	k, err := find(ctx, ref, o)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", ref, err)
	}
	return k, nil
}

// parts are what a kernel is put together from.
type parts struct {
	image   string
	info    *image // of the image, where it was looked at
	config  []byte
	pkg     string
	release string // of a package
	modules *modules
}

// take takes in what another package has of the same kernel.
func (p *parts) take(more *parts) {
	p.modules = p.modules.with(more.modules)
	if p.config == nil {
		p.config = more.config
	}
}

func find(ctx context.Context, ref string, o Options) (*Kernel, error) {
	name, others, err := parse(ref)
	if err != nil {
		return nil, err
	}
	o.name = name
	p, err := locate(ctx, name, o)
	if err != nil {
		return nil, err
	}
	if p.image == "" {
		return nil, fmt.Errorf("there is no kernel in %s, only modules: name the package that has boot/vmlinuz-…, and this one behind it, as ,modules=%s", name, name)
	}
	if p.info == nil {
		if p.info, err = inspectFile(p.image, o); err != nil {
			return nil, err
		}
	}
	if err := p.info.runs(o); err != nil {
		return nil, o.at(p.image, err)
	}
	k := &Kernel{Ref: ref, Release: p.info.release, Build: p.info.banner, Arch: p.info.arch, Package: p.pkg, Image: p.image, Packed: p.info.packed,
		looked: map[string]*module{}}
	for _, other := range others {
		o.name = other
		more, err := locateModules(ctx, other, k.Release, o)
		if err != nil {
			return nil, fmt.Errorf("modules=%s: %w", other, err)
		}
		if more.release != k.Release {
			more.config = nil // of another kernel
		}
		p.take(more)
	}
	k.modules = p.modules
	if p.config == nil {
		p.config = embeddedConfig(ctx, p.image)
	}
	k.Config = parseConfig(p.config)
	k.Digest, err = digest(ctx, p.image)
	return k, err
}

// Unchanged says whether the image is still what was found: a build tree may be
// built again between two boots.
func (k *Kernel) Unchanged(ctx context.Context) error {
	now, err := digest(ctx, k.Image)
	if err == nil && now != k.Digest {
		err = fmt.Errorf("%s is no longer what it was when this began (built again?): begin anew, or name a copy", k.Image)
	}
	if err != nil {
		return fmt.Errorf("kernel %s: %w", k.Ref, err)
	}
	return nil
}

// locate finds what the first part of a reference means.
func locate(ctx context.Context, name string, o Options) (*parts, error) {
	if pkg, ok := strings.CutPrefix(name, "apt:"); ok {
		return fromApt(ctx, pkg, o)
	}
	if !strings.Contains(name, "/") {
		p, err := installed(name, o)
		if p != nil || err != nil {
			return p, err
		}
	}
	path, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notThere(name, o)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return directory(path, o)
	}
	kind, err := sniff(path, o)
	switch {
	case err != nil:
		return nil, err
	case kind != "":
		return packaged(ctx, path, kind, o)
	}
	return file(path, o)
}

// locateModules finds a further place of modules.
func locateModules(ctx context.Context, name, release string, o Options) (*parts, error) {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, plainError(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		m, err := modulesBelow(path, release)
		return &parts{modules: m}, err
	}
	kind, err := sniff(path, o)
	if err != nil {
		return nil, err
	}
	if kind == "" {
		return nil, errors.New("it is neither a directory nor a .deb nor an .rpm: want DIR/lib/modules/RELEASE, or a package")
	}
	return packaged(ctx, path, kind, o)
}

// notThere says what a name could have been.
func notThere(name string, o Options) error {
	if strings.Contains(name, "/") {
		return errors.New("there is no such file: want a bzImage, a vmlinux, a .deb, an .rpm, a build tree, an installed version, or apt:PACKAGE")
	}
	have := "none is installed"
	if all := releases(o); len(all) > 0 {
		have = "installed are " + strings.Join(all, ", ")
	}
	return fmt.Errorf("no kernel of that version is installed, and there is no such file: %s; a package of apt's is named apt:PACKAGE", have)
}

// plainError is an error of a path without the path, which is said already.
func plainError(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Kinds of packages.
const (
	kindDeb = "deb"
	kindRPM = "rpm"
)

// sniff says which kind of package a file is by how it begins; "" = none.
func sniff(path string, o Options) (string, error) {
	f, err := disk.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, len(arMagic))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch head = head[:n]; {
	case string(head) == arMagic:
		return kindDeb, nil
	case strings.HasPrefix(string(head), rpmMagic):
		return kindRPM, nil
	case n == 0:
		return "", o.at(path, errors.New("it is empty"))
	}
	for kind, suffix := range map[string]string{"Debian package": ".deb", "RPM package": ".rpm"} {
		if strings.HasSuffix(path, suffix) {
			return "", o.at(path, fmt.Errorf("it is no %s, for all its name: it begins with %q; fetch it again", kind, head))
		}
	}
	return "", nil
}
