package kallsyms

import (
	"fmt"
	"strings"
	"testing"
)

// TestParseMap: functions in the order of their addresses, the global name of several;
// what a distribution puts in its place is refused.
func TestParseMap(t *testing.T) {
	var b strings.Builder
	for i := range 600 {
		fmt.Fprintf(&b, "%016x t filler_%d\n", 0xffffffff81000000+uint64(i)*16, i)
	}
	b.WriteString("ffffffff80000010 t inner\nffffffff80000010 T udp_sendmsg\nffffffff80000008 W __pfx_udp_sendmsg\nffffffff82000000 D jiffies\n0000000000000000 A fixed\n")
	out, err := ParseMap([]byte(b.String()))
	if err != nil || len(out) != 601 || out[0].Name != "udp_sendmsg" || Table(out).Find(0xffffffff80000020) != 0 || Table(out).Find(0xffffffff80000000) != -1 {
		t.Errorf("%d, %v, %v", len(out), out[:min(len(out), 2)], err)
	}
	if _, err := ParseMap([]byte("ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n")); err == nil {
		t.Error("a note was taken for a map")
	}
}
