package execlog

import (
	"strconv"
	"strings"
)

// ParseModules reads /proc/modules (kernel/module/procfs.c: name, size, users, who they
// are, state, address). What it does not understand it leaves out: functions there are
// then of an unknown module.
func ParseModules(text []byte) (out []Module) {
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		size, err := strconv.ParseUint(f[1], 10, 32)
		addr, err2 := strconv.ParseUint(strings.TrimPrefix(f[5], "0x"), 16, 64)
		if err == nil && err2 == nil && addr != 0 {
			out = append(out, Module{Name: f[0], Addr: addr, Size: size})
		}
	}
	return out
}
