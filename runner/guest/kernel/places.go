package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netab/results/disk"
)

// installed finds a kernel by its release; nil = there is none of that.
func installed(release string, o Options) (*parts, error) {
	if !releaseName.MatchString(release) {
		return nil, nil
	}
	for _, image := range []string{"boot/vmlinuz-" + release, "lib/modules/" + release + "/vmlinuz", "usr/lib/modules/" + release + "/vmlinuz"} {
		path, err := filepath.EvalSymlinks(filepath.Join("/", o.root, image))
		if err == nil {
			return file(path, o)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil
}

// releases are those that are installed.
func releases(o Options) []string {
	var all []string
	images, _ := filepath.Glob(filepath.Join("/", o.root, "boot/vmlinuz-*"))
	for _, image := range images {
		all = append(all, strings.TrimPrefix(filepath.Base(image), "vmlinuz-"))
	}
	images, _ = filepath.Glob(filepath.Join("/", o.root, "lib/modules/*/vmlinuz"))
	for _, image := range images {
		all = append(all, filepath.Base(filepath.Dir(image)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// treeImages are where a build puts its image, the first that is there.
var treeImages = []string{"arch/x86/boot/bzImage", "arch/arm64/boot/Image", "vmlinux"}

// file is an image by its path, and what stands beside it.
func file(path string, o Options) (*parts, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	for _, in := range treeImages {
		if dir, ok := strings.CutSuffix(path, "/"+in); ok && isTree(dir) {
			return tree(dir, path, o)
		}
	}
	p := &parts{image: path}
	if p.info, err = inspectFile(path, o); err != nil {
		return nil, err
	}
	release, dir := p.info.release, filepath.Dir(path)
	if p.config, err = firstOf(filepath.Join(dir, "config-"+release), filepath.Join(dir, ".config"), filepath.Join(dir, "config")); err != nil {
		return nil, err
	}
	places := []string{filepath.Join(dir, "lib/modules", release)}
	switch filepath.Base(dir) {
	case release:
		places = append(places, dir)
	case "boot":
		places = append(places, filepath.Join(dir, "../lib/modules", release), filepath.Join(dir, "../usr/lib/modules", release))
	}
	for _, place := range places {
		if isModules(place) {
			p.modules, err = modulesIn(place)
			return p, err
		}
	}
	return p, nil
}

// firstOf reads the first file that is there; nil = none is.
func firstOf(paths ...string) ([]byte, error) {
	for _, path := range paths {
		text, err := disk.Read(path, maxText)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
	}
	return nil, nil
}

// isTree says whether a kernel is built in a directory.
func isTree(dir string) bool {
	_, errConfig := os.Stat(filepath.Join(dir, ".config"))
	_, errKernel := os.Stat(filepath.Join(dir, "include/config"))
	return errConfig == nil && errKernel == nil
}

// directory is a build tree, or where a package was unpacked to.
func directory(dir string, o Options) (*parts, error) {
	if isTree(dir) {
		for _, in := range treeImages {
			path := filepath.Join(dir, in)
			if _, err := os.Stat(path); err == nil {
				return tree(dir, path, o)
			}
		}
		return nil, o.at(dir, fmt.Errorf("it is a kernel's build tree, and nothing is built in it yet: there is no %s; run make bzImage modules", treeImages[0]))
	}
	var images []string
	for _, pattern := range []string{"boot/vmlinuz-*", "lib/modules/*/vmlinuz", "usr/lib/modules/*/vmlinuz", "vmlinuz", "bzImage", "Image", "vmlinux"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range found {
			if resolved, err := filepath.EvalSymlinks(path); err == nil && !slices.Contains(images, resolved) {
				images = append(images, resolved)
			}
		}
	}
	switch len(images) {
	case 0:
		return nil, o.at(dir, fmt.Errorf("there is no kernel in it: it is no build tree (.config, %s), and has no boot/vmlinuz-RELEASE", treeImages[0]))
	case 1:
		return file(images[0], o)
	}
	return nil, o.at(dir, fmt.Errorf("it has several kernels, name one of them: %s", strings.Join(images, ", ")))
}

// tree is a kernel where it was built.
func tree(dir, path string, o Options) (*parts, error) {
	p := &parts{image: path}
	var err error
	if p.info, err = inspectFile(path, o); err != nil {
		return nil, err
	}
	if p.config, err = firstOf(filepath.Join(dir, ".config")); err != nil {
		return nil, err
	}
	p.modules, err = treeModules(dir)
	return p, err
}

// treeModules are those that a build made. The tree's list names them, so that
// nothing that another configuration left is taken for this one's; a tree without it
// is searched.
func treeModules(dir string) (*modules, error) {
	order, err := disk.Read(filepath.Join(dir, listOrder), maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return modulesIn(dir)
	}
	if err != nil {
		return nil, err
	}
	m := newModules()
	for line := range strings.Lines(string(order)) {
		// Until 5.3 the list had the paths of modules_install, below kernel/, and since
		// 6.3 it has the objects that modules are linked of.
		in := strings.TrimSpace(line)
		if object, ok := strings.CutSuffix(in, ".o"); ok {
			in = object + ".ko"
		}
		if _, ok := cutModule(in); !ok || !filepath.IsLocal(in) {
			continue
		}
		at := filepath.Join(dir, in)
		if _, err := os.Stat(at); err != nil {
			at = filepath.Join(dir, strings.TrimPrefix(in, "kernel/"))
		}
		if _, err := os.Stat(at); err != nil {
			continue // configured, not built
		}
		if err := m.add(in, at, ""); err != nil {
			return nil, err
		}
	}
	builtin, err := disk.Read(filepath.Join(dir, listBuiltin), maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	return m, m.take(listBuiltin, builtin)
}
