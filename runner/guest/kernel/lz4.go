package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An lz4Reader reads what kernels are compressed with by CONFIG_KERNEL_LZ4: the legacy
// frame of lz4 (doc/lz4_Frame_format.md), blocks of 8 MiB that know nothing of each
// other.
type lz4Reader struct {
	r    io.Reader
	data []byte // of the block at hand, what was not read yet
	out  []byte
	in   []byte
	err  error
}

const (
	magicLZ4    = "\x02\x21\x4c\x18"
	lz4Block    = 8 << 20
	lz4MostIn   = lz4Block + lz4Block/255 + 16 // of what cannot be compressed
	lz4MinMatch = 4
)

var errLZ4 = errors.New("lz4: the data are damaged")

// newLZ4 is behind the magic number.
func newLZ4(r io.Reader) io.Reader { return &lz4Reader{r: r} }

func (z *lz4Reader) Read(p []byte) (int, error) {
	for len(z.data) == 0 {
		if z.err != nil {
			return 0, z.err
		}
		z.err = z.next()
	}
	n := copy(p, z.data)
	z.data = z.data[n:]
	return n, nil
}

// next unpacks a block. Behind the last one the build of a kernel puts the length of
// all: a number without a block is the end.
func (z *lz4Reader) next() error {
	var size [4]byte
	if _, err := io.ReadFull(z.r, size[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return io.EOF
		}
		return err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > lz4MostIn {
		if m, err := io.ReadFull(z.r, size[:]); m == 0 && errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("%w: a block of %d bytes", errLZ4, n)
	}
	if cap(z.in) < int(n) {
		z.in = make([]byte, n)
	}
	z.in = z.in[:n]
	if got, err := io.ReadFull(z.r, z.in); err != nil {
		if got == 0 && errors.Is(err, io.EOF) {
			return io.EOF // that length, of a small kernel
		}
		return errLZ4
	}
	if z.out == nil {
		z.out = make([]byte, 0, lz4Block)
	}
	var err error
	z.out, err = lz4Unpack(z.out[:0], z.in)
	z.data = z.out
	return err
}

// lz4Unpack unpacks a block (doc/lz4_Block_format.md): tokens of how many bytes follow,
// and how many are to be taken again from how far back.
func lz4Unpack(out, in []byte) ([]byte, error) {
	length := func(n int) (int, bool) {
		if n != 15 {
			return n, true
		}
		for {
			if len(in) == 0 || n > lz4Block {
				return 0, false
			}
			b := in[0]
			in = in[1:]
			if n += int(b); b != 255 {
				return n, true
			}
		}
	}
	for len(in) > 0 {
		token := in[0]
		in = in[1:]
		n, ok := length(int(token >> 4))
		if !ok || n > len(in) || len(out)+n > lz4Block {
			return nil, errLZ4
		}
		out = append(out, in[:n]...)
		in = in[n:]
		if len(in) == 0 {
			return out, nil // the last one has no match
		}
		if len(in) < 2 {
			return nil, errLZ4
		}
		back := int(binary.LittleEndian.Uint16(in))
		in = in[2:]
		n, ok = length(int(token & 15))
		n += lz4MinMatch
		if !ok || back == 0 || back > len(out) || len(out)+n > lz4Block {
			return nil, errLZ4
		}
		for n > 0 { // it may reach into what it makes
			from := out[len(out)-back:]
			from = from[:min(n, len(from))]
			out = append(out, from...)
			n -= len(from)
		}
	}
	return out, nil
}
