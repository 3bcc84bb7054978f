package guest

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"

	"netab/results/disk"
	"netab/runner/guest/arch"
)

// own is this program, whatever became of its file.
const own = "/proc/self/exe"

// FindProgram finds the netab that guests of an architecture boot: this one, or, for
// another architecture, netab-arm64 beside it or in $PATH. It must be of the same
// commit: what is counted or measured in a guest is netab's loops too.
func FindProgram(a *arch.Arch) (string, error) {
	if a == arch.Here() {
		return own, nil
	}
	self, err := os.Readlink(own)
	if err != nil {
		return "", err
	}
	name := "netab-" + a.Go
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath(name); err != nil {
			return "", fmt.Errorf("guests of %s boot a netab that is built for it, and there is no %s beside %s or in $PATH: take it out of the release's netab_…_%s.tar.gz, or make build-%s where netab is built",
				a.Name, name, self, a.Go, a.Go)
		}
	}
	return path, sameBuild(path, a)
}

// sameBuild says so where a netab is of another commit than this one.
func sameBuild(path string, a *arch.Arch) error {
	program, err := readProgram(path, a)
	if err != nil {
		return err
	}
	theirs, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("%s does not say what it was built of (%w): build it anew, or take the release's", path, err)
	}
	ours, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	// Builds that are not of a repository have no commit, and then nothing can be said.
	for _, key := range []string{"vcs.revision", "vcs.modified"} {
		if a, b := setting(theirs, key), setting(ours, key); a != "" && b != "" && a != b {
			return fmt.Errorf("%s is another netab than this one (%s %s, here %s): make build-%s builds it anew, a release has both", path, key, a, b, setting(theirs, "GOARCH"))
		}
	}
	return nil
}

func setting(b *debug.BuildInfo, key string) string {
	for _, s := range b.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// maxProgram bounds a program. netab has 25 MB.
const maxProgram = 256 << 20

// readProgram reads what is to be a guest's init.
func readProgram(file string, a *arch.Arch) ([]byte, error) {
	program, err := disk.Read(file, maxProgram)
	if err != nil {
		return nil, err
	}
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("%s cannot run in a guest: it is no ELF program (%w)", file, err)
	}
	defer f.Close()
	if f.Machine != a.ELF {
		return nil, fmt.Errorf("%s cannot run in a guest: it is built for %s, and guests are %s", file, f.Machine, a.Name)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("%s cannot run in a guest, where there are no libraries: it is linked dynamically; build it with CGO_ENABLED=0, as `make build` does", file)
		}
	}
	return program, nil
}
