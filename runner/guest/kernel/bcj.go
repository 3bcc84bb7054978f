package kernel

import (
	"encoding/binary"
	"errors"
	"io"
)

// Compressors turn the targets of calls from relative into absolute before they compress
// code, because the same target then reads the same everywhere (the .xz file format,
// 5.3.2: branch/call/jump filters). xz -e of kernels does so (scripts/xz_wrap.sh); here it
// is undone, as XZ Embedded, which is in the public domain, undoes it
// (lib/xz/xz_dec_bcj.c).

// Filters of .xz, by their number.
const (
	filterX86   = 0x04
	filterARM64 = 0x0a
)

// An undo undoes a filter in place, of a part of the text that begins at a position. It
// returns for how much of it that is done: the rest wants what comes behind it.
type undo func(text []byte, position uint32) int

func undoOf(filter uint64) undo {
	switch filter {
	case filterX86:
		return new(undoX86).do
	case filterARM64:
		return undoARM64
	}
	return nil
}

// An undoX86 knows which of the last bytes were opcodes too: what then looks like a call
// may be the middle of one.
type undoX86 struct{ mask uint32 }

// sign says whether a byte may be the highest of a near target.
func sign(b byte) bool { return b == 0 || b == 0xff }

func (u *undoX86) do(text []byte, position uint32) int {
	const operand = 4
	if len(text) <= operand {
		return 0
	}
	// By the mask: which byte of the operand is looked at, and whether a call can be.
	bits := [8]int{0, 1, 2, 2, 3, 3, 3, 3}
	allowed := [8]bool{true, true, true, false, true, false, false, false}
	end, last, i := len(text)-operand, -1, 0
	for ; i < end; i++ {
		if text[i]&0xfe != 0xe8 { // call, jmp
			continue
		}
		if since := i - last; since > 3 {
			u.mask = 0
		} else if u.mask = u.mask << (since - 1) & 7; u.mask != 0 && (!allowed[u.mask] || sign(text[i+operand-bits[u.mask]])) {
			last, u.mask = i, u.mask<<1|1
			continue
		}
		last = i
		if !sign(text[i+operand]) {
			u.mask = u.mask<<1 | 1
			continue
		}
		target := binary.LittleEndian.Uint32(text[i+1:])
		for {
			relative := target - (position + uint32(i) + operand + 1)
			if u.mask == 0 {
				target = relative
				break
			}
			shift := 8 * bits[u.mask]
			if !sign(byte(relative >> (24 - shift))) {
				target = relative
				break
			}
			target = relative ^ (1<<(32-shift) - 1)
		}
		// Of the highest byte only one bit was kept.
		target &= 1<<25 - 1
		target |= -(target & (1 << 24))
		binary.LittleEndian.PutUint32(text[i+1:], target)
		i += operand
	}
	if since := i - last; since > 3 {
		u.mask = 0
	} else {
		u.mask <<= since - 1
	}
	return i
}

// undoARM64 is of BL, and of ADRP within 512 MiB.
func undoARM64(text []byte, position uint32) int {
	i := 0
	for ; i+4 <= len(text); i += 4 {
		pc, code := position+uint32(i), binary.LittleEndian.Uint32(text[i:])
		switch {
		case code>>26 == 0x25:
			code = 0x25<<26 | (code-pc>>2)&(1<<26-1)
		case code&0x9f000000 == 0x90000000:
			pages := code>>29&3 | code>>3&0x1ffffc
			if (pages+0x20000)&0x1c0000 != 0 {
				continue
			}
			pages -= pc >> 12
			code = code&0x9000001f | pages&3<<29 | pages&0x3fffc<<3 | -(pages&0x20000)&0xe00000
		default:
			continue
		}
		binary.LittleEndian.PutUint32(text[i:], code)
	}
	return i
}

// An unfiltered reads a text whose filter it undoes.
type unfiltered struct {
	r        io.Reader
	undo     undo
	buf      []byte
	from     int // of it, what is done and was not read
	done     int
	position uint32 // of its begin
	err      error
}

func newUnfiltered(r io.Reader, u undo) *unfiltered {
	return &unfiltered{r: r, undo: u, buf: make([]byte, 0, 64<<10)}
}

func (u *unfiltered) Read(p []byte) (int, error) {
	for u.from == u.done {
		if u.err != nil {
			return 0, u.err
		}
		u.position += uint32(u.done)
		u.buf = u.buf[:copy(u.buf, u.buf[u.done:])]
		u.from = 0
		var n int
		n, u.err = u.r.Read(u.buf[len(u.buf):cap(u.buf)])
		u.buf = u.buf[:len(u.buf)+n]
		if u.done = u.undo(u.buf, u.position); errors.Is(u.err, io.EOF) {
			u.done = len(u.buf)
		}
	}
	n := copy(p, u.buf[u.from:u.done])
	u.from += n
	return n, nil
}
