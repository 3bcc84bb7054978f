package kernel

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"netab/results/disk"
	"netab/runner/guest/kallsyms"
)

// Functions are the kernel's functions, as the System.map of its build has them, else
// the table in its image.
func (k *Kernel) Functions(ctx context.Context) (kallsyms.Table, error) {
	if t := k.mapped(); t != nil {
		return t, nil
	}
	text, err := k.Vmlinux(ctx)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: its functions: %w", k.Ref, err)
	}
	functions, err := kallsyms.Functions(text)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: its functions: %w", k.Ref, err)
	}
	return functions, nil
}

// Vmlinux is the kernel as it is linked, out of its image.
func (k *Kernel) Vmlinux(ctx context.Context) ([]byte, error) {
	f, size, err := openImage(k.Image)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	vmlinux, err := payload(f, size)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(disk.AtMost(withContext(ctx, vmlinux), maxVmlinux))
}

// maxMap is above that of a kernel with everything: 200,000 lines of 60 bytes.
const maxMap = 64 << 20

// mapped reads the System.map beside the image, or in the build tree that it lies in;
// nil = there is none.
func (k *Kernel) mapped() kallsyms.Table {
	candidates := []string{filepath.Join(filepath.Dir(k.Image), "System.map-"+k.Release)}
	for _, in := range treeImages {
		if dir, ok := strings.CutSuffix(k.Image, "/"+in); ok {
			candidates = append(candidates, filepath.Join(dir, "System.map"))
		}
	}
	for _, path := range candidates {
		text, err := disk.Read(path, maxMap)
		if err != nil {
			continue
		}
		if t, err := kallsyms.ParseMap(text); err == nil {
			return t
		}
	}
	return nil
}
