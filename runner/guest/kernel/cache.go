package kernel

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/results/disk"
)

// CacheDir is where packages are kept if nobody says otherwise: for root
// /var/cache/netab, for others ~/.cache/netab; netab in $XDG_CACHE_HOME where that is
// set.
func CacheDir() (string, error) {
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "netab"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/cache/netab", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for a cache: %w; set XDG_CACHE_HOME", err)
	}
	return filepath.Join(home, ".cache", "netab"), nil
}

// Directories of the cache. What is unpacked is kept by the package's checksum, in a
// directory whose name says of which layout it is.
const (
	dirUnpacked = "kernels-1"
	dirPackages = "packages"
	dirApt      = "apt"
)

// cached opens a directory of the cache.
func (o Options) cached(name string) (*disk.Dir, string, error) {
	path := o.Cache
	if path == "" {
		var err error
		if path, err = CacheDir(); err != nil {
			return nil, "", err
		}
	}
	path, err := filepath.Abs(filepath.Join(path, name))
	if err != nil {
		return nil, "", err
	}
	dir, err := disk.MakeDir(path)
	if err != nil {
		return nil, "", fmt.Errorf("cache: %w", err)
	}
	return dir, path, nil
}

// packaged is a kernel of a package file.
func packaged(ctx context.Context, path, kind string, o Options) (*parts, error) {
	sum, err := digest(ctx, path)
	if err != nil {
		return nil, err
	}
	return unpacked(ctx, func() (string, error) { return path, nil }, kind, sum, o)
}

// unpacked is a package in the cache: it is unpacked if it was not, or if what is
// there is not what was unpacked. The package's file is only asked for if it must be.
func unpacked(ctx context.Context, file func() (string, error), kind, sum string, o Options) (*parts, error) {
	all, at, err := o.cached(dirUnpacked)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	at = filepath.Join(at, sum)
	p, err := whole(ctx, at)
	switch {
	case err == nil:
		return p, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, disk.ErrNotOwn):
		return nil, fmt.Errorf("cache: %w: remove it, or choose another cache (XDG_CACHE_HOME)", err)
	case !errors.Is(err, fs.ErrNotExist):
		o.say("%s: %v; it is unpacked again", at, err)
		if err := os.RemoveAll(at); err != nil {
			return nil, err
		}
	}
	path, err := file()
	if err != nil {
		return nil, err
	}
	o.say("unpacking %s", path)
	if err := intoCache(ctx, path, kind, sum, all, filepath.Dir(at), o); err != nil {
		return nil, o.at(path, err)
	}
	return whole(ctx, at)
}

// whole reads a directory of the cache if it is whole: it is only ours, all files have
// their sizes, and the image its checksum. Modules are held against theirs when they
// are read.
func whole(ctx context.Context, at string) (*parts, error) {
	if _, err := os.Lstat(at); err != nil {
		return nil, err
	}
	for _, dir := range []string{at, filepath.Join(at, dirModules)} {
		info, err := os.Lstat(dir)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s is missing", filepath.Base(dir))
		case info.Mode().IsRegular():
			return nil, fmt.Errorf("%s is a file", filepath.Base(dir))
		}
		if err := disk.Own(dir); err != nil {
			return nil, fmt.Errorf("%w: %w", disk.ErrNotOwn, err)
		}
	}
	text, err := disk.ReadOwn(filepath.Join(at, fileIndex), maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it has no index")
	}
	if err != nil {
		return nil, err
	}
	var x index
	if err := json.Unmarshal(text, &x); err != nil {
		return nil, fmt.Errorf("%s: %w", fileIndex, err)
	}
	p := &parts{pkg: x.Package, release: x.Release, modules: newModules()}
	for _, name := range x.paths() {
		f := x.Files[name]
		file := filepath.Join(at, name)
		info, err := os.Lstat(file)
		if err != nil {
			return nil, fmt.Errorf("%s is missing", name) // not as if the directory were
		}
		if !info.Mode().IsRegular() || info.Size() != f.Size {
			return nil, fmt.Errorf("%s has %d bytes and should have %d", name, info.Size(), f.Size)
		}
		if err := p.add(ctx, name, file, f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

// add takes in a file that was unpacked.
func (p *parts) add(ctx context.Context, name, at string, f inside) error {
	switch name {
	case fileImage:
		sum, err := digest(ctx, at)
		if err == nil && sum != f.Sum {
			err = errors.New("its checksum is not that of what was unpacked")
		}
		p.image = at
		return err
	case fileConfig, listBuiltin, listDep, listSoftdep:
		text, err := disk.Read(at, maxText)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != f.Sum {
			return errors.New("its checksum is not that of what was unpacked")
		}
		if name == fileConfig {
			p.config = text
			return nil
		}
		return p.modules.take(name, text)
	}
	return p.modules.add(f.From, at, f.Sum)
}

// scratchPrefix is how names of directories begin that are being worked in.
const scratchPrefix = ".netab-"

// intoCache unpacks a package beside where it is to be, and renames it there when all
// is on disk: a directory under a checksum is whole, whenever this was killed.
func intoCache(ctx context.Context, path, kind, sum string, all *disk.Dir, at string, o Options) (err error) {
	f, err := disk.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var a *archive
	if kind == kindRPM {
		a, err = openRPM(f, info.Size())
	} else {
		a, err = openDeb(f, info.Size())
	}
	if err != nil {
		return err
	}
	if err := a.info.runs(o); err != nil {
		return err
	}
	s, err := newScratch(all, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	x, err := unpack(ctx, a, s.dir)
	if err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	if err := x.put(s.dir); err != nil {
		return err
	}
	return s.become(sum)
}

// Names of architectures in packages, beside those that uname -m has.
var packageArchs = map[string]string{"amd64": "x86_64", "arm64": "aarch64", "i486": "i386", "i586": "i386", "i686": "i386"}

// runs says why a package has no kernel for what boots it.
func (p packageInfo) runs(o Options) error {
	switch p.arch {
	case "", "all", "noarch":
		return nil
	}
	return o.runs("a package", cmp.Or(packageArchs[p.arch], p.arch))
}

// A scratch is a directory that is being worked in. A lock in it says so: what a
// killed netab left has none, and whoever comes next removes it.
type scratch struct {
	all  *disk.Dir
	dir  *disk.Dir
	path string
	name string
	lock *os.File
}

// A lock has its name once it is held: else whoever comes between its making and its
// locking takes it for that of a killed netab, and removes the directory.
const (
	fileLock     = "lock"
	fileUnlocked = "unlocked"
)

func newScratch(all *disk.Dir, at string) (*scratch, error) {
	removeLeft(at)
	s := &scratch{all: all}
	var err error
	for range 10 {
		s.name = fmt.Sprintf("%s%d-%d", scratchPrefix, os.Getpid(), time.Now().UnixNano())
		if s.dir, err = all.Mkdir(s.name); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	s.path = filepath.Join(at, s.name)
	if s.lock, err = s.dir.Create(fileUnlocked); err == nil {
		err = unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		err = s.dir.Rename(fileUnlocked, s.dir, fileLock)
	}
	if err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// young is for how long a directory without a lock is left alone: its owner is just
// making one.
const young = time.Hour

// removeLeft removes what killed ones left behind. What cannot be removed only takes
// space.
func removeLeft(at string) {
	entries, _ := os.ReadDir(at)
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scratchPrefix) {
			continue
		}
		path := filepath.Join(at, e.Name())
		lock, err := disk.Open(filepath.Join(path, fileLock))
		if err != nil {
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > young {
				_ = os.RemoveAll(path)
			}
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		lock.Close()
	}
}

// sync puts all that was written on disk, at once: a sync for each of thousands of
// modules takes minutes on a slow disk.
func (s *scratch) sync() error {
	if err := unix.Syncfs(int(s.lock.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", s.path, err)
	}
	return nil
}

// become gives the directory its name. If another netab was faster, its is as good.
func (s *scratch) become(name string) error {
	if err := s.dir.Remove(fileLock); err != nil {
		return err
	}
	err := s.all.Rename(s.name, s.all, name)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		return nil
	}
	if err != nil {
		return err
	}
	s.name = ""
	return s.all.Sync()
}

// end removes it, unless it became something.
func (s *scratch) end() error {
	var err error
	if s.name != "" {
		err = os.RemoveAll(s.path)
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return errors.Join(err, s.dir.Close())
}

// digest is a file's SHA-256.
func digest(ctx context.Context, path string) (string, error) {
	f, err := disk.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, withContext(ctx, f)); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// withContext reads until the context is over.
func withContext(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
