package kernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"hash"
	"path/filepath"
	"slices"
	"strings"

	"netab/results/disk"
)

// Code is a digest of what a kernel that was built executes: two commits with the same
// are one to whoever measures. Of vmlinux these are its sections as they are loaded, and of
// each module all that is linked, without what says which build it was (the build id, the
// version) and without what no path executes (types, lines of warnings, debugging). Where a
// tree has no vmlinux it is the image's own digest.
func (k *Kernel) Code(ctx context.Context, tree string, modules []string) (string, error) {
	sum := sha256.New()
	versions := [][]byte{[]byte(k.Build), []byte(k.Release)} // the longer first, which has the other
	if err := hashELF(sum, filepath.Join(tree, "vmlinux"), versions, true); err != nil {
		fmt.Fprintf(sum, "image %s\n", k.Digest)
	}
	slices.Sort(modules)
	for _, path := range modules {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		below, _ := filepath.Rel(tree, path)
		fmt.Fprintf(sum, "module %s\n", below)
		if err := hashELF(sum, path, versions, false); err != nil {
			return "", fmt.Errorf("module %s: %w", below, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// maxSection of a kernel is far above what there is.
const maxSection = 1 << 28

// hashELF adds what an ELF file executes. Nothing is added where it cannot be read.
func hashELF(to hash.Hash, path string, versions [][]byte, loaded bool) error {
	f, err := disk.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	e, err := elf.NewFile(f)
	if err != nil {
		return err
	}
	var all bytes.Buffer
	for _, s := range e.Sections {
		switch {
		case loaded && s.Flags&elf.SHF_ALLOC == 0, s.Flags&elf.SHF_COMPRESSED != 0, noCode(s):
			continue
		case s.Type == elf.SHT_NOBITS || s.Size == 0:
			fmt.Fprintf(&all, "section %s %d\n", s.Name, s.Size)
			continue
		case s.Size > maxSection:
			return fmt.Errorf("section %s has %d bytes", s.Name, s.Size)
		}
		data, err := s.Data()
		if err != nil {
			return fmt.Errorf("section %s: %w", s.Name, err)
		}
		for _, v := range versions {
			data = bytes.ReplaceAll(data, v, make([]byte, len(v)))
		}
		fmt.Fprintf(&all, "section %s %d %x %x\n", s.Name, s.Size, s.Addr, sha256.Sum256(data))
	}
	if all.Len() == 0 {
		return fmt.Errorf("%s has no code", path)
	}
	to.Write(all.Bytes())
	return nil
}

// noCode says of a section that it has nothing to do with what is executed. Tables of
// warnings have line numbers, which move with every comment.
func noCode(s *elf.Section) bool {
	return s.Type == elf.SHT_NOTE || s.Name == "__bug_table" || s.Name == ".modinfo" || s.Name == ".comment" || s.Name == ".gnu_debuglink" ||
		slices.ContainsFunc([]string{".note", ".BTF", ".debug", ".rela.debug", ".rela__bug_table", ".rel__bug_table"}, func(prefix string) bool { return strings.HasPrefix(s.Name, prefix) })
}
