package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"netab/results/disk"
)

// modules are what a kernel has of them. Names are canonical.
type modules struct {
	files map[string]moduleFile
	built map[string]bool
	deps  map[string][]string // modules.dep: what a module needs, the first to load last
	soft  map[string]soft     // modules.softdep
	lists bool                // modules.builtin is there: what it does not name is not built in
}

// A moduleFile is where a module is.
type moduleFile struct {
	path string
	in   string // its path in the folder of modules
	rank int    // where modules of one name are in several folders, the least counts
	sum  string // SHA-256, of one in the cache
}

// soft are modules that one wants, and works without.
type soft struct{ pre, post []string }

const (
	maxText    = 64 << 20  // of a list of modules, a configuration
	maxModule  = 256 << 20 // of a module, unpacked; Debian's largest has 25 MB
	maxModules = 50_000
)

// canonical is the name by which the kernel knows a module: of "a/virtio-net.ko.xz"
// that is virtio_net.
func canonical(name string) string {
	name = path.Base(strings.TrimSpace(name))
	name, _ = cutModule(name)
	return strings.ReplaceAll(name, "-", "_")
}

// cutModule takes off what a module's file ends in; ok = it does.
func cutModule(name string) (string, bool) {
	for _, suffix := range []string{"", ".xz", ".zst", ".gz"} {
		if cut, ok := strings.CutSuffix(name, ".ko"+suffix); ok && cut != "" {
			return cut, true
		}
	}
	return name, false
}

func newModules() *modules {
	return &modules{files: map[string]moduleFile{}, built: map[string]bool{}, deps: map[string][]string{}, soft: map[string]soft{}}
}

// with is both together. What m has already it keeps.
func (m *modules) with(more *modules) *modules {
	if m == nil || more == nil {
		if m == nil {
			return more
		}
		return m
	}
	for name, f := range more.files {
		if _, have := m.files[name]; !have {
			m.files[name] = f
		}
	}
	for name := range more.built {
		m.built[name] = true
	}
	for name, d := range more.deps {
		if _, have := m.deps[name]; !have {
			m.deps[name] = d
		}
	}
	for name, s := range more.soft {
		if _, have := m.soft[name]; !have {
			m.soft[name] = s
		}
	}
	m.lists = m.lists || more.lists
	return m
}

// add adds a file by its path in a folder of modules.
func (m *modules) add(in, at, sum string) error {
	if len(m.files) >= maxModules {
		return fmt.Errorf("more than %d modules", maxModules)
	}
	name := canonical(in)
	f := moduleFile{path: at, in: in, rank: rank(in), sum: sum}
	if have, ok := m.files[name]; !ok || f.rank < have.rank {
		m.files[name] = f
	}
	return nil
}

// rank is the order in which depmod searches (depmod.d(5)): updates first.
func rank(in string) int {
	for i, folder := range []string{"updates", "extra"} {
		if strings.Contains("/"+in, "/"+folder+"/") {
			return i
		}
	}
	return 2
}

// Lists that make modules_install and depmod write beside the modules.
const (
	listBuiltin = "modules.builtin"
	listDep     = "modules.dep"
	listSoftdep = "modules.softdep"
	listOrder   = "modules.order"
)

// take takes in one of the lists; another name is none.
func (m *modules) take(list string, text []byte) (err error) {
	switch list {
	case listBuiltin:
		m.lists = true
		for line := range strings.Lines(string(text)) {
			if _, ok := cutModule(strings.TrimSpace(line)); ok {
				m.built[canonical(line)] = true
			}
		}
	case listDep:
		m.deps, err = parseDep(text)
	case listSoftdep:
		m.soft = parseSoftdeps(text)
	}
	return err
}

// parseDep reads modules.dep: "kernel/net/a.ko: kernel/net/b.ko kernel/lib/c.ko".
func parseDep(text []byte) (map[string][]string, error) {
	deps := map[string][]string{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		file, needs, ok := strings.Cut(line, ":")
		for _, f := range append(strings.Fields(needs), file) {
			_, module := cutModule(path.Base(f))
			ok = ok && module
		}
		if !ok {
			return nil, fmt.Errorf("%s, line %d: %q is not FILE.ko: FILES.ko; run depmod again", listDep, n, line[:min(len(line), 60)])
		}
		list := []string{}
		for need := range strings.FieldsSeq(needs) {
			list = append(list, canonical(need))
		}
		deps[canonical(file)] = list
	}
	return deps, nil
}

// parseSoftdeps reads modules.softdep (modprobe.d(5)): "softdep a pre: b c post: d".
func parseSoftdeps(text []byte) map[string]soft {
	out := map[string]soft{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 2 && fields[0] == "softdep" {
			s := out[canonical(fields[1])]
			s.add(fields[2:])
			out[canonical(fields[1])] = s
		}
	}
	return out
}

// add adds "pre: b c post: d".
func (s *soft) add(fields []string) {
	to := (*[]string)(nil)
	for _, f := range fields {
		switch {
		case f == "pre:":
			to = &s.pre
		case f == "post:":
			to = &s.post
		case to != nil:
			*to = append(*to, canonical(f))
		}
	}
}

// modulesIn reads a folder lib/modules/RELEASE, or a tree that was built.
func modulesIn(dir string) (*modules, error) {
	m := newModules()
	err := filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if _, ok := cutModule(e.Name()); !ok || e.IsDir() {
			return nil
		}
		in, _ := filepath.Rel(dir, at)
		return m.add(in, at, "")
	})
	if err != nil {
		return nil, err
	}
	for _, list := range []string{listBuiltin, listDep, listSoftdep} {
		text, err := disk.Read(filepath.Join(dir, list), maxText)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = m.take(list, text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	return m, nil
}

// isModules says whether a directory is a lib/modules/RELEASE.
func isModules(dir string) bool {
	for _, name := range []string{listBuiltin, listDep, listOrder, "kernel"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// modulesBelow finds the modules of a release in a directory that was named for them.
func modulesBelow(dir, release string) (*modules, error) {
	for _, in := range []string{"lib/modules/" + release, "usr/lib/modules/" + release, release} {
		if at := filepath.Join(dir, in); isModules(at) {
			return modulesIn(at)
		}
	}
	if isModules(dir) {
		return modulesIn(dir)
	}
	m, err := modulesIn(dir)
	if err == nil && len(m.files) == 0 {
		err = fmt.Errorf("it has no modules: neither lib/modules/%s nor any .ko file", release)
	}
	return m, err
}
