package results

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// MachineNameFile holds the name of this machine, where somebody gave it one.
const MachineNameFile = "/etc/netab/machine"

// CheckMachineName refuses names that cannot stand in a line of a table.
func CheckMachineName(name string) error {
	const longest = 64
	switch {
	case name == "":
		return errors.New("a machine's name is empty")
	case len(name) > longest:
		return fmt.Errorf("machine name %.20q... has %d bytes: want %d at most", name, len(name), longest)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == ',' }):
		return fmt.Errorf("machine name %q: want letters, digits and signs, without blanks and commas", name)
	}
	return nil
}

// readMachineName reads the first line of the name's file, "" without the file.
func readMachineName(files Files) (string, error) {
	text, err := readText(files, MachineNameFile)
	if isNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(text, "\n")
	name = strings.TrimSpace(name)
	if err := CheckMachineName(name); err != nil {
		return "", fmt.Errorf("%s: %w", MachineNameFile, err)
	}
	return name, nil
}

// machineIDOf is netab's own id in the sense of machine-id(5): the machine's is
// confidential, and is to be hashed with one.
var machineIDOf = [16]byte{0x3c, 0x1e, 0x9a, 0x57, 0x08, 0xd4, 0x4b, 0x62, 0x9f, 0x35, 0xa1, 0x7c, 0xe6, 0x20, 0x8b, 0x4d}

// readMachineID derives an id from the one that systemd or D-Bus gave this
// installation: HMAC-SHA256 of netab's id, keyed with the machine's, cut to 128
// bits and marked as a UUID of version 4, as sd_id128_get_machine_app_specific
// does. "" = it has none, or not yet ("uninitialized").
func readMachineID(files Files) string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		id, err := hex.DecodeString(textOr(files, path, ""))
		if err != nil || len(id) != 16 || [16]byte(id) == [16]byte{} {
			continue
		}
		mac := hmac.New(sha256.New, id)
		mac.Write(machineIDOf[:])
		sum := mac.Sum(nil)[:16]
		sum[6] = sum[6]&0x0f | 0x40
		sum[8] = sum[8]&0x3f | 0x80
		return hex.EncodeToString(sum)
	}
	return ""
}

// readBoard reads what the firmware calls the machine and its board: DMI's
// names, the device tree's model, or what cpuinfo says.
func readBoard(files Files, cpu cpuModel) string {
	const dmi = "/sys/class/dmi/id/"
	read := func(path string) string { return strings.Trim(textOr(files, path, ""), " \x00\n") }
	machine := strings.TrimSpace(read(dmi+"sys_vendor") + " " + read(dmi+"product_name"))
	if board := read(dmi + "board_name"); board != "" {
		machine = strings.TrimPrefix(machine+", board "+board, ", ")
	}
	return cmp.Or(machine, read("/proc/device-tree/model"), read("/sys/firmware/devicetree/base/model"), cpu.board)
}

// An Identity is what a record knows of which machine it is of.
type Identity struct {
	Name      string
	MachineID string
	Hardware  string // CPU model and board: what one machine-id is found on
	Host      string
}

// Identity is the record's.
func (m *Machine) Identity() Identity {
	return Identity{m.Name, m.MachineID, m.CPUModel + "\x00" + m.Board, m.Hostname}
}

// Same says whether two records are of one machine. A name that a person gave
// decides where both have one; else the machine-id, on the same CPU model and
// board; else the hostname, which is all that records before 2026-12 have. What
// is not known equals nothing.
//
// So a machine stays itself under another hostname, and an installation that
// moves to other hardware does not. Clones of one image that kept its
// machine-id are one machine here, unless they have names; Machines, which sees
// a whole history, tells them apart where it can.
func (a Identity) Same(b Identity) bool {
	switch {
	case a.Name != "" && b.Name != "":
		return a.Name == b.Name
	case a.MachineID != "" && b.MachineID != "":
		return a.installation() == b.installation()
	}
	return a.Host != "" && a.Host == b.Host
}

func (a Identity) installation() string {
	if a.MachineID == "" {
		return ""
	}
	return a.MachineID + "\x00" + a.Hardware
}

// String names the machine for people: its name, or its hostname and what the
// id begins with.
func (a Identity) String() string {
	short := a.MachineID[:min(8, len(a.MachineID))]
	switch {
	case a.Name != "":
		return a.Name
	case short != "":
		return strings.TrimSpace(a.Host + " (machine-id " + short + "...)")
	}
	return cmp.Or(a.Host, "unknown")
}

// A Sighting is a machine seen in a boot.
type Sighting struct {
	Identity
	Boot string
}

// Machines numbers the machines that sightings in order of time are of. It
// decides as Same does, where that is not enough by what the others say: a
// record without a name belongs to the one name that its machine-id is known
// by, one with a hostname alone to the one machine that was seen under it.
//
// A machine has one boot at a time. A machine-id whose boots alternate is that
// of clones of one image: there the hostname tells them apart.
func Machines(seen []Sighting) []int {
	clones := cloned(seen)
	g := grouping{number: map[string]int{}, of: map[string][]int{}}
	out := make([]int, len(seen))
	pass := func(handles func(Identity) bool, key func(Identity) string, links ...func(Identity) string) {
		// All are placed before any is learned from, so that the order does not matter.
		for i := range seen {
			if handles(seen[i].Identity) {
				out[i] = g.place(key(seen[i].Identity))
			}
		}
		for i := range seen {
			if handles(seen[i].Identity) {
				for _, link := range links {
					g.learn(link(seen[i].Identity), out[i])
				}
			}
		}
	}
	installation := func(a Identity) string {
		key := a.installation()
		if key != "" && clones[key] {
			key += "\x00" + a.Host
		}
		return prefixed("installation ", key)
	}
	host := func(a Identity) string { return prefixed("host ", a.Host) }
	named := func(a Identity) bool { return a.Name != "" }
	known := func(a Identity) bool { return a.Name == "" && a.MachineID != "" }
	rest := func(a Identity) bool { return a.Name == "" && a.MachineID == "" }
	pass(named, func(a Identity) string { return "name " + a.Name }, installation, host)
	pass(known, installation, host)
	pass(rest, func(a Identity) string { return "host " + a.Host })
	return out
}

func prefixed(kind, key string) string {
	if key == "" {
		return ""
	}
	return kind + key
}

// cloned are the installations whose boots alternate.
func cloned(seen []Sighting) map[string]bool {
	last, left, out := map[string]string{}, map[[2]string]bool{}, map[string]bool{}
	for _, s := range seen {
		key := s.installation()
		if key == "" || s.Name != "" || s.Boot == "" {
			continue
		}
		if was := last[key]; was != s.Boot {
			left[[2]string{key, was}] = true
			last[key] = s.Boot
		}
		if left[[2]string{key, s.Boot}] {
			out[key] = true
		}
	}
	return out
}

// A grouping numbers keys, and knows which numbers a key was seen with.
type grouping struct {
	number map[string]int
	of     map[string][]int
}

// place is the number that a key is known by, if it is one alone, else its own.
func (g *grouping) place(key string) int {
	if known := g.of[key]; len(known) == 1 {
		return known[0]
	}
	n, ok := g.number[key]
	if !ok {
		n = len(g.number)
		g.number[key] = n
	}
	return n
}

func (g *grouping) learn(key string, n int) {
	for _, known := range g.of[key] {
		if known == n {
			return
		}
	}
	if key != "" {
		g.of[key] = append(g.of[key], n)
	}
}
