package execlog

import (
	"bytes"
	"encoding/binary"
	"strings"

	"netab/runner/guest/arch"
)

// An isa is what a log says by an architecture's instructions, and by names that its
// kernels have for what every kernel does.
type isa struct {
	// ends says what the last instruction of a block does, by its bytes as the log has them.
	ends func(code []byte) uint16
	// enters says what it means that a block begins so far into a function.
	enters func(function string, into uint64) uint16
	// frames are those that a task returns through that slept, whoever it is: the
	// scheduler's, and one more.
	frames int
	// aliases are names of sections that begin where a function does.
	aliases map[string]string
}

var isas = map[*arch.Arch]*isa{
	arch.X86: {endsX86, entersX86, 5, map[string]string{"__softirqentry_text_start": "__do_softirq", "_stext": "_text"}},
	arch.ARM: {endsARM, entersARM, 6, map[string]string{"__softirqentry_text_start": "__do_softirq", "_stext": "_text", "__entry_text_start": "vectors"}},
}

// endsX86 reads the instructions of x86-64.
func endsX86(b []byte) uint16 {
	for len(b) > 1 && (b[0] == 0xf3 || b[0] == 0xf2 || b[0] == 0x2e || b[0] == 0x3e || b[0]&0xf0 == 0x40) && !bytes.Equal(b, iretq) {
		b = b[1:]
	}
	switch {
	case len(b) == 0:
		return 0
	case b[0] == 0xc3, b[0] == 0xc2:
		return isRet
	case b[0] == 0xe8, b[0] == 0xff && len(b) > 1 && b[1]>>3&7 == 2:
		return isCall
	case bytes.Equal(b, iretq), b[0] == 0xcf:
		return isIret
	}
	return 0
}

var iretq = []byte{0x48, 0xcf}

func entersX86(function string, into uint64) uint16 {
	switch {
	case into != 0:
	case strings.HasPrefix(function, "asm_sysvec_"), function == "asm_common_interrupt":
		return entersHardirq
	case strings.HasPrefix(function, "asm_exc_"):
		return entersException
	case function == "__switch_to":
		return switches
	}
	return 0
}

// endsARM reads those of A64, which the log has as numbers (Arm Architecture Reference
// Manual, C4.1.94, unconditional branches). What a log has of RET may check what it
// returns to (RETAA, RETAB), and so may ERET.
func endsARM(b []byte) uint16 {
	if len(b) != 4 {
		return 0
	}
	switch code := binary.BigEndian.Uint32(b); {
	case code&0xfffffc1f == 0xd65f0000, code == 0xd65f0bff, code == 0xd65f0fff:
		return isRet
	case code>>26 == 0x25, code&0xfffffc1f == 0xd63f0000, code&0xfefff800 == 0xd63f0800: // BL, BLR, BLRAA and its like
		return isCall
	case code == 0xd69f03e0, code == 0xd69f0bff, code == 0xd69f0fff:
		return isIret
	}
	return 0
}

// entersARM goes by the table of vectors, which the architecture lays out (D1.4.1): four
// groups of four, of 128 bytes each; the second is of the kernel's own, the third and the
// fourth are of programs. A system call, too, ends by ERET.
func entersARM(function string, into uint64) uint16 {
	const vector = 128
	switch {
	case function == "cpu_switch_to" && into == 0:
		return switches
	case function != "vectors" || into%vector != 0 || into >= 16*vector:
		return 0
	}
	flags := uint16(0)
	group, kind := into/(4*vector), into/vector%4
	if group >= 2 {
		flags |= fromUser
	}
	switch {
	case kind == 1 || kind == 2: // IRQ, FIQ
		flags |= entersHardirq
	case group < 2:
		flags |= entersException
	}
	return flags
}
