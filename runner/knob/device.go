package knob

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"netab/runner/host"
)

const netClass = "/sys/class/net"

// checkDeviceName refuses what cannot be the name of a network device
// (dev_valid_name in net/core/dev.c) or would be a pattern to Glob.
func checkDeviceName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/: *?[\\") || checkText(name, 15) != nil {
		return fmt.Errorf("%q is not the name of a network device", name)
	}
	return nil
}

// checkDevice says so, and lists what there is, when a device does not exist.
func checkDevice(h host.Host, name string) error {
	if err := checkDeviceName(name); err != nil {
		return err
	}
	found, err := h.Glob(path.Join(netClass, name))
	if err != nil || len(found) > 0 {
		return err
	}
	all, err := h.Glob(netClass + "/*")
	if err != nil {
		return err
	}
	for i, p := range all {
		all[i] = path.Base(p)
	}
	return fmt.Errorf("no such device; there are %s", orNone(all))
}

// orNone joins names for an error message.
func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// sortNatural sorts names that end in numbers by the number: rx-2 before
// rx-10.
func sortNatural(names []string) {
	slices.SortFunc(names, func(a, b string) int {
		pa, na := splitNumber(a)
		pb, nb := splitNumber(b)
		return cmp.Or(cmp.Compare(pa, pb), cmp.Compare(na, nb))
	})
}

func splitNumber(s string) (prefix string, number int) {
	prefix = strings.TrimRight(s, "0123456789")
	number, _ = strconv.Atoi(s[len(prefix):])
	return prefix, number
}
