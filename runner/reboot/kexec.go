package reboot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/disk"
)

// Flags of kexec_file_load(2) (include/uapi/linux/kexec.h).
const (
	kexecFileUnload      = 1
	kexecFileNoInitramfs = 4
)

// loaded says that a kernel waits to be executed (Documentation/ABI/testing/sysfs-kernel-kexec).
const loadedFile = "/sys/kernel/kexec_loaded"

// ArmKexec loads a kernel, to be executed in the place of the next reboot. What is
// loaded is what was looked at: both are read through the same descriptors.
func ArmKexec(k Kernel) error {
	image, err := openSummed(k.Image, k.ImageSum)
	if err != nil {
		return err
	}
	defer image.Close()
	initrd, flags := -1, kexecFileNoInitramfs
	if k.Initrd != "" {
		f, err := openSummed(k.Initrd, k.InitrdSum)
		if err != nil {
			return err
		}
		defer f.Close()
		initrd, flags = int(f.Fd()), 0
	}
	if err := unix.KexecFileLoad(int(image.Fd()), initrd, k.Cmdline, flags); err != nil {
		return fmt.Errorf("load %s by kexec: %w", k.Image, explainKexec(err, results.Root("")))
	}
	return nil
}

// DisarmKexec forgets the kernel that was loaded, if one was.
func DisarmKexec() error {
	if !KexecLoaded(results.Root("")) {
		return nil
	}
	if err := unix.KexecFileLoad(-1, -1, "", kexecFileUnload); err != nil {
		return fmt.Errorf("unload what kexec has loaded: %w", err)
	}
	return nil
}

// KexecLoaded says whether a kernel is loaded.
func KexecLoaded(files results.Reader) bool { return firstByte(files, loadedFile) == '1' }

func firstByte(files results.Reader, path string) byte {
	data, err := files.ReadFile(path)
	if err != nil || len(data) == 0 {
		return 0
	}
	return data[0]
}

// explainKexec says what an errno of kexec_file_load means, and what to do.
func explainKexec(err error, files results.Reader) error {
	why := ""
	switch {
	case errors.Is(err, unix.ENOSYS):
		why = "the kernel that is up has no CONFIG_KEXEC_FILE; boot by GRUB (--by grub)"
	case errors.Is(err, unix.EPERM) && firstByte(files, "/proc/sys/kernel/kexec_load_disabled") == '1':
		why = "kernel.kexec_load_disabled is 1, until the machine is rebooted; boot by GRUB (--by grub)"
	case errors.Is(err, unix.EPERM):
		why = "the kernel that is up lets nobody do that: no CAP_SYS_BOOT, or it is locked down (Secure Boot) and the image has no signature that it trusts; boot by GRUB (--by grub)"
	case errors.Is(err, unix.EKEYREJECTED), errors.Is(err, unix.ENOKEY), errors.Is(err, unix.ENODATA):
		why = "the image has no signature that the kernel that is up trusts, and it wants one; boot by GRUB (--by grub)"
	case errors.Is(err, unix.ENOEXEC):
		why = "it is no image that kexec can load: want a bzImage of this architecture"
	case errors.Is(err, unix.EBUSY):
		why = "another kexec is going on"
	case errors.Is(err, unix.EINVAL):
		why = "the image, its initrd or its command line is not accepted: the kernel's log may say more (dmesg)"
	case errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EADDRNOTAVAIL):
		why = "there is no memory for it and its initrd"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, why)
}

// openSummed opens a file, and refuses one that is another than when it was planned.
func openSummed(path, sum string) (*os.File, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	now, err := summed(f)
	if err == nil && now != sum {
		err = fmt.Errorf("%s is no longer what it was when the campaign was planned: plan a new one (netab boots stop, netab boots plan)", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func summed(f *os.File) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", f.Name(), err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Sum is the checksum of a file.
func Sum(path string) (string, error) {
	f, err := disk.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return summed(f)
}
