// Package cpio writes archives in the format that Linux unpacks as its first file
// system ("newc"; Documentation/driver-api/early-userspace/buffer-format.rst). It
// needs no root, no mounts and no program: an owner, a device node and a mode are
// only numbers in a header. Equal contents give equal bytes, wherever and whenever
// they were written: there is no time in them, and everything is root's.
//
// It writes what an initramfs needs and no more: directories, files, character
// devices.
package cpio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"
)

// A Writer writes an archive. Directories above an entry are made with it. After an
// error it writes nothing more.
type Writer struct {
	w     io.Writer
	err   error
	inode int64
	names map[string]bool // directory?
}

// NewWriter begins an archive.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, names: map[string]bool{}} }

// Types of entries, in a mode's upper bits (inode(7)).
const (
	directory = 0o040000
	regular   = 0o100000
	character = 0o020000
	kinds     = 0o170000
)

// trailer is the name of the last entry.
const trailer = "TRAILER!!!"

// Dir makes a directory, if it is not there yet.
func (w *Writer) Dir(name string) error {
	name, err := w.entry(name)
	if err != nil || name == "." {
		return err
	}
	return w.dir(name)
}

func (w *Writer) dir(name string) error {
	if isDir, known := w.names[name]; known && isDir || name == "." {
		return nil
	} else if known {
		return w.fault(fmt.Errorf("cpio: %s is a file already, and no directory", name))
	}
	if err := w.dir(path.Dir(name)); err != nil {
		return err
	}
	w.names[name] = true
	return w.header(name, directory|0o755, 0, 0, 0)
}

// File makes a file of size bytes, which r has to give exactly.
func (w *Writer) File(name string, mode uint32, size int64, r io.Reader) error {
	name, err := w.fresh(name)
	if err != nil {
		return err
	}
	if size < 0 || size > math.MaxUint32 {
		return w.fault(fmt.Errorf("cpio: %s has %d bytes: a file of such an archive has less than 4 GiB", name, size))
	}
	if err := w.header(name, regular|mode&0o7777, size, 0, 0); err != nil {
		return err
	}
	if err := exactly(w.w, r, size); err != nil {
		return w.fault(fmt.Errorf("cpio: %s: %w", name, err))
	}
	return w.pad(size)
}

// exactly copies what has to be size bytes.
func exactly(w io.Writer, r io.Reader, size int64) error {
	n, err := io.Copy(w, io.LimitReader(r, size))
	if err != nil {
		return err
	}
	if n < size {
		return fmt.Errorf("%d bytes came where %d were said", n, size)
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return fmt.Errorf("more came than the %d bytes that were said", size)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// Device makes a character device.
func (w *Writer) Device(name string, mode, major, minor uint32) error {
	name, err := w.fresh(name)
	if err != nil {
		return err
	}
	return w.header(name, character|mode&0o7777, 0, major, minor)
}

// Close writes the end. It does not close what it writes to.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.inode = -1 // the end has number 0
	if err := w.header(trailer, 0, 0, 0, 0); err != nil {
		return err
	}
	w.err = fmt.Errorf("cpio: write to an archive that is closed")
	return nil
}

// fresh is entry for what must not be there yet; it makes the directories above it.
func (w *Writer) fresh(name string) (string, error) {
	name, err := w.entry(name)
	if err != nil {
		return name, err
	}
	if _, known := w.names[name]; known || name == "." {
		return name, w.fault(fmt.Errorf("cpio: %s is there already", name))
	}
	if err := w.dir(path.Dir(name)); err != nil {
		return name, err
	}
	w.names[name] = false
	return name, nil
}

// entry is a name as it stands in the archive: from the root, without the slash.
func (w *Writer) entry(name string) (string, error) {
	if w.err != nil {
		return "", w.err
	}
	clean := path.Clean(strings.TrimLeft(name, "/"))
	// A kernel takes PATH_MAX with the zero behind the name (init/initramfs.c).
	if name == "" || strings.ContainsRune(name, 0) || len(clean) > 4095 ||
		clean == ".." || strings.HasPrefix(clean, "../") || clean == trailer {
		return "", w.fault(fmt.Errorf("cpio: %q is no name of a file in an archive", name))
	}
	return clean, nil
}

func (w *Writer) fault(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// header writes an entry up to its contents: 13 numbers of 8 hexadecimal digits
// behind the magic, then the name with a zero; both together, and later the
// contents, padded to 4 bytes.
func (w *Writer) header(name string, mode uint32, size int64, major, minor uint32) error {
	w.inode++
	links := 1
	if mode&kinds == directory {
		links = 2
	}
	h := fmt.Appendf(nil, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		w.inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, len(name)+1, 0, name)
	if _, err := w.w.Write(h); err != nil {
		return w.fault(fmt.Errorf("cpio: %s: %w", name, err))
	}
	return w.pad(int64(len(h)))
}

func (w *Writer) pad(size int64) error {
	if _, err := w.w.Write(make([]byte, -size&3)); err != nil {
		return w.fault(fmt.Errorf("cpio: %w", err))
	}
	return nil
}
