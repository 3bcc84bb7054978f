package guest

import "io"

// A Kernel is what a guest needs of one.
type Kernel struct {
	Ref     string // as the user named it
	Release string // as uname -r has it
	Arch    string // as uname -m has it
	Image   string // the path of what QEMU boots: a bzImage, a vmlinux with a PVH note, an Image
	// Unpack writes what QEMU boots where it lies compressed in Image; nil = it does not.
	Unpack func(io.Writer) error
	// Config is how it was configured, by option ("CONFIG_HZ"), for what is measured in
	// the guest to describe the machine by; nil = not known.
	Config map[string]string

	// Modules gives those of these names with what they depend on first; missing are
	// neither there nor built in.
	Modules func(names ...string) (modules []Module, missing []string)
}

// A Module is one of a kernel's.
type Module struct {
	Name, File string                 // "virtio_net", "virtio-net.ko.xz"
	Read       func() ([]byte, error) // decompressed: not every kernel can do that itself
}
