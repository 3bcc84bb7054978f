package kernel

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/guest/arch"
	"netab/test/need"
)

func TestCacheDir(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for set, want := range map[string]string{"/x": "/x/netab", "relative": "", "": ""} {
		t.Setenv("XDG_CACHE_HOME", set)
		if want == "" {
			want = "/home/me/.cache/netab"
			if os.Geteuid() == 0 {
				want = "/var/cache/netab"
			}
		}
		if got, err := CacheDir(); got != want || err != nil {
			t.Errorf("%q: %s, %v; want %s", set, got, err, want)
		}
	}
}

// cachedKernel has a package in the cache, and its directory there.
func cachedKernel(t *testing.T) (file, dir string, o Options, log *strings.Builder) {
	t.Helper()
	o, log = options(t)
	file = filepath.Join(o.root, "k.deb")
	put(t, "/", files{file: deb(control("linux-image-9", "9.9-1", "amd64"), small(".xz"), ".xz")})
	k, fault := got(t, file, o)
	if fault != "" {
		t.Fatal(fault)
	}
	log.Reset()
	return file, filepath.Dir(k.Image), o, log
}

// TestDamagedCache: what is not what was unpacked is unpacked again, or refused.
func TestDamagedCache(t *testing.T) {
	write := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) }
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	image := bzImage(banner, xlfKernel64)
	image[2000] ^= 1
	for name, tt := range map[string]struct {
		harm func(dir string) error
		want string // is said
	}{
		"image":        {write(fileImage, string(image)), "its checksum is not that of what was unpacked; it is unpacked again"},
		"cut":          {write(fileImage, "x"), "vmlinuz has 1 bytes and should have 3072"},
		"gone":         {remove("modules/veth.ko.xz"), "modules/veth.ko.xz is missing"},
		"all modules":  {remove("modules"), "modules is missing"},
		"no index":     {remove(fileIndex), "it has no index"},
		"broken index": {write(fileIndex, "{"), "kernel.json: unexpected end of JSON input"},
		"another list": {write(listBuiltin, strings.Repeat("x", 60)), "its checksum is not that"},
		"a link": {func(d string) error {
			return errors.Join(remove(fileImage)(d), os.Symlink("/etc/passwd", filepath.Join(d, fileImage)))
		}, "and should have 3072"},
		"empty":         {func(d string) error { return errors.Join(os.RemoveAll(d), os.Mkdir(d, 0o755)) }, "modules is missing"},
		"a file for it": {func(d string) error { return errors.Join(os.RemoveAll(d), os.WriteFile(d, nil, 0o644)) }, " is a file"},
	} {
		file, dir, o, log := cachedKernel(t)
		if err := tt.harm(dir); err != nil {
			t.Fatal(err)
		}
		k, fault := got(t, file, o)
		if fault != "" || !strings.Contains(log.String(), tt.want) {
			t.Errorf("%s: %s, said %q, want %q", name, fault, log, tt.want)
			continue
		}
		if got := loaded(k, "veth"); got != "veth.ko.xz" {
			t.Errorf("%s: loads %s", name, got)
		}
		leftNothing(t, o)
	}
	// A module is held against its checksum when it is wanted.
	file, dir, o, _ := cachedKernel(t)
	k, _ := got(t, file, o)
	module := filepath.Join(dir, "modules/veth.ko.xz")
	text, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(module, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if why := k.Lacks("veth"); !strings.Contains(why, "is not what was unpacked: remove "+dir+", and it is unpacked again") {
		t.Error(why)
	}
}

// TestOthersCache: what others could have written is not booted by root.
func TestOthersCache(t *testing.T) {
	need.Root(t)
	t.Setenv("SUDO_UID", "")
	for name, harm := range map[string]func(dir string) error{
		"belongs to user 65534":      func(d string) error { return os.Chown(d, 65534, 65534) },
		"everybody can write to":     func(d string) error { return os.Chmod(d, 0o777) },
		"modules belongs to":         func(d string) error { return os.Chown(filepath.Join(d, dirModules), 65534, 65534) },
		"kernel.json belongs to":     func(d string) error { return os.Chown(filepath.Join(d, fileIndex), 65534, 65534) },
		"is a symbolic link":         func(d string) error { return errors.Join(os.Rename(d, d+"x"), os.Symlink(d+"x", d)) },
		"can write to the directory": func(d string) error { return os.Chmod(filepath.Dir(d), 0o777) },
	} {
		file, dir, o, _ := cachedKernel(t)
		if err := harm(dir); err != nil {
			t.Fatal(err)
		}
		if _, fault := got(t, file, o); !strings.Contains(fault, name) || !strings.Contains(fault, "cache: ") || strings.Contains(fault, "\n") {
			t.Errorf("%s: %q", name, fault)
		}
	}
}

// TestKilled: a kill while unpacking leaves nothing that is taken for whole, and
// what it left is removed by the next.
func TestKilled(t *testing.T) {
	file, dir, o, _ := cachedKernel(t)
	all := filepath.Dir(dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	left := func(name string, locked bool, age time.Duration) (path string, lock *os.File) {
		path = filepath.Join(all, scratchPrefix+name)
		put(t, path, files{"modules/veth.ko": nil})
		if name != "unlocked" && name != "old" {
			var err error
			if lock, err = os.Create(filepath.Join(path, fileLock)); err != nil {
				t.Fatal(err)
			}
			if locked {
				if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
					t.Fatal(err)
				}
			}
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		return path, lock
	}
	killed, lock := left("killed", false, 0)
	lock.Close()
	working, lock := left("working", true, 24*time.Hour)
	defer lock.Close()
	young, _ := left("unlocked", false, 0)
	old, _ := left("old", false, 2*time.Hour)
	if _, fault := got(t, file, o); fault != "" {
		t.Fatal(fault)
	}
	for path, there := range map[string]bool{killed: false, working: true, young: true, old: false} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestManyAtOnce: several netabs that unpack the same package all have it.
func TestManyAtOnce(t *testing.T) {
	o, _ := options(t)
	o.Log = nil
	file := filepath.Join(o.root, "k.deb")
	put(t, "/", files{file: deb(control("linux-image-9", "9.9-1", "amd64"), small(".xz"), ".xz")})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			k, err := Find(context.Background(), file, o)
			if err != nil {
				t.Error(err)
			} else if got := loaded(k, "veth"); got != "veth.ko.xz" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	leftNothing(t, o)
}

// TestInterrupted: Ctrl-C while unpacking.
func TestInterrupted(t *testing.T) {
	o, _ := options(t)
	file := filepath.Join(o.root, "k.deb")
	put(t, "/", files{file: deb(control("linux-image-9", "9.9-1", "amd64"), small(".xz"), ".xz")})
	ctx, cancel := context.WithCancel(context.Background())
	o.Log = onWrite(cancel)
	if _, err := Find(ctx, file, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	leftNothing(t, o)
}

type onWrite func()

func (f onWrite) Write(p []byte) (int, error) { f(); return len(p), nil }

var _ io.Writer = onWrite(nil)

// envUnpack has this test's binary unpack a package as another process.
const envUnpack = "NETAB_TEST_UNPACK"

func TestMain(m *testing.M) {
	if file := os.Getenv(envUnpack); file != "" {
		o := Options{Cache: os.Args[1], Arch: arch.X86}
		_, _ = Find(context.Background(), file, o)
		return
	}
	os.Exit(m.Run())
}

// TestKilledInDeed: the real thing, at several moments.
func TestKilledInDeed(t *testing.T) {
	o, _ := options(t)
	file := filepath.Join(o.root, "k.deb")
	f := small("")
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		f["./lib/modules/"+release+"/kernel/"+name+".ko"] = make([]byte, 4<<20)
	}
	put(t, "/", files{file: deb(control("linux-image-9", "9.9-1", "amd64"), f, ".gz")})
	for i := range 6 {
		cmd := exec.Command("/proc/self/exe", o.Cache)
		cmd.Env = append(os.Environ(), envUnpack+"="+file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i+1) * 15 * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		entries, _ := os.ReadDir(filepath.Join(o.Cache, dirUnpacked))
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), scratchPrefix) {
				if _, err := whole(context.Background(), filepath.Join(o.Cache, dirUnpacked, e.Name())); err != nil {
					t.Errorf("killed after %d: %v", i, err)
				}
			}
		}
	}
	if _, fault := got(t, file, o); fault != "" {
		t.Error(fault)
	}
	leftNothing(t, o)
}
