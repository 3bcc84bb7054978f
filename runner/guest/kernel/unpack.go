package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"netab/results/disk"
)

// What an unpacked package is made of, in its directory of the cache. The names are
// ours; a module has the last part of its own, in a folder of its own.
const (
	fileImage  = "vmlinuz"
	fileConfig = "config"
	fileIndex  = "kernel.json" // written last
	dirModules = "modules"
)

// An index says what was unpacked.
type index struct {
	Package string            `json:"package"` // "linux-image-… 6.1.192-3 amd64"
	Release string            `json:"release,omitempty"`
	Files   map[string]inside `json:"files"` // by the name in the directory
}

// inside is a file that was unpacked.
type inside struct {
	From string `json:"from"` // its path in the package
	Size int64  `json:"size"`
	Sum  string `json:"sha256"`
}

// Bounds of what a package may hold, so that a small file cannot fill a disk.
const (
	maxUnpacked = 8 << 30
	maxEntries  = 500_000
)

// kept says as what a file of a package is kept, "" if it is not, and of which release
// it is. A path that leads out of the package means that somebody meant harm; nothing
// of such a package is used.
func kept(name string) (as, release string, err error) {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", "", fmt.Errorf("it is not to be trusted: it has a file %q, whose path leads out of it", name)
	}
	clean = strings.TrimPrefix(clean, "usr/")
	if base, ok := strings.CutPrefix(clean, "boot/"); ok {
		for prefix, as := range map[string]string{"vmlinuz-": fileImage, "Image-": fileImage, "config-": fileConfig} {
			if release, ok := strings.CutPrefix(base, prefix); ok && releaseName.MatchString(release) {
				return as, release, nil
			}
		}
		return "", "", nil
	}
	in, ok := strings.CutPrefix(clean, "lib/modules/")
	if !ok {
		return "", "", nil
	}
	release, in, ok = strings.Cut(in, "/")
	if !ok || !releaseName.MatchString(release) {
		return "", "", nil
	}
	switch in {
	case fileImage, fileConfig, listBuiltin, listDep, listSoftdep:
		return in, release, nil
	}
	if base := path.Base(in); moduleName(base) {
		return dirModules + "/" + base, release, nil
	}
	return "", "", nil
}

// moduleName says whether a base name is that of a module's file, of letters and
// digits only.
func moduleName(base string) bool {
	cut, ok := cutModule(base)
	return ok && len(base) < 200 && strings.Trim(cut, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.") == "" && cut[0] != '.'
}

// unpack writes what is needed of a package into an empty directory. Nothing is synced.
func unpack(ctx context.Context, a *archive, into *disk.Dir) (*index, error) {
	mods, err := into.Mkdir(dirModules)
	if err != nil {
		return nil, err
	}
	defer mods.Close()
	x := &index{Package: a.info.String(), Files: map[string]inside{}}
	left := int64(maxUnpacked)
	buf := make([]byte, 1<<18)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := a.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n >= maxEntries {
			return nil, fmt.Errorf("it has more than %d files", maxEntries)
		}
		as, release, err := kept(e.name)
		if err != nil {
			return nil, err
		}
		if as == "" {
			continue
		}
		if x.Release == "" {
			x.Release = release
		}
		if x.Release != release {
			return nil, fmt.Errorf("it has files of several kernels (%s, %s): name one that has a single one", x.Release, release)
		}
		dir, name := into, as
		if base, ok := strings.CutPrefix(as, dirModules+"/"); ok {
			dir, name = mods, base
		}
		if have, twice := x.Files[as]; twice {
			if rank(e.name) >= rank(have.From) {
				continue
			}
			if err := dir.Remove(name); err != nil {
				return nil, err
			}
		}
		f, err := write(dir, name, disk.AtMost(withContext(ctx, e.body), left), buf)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		f.From = e.name
		left -= f.Size
		x.Files[as] = f
	}
	if len(x.Files) == 0 {
		return nil, noKernel(a.info)
	}
	return x, nil
}

// noKernel says of a package that it has none, and where it is if others have it.
func noKernel(info packageInfo) error {
	of := ""
	at := slices.IndexFunc(info.parts, imageName.MatchString)
	if at >= 0 {
		of = fmt.Sprintf("; it is in other packages: name the file of %s", info.parts[at])
		for i, name := range info.parts {
			if i != at {
				of += fmt.Sprintf(",modules=that of %s", name)
			}
		}
	}
	return fmt.Errorf("the package %s has no kernel: neither boot/vmlinuz-RELEASE nor lib/modules/RELEASE%s", info, of)
}

// write writes a new file and takes its checksum on the way.
func write(dir *disk.Dir, name string, from io.Reader, buf []byte) (inside, error) {
	f, err := dir.Create(name)
	if err != nil {
		return inside{}, err
	}
	sum := sha256.New()
	// Hidden from io.CopyBuffer, a File would have its own way to be copied to.
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sum)}, from, buf)
	if err = errors.Join(err, f.Close()); err != nil {
		return inside{}, err
	}
	return inside{Size: n, Sum: hex.EncodeToString(sum.Sum(nil))}, nil
}

// put writes the index, after which the directory is whole.
func (x *index) put(into *disk.Dir) error {
	return into.Write(fileIndex, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(x)
	})
}

// paths are sorted.
func (x *index) paths() []string { return slices.Sorted(maps.Keys(x.Files)) }
