package scenarios

import (
	"fmt"
	"strings"
)

// sysctlSyntax is the name of a sysctl, dotted or slashed; the canonical form
// is the path below /proc/sys.
func sysctlSyntax() *syntax {
	return &syntax{
		want:    "want a name such as net.core.netdev_budget, or with slashes where a part has dots in it: net/ipv4/conf/eth0.100/rp_filter",
		pattern: `^[A-Za-z0-9_./@:\-]+$`,
		chars:   maxLabel,
		canon:   sysctlPath,
	}
}

// sysctlPath maps a name to its path as sysctl(8) does: the first separator
// decides; if it is a dot, dots become slashes and slashes dots
// ("net.ipv4.conf.eth0/100.rp_filter"), else the name is a path already.
func sysctlPath(name string) (string, error) {
	path := strings.TrimPrefix(name, "/proc/sys/")
	if err := tooLong("a name of a sysctl", path, maxLabel); err != nil {
		return "", err
	}
	for _, r := range path {
		if !isAlnum(r) && !strings.ContainsRune("_./@:-", r) {
			return "", fmt.Errorf("%q is not the name of a sysctl: it contains %q", name, r)
		}
	}
	if i := strings.IndexAny(path, "./"); i >= 0 && path[i] == '.' {
		path = strings.Map(func(r rune) rune {
			switch r {
			case '.':
				return '/'
			case '/':
				return '.'
			}
			return r
		}, path)
	}
	parts := strings.Split(path, "/")
	for _, part := range parts {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("%q is not the name of a sysctl", name)
		}
	}
	if len(parts) < 2 {
		return "", fmt.Errorf("%q is not the name of a sysctl", name)
	}
	if right, ok := dottedDevice(parts); ok {
		return "", fmt.Errorf("%q is not the name of a sysctl: the dot in the name of a device is written as a slash, %s", name, right)
	}
	return path, nil
}

// dottedDevice says how a path was meant that goes too deep because the dots in
// a device's name were taken for separators: what a device has of its own is
// net/FAMILY/conf/DEVICE/NAME, or neigh. right is its dotted name.
func dottedDevice(parts []string) (right string, ok bool) {
	if len(parts) <= 5 || parts[0] != "net" || parts[2] != "conf" && parts[2] != "neigh" {
		return "", false
	}
	last := len(parts) - 1
	device := strings.ReplaceAll(strings.Join(parts[3:last], "/"), ".", "/")
	return strings.Join([]string{parts[0], parts[1], parts[2], device, parts[last]}, "."), true
}
