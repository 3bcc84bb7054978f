package kernel

import (
	"context"
	"fmt"
	"io"

	"netab/results/disk"
	"netab/runner/guest/kallsyms"
)

// Functions are the kernel's functions, as the table in its image has them.
func (k *Kernel) Functions(ctx context.Context) (kallsyms.Table, error) {
	f, size, err := openImage(k.Image)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	vmlinux, err := payload(f, size)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: its functions: %w", k.Ref, err)
	}
	text, err := io.ReadAll(disk.AtMost(withContext(ctx, vmlinux), maxVmlinux))
	if err != nil {
		return nil, fmt.Errorf("kernel %s: its functions: %w", k.Ref, err)
	}
	functions, err := kallsyms.Functions(text)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: its functions: %w", k.Ref, err)
	}
	return functions, nil
}
