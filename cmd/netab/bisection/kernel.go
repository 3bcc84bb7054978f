package bisection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"netab/results"
	"netab/results/disk"
	"netab/runner/guest/kernel"
)

// KeepKernel puts the kernel of a build tree into a directory, as boot and lib/modules
// have it: package kernel finds it there.
func KeepKernel(o kernel.Options) func(ctx context.Context, tree, dir string) (string, error) {
	return func(ctx context.Context, tree, dir string) (string, error) {
		k, err := kernel.Find(ctx, tree, o)
		if err != nil {
			return "", &Untestable{"what was built is no kernel to boot: " + err.Error()}
		}
		modules := filepath.Join("lib", "modules", k.Release)
		copies := [][2]string{{k.Image, filepath.Join("boot", "vmlinuz-"+k.Release)}, {filepath.Join(tree, ".config"), filepath.Join("boot", "config-"+k.Release)},
			{filepath.Join(tree, "System.map"), filepath.Join("boot", "System.map-"+k.Release)}}
		for _, name := range []string{"modules.builtin", "modules.builtin.modinfo", "modules.order"} {
			copies = append(copies, [2]string{filepath.Join(tree, name), filepath.Join(modules, name)})
		}
		var built []string
		if err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".ko") {
				below, _ := filepath.Rel(tree, path)
				copies, built = append(copies, [2]string{path, filepath.Join(modules, "kernel", below)}), append(built, path)
			}
			return err
		}); err != nil {
			return "", err
		}
		for i, c := range copies {
			if err := copyFile(c[0], filepath.Join(dir, c[1])); errors.Is(err, fs.ErrNotExist) && i > 0 {
				continue // an image alone boots too
			} else if err != nil {
				return "", err
			}
		}
		return k.Code(ctx, tree, built)
	}
}

func copyFile(from, to string) error {
	in, err := disk.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	dir, err := disk.MakeDir(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Write(filepath.Base(to), func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// A List is kernels by their names, in their order.
type List struct {
	Refs    []string
	Options kernel.Options
}

// Kernels are changes: each of the list, and what is known of it.
func Kernels(refs []string) ([]results.Change, error) {
	if len(refs) < 2 {
		return nil, fmt.Errorf("%d kernels are not enough: the first is to be known as good, the last as bad", len(refs))
	}
	var out []results.Change
	for _, ref := range refs {
		out = append(out, results.Change{ID: ref})
	}
	return out, nil
}

// Make implements Source.
func (l *List) Make(ctx context.Context, change int) (built, code string, err error) {
	k, err := kernel.Find(ctx, l.Refs[change], l.Options)
	if err != nil {
		if ctx.Err() != nil {
			return "", "", ctx.Err()
		}
		return "", "", &Untestable{err.Error()}
	}
	return l.Refs[change], k.Digest, nil
}
