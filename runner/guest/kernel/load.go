package kernel

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"netab/results/disk"
)

// A Module is one of a kernel's.
type Module struct {
	Name string // as the kernel knows it: "virtio_net"
	File string // the base name of its file: "virtio-net.ko.xz"

	// Soft is one that another wants and works without: a faster checksum, which the
	// CPU may not have. That it cannot be loaded is no fault.
	Soft bool

	path, sum string
}

// Open opens the module's file as it is, compressed or not.
func (m Module) Open() (io.ReadCloser, error) { return disk.Open(m.path) }

// Read reads the module, decompressed: what every kernel loads, while only those
// with CONFIG_MODULE_DECOMPRESS (5.17) take a compressed one.
func (m Module) Read() ([]byte, error) {
	raw, err := disk.Read(m.path, maxModule)
	if err != nil {
		return nil, err
	}
	if m.sum != "" {
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != m.sum {
			return nil, fmt.Errorf("%s is not what was unpacked: remove %s, and it is unpacked again", m.path, filepath.Dir(filepath.Dir(m.path)))
		}
	}
	if _, ok := strings.CutSuffix(m.File, ".ko"); ok {
		return raw, nil
	}
	plain, err := decompressBytes(raw)
	if err == nil {
		raw, err = io.ReadAll(disk.AtMost(plain, maxModule))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	return raw, nil
}

// Load gives what must be loaded for modules to be there: what they need comes
// before them, nothing twice, and what is built in not at all. A dash in a name is
// an underscore. missing are those of names that the kernel does not have, or that
// need what it does not have; Lacks says why. Where nothing tells what is built in
// (a bare image), a module that is not found is taken for built in: only the guest
// can say.
func (k *Kernel) Load(names ...string) (mods []Module, missing []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := loader{k: k, done: map[string]bool{}, under: map[string]bool{}}
	for _, name := range names {
		if err := l.try(canonical(name)); err != nil {
			missing = append(missing, name)
		}
	}
	return l.order, missing
}

// Lacks says in one line why a name is missing of Load, "" if it is not.
func (k *Kernel) Lacks(name string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := loader{k: k, done: map[string]bool{}, under: map[string]bool{}}
	if err := l.try(canonical(name)); err != nil {
		return fmt.Sprintf("kernel %s (%s): %v", k.Ref, k.Release, err)
	}
	return ""
}

// A loader puts modules in order.
type loader struct {
	k     *Kernel
	order []Module
	done  map[string]bool // in order
	under map[string]bool // being worked on: what needs itself is a circle
	soft  bool            // what is worked on is wanted only
}

// try adds a module and what it needs, or nothing.
func (l *loader) try(name string) error {
	before := len(l.order)
	err := l.add(name)
	if err != nil {
		for _, m := range l.order[before:] {
			delete(l.done, m.Name)
		}
		l.order = l.order[:before]
	}
	return err
}

// want adds modules that are wanted, and not needed, by their names or aliases.
func (l *loader) want(names []string) {
	was := l.soft
	l.soft = true
	for _, name := range names {
		modules := []string{name}
		if _, have := l.k.file(name); !have {
			modules = l.k.aliased(name)
		}
		for _, m := range modules {
			_ = l.try(m)
		}
	}
	l.soft = was
}

func (l *loader) add(name string) error {
	if l.under[name] || l.k.builtIn(name) {
		return nil
	}
	m, err := l.k.look(name)
	if m == nil || err != nil {
		return err
	}
	at := slices.IndexFunc(l.order, func(o Module) bool { return o.Name == name })
	if at >= 0 && (l.soft || !l.order[at].Soft) {
		return nil
	}
	l.under[name] = true
	defer delete(l.under, name)
	l.want(m.soft.pre)
	for _, need := range m.needs {
		if err := l.add(need); err != nil {
			return fmt.Errorf("%s needs %s: %w", name, need, err)
		}
	}
	if at >= 0 {
		l.order[at].Soft = false // there already, and now needed
	} else if !l.done[name] {
		mod := m.Module
		mod.Soft = l.soft
		l.order = append(l.order, mod)
		l.done[name] = true
	}
	l.want(m.soft.post)
	return nil
}

// file is a module's file.
func (k *Kernel) file(name string) (f moduleFile, have bool) {
	if k.modules != nil {
		f, have = k.modules.files[name]
	}
	return f, have
}

// aliased are the modules that bring an algorithm of the kernel's crypto API: what
// modules want by another name than a module's is mostly one (libcrc32c wants crc32c,
// which is of crc32c_generic and crc32c_intel). modprobe finds them in modules.alias,
// which packages do not have.
func (k *Kernel) aliased(name string) []string {
	if k.modules == nil {
		return nil
	}
	if k.aliases == nil {
		k.aliases = map[string][]string{}
		for _, module := range slices.Sorted(maps.Keys(k.modules.files)) {
			if !strings.Contains("/"+k.modules.files[module].in, "/crypto/") {
				continue
			}
			if m, err := k.look(module); err == nil {
				for _, alias := range m.aliases {
					k.aliases[alias] = append(k.aliases[alias], module)
				}
			}
		}
	}
	return k.aliases[name]
}

// builtIn says whether a module is in the image.
func (k *Kernel) builtIn(name string) bool {
	if k.modules != nil && k.modules.built[name] {
		return true
	}
	if _, have := k.file(name); have {
		return false
	}
	return k.Config[optionOf(name)] == "y"
}

// A module is one that was read.
type module struct {
	Module
	needs   []string
	soft    soft
	aliases []string
	err     error
}

// look reads what a module says of itself. nil = it is not there, and nothing tells
// whether it is built in.
func (k *Kernel) look(name string) (*module, error) {
	if m := k.looked[name]; m != nil {
		return m, m.err
	}
	f, have := k.file(name)
	if !have {
		return nil, k.lacks(name)
	}
	m := &module{Module: Module{Name: name, File: filepath.Base(f.path), path: f.path, sum: f.sum}}
	if m.err = k.read(m); m.err != nil {
		m.err = fmt.Errorf("module %s: %w", name, m.err)
	}
	k.looked[name] = m
	return m, m.err
}

// lacks says why a module without a file cannot be had; nil = it may be built in.
func (k *Kernel) lacks(name string) error {
	option := optionOf(name)
	value, set := k.Config[option]
	switch {
	case value == "m":
		return fmt.Errorf("%s is a module (%s=m), and its file is not there: name where its modules are, as ,modules=DIR, or build them (make modules)", name, option)
	case k.Config != nil && !set && (k.modules == nil || !k.modules.lists):
		return fmt.Errorf("it has no %s: no module of that name, and %s is not set", name, option)
	case k.modules != nil && k.modules.lists && set:
		return fmt.Errorf("it has no %s: no module of that name, and none built in, though %s=%s", name, option, value)
	case k.modules != nil && k.modules.lists && k.Config != nil:
		return fmt.Errorf("it has no %s: neither a module nor built in, and %s is not set", name, option)
	case k.modules != nil && k.modules.lists:
		return fmt.Errorf("it has no %s: neither a module nor built in", name)
	}
	return nil
}

// read fills a module from its file, and from the lists where they name it.
func (k *Kernel) read(m *module) error {
	text, err := m.Read()
	if err != nil {
		return err
	}
	info, err := modinfo(text)
	if err != nil {
		return fmt.Errorf("%s: %w", m.path, err)
	}
	// vermagic begins with the release (include/linux/vermagic.h).
	if magic, _, _ := strings.Cut(info.vermagic, " "); magic != "" && magic != k.Release {
		return fmt.Errorf("%s is for the kernel %s, and this is %s: name the modules of this one, as ,modules=DIR", m.path, magic, k.Release)
	}
	m.needs, m.soft, m.aliases = info.depends, info.soft, info.aliases
	if deps, listed := k.modules.deps[m.Name]; listed {
		// depmod, too, knows who exports a symbol. Last comes what loads first.
		m.needs = slices.Clone(deps)
		slices.Reverse(m.needs)
	}
	if s, listed := k.modules.soft[m.Name]; listed {
		m.soft = s
	}
	return nil
}

// moduleInfo is what a module says of itself.
type moduleInfo struct {
	name, vermagic string
	depends        []string
	aliases        []string // canonical, as names are
	soft           soft
}

// modinfo reads the section .modinfo: texts KEY=VALUE that end in NUL.
func modinfo(text []byte) (moduleInfo, error) {
	var info moduleInfo
	f, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		return info, fmt.Errorf("it is no module, or damaged: %w", err)
	}
	section := f.Section(".modinfo")
	if section == nil {
		return info, errors.New("it is no module: it has no section .modinfo")
	}
	data, err := section.Data()
	if err != nil {
		return info, fmt.Errorf("it is damaged: %w", err)
	}
	for entry := range bytes.SplitSeq(data, []byte{0}) {
		key, value, _ := strings.Cut(string(entry), "=")
		switch key {
		case "name":
			info.name = value
		case "vermagic":
			info.vermagic = value
		case "depends":
			for need := range strings.SplitSeq(value, ",") {
				if need != "" {
					info.depends = append(info.depends, canonical(need))
				}
			}
		case "alias":
			info.aliases = append(info.aliases, strings.ReplaceAll(value, "-", "_"))
		case "softdep":
			info.soft.add(strings.Fields(value))
		}
	}
	return info, nil
}
