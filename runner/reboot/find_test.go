package reboot

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"netab/test/need"
)

// putKernel puts a kernel where it is installed below a root: an image whose header
// says its banner, of the fields that are read (Documentation/arch/x86/boot.rst).
func putKernel(t *testing.T, root, release, build string, initrd bool) string {
	t.Helper()
	image := make([]byte, 4096)
	image[0x1f1] = 3
	binary.LittleEndian.PutUint32(image[0x1f4:], 64)
	binary.LittleEndian.PutUint16(image[0x1fe:], 0xaa55)
	copy(image[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(image[0x206:], 0x20f)
	binary.LittleEndian.PutUint16(image[0x20e:], 0x200)
	binary.LittleEndian.PutUint16(image[0x236:], 1)
	copy(image[0x400:], release+" (us@here) "+build)
	path := filepath.Join(root, "boot", "vmlinuz-"+release)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, image, 0o644))
	if initrd {
		err = errors.Join(err, os.WriteFile(filepath.Join(root, "boot", "initrd.img-"+release), []byte("an initrd"), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFind: what root names is found as it says, and what could not be told apart, or
// would not be what was meant, is refused in one line.
func TestFind(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		need.Missing(t, "a machine whose kernels are bzImages", "test this part on x86-64")
	}
	root := t.TempDir()
	one := putKernel(t, root, "6.1.0-57-amd64", "#1 SMP Debian 6.1.192-3", true)
	putKernel(t, root, "6.1.0-51-amd64", "#1 SMP Debian 6.1.170-1", true)
	bare := putKernel(t, root, "7.0.0-own", "#7 SMP", false)
	config := filepath.Join(root, "kernels.yaml")
	text := `stock: {kernel: ONE}
mitigated: {kernel: ONE, append: mitigations=auto}
same: {kernel: ONE, cmdline: root=/dev/sda1 quiet panic=10}
own: {kernel: BARE, initrd: none, cmdline: root=/dev/sda2 panic=5}
long: {kernel: ONE, append: LONG}
grubbed: {kernel: ONE, grub: "gnulinux-advanced-0a1b>gnulinux-6.1.0-57-amd64-advanced-0a1b"}
wrong: {kernel: ONE, grub: "gnulinux-advanced-0a1b>gnulinux-6.1.0-51-amd64-advanced-0a1b"}
`
	text = strings.NewReplacer("ONE", one, "BARE", bare, "LONG", strings.Repeat("x", maxCmdline)).Replace(text)
	menu, err := os.ReadFile("testdata/debian/boot/grub/grub.cfg")
	err = errors.Join(err, os.WriteFile(config, []byte(text), 0o644), os.MkdirAll(filepath.Join(root, "boot/grub"), 0o755),
		os.WriteFile(filepath.Join(root, "boot/grub/grub.cfg"), menu, 0o644), os.WriteFile(filepath.Join(root, "boot/grub/grubenv"), block(""), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Config: config, By: ByKexec, Root: root, Up: Up{Cmdline: "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet"}}
	for _, tt := range []struct {
		list []string
		by   Way
		want string // command lines or entries, or of the error
	}{
		{[]string{"stock", "mitigated", "own"}, ByKexec, "root=/dev/sda1 quiet panic=10|root=/dev/sda1 quiet mitigations=auto panic=10|root=/dev/sda2 panic=5"},
		{[]string{one}, ByKexec, "root=/dev/sda1 quiet panic=10"},
		{[]string{"stock", "same"}, ByKexec, "could not be told from each other"},
		{[]string{bare}, ByKexec, "there is no initrd for it"},
		{[]string{"long"}, ByKexec, "its command line has"},
		{[]string{"stocc"}, ByKexec, "kernels.yaml names grubbed, long, mitigated, own, same, stock, wrong"},
		{[]string{"apt:linux-image-amd64"}, ByKexec, "apt-get install linux-image-amd64"},
		{[]string{"grubbed"}, ByKexec, "boot by GRUB (--by grub)"},
		{[]string{"grubbed"}, ByGRUB, "gnulinux-advanced-0a1b>gnulinux-6.1.0-57-amd64-advanced-0a1b"},
		{[]string{"stock"}, ByGRUB, "gnulinux-simple-0a1b"},
		{[]string{"stock", "grubbed"}, ByGRUB, "could not be told from each other"},
		{[]string{"wrong"}, ByGRUB, "boots /boot/vmlinuz-6.1.0-51-amd64, and not vmlinuz-6.1.0-57-amd64"},
		{[]string{"mitigated"}, ByGRUB, "are for kexec"},
		{[]string{bare}, ByGRUB, "GRUB has no entry that boots vmlinuz-7.0.0-own"},
	} {
		o.By = tt.by
		out, found, _, err := Find(t.Context(), tt.list, o)
		var got []string
		for _, k := range out {
			if tt.by == ByGRUB {
				got = append(got, k.Entry)
			} else {
				got = append(got, k.Cmdline)
			}
		}
		switch {
		case err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s by %s: %v, want %q", tt.list, tt.by, err, tt.want)
		case err == nil && (strings.Join(got, "|") != tt.want || len(found) != len(out)):
			t.Errorf("%s by %s: %q, want %q", tt.list, tt.by, got, tt.want)
		}
		if err == nil && tt.by == ByKexec && out[0].InitrdSum == "" {
			t.Errorf("%s: its initrd is not known by a checksum", tt.list)
		}
	}
}
