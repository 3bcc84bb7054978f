package reboot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"netab/results/disk"
	"netab/results/nesting"
	"netab/runner/guest/kernel"
)

// ConfigFile is where root names kernels that this machine may boot.
const ConfigFile = "/etc/netab/kernels.yaml"

const maxConfig = 1 << 20

// A Named is a kernel that root has named.
type Named struct {
	Kernel  string `yaml:"kernel"`  // as --kernels has it
	Initrd  string `yaml:"initrd"`  // a file; "none" = it needs none; "" = the one that belongs to it
	Append  string `yaml:"append"`  // to the command line that the machine was booted with
	Cmdline string `yaml:"cmdline"` // in place of that
	GRUB    string `yaml:"grub"`    // the entry of GRUB's menu
}

// noInitrd is the Initrd of a kernel that boots without.
const noInitrd = "none"

// ReadConfig reads the file in which root names kernels. What it says is booted, so it
// counts only as root's own, that nobody else can write to. No file names nothing.
func ReadConfig(path string) (map[string]Named, error) {
	data, err := disk.ReadOwn(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = disk.Own(filepath.Dir(path))
	}
	if errors.Is(err, disk.ErrNotOwn) {
		return nil, fmt.Errorf("%w, so it names no kernels: they are booted as root (chown root, chmod go-w)", err)
	}
	if err != nil {
		return nil, err
	}
	return parseConfig(path, data)
}

func parseConfig(path string, data []byte) (named map[string]Named, err error) {
	defer func() { // the decoder's, on a tag before an anchor and the like
		if r := recover(); r != nil {
			named, err = nil, fmt.Errorf("%s: it cannot be read as YAML: want NAME: {kernel: …}", path)
		}
	}()
	if deep, ok := errors.AsType[*nesting.Deep](nesting.YAML(data)); ok {
		return nil, fmt.Errorf("%s:%d:%d: %w", path, deep.Line, deep.Column, deep)
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, nil
	}
	if err := yaml.UnmarshalWithOptions(data, &named, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s:%s", path, yamlFault(err))
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if err := named[name].check(name); err != nil {
			return nil, fmt.Errorf("%s%s: %s: %w", path, placeOf(data, name), name, err)
		}
	}
	return named, nil
}

// yamlFault is a decoder's error in one line: "3:5: unknown field …".
func yamlFault(err error) string {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		at := e.GetToken().Position
		return fmt.Sprintf("%d:%d: %s", at.Line, at.Column, e.GetMessage())
	}
	text, _, _ := strings.Cut(strings.TrimSpace(yaml.FormatError(err, false, false)), "\n")
	return " " + text
}

// placeOf is where a name stands, as ":LINE:COLUMN".
func placeOf(data []byte, name string) string {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return ""
	}
	for _, doc := range file.Docs {
		m, ok := doc.Body.(ast.MapNode)
		if !ok {
			continue
		}
		for all := m.MapRange(); all.Next(); {
			if key := all.Key(); key.GetToken().Value == name {
				return fmt.Sprintf(":%d:%d", key.GetToken().Position.Line, key.GetToken().Position.Column)
			}
		}
	}
	return ""
}

func (n Named) check(name string) error {
	switch {
	case strings.ContainsAny(name, ",:/ \t\n") || name == "":
		return errors.New("a name has no blank, comma, colon or slash, so that it can be told from a file in --kernels")
	case n.Kernel == "":
		return errors.New("kernel: is missing: an installed version, or the path of an image or a build tree")
	case n.Append != "" && n.Cmdline != "":
		return errors.New("append: adds to a command line that cmdline: replaces: leave one of them out")
	case n.GRUB != "" && (n.Append != "" || n.Cmdline != "" || n.Initrd != ""):
		return errors.New("grub: names an entry of GRUB's, which has its own command line and initrd: leave append, cmdline and initrd out")
	}
	for what, path := range map[string]string{"kernel": n.Kernel, "initrd": n.Initrd} {
		if strings.Contains(path, "/") && !filepath.IsAbs(path) {
			return fmt.Errorf("%s: %s: want an absolute path, as it is read wherever netab is run", what, path)
		}
	}
	return nil
}

// Options say how kernels are found that the machine itself is to boot.
type Options struct {
	Config string // the file of names; "" = ConfigFile
	By     Way
	Root   string // where initrds and GRUB are; "" = /
	Up     Up
	Kernel kernel.Options
}

// Find finds the kernels of a list, names of root's own first. With them comes GRUB's
// environment block, where that is the way.
func Find(ctx context.Context, list []string, o Options) (out []Kernel, found []*kernel.Kernel, env string, err error) {
	if o.Config == "" {
		o.Config = ConfigFile
	}
	named, err := ReadConfig(o.Config)
	if err != nil {
		return nil, nil, "", err
	}
	var g *GRUB
	if o.By == ByGRUB {
		if g, err = FindGRUB(o.Root); err != nil {
			return nil, nil, "", err
		}
		env = g.Env
	}
	for _, ref := range list {
		n, ok := named[ref]
		if !ok {
			n = Named{Kernel: ref}
		}
		k, f, err := o.find(ctx, ref, n, g)
		if err != nil {
			if !ok && !strings.ContainsAny(ref, "/:") && len(named) > 0 {
				err = fmt.Errorf("%w; %s names %s", err, o.Config, strings.Join(slices.Sorted(maps.Keys(named)), ", "))
			}
			return nil, nil, "", err
		}
		for _, other := range out {
			if o.alike(k, other) {
				return nil, nil, "", fmt.Errorf("kernels %s and %s could not be told from each other when they are up: both are %s, started alike", other.Ref, k.Ref, k.Release)
			}
		}
		out, found = append(out, k), append(found, f)
	}
	return out, found, env, nil
}

// alike says that what is up could be either.
func (o Options) alike(a, b Kernel) bool {
	started := func(as Kernel) Up {
		_, version, _ := strings.Cut(as.Build, " #")
		return Up{Release: as.Release, Version: version, Cmdline: as.Cmdline}
	}
	return started(a).Is(b, o.By) || started(b).Is(a, o.By)
}

func (o Options) find(ctx context.Context, ref string, n Named, g *GRUB) (Kernel, *kernel.Kernel, error) {
	fail := func(format string, args ...any) (Kernel, *kernel.Kernel, error) {
		return Kernel{}, nil, fmt.Errorf("kernel "+ref+": "+format, args...)
	}
	if pkg, ok := strings.CutPrefix(n.Kernel, "apt:"); ok {
		return fail("the machine itself boots what is installed, with its modules and its initrd: apt-get install %s, and name its version", pkg)
	}
	f, err := kernel.Find(ctx, n.Kernel, o.Kernel)
	if err != nil {
		return Kernel{}, nil, err
	}
	if f.Package != "" {
		return fail("it is in a package (%s), and the machine itself boots what is installed, with its modules and its initrd: install it, and name its version, %s", f.Package, f.Release)
	}
	k := Kernel{Ref: ref, Release: f.Release, Build: f.Build, Image: f.Image, ImageSum: f.Digest}
	if o.By == ByGRUB {
		if n.Append != "" || n.Cmdline != "" || n.Initrd != "" {
			return fail("append, cmdline and initrd of %s are for kexec: GRUB's entries have their own; name one as grub:", o.Config)
		}
		entry, err := g.entryOf(f.Image)
		if n.GRUB != "" {
			entry, err = g.entryNamed(n.GRUB)
		}
		if err != nil {
			return fail("%w", err)
		}
		if filepath.Base(entry.kernel) != filepath.Base(f.Image) {
			return fail("GRUB's entry %s boots %s, and not %s", entry.id, entry.kernel, filepath.Base(f.Image))
		}
		k.Entry, k.Cmdline = entry.id, entry.cmdline()
		return k, f, nil
	}
	if n.GRUB != "" {
		return fail("%s names an entry of GRUB's for it: boot by GRUB (--by grub)", o.Config)
	}
	if k.Cmdline = n.Cmdline; k.Cmdline == "" {
		k.Cmdline = appended(Reused(o.Up.Cmdline), n.Append)
	}
	if k.Cmdline = withPanic(k.Cmdline); len(k.Cmdline) >= maxCmdline {
		return fail("its command line has %d characters, and kernels take fewer than %d", len(k.Cmdline), maxCmdline)
	}
	if k.Initrd, err = o.initrd(n.Initrd, f); err != nil {
		return fail("%w", err)
	}
	if k.Initrd != "" {
		if k.InitrdSum, err = Sum(k.Initrd); err != nil {
			return fail("its initrd: %w", err)
		}
	}
	return k, f, nil
}

// maxCmdline is COMMAND_LINE_SIZE of x86 and arm64.
const maxCmdline = 2048

// initrd is the file that a kernel boots with.
func (o Options) initrd(asked string, k *kernel.Kernel) (string, error) {
	switch asked {
	case noInitrd:
		return "", nil
	case "":
	default:
		return asked, nil
	}
	names := []string{"initrd.img-" + k.Release, "initramfs-" + k.Release + ".img", "initrd-" + k.Release}
	for _, dir := range []string{filepath.Dir(k.Image), filepath.Join("/", o.Root, "boot")} {
		for _, name := range names {
			path, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err == nil {
				return path, nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
	}
	return "", fmt.Errorf("there is no initrd for it: no %s beside it or in /boot; name one in %s, or say initrd: none if it mounts the root file system by itself", names[0], ConfigFile)
}
