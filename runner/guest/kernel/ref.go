package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const optionModules = "modules="

// Split splits a list of references, as --kernels has it. What begins with
// modules= belongs to the reference before it.
func Split(list string) []string {
	var refs []string
	for part := range strings.SplitSeq(list, ",") {
		if len(refs) > 0 && strings.HasPrefix(part, optionModules) {
			refs[len(refs)-1] += "," + part
			continue
		}
		refs = append(refs, part)
	}
	return refs
}

// parse takes a reference apart: what the kernel is, and where more of its modules
// are.
func parse(ref string) (name string, modules []string, err error) {
	name = ref
	for {
		i := strings.LastIndexByte(name, ',')
		if i < 0 || !strings.HasPrefix(name[i+1:], optionModules) {
			break
		}
		path := name[i+1+len(optionModules):]
		if path == "" {
			return "", nil, errors.New("modules= names no directory and no package")
		}
		modules = append([]string{path}, modules...)
		name = name[:i]
	}
	switch {
	case name == "":
		return "", nil, errors.New("it names no kernel: want a path, an installed version, or apt:PACKAGE")
	case strings.ContainsAny(name, "\x00\n"):
		return "", nil, fmt.Errorf("%q is no name of a kernel", name)
	}
	for i, path := range modules {
		modules[i] = home(path)
	}
	return home(name), modules, nil
}

// home puts the user's directory for a ~/ that the shell left: it only looks at the
// begin of a word, and a list is one.
func home(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return filepath.Join(dir, rest)
		}
	}
	return path
}
