package kernel_test

import (
	"context"
	"fmt"
	"os"

	"netab/runner/guest/kernel"
)

// What a guest needs to measure over veth, of a kernel that apt has.
func Example() {
	k, err := kernel.Find(context.Background(), "apt:linux-image-6.1.0-57-cloud-amd64", kernel.Options{Log: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	modules, missing := k.Load("virtio_pci", "virtio_console", "veth")
	for _, name := range missing {
		fmt.Fprintln(os.Stderr, k.Lacks(name))
	}
	for _, m := range modules {
		text, err := m.Read() // into the initramfs, in this order
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		fmt.Println(m.Name, len(text))
	}
}
