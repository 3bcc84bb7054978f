package kernel

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"netab/results/disk"
)

// An archive is an opened package.
type archive struct {
	info packageInfo
	next func() (*entry, error) // io.EOF after the last
}

// A packageInfo is what a package says of itself.
type packageInfo struct {
	name, version, arch string
	parts               []string // packages that it needs and that have a kernel, if it is one in parts
}

func (p packageInfo) String() string { return strings.Join([]string{p.name, p.version, p.arch}, " ") }

// An entry is a regular file of an archive. Links are left out: what is wanted of a
// kernel is none, and where they lead is not ours to know.
type entry struct {
	name string
	body io.Reader
}

// arMagic is how an archive of ar(5) begins, and so a .deb.
const arMagic = "!<arch>\n"

// A member is a part of a .deb.
type member struct {
	name      string
	off, size int64
}

// arMembers lists the members of a .deb: deb(5), ar(5). A .deb has three; dpkg itself
// skips some more.
func arMembers(r io.ReaderAt, size int64) ([]member, error) {
	const header, most = 60, 16
	head := make([]byte, header)
	if _, err := r.ReadAt(head[:len(arMagic)], 0); err != nil || string(head[:len(arMagic)]) != arMagic {
		return nil, fmt.Errorf("it is no .deb: it does not begin with %q", arMagic)
	}
	var members []member
	for off := int64(len(arMagic)); off < size; {
		if len(members) == most {
			return nil, fmt.Errorf("it is damaged, or no .deb: more than %d members", most)
		}
		if off+header > size {
			return nil, fmt.Errorf("it is cut off in the header of a member, at byte %d: fetch it again", off)
		}
		if _, err := r.ReadAt(head, off); err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(strings.TrimRight(string(head[48:58]), " "), 10, 64)
		if string(head[58:]) != "`\n" || err != nil || n < 0 {
			return nil, fmt.Errorf("it is damaged: at byte %d there is no header of a member; fetch it again", off)
		}
		m := member{strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/"), off + header, n}
		if m.size > size-m.off {
			return nil, fmt.Errorf("it is cut off: its member %.16q should have %d bytes, and %d are there; fetch it again", m.name, m.size, size-m.off)
		}
		members = append(members, m)
		off = m.off + m.size + m.size%2
	}
	return members, nil
}

// openDeb opens a Debian package.
func openDeb(r io.ReaderAt, size int64) (*archive, error) {
	members, err := arMembers(r, size)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 || members[0].name != "debian-binary" {
		return nil, errors.New("it is no .deb: its first member is not debian-binary")
	}
	version, err := io.ReadAll(io.LimitReader(section(r, members[0]), 16))
	if err != nil || !strings.HasPrefix(string(version), "2.") {
		return nil, fmt.Errorf("it is a .deb of the format %q: want 2.0", strings.TrimSpace(string(version)))
	}
	control, data := find1(members, "control.tar"), find1(members, "data.tar")
	if control == nil || data == nil {
		return nil, errors.New("it is no whole .deb: want the members control.tar and data.tar; fetch it again")
	}
	a := &archive{}
	if a.info, err = debInfo(section(r, *control)); err != nil {
		return nil, fmt.Errorf("%s: %w", control.name, err)
	}
	plain, err := decompress(section(r, *data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", data.name, err)
	}
	files := tarFiles(plain)
	a.next = func() (*entry, error) {
		e, err := files()
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("%s is damaged: %w", data.name, err)
		}
		return e, err
	}
	return a, nil
}

func section(r io.ReaderAt, m member) *io.SectionReader { return io.NewSectionReader(r, m.off, m.size) }

// find1 finds a member by its name without what it is compressed with.
func find1(members []member, name string) *member {
	for i, m := range members {
		if m.name == name || strings.HasPrefix(m.name, name+".") {
			return &members[i]
		}
	}
	return nil
}

// tarFiles gives the regular files of a tar archive.
func tarFiles(r io.Reader) func() (*entry, error) {
	t := tar.NewReader(r)
	return func() (*entry, error) {
		for {
			h, err := t.Next()
			if err != nil {
				return nil, err
			}
			if h.Typeflag == tar.TypeReg {
				return &entry{h.Name, t}, nil
			}
		}
	}
}

// maxControl bounds a package's control file.
const maxControl = 1 << 20

// debInfo reads the control file.
func debInfo(r *io.SectionReader) (packageInfo, error) {
	plain, err := decompress(r)
	if err != nil {
		return packageInfo{}, err
	}
	files := tarFiles(plain)
	for {
		e, err := files()
		if errors.Is(err, io.EOF) {
			return packageInfo{}, errors.New("it has no file named control")
		}
		if err != nil {
			return packageInfo{}, err
		}
		if strings.TrimPrefix(e.name, "./") != "control" {
			continue
		}
		text, err := io.ReadAll(disk.AtMost(e.body, maxControl))
		if err != nil {
			return packageInfo{}, err
		}
		all := paragraphs(string(text))
		if len(all) == 0 {
			return packageInfo{}, errors.New("its control file is empty")
		}
		p := all[0]
		info := packageInfo{name: p["package"], version: p["version"], arch: p["architecture"]}
		for _, d := range dependencies(p["depends"]) {
			if imageName.MatchString(d.name) || companion.MatchString(d.name) {
				info.parts = append(info.parts, d.name)
			}
		}
		return info, nil
	}
}

// paragraphs reads deb822(5): fields by their names in lower case. A line that begins
// with a space goes on with the one before.
func paragraphs(text string) []map[string]string {
	var all []map[string]string
	var p map[string]string
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "":
			p, last = nil, ""
		case line[0] == ' ' || line[0] == '\t':
			if p != nil && last != "" {
				p[last] += "\n" + line[1:]
			}
		default:
			name, value, ok := strings.Cut(line, ":")
			if !ok || line[0] == '#' {
				continue
			}
			if p == nil {
				p = map[string]string{}
				all = append(all, p)
			}
			last = strings.ToLower(name)
			p[last] = strings.TrimSpace(value)
		}
	}
	return all
}
