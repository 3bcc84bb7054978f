#include "textflag.h"

// func repeat(c *systemCall, times int64) (bytes, last, calls int64, errno uintptr)
//
// The kernel keeps all registers but R0.
TEXT ·repeat(SB), NOSPLIT, $0-48
	MOVD	c+0(FP), R9
	MOVD	0(R9), R8	// number
	MOVD	8(R9), R10	// arguments
	MOVD	16(R9), R1
	MOVD	24(R9), R2
	MOVD	32(R9), R3
	MOVD	40(R9), R4
	MOVD	48(R9), R5
	MOVD	times+8(FP), R11
	MOVD	ZR, R12	// bytes
	MOVD	ZR, R13	// last
again:
	MOVD	R10, R0
	SVC
	CMP	$0, R0
	BLE	failed
	ADD	R0, R12
	MOVD	R0, R13
	SUBS	$1, R11
	BNE	again
	MOVD	ZR, R0
done:
	MOVD	R12, bytes+16(FP)
	MOVD	R13, last+24(FP)
	MOVD	times+8(FP), R9
	SUB	R11, R9
	MOVD	R9, calls+32(FP)
	MOVD	R0, errno+40(FP)
	RET
failed:
	NEGS	R0, R0
	BNE	done
	MOVD	$0x100000, R0	// errnoClosed
	JMP	done
