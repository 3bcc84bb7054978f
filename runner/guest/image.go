package guest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netab/results/disk"
	"netab/runner/guest/cpio"
	"netab/runner/guest/inside"
)

// maxFiles bounds what goes into an initramfs beside netab and modules.
const maxFiles = 64 << 20

// An image is what an initramfs is made of. It is not compressed: making it takes no
// time, and the kernel needs to know no compression.
type image struct {
	program []byte
	spec    inside.Spec
	modules []Module
	files   []File
	release string            // of the kernel
	config  map[string]string // likewise; nil = not known
}

// nodes are what programs expect in /dev, for kernels without devtmpfs
// (Documentation/admin-guide/devices.txt).
var nodes = []struct {
	name         string
	major, minor uint32
}{{"console", 5, 1}, {"null", 1, 3}, {"zero", 1, 5}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}, {"ttyS0", 4, 64}, {"ttyS1", 4, 65}}

// write writes the archive. Equal images give equal bytes.
func (m image) write(to io.Writer) error {
	w := cpio.NewWriter(to)
	file := func(name string, mode uint32, data []byte) error {
		return w.File(name, mode, int64(len(data)), bytes.NewReader(data))
	}
	for _, d := range nodes {
		if err := w.Device("dev/"+d.name, 0o666, d.major, d.minor); err != nil {
			return err
		}
	}
	for _, dir := range []string{"proc", "sys", "tmp", "run", "bin", "sbin", "etc", "var/lib", "root"} {
		if err := w.Dir(dir); err != nil {
			return err
		}
	}
	if err := file("init", 0o755, m.program); err != nil {
		return err
	}
	for _, f := range m.files {
		if err := file(path.Join(inside.FilesDir, f.Name), 0o644, f.Data); err != nil {
			return err
		}
	}
	if m.config != nil {
		if err := file(path.Join("boot", "config-"+m.release), 0o644, configText(m.config)); err != nil {
			return err
		}
	}
	spec := m.spec
	for i, module := range m.modules {
		data, err := module.Read()
		if err != nil {
			return fmt.Errorf("module %s: %w", module.Name, err)
		}
		name := fmt.Sprintf("%03d-%s.ko", i, module.Name)
		if err := file(path.Join(inside.ModulesDir, name), 0o644, data); err != nil {
			return err
		}
		spec.Modules = append(spec.Modules, name)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	if err := file(inside.SpecFile, 0o644, text); err != nil {
		return err
	}
	return w.Close()
}

// configText is a configuration as it lies in /boot, where whoever describes a machine
// looks for it.
func configText(config map[string]string) []byte {
	var out bytes.Buffer
	for _, option := range slices.Sorted(maps.Keys(config)) {
		out.WriteString(option + "=" + config[option] + "\n")
	}
	return out.Bytes()
}

// checkFiles says what of a job's files cannot be put there.
func checkFiles(files []File) error {
	size := 0
	for _, f := range files {
		if f.Name == "." || f.Name != path.Clean(f.Name) || path.IsAbs(f.Name) || f.Name == ".." || strings.HasPrefix(f.Name, "../") {
			return fmt.Errorf("file %q of a guest: want a name below its working directory", f.Name)
		}
		size += len(f.Data)
	}
	if size > maxFiles {
		return fmt.Errorf("the files of a guest have %d bytes: want at most %d MiB", size, maxFiles>>20)
	}
	return nil
}

// unpacks is how many MiB of memory it takes to unpack a kernel beside its initramfs;
// 0 where that is not known.
func unpacks(kernel string, initrd *os.File) (int, error) {
	f, err := disk.Open(kernel)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	// Documentation/arch/x86/boot.rst: pref_address and init_size.
	head := make([]byte, 0x264)
	if _, err := io.ReadFull(f, head); err != nil || string(head[0x202:0x206]) != "HdrS" || binary.LittleEndian.Uint16(head[0x206:]) < 0x20a {
		return 0, nil // QEMU says what is wrong with it
	}
	info, err := initrd.Stat()
	if err != nil {
		return 0, err
	}
	wants := min(binary.LittleEndian.Uint64(head[0x258:]), 1<<40) + uint64(binary.LittleEndian.Uint32(head[0x260:])) + uint64(info.Size())
	return int(wants >> 20), nil
}

// memory is a file without a name: it is gone with the last process that has it open,
// whatever ended that.
func memory(name string, write func(io.Writer) error) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := write(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
