#include "textflag.h"

// func repeat(c *systemCall, times int64) (bytes, last, calls int64, errno uintptr)
//
// The kernel keeps all registers but AX, CX and R11 (entry_SYSCALL_64), so the
// arguments are loaded once.
TEXT ·repeat(SB), NOSPLIT, $0-48
	MOVQ	c+0(FP), AX
	MOVQ	0(AX), BX	// number
	MOVQ	8(AX), DI	// arguments
	MOVQ	16(AX), SI
	MOVQ	24(AX), DX
	MOVQ	32(AX), R10
	MOVQ	40(AX), R8
	MOVQ	48(AX), R9
	MOVQ	times+8(FP), R13
	XORL	R12, R12	// bytes
	XORL	R15, R15	// last
	PCALIGN	$32
again:
	MOVQ	BX, AX
	SYSCALL
	TESTQ	AX, AX
	JLE	failed
	ADDQ	AX, R12
	MOVQ	AX, R15
	DECQ	R13
	JNZ	again
	XORL	AX, AX
done:
	MOVQ	R12, bytes+16(FP)
	MOVQ	R15, last+24(FP)
	MOVQ	times+8(FP), CX
	SUBQ	R13, CX
	MOVQ	CX, calls+32(FP)
	MOVQ	AX, errno+40(FP)
	RET
failed:
	NEGQ	AX
	JNZ	done
	MOVL	$0x100000, AX	// errnoClosed
	JMP	done
