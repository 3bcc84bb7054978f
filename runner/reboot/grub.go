package reboot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netab/results/disk"
)

// GRUB's environment block: a file of this size and this begin, lines NAME=VALUE with
// backslashes before what would end them, filled up with '#' (grub-core/lib/envblk.c).
// GRUB itself writes to its blocks, and cannot make it larger.
const (
	envSize  = 1024
	envMagic = "# GRUB Environment Block\n"
	// nextEntry is what grub.cfg boots once: it clears it before (util/grub.d/00_header.in).
	nextEntry = "next_entry"
)

// A GRUB is one that this machine boots with.
type GRUB struct {
	Dir string // of its configuration: "/boot/grub"
	Env string // its environment block, links followed
}

// grubDirs are where distributions have it.
var grubDirs = []string{"/boot/grub", "/boot/grub2"}

const maxGRUB = 4 << 20

// FindGRUB finds the GRUB of a machine whose files are below root, and says why it
// could not be told to boot something once.
func FindGRUB(root string) (*GRUB, error) {
	for _, dir := range grubDirs {
		cfg, err := disk.Read(filepath.Join(root, dir, "grub.cfg"), maxGRUB)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("boot by GRUB: %w", err)
		}
		g := &GRUB{Dir: filepath.Join(root, dir)}
		env := filepath.Join(g.Dir, "grubenv")
		if !bytes.Contains(cfg, []byte(nextEntry)) {
			return nil, fmt.Errorf("boot by GRUB: %s does not look at %s, so nothing can be booted once: make it anew (update-grub, grub2-mkconfig), or boot by kexec", filepath.Join(g.Dir, "grub.cfg"), nextEntry)
		}
		if g.Env, err = filepath.EvalSymlinks(env); err != nil {
			return nil, fmt.Errorf("boot by GRUB: its environment block: %w; make one (grub-editenv %s create)", err, env)
		}
		if _, err := readEnv(g.Env); err != nil {
			return nil, fmt.Errorf("boot by GRUB: %w", err)
		}
		if why := unwritable(g.Env, "/sys"); why != "" {
			return nil, fmt.Errorf("boot by GRUB: %s lies on %s, where GRUB cannot write: it would boot the same once more, for ever; boot by kexec", g.Env, why)
		}
		return g, nil
	}
	return nil, fmt.Errorf("boot by GRUB: there is no grub.cfg in %s; boot by kexec", strings.Join(grubDirs, " or "))
}

// unwritable says what a file lies on that GRUB can read and not write to; "" =
// nothing of the kind is known.
func unwritable(path, sys string) string {
	var fsInfo unix.Statfs_t
	var st unix.Stat_t
	if unix.Statfs(path, &fsInfo) != nil || unix.Stat(path, &st) != nil {
		return ""
	}
	const zfs = 0x2fc12fc1
	switch int64(fsInfo.Type) {
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case zfs:
		return "ZFS"
	}
	return layered(fmt.Sprintf("%s/dev/block/%d:%d", sys, unix.Major(st.Dev), unix.Minor(st.Dev)))
}

// layered says what a block device is made of others by.
func layered(device string) string {
	for kind, name := range map[string]string{"dm": "LVM or another mapped device", "md": "RAID"} {
		for _, at := range []string{device, device + "/.."} { // a partition's whole device
			if _, err := os.Stat(at + "/" + kind); err == nil {
				return name
			}
		}
	}
	return ""
}

// An envVar is one of the environment block.
type envVar struct{ name, value string }

func readEnv(path string) ([]envVar, error) {
	data, err := disk.ReadOwn(path, envSize)
	if err != nil {
		return nil, err
	}
	vars, err := parseEnv(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return vars, nil
}

// parseEnv reads an environment block. Comments are kept as names without values.
func parseEnv(data []byte) ([]envVar, error) {
	text, ok := strings.CutPrefix(string(data), envMagic)
	if !ok || len(data) != envSize {
		return nil, fmt.Errorf("it is no environment block of GRUB: want %d bytes that begin with %q", envSize, strings.TrimSpace(envMagic))
	}
	var vars []envVar
	for text != "" && strings.Trim(text, "#") != "" {
		line := ""
		for text != "" && text[0] != '\n' {
			if text[0] == '\\' && len(text) > 1 {
				text = text[1:]
			}
			line, text = line+text[:1], text[1:]
		}
		text = strings.TrimPrefix(text, "\n")
		name, value, is := strings.Cut(line, "=")
		if !is || strings.HasPrefix(line, "#") {
			name, value = line, ""
		}
		vars = append(vars, envVar{name, value})
	}
	return vars, nil
}

// formatEnv is the block of some variables.
func formatEnv(vars []envVar) ([]byte, error) {
	b := []byte(envMagic)
	for _, v := range vars {
		if strings.HasPrefix(v.name, "#") {
			b = append(b, v.name+"\n"...)
			continue
		}
		b = append(b, v.name+"="...)
		for _, c := range []byte(v.value) {
			if c == '\\' || c == '\n' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
		b = append(b, '\n')
	}
	if len(b) > envSize {
		return nil, fmt.Errorf("there is no room for it in the environment block: it has %d bytes", envSize)
	}
	return append(b, bytes.Repeat([]byte("#"), envSize-len(b))...), nil
}

// ArmGRUB has GRUB boot an entry, once.
func ArmGRUB(env string, k Kernel) error { return setNext(env, k.Entry) }

// DisarmGRUB takes back what ArmGRUB wrote, and nothing that somebody else did.
func DisarmGRUB(env string, kernels []Kernel) error {
	next, err := NextEntry(env)
	if err != nil || !slices.ContainsFunc(kernels, func(k Kernel) bool { return next != "" && k.Entry == next }) {
		return err
	}
	return setNext(env, "")
}

// NextEntry is what GRUB boots next; "" = what it always does.
func NextEntry(env string) (string, error) {
	vars, err := readEnv(env)
	for _, v := range vars {
		if v.name == nextEntry {
			return v.value, err
		}
	}
	return "", err
}

// setNext writes the block anew, on disk when it returns.
func setNext(env, entry string) error {
	vars, err := readEnv(env)
	if err != nil {
		return err
	}
	vars = slices.DeleteFunc(vars, func(v envVar) bool { return v.name == nextEntry })
	if entry != "" {
		vars = append(vars, envVar{nextEntry, entry})
	}
	data, err := formatEnv(vars)
	if err != nil {
		return fmt.Errorf("%s: %w", env, err)
	}
	return disk.Write(env, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// A menuEntry is one of GRUB's menu.
type menuEntry struct {
	id     string // as next_entry names it: "SUBMENU>ENTRY"
	kernel string // the file, as GRUB sees it
	args   string
}

// recovers says that it boots into a shell.
func (e menuEntry) recovers() bool {
	words := strings.Fields(e.args)
	return slices.Contains(words, "single") || slices.Contains(words, "recovery") || slices.Contains(words, "rescue")
}

// entries are those of grub.cfg, of what its owner adds to it, and, where it reads them
// (blscfg), those of the loader's own files.
func (g *GRUB) entries() ([]menuEntry, error) {
	cfg, err := disk.Read(filepath.Join(g.Dir, "grub.cfg"), maxGRUB)
	if err != nil {
		return nil, err
	}
	custom, err := disk.Read(filepath.Join(g.Dir, "custom.cfg"), maxGRUB)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all := append(parseMenu(string(cfg)), parseMenu(string(custom))...)
	if strings.Contains(string(cfg), "blscfg") {
		all = append(all, g.loaderEntries()...)
	}
	return all, nil
}

// entryOf is the first entry that boots a kernel's file.
func (g *GRUB) entryOf(image string) (menuEntry, error) {
	all, err := g.entries()
	if err != nil {
		return menuEntry{}, err
	}
	for _, e := range all {
		if filepath.Base(e.kernel) == filepath.Base(image) && !e.recovers() {
			return e, nil
		}
	}
	return menuEntry{}, fmt.Errorf("GRUB has no entry that boots %s (%d are known): make its menu anew (update-grub), or have %s name the entry (grub)", filepath.Base(image), len(all), ConfigFile)
}

// entryNamed is the entry of that name.
func (g *GRUB) entryNamed(id string) (menuEntry, error) {
	all, err := g.entries()
	if err != nil {
		return menuEntry{}, err
	}
	var known []string
	for _, e := range all {
		if e.id == id {
			return e, nil
		}
		known = append(known, e.id)
	}
	return menuEntry{}, fmt.Errorf("GRUB has no entry %q; it has %s", id, strings.Join(known, ", "))
}

// cmdline are the parameters of an entry that are known: what GRUB puts in for a
// variable is not.
func (e menuEntry) cmdline() string {
	return strings.Join(slices.DeleteFunc(strings.Fields(e.args), func(word string) bool { return strings.Contains(word, "$") }), " ")
}

// parseMenu reads the entries of a grub.cfg.
func parseMenu(cfg string) []menuEntry {
	type block struct {
		id   string // of an entry or a menu of them
		menu bool
	}
	var out []menuEntry
	var open []block
	for line := range strings.Lines(cfg) {
		line = strings.TrimSpace(line)
		words := grubWords(line)
		if len(words) == 0 {
			continue
		}
		switch word := words[0]; {
		case word == "menuentry" || word == "submenu":
			b := block{id: entryID(words), menu: word == "submenu"}
			if word == "menuentry" {
				var path []string
				for _, o := range open {
					if o.menu {
						path = append(path, o.id)
					}
				}
				out = append(out, menuEntry{id: strings.Join(append(path, b.id), ">")})
			}
			open = append(open, b)
		case strings.HasSuffix(line, "{"):
			open = append(open, block{})
		case word == "}":
			open = open[:max(0, len(open)-1)]
		case (word == "linux" || word == "linux16" || word == "linuxefi") && len(words) > 1 && len(open) > 0 && len(out) > 0:
			e := &out[len(out)-1]
			e.kernel, e.args = words[1], strings.Join(words[2:], " ")
		}
	}
	return slices.DeleteFunc(out, func(e menuEntry) bool { return e.kernel == "" })
}

// entryID is how an entry is named: by its id, where it has one, else by its title.
func entryID(words []string) string {
	for i, w := range words[:len(words)-1] {
		if w == "$menuentry_id_option" || w == "--id" {
			return words[i+1]
		}
	}
	if len(words) > 1 {
		return words[1]
	}
	return ""
}

// grubWords splits a line as GRUB's shell does, as far as menus need it.
func grubWords(line string) (words []string) {
	word, in, quote := "", false, byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, in = c, true
		case c == '\\' && quote != '\'' && i+1 < len(line):
			i++
			word, in = word+line[i:i+1], true
		case quote == 0 && (c == ' ' || c == '\t'):
			if in {
				words = append(words, word)
			}
			word, in = "", false
		case quote == 0 && c == '#' && !in:
			return words
		default:
			word, in = word+string(c), true
		}
	}
	if in {
		words = append(words, word)
	}
	return words
}

// loaderEntries are those of the Boot Loader Specification (uapi-group.org), which GRUB
// names by their files.
func (g *GRUB) loaderEntries() (out []menuEntry) {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(g.Dir), "loader/entries/*.conf"))
	for _, file := range files {
		text, err := disk.Read(file, maxGRUB)
		if err != nil {
			continue
		}
		e := menuEntry{id: strings.TrimSuffix(filepath.Base(file), ".conf")}
		for line := range strings.Lines(string(text)) {
			key, value, _ := cutText(strings.ReplaceAll(line, "\t", " "), " ")
			switch key {
			case "linux":
				e.kernel = value
			case "options":
				e.args = value
			}
		}
		if e.kernel != "" {
			out = append(out, e)
		}
	}
	return out
}
