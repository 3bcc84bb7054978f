package kernel

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netab/results/disk"
)

// An aptPackage is what apt's lists say of one.
type aptPackage struct {
	name, version, file, sum string
	size                     string
	depends                  []dependency
}

// A dependency is one that has a name, and perhaps must have a version.
type dependency struct{ name, version string }

// aptName is PACKAGE or PACKAGE=VERSION (deb-control(5), deb-version(7)); nothing of
// it can be taken for an option.
var aptName = regexp.MustCompile(`^([a-z0-9][a-z0-9+.-]+)(?:=([0-9][A-Za-z0-9.+:~-]*))?$`)

// checksum is a SHA-256, which becomes a name in the cache.
var checksum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// fromApt is a kernel of a package that apt has.
func fromApt(ctx context.Context, ref string, o Options) (*parts, error) {
	m := aptName.FindStringSubmatch(ref)
	if m == nil {
		return nil, fmt.Errorf("%q is no name of a package: want apt:PACKAGE or apt:PACKAGE=VERSION", ref)
	}
	a, err := newApt(o)
	if err != nil {
		return nil, err
	}
	pkg, p, err := a.image(ctx, m[1], m[2])
	var failed *aptError
	if errors.As(err, &failed) && a.own && !a.updated {
		// Lists of ours may be of long ago, and archives drop what they had.
		if err := a.update(ctx); err != nil {
			return nil, err
		}
		pkg, p, err = a.image(ctx, m[1], m[2])
	}
	if errors.Is(err, errUnknown) {
		if p, errKept := a.kept(ctx, m[1], m[2]); p != nil || errKept != nil {
			return p, errKept
		}
	}
	if err != nil {
		return nil, err
	}
	for _, d := range pkg.depends {
		if !companion.MatchString(d.name) {
			continue
		}
		more, err := a.show(ctx, d.name, d.version)
		if err != nil {
			return nil, fmt.Errorf("%s needs %s: %w", pkg.name, d.name, err)
		}
		beside, err := a.get(ctx, more)
		if err != nil {
			return nil, err
		}
		p.take(beside)
	}
	return p, nil
}

// image is the package that has a kernel, unpacked.
func (a *apt) image(ctx context.Context, name, version string) (*aptPackage, *parts, error) {
	pkg, err := a.resolve(ctx, name, version)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.get(ctx, pkg)
	return pkg, p, err
}

// An apt is how apt is asked.
type apt struct {
	o       Options
	args    []string
	env     []string
	own     bool   // its lists are ours to update
	updated bool   // they are new
	of      string // what they are of
}

func newApt(o Options) (*apt, error) {
	for _, program := range []string{"apt-get", "apt-cache"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("it needs %s, which this machine does not have: fetch the package elsewhere, and name its file", program)
		}
	}
	a := &apt{o: o, env: append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")}
	if o.Apt == "" && !o.foreign() {
		return a, nil
	}
	from := ""
	a.of = "this machine's sources"
	if o.Apt != "" {
		var err error
		if from, err = filepath.Abs(o.Apt); err != nil {
			return nil, err
		}
		a.of = "the sources in " + o.Apt
		switch done, err := a.sources(from); {
		case err != nil:
			return nil, fmt.Errorf("apt's sources: %w", err)
		case done:
			return a, nil
		}
	}
	if o.foreign() {
		// As on a machine of that architecture, where nothing is installed: this machine's own
		// architectures, lists and state are left alone.
		from += "\x00" + o.Arch.Go
		a.of += " for " + o.Arch.Go
	}
	key := sha256.Sum256([]byte(from))
	dir, at, err := o.cached(filepath.Join(dirApt, hex.EncodeToString(key[:8])))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if o.foreign() {
		if !exists(filepath.Join(at, fileStatus)) {
			if err := dir.Write(fileStatus, func(io.Writer) error { return nil }); err != nil {
				return nil, err
			}
		}
		a.option("APT::Architecture="+o.Arch.Go, "APT::Architectures::="+o.Arch.Go, "Dir::State::status="+filepath.Join(at, fileStatus))
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if exists(filepath.Join(at, sub)) {
			continue // apt makes them its own user's
		}
		d, err := disk.MakeDir(filepath.Join(at, sub))
		if err != nil {
			return nil, err
		}
		d.Close()
	}
	a.own = true
	a.option("Dir::State::lists="+at+"/lists/", "Dir::Cache="+at+"/cache/", "Acquire::Languages=none", "APT::Update::Error-Mode=any")
	return a, nil
}

// fileStatus is an empty one of dpkg's.
const fileStatus = "status"

func (a *apt) option(options ...string) {
	for _, o := range options {
		a.args = append(a.args, "-o", o)
	}
}

// sources has apt go by what o.Apt names; whole = it is a configuration, which says itself
// where everything is.
func (a *apt) sources(from string) (whole bool, err error) {
	info, err := os.Stat(from)
	if err != nil {
		return false, err
	}
	list, more := from, "/dev/null"
	switch {
	case info.IsDir():
		list, more = filepath.Join(from, "sources.list"), filepath.Join(from, "sources.list.d")
		if config := filepath.Join(from, "apt.conf"); exists(config) {
			a.args = append(a.args, "-c", config)
		}
	case !slices.Contains([]string{".list", ".sources"}, filepath.Ext(from)):
		a.args = []string{"-c", from}
		return true, nil
	}
	a.option("Dir::Etc::sourcelist="+list, "Dir::Etc::sourceparts="+more)
	return false, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// stopping is how long apt may take to end once it is told to.
const stopping = 5 * time.Second

// run runs one of apt's programs. Its error is what it said.
func (a *apt) run(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, append(slices.Clone(a.args), args...)...)
	cmd.Dir, cmd.Env = dir, a.env
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	// It has children (its methods), and Ctrl-C is ours to pass on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = stopping
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, &aptError{program, complaint(said.String(), err)}
	}
	return out.Bytes(), nil
}

// An aptError is a program of apt's that failed.
type aptError struct{ program, said string }

func (e *aptError) Error() string { return e.program + ": " + e.said }

// complaint is the first line of apt's that says what was wrong.
func complaint(said string, err error) string {
	for line := range strings.Lines(said) {
		if text, ok := strings.CutPrefix(line, "E: "); ok {
			return strings.TrimSpace(text)
		}
	}
	return cmp.Or(strings.TrimSpace(strings.ReplaceAll(said, "\n", "; ")), err.Error())
}

// resolve finds a package, or the one with a kernel that it stands for: the meta
// packages linux-image-amd64, linux-image-6.12-cloud-amd64 depend on it.
func (a *apt) resolve(ctx context.Context, name, version string) (*aptPackage, error) {
	const deepest = 4
	var others []dependency // what packages on the way ask for besides
	by := ""
	for range deepest {
		pkg, err := a.known(ctx, name, version)
		if err != nil && by != "" {
			err = fmt.Errorf("%s needs %s: %w", by, name, err)
		}
		if err != nil {
			return nil, err
		}
		next := pkg.kernel()
		if next == nil {
			pkg.depends = append(pkg.depends, others...)
			if m := imageName.FindStringSubmatch(name); m != nil && m[1] == "binary" && len(others) == 0 {
				// Named itself, where nothing says that it has modules.
				pkg.depends = append(pkg.depends, dependency{"linux-modules-" + m[2], pkg.version})
			}
			return pkg, nil
		}
		others = append(others, pkg.depends...)
		by, name, version = name, next.name, next.version
	}
	return nil, fmt.Errorf("the package stands for %s by way of %d others: name the package that has the kernel", name, deepest)
}

var errUnknown = errors.New("apt knows no such package")

// known is show, after an update where that may help and the lists are ours.
func (a *apt) known(ctx context.Context, name, version string) (*aptPackage, error) {
	pkg, err := a.show(ctx, name, version)
	if a.own && !a.updated && errors.Is(err, errUnknown) {
		if err := a.update(ctx); err != nil {
			return nil, err
		}
		pkg, err = a.show(ctx, name, version)
	}
	return pkg, err
}

func (a *apt) update(ctx context.Context) error {
	a.o.say("apt-get update of %s", a.of)
	_, err := a.run(ctx, "", "apt-get", "-q", "update")
	a.updated = err == nil
	return err
}

// show asks apt's lists.
func (a *apt) show(ctx context.Context, name, version string) (*aptPackage, error) {
	full := name
	if version != "" {
		full += "=" + version
	}
	out, err := a.run(ctx, "", "apt-cache", "show", "--no-all-versions", full)
	var failed *aptError
	if err != nil && !errors.As(err, &failed) {
		return nil, err
	}
	if err == nil {
		for _, p := range paragraphs(string(out)) {
			if p["package"] == name && checksum.MatchString(p["sha256"]) {
				return &aptPackage{name: name, version: p["version"], file: path.Base(p["filename"]), sum: p["sha256"], size: p["size"],
					depends: dependencies(p["pre-depends"] + ", " + p["depends"])}, nil
			}
		}
	}
	todo := "look with `apt-cache search --names-only '^linux-image'`, and run `apt-get update` first if that finds nothing or is old"
	if a.own {
		todo = "its lists, of " + a.of + ", are new"
	}
	return nil, fmt.Errorf("%w as %s: %s", errUnknown, full, todo)
}

// dependencies reads a field of them (deb-control(5)). Of alternatives the first
// counts, as for apt.
func dependencies(field string) []dependency {
	var all []dependency
	for part := range strings.SplitSeq(field, ",") {
		first, _, _ := strings.Cut(part, "|")
		name, rest, _ := strings.Cut(strings.TrimSpace(first), " ")
		name, _, _ = strings.Cut(name, ":")
		var version string
		if exact, ok := strings.CutPrefix(strings.TrimSpace(rest), "(= "); ok {
			version = strings.TrimSuffix(exact, ")")
		}
		full := name
		if version != "" {
			full += "=" + version
		}
		if aptName.MatchString(full) {
			all = append(all, dependency{name, version})
		}
	}
	return all
}

// imageName is a package that has a kernel, or that one is installed by: Debian's
// linux-image-RELEASE had all of it until 6.18. Since then it is empty, and depends on
// linux-binary-RELEASE with the image, linux-modules-RELEASE, and linux-base-RELEASE
// with the configuration and the lists of modules.
var imageName = regexp.MustCompile(`^linux-(image|binary)-(?:unsigned-)?([0-9].*)$`)

// companion is a package that has more of a kernel: Debian's as above, and Ubuntu's
// linux-modules-RELEASE, linux-modules-extra-RELEASE. Those without a release
// (linux-modules-amd64) stand for the newest one, and have nothing.
var companion = regexp.MustCompile(`^linux-(modules|modules-extra|base)-[0-9]`)

// partsOf are the packages that may have the image, and more, of the kernel that a
// package is named for.
func partsOf(name string) (images, more []string) {
	m := imageName.FindStringSubmatch(name)
	if m == nil {
		return []string{name}, nil
	}
	return []string{name, "linux-binary-" + m[2], "linux-binary-unsigned-" + m[2]},
		[]string{"linux-modules-" + m[2], "linux-modules-extra-" + m[2], "linux-base-" + m[2]}
}

// kernel is the package with a kernel that another depends on; nil = it is none.
func (p *aptPackage) kernel() *dependency {
	for i, d := range p.depends {
		if imageName.MatchString(d.name) && d.name != p.name {
			return &p.depends[i]
		}
	}
	return nil
}

// get has the package unpacked in the cache.
func (a *apt) get(ctx context.Context, pkg *aptPackage) (*parts, error) {
	return unpacked(ctx, func() (string, error) { return a.fetch(ctx, pkg) }, kindDeb, pkg.sum, a.o)
}

// fetch is the package's file in the cache, downloaded if it is not there as apt's
// lists have it.
func (a *apt) fetch(ctx context.Context, pkg *aptPackage) (string, error) {
	dir, at, err := a.o.cached(dirPackages)
	if err != nil {
		return "", err
	}
	defer dir.Close()
	file := filepath.Join(at, pkg.file)
	if sum, err := digest(ctx, file); err == nil && sum == pkg.sum {
		return file, nil
	}
	a.o.say("downloading %s %s (%s bytes)", pkg.name, pkg.version, pkg.size)
	s, err := newScratch(dir, at)
	if err != nil {
		return "", err
	}
	defer s.end()
	if _, err := a.run(ctx, s.path, "apt-get", "-q", "download", pkg.name+"="+pkg.version); err != nil {
		var failed *aptError
		if errors.As(err, &failed) && !a.own {
			err = fmt.Errorf("%w; if its lists are old, run `apt-get update`", err)
		}
		return "", err
	}
	got, _ := filepath.Glob(filepath.Join(s.path, "*.deb"))
	if len(got) != 1 {
		return "", fmt.Errorf("apt-get download %s left %d files: want one .deb", pkg.name, len(got))
	}
	sum, err := digest(ctx, got[0])
	if err != nil {
		return "", err
	}
	if sum != pkg.sum {
		return "", fmt.Errorf("the downloaded %s has the checksum %s, and apt's lists say %s: run `apt-get update`, then try again", pkg.file, sum, pkg.sum)
	}
	if err := s.sync(); err != nil {
		return "", err
	}
	if err := s.dir.Rename(filepath.Base(got[0]), dir, pkg.file); err != nil {
		return "", err
	}
	// As sha256sum -c reads it: whoever comes when apt no longer knows the package
	// has nothing else to hold it against.
	return file, dir.Write(pkg.file+".sha256", func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s  %s\n", sum, pkg.file)
		return err
	})
}

// kept is a kernel that apt no longer knows and the cache still has: archives drop old
// ones. nil = it has none.
func (a *apt) kept(ctx context.Context, name, version string) (p *parts, err error) {
	images, more := partsOf(name)
	for _, image := range images {
		if p, err = a.keptPackage(ctx, image, version); p != nil || err != nil {
			break
		}
	}
	if p == nil || err != nil {
		return nil, err
	}
	for _, name := range more {
		beside, err := a.keptPackage(ctx, name, version)
		if err != nil {
			return nil, err
		}
		if beside != nil {
			p.take(beside)
		}
	}
	return p, nil
}

// keptPackage is one package of those.
func (a *apt) keptPackage(ctx context.Context, name, version string) (*parts, error) {
	dir, at, err := a.o.cached(dirPackages)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	// A version's epoch is not in the name of a file.
	if _, after, ok := strings.Cut(version, ":"); ok {
		version = after
	}
	files, _ := filepath.Glob(filepath.Join(at, name+"_"+cmp.Or(version, "*")+"_*.deb"))
	newest := func(a, b string) int { return cmp.Compare(modified(b), modified(a)) }
	slices.SortFunc(files, newest)
	for _, file := range files {
		text, err := disk.ReadOwn(file+".sha256", 1<<10)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
		want, _, _ := strings.Cut(string(text), " ")
		sum, err := digest(ctx, file)
		if err != nil {
			return nil, err
		}
		if sum != want {
			return nil, fmt.Errorf("apt no longer knows it, and the cache's %s is damaged (its checksum is %s, not %s): remove it", file, sum, want)
		}
		a.o.say("apt no longer knows %s: %s of the cache is used", name, file)
		return unpacked(ctx, func() (string, error) { return file, nil }, kindDeb, sum, a.o)
	}
	return nil, nil
}

func modified(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.ModTime().UnixNano()
}
