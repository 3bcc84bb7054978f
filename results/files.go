package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files reads /proc and /sys of some place: this machine, a fixture tree, an
// agent's namespace (runner/host.Host satisfies it). Paths are absolute there.
type Files interface {
	Reader
	Glob(pattern string) ([]string, error)
}

// A Reader reads whole files of such a place.
type Reader interface {
	ReadFile(path string) ([]byte, error)
}

// Root is the Files below a directory; Root("") is this machine.
type Root string

// ReadFile reads a file whose path is absolute below the root.
func (r Root) ReadFile(path string) ([]byte, error) {
	return os.ReadFile(string(r) + path)
}

// Glob lists paths below the root, absolute there, as path/filepath.Glob does.
func (r Root) Glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(string(r) + pattern)
	for i, p := range paths {
		paths[i] = strings.TrimPrefix(p, string(r))
	}
	return paths, err
}

// readText reads a small file without the blanks around its content.
func readText(files Reader, path string) (string, error) {
	data, err := files.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// textOr is readText for what a machine may lack.
func textOr(files Reader, path, missing string) string {
	text, err := readText(files, path)
	if err != nil {
		return missing
	}
	return text
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
