package execlog

import (
	"fmt"
	"strings"
	"testing"

	"netab/runner/guest/arch"
	"netab/runner/guest/kallsyms"
)

// TestEndsX86, TestEndsARM: instructions by their bytes, as logs have them.
func TestEndsX86(t *testing.T) {
	for code, want := range map[string]uint16{"\xc3": isRet, "\xf3\xc3": isRet, "\xe8\x00\x00\x00\x00": isCall, "\xff\xd0": isCall, "\xff\xe0": 0, "\x48\xcf": isIret, "\x90": 0, "": 0} {
		if got := endsX86([]byte(code)); got != want {
			t.Errorf("%x: %d, want %d", code, got, want)
		}
	}
}

func TestEndsARM(t *testing.T) {
	for code, want := range map[string]uint16{
		"\xd6\x5f\x03\xc0": isRet, "\xd6\x5f\x0b\xff": isRet, "\xd6\x5f\x0f\xff": isRet,
		"\x94\x00\x00\x10": isCall, "\x97\xff\xff\xf0": isCall, "\xd6\x3f\x00\x20": isCall, "\xd7\x3f\x08\x20": isCall,
		"\x14\x00\x00\x10": 0, "\xd6\x1f\x00\x20": 0, "\xd6\x9f\x03\xe0": isIret, "\xd5\x03\x20\x1f": 0, "\xc3": 0, "": 0,
	} {
		if got := endsARM([]byte(code)); got != want {
			t.Errorf("%x: %d, want %d", code, got, want)
		}
	}
}

// Code of arm64, and addresses of a kernel that there is not.
const (
	armNop  = "d503201f"
	armRet  = "d65f03c0"
	armCall = "94000010"
	armEret = "d69f03e0"

	armVectors = 0xffff800008010800
	armSend    = 0xffff800008020000
	armSoftirq = 0xffff800008021000
	armGIC     = 0xffff800008022000
	armSwitch  = 0xffff800008023000
	armRecv    = 0xffff800008024000
	armReceive = 0xffff800008025000
	armModule  = 0xffff800000100000
)

// instructions is logger.block of arm64.
func (l *logger) instructions(pc uint64, n int, last string) {
	l.execute(pc, n, armNop, last, "0000000000000040/%016x/00000111/ff020200", func(i int, code string) {
		fmt.Fprintf(l, "0x%08x:  %s  what     x0, x1\n", pc+4*uint64(i), code)
	})
}

// TestARM: a system call and an interrupt both end by ERET, interrupts come in by the
// table of vectors, and modules lie before the kernel.
func TestARM(t *testing.T) {
	o := options()
	o.Arch = arch.ARM
	o.Functions = kallsyms.Table{{Addr: armVectors, Name: "__entry_text_start"}, {Addr: armSend, Name: "udp_sendmsg"}, {Addr: armSoftirq, Name: "handle_softirqs"},
		{Addr: armGIC, Name: "gic_handle_irq"}, {Addr: armSwitch, Name: "cpu_switch_to"}, {Addr: armRecv, Name: "udp_recvmsg"}, {Addr: armReceive, Name: "udp_rcv"}}
	var l logger
	l.instructions(textBegin, 1, armNop)
	l.instructions(textSource, 4, armNop)
	l.instructions(armVectors+0x400, 8, armNop) // a system call
	l.instructions(armSend, 10, armCall)
	l.instructions(armSoftirq, 5, armCall)
	l.instructions(armReceive, 7, armNop)
	l.instructions(armVectors+0x280, 8, armNop) // an interrupt of the softirq
	l.instructions(armGIC, 6, armEret)
	l.instructions(armReceive+28, 2, armRet)
	l.instructions(armSoftirq+20, 1, armRet)
	l.instructions(armSend+40, 8, armNop)
	l.instructions(armVectors+0x200, 8, armNop) // a fault of the kernel's
	l.instructions(armSend+0x100, 2, armEret)
	l.instructions(armModule, 9, armNop)
	l.instructions(armSend+0x200, 3, armEret)
	l.instructions(textSource+16, 1, armNop)
	l.instructions(armVectors+0x480, 8, armNop) // an interrupt of the program
	l.instructions(armGIC+0x100, 2, armNop)
	l.instructions(armSwitch, 1, armRet)
	l.instructions(armRecv, 30, armNop) // of the sink, which nobody knows yet
	l.instructions(textSink, 1, armNop)
	l.instructions(textEnd, 1, armNop)
	l.instructions(textOther, 1, armNop)
	r := NewReader(o)
	if err := r.Read(strings.NewReader(l.String())); err != nil {
		t.Fatal(err)
	}
	p, err := r.Profile([]Module{{Name: "veth", Addr: armModule, Size: 0x2000}})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct {
		role     Role
		context  Context
		function string
		n        uint64
	}{
		{Source, Task, "vectors", 8 + 8}, {Source, Task, "udp_sendmsg", 10 + 8 + 2 + 3}, {Source, Softirq, "handle_softirqs", 6}, {Source, Softirq, "udp_rcv", 9},
		{Source, Hardirq, "vectors", 8 + 8}, {Source, Hardirq, "gic_handle_irq", 6 + 2}, {Source, Task, "[veth]", 9}, {Sink, Task, "udp_recvmsg", 30},
	} {
		if n := p.of(w.role, w.context, w.function); n != w.n {
			t.Errorf("%s %s %s: %d, want %d", w.role, w.context, w.function, n, w.n)
		}
	}
	if t.Failed() {
		t.Logf("%+v", p.Rows)
	}
}
