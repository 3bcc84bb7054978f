// Package guests are the kernels that tests boot. It reads its modules by itself: package
// kernel unpacks archives, and archive/tar looks up users, which links the C library
// into a test's binary, which is to be /init.
package guests

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netab/runner/guest"
	"netab/test/need"
)

// Folder names the environment variable of a folder that has another kernel: a package
// of Debian's, unpacked (dpkg-deb -x).
const Folder = "NETAB_TEST_KERNEL"

// Find is the folder of the kernel that tests boot, and its image.
func Find(t testing.TB) (folder, image string) {
	t.Helper()
	if folder := os.Getenv(Folder); folder != "" {
		return folder, imageIn(t, folder)
	}
	return unpacked(t, "kernel")
}

// FindFull is likewise of the kernel that has what a kernel for cloud machines lacks:
// pktgen, netem, drivers.
func FindFull(t testing.TB) (folder, image string) {
	t.Helper()
	return unpacked(t, "kernel-full")
}

// unpacked is what ./tools.sh has put there.
func unpacked(t testing.TB, name string) (folder, image string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	folder = filepath.Join(cache, "netab-tests", name)
	return folder, imageIn(t, folder)
}

func imageIn(t testing.TB, folder string) string {
	t.Helper()
	need.Program(t, "qemu-system-x86_64")
	images, err := filepath.Glob(folder + "/boot/vmlinuz-*")
	if err != nil || len(images) != 1 {
		need.Missing(t, "a kernel for guests in "+folder, "`make tools` puts one there")
	}
	return images[0]
}

// Kernel is Debian's kernel for cloud machines, of the folder where ./tools.sh has
// unpacked it.
func Kernel(t testing.TB) guest.Kernel {
	t.Helper()
	folder, image := Find(t)
	return read(t, folder, image)
}

// Full is Debian's kernel for all machines, likewise.
func Full(t testing.TB) guest.Kernel {
	t.Helper()
	folder, image := FindFull(t)
	return read(t, folder, image)
}

func read(t testing.TB, folder, image string) guest.Kernel {
	t.Helper()
	_, release, _ := strings.Cut(filepath.Base(image), "-")
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(folder, "lib", "modules", release), func(path string, _ fs.DirEntry, err error) error {
		if name, _, ok := strings.Cut(filepath.Base(path), ".ko"); ok {
			files[strings.ReplaceAll(name, "-", "_")] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return guest.Kernel{Ref: release, Release: release, Arch: "x86_64", Image: image,
		Modules: func(names ...string) (out []guest.Module, missing []string) {
			for _, name := range names {
				out = load(t, files, name, out)
			}
			return out, nil
		}}
}

// load puts a module behind those that it depends on. What has no file is built in.
func load(t testing.TB, files map[string]string, name string, before []guest.Module) []guest.Module {
	path, have := files[name]
	if !have || slices.ContainsFunc(before, func(m guest.Module) bool { return m.Name == name }) {
		return before
	}
	data, err := os.ReadFile(path)
	if err == nil && strings.HasSuffix(path, ".xz") {
		data, err = exec.Command(need.Program(t, "xz"), "-dc", path).Output()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range depends(t, data) {
		before = load(t, files, other, before)
	}
	return append(before, guest.Module{Name: name, File: filepath.Base(path), Read: func() ([]byte, error) { return data, nil }})
}

// depends are the modules that a module says it depends on.
func depends(t testing.TB, module []byte) []string {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Section(".modinfo").Data()
	if err != nil {
		t.Fatal(err)
	}
	for entry := range bytes.SplitSeq(info, []byte{0}) {
		if list, ok := strings.CutPrefix(string(entry), "depends="); ok && list != "" {
			return strings.Split(list, ",")
		}
	}
	return nil
}
