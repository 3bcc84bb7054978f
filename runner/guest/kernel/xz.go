package kernel

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"runtime"
	"slices"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"netab/results/crew"
)

// An .xz file is a row of blocks, with an index of them at its end (the .xz file
// format, 1.2.1). xz makes blocks of 24 MiB where it compresses with several threads,
// as dpkg does, and they can be read apart: a kernel's package is unpacked with as
// many CPUs as there are. Going by the index also shows what memory each block would
// take before it is taken.

// An xzBlock is one of them, in the file and unpacked.
type xzBlock struct {
	off, size, plain int64
	// Of its header:
	header int64  // its size
	filter uint64 // before LZMA2; 0 = none
	window int64
}

const (
	xzHeader   = 12
	xzMaxIndex = 16 << 20
	xzAhead    = 64 << 20 // a larger block is read as it comes
)

var errXZ = errors.New("it is no whole .xz file")

// newXZ reads an .xz file.
func newXZ(r *io.SectionReader) (io.Reader, error) {
	head, blocks, err := xzIndex(r)
	if err != nil {
		return nil, err
	}
	for i := range blocks {
		if err := blocks[i].look(r); err != nil {
			return nil, err
		}
	}
	return &xzReader{r: r, head: head, blocks: blocks}, nil
}

// xzIndex reads the index of a file of one stream.
func xzIndex(r *io.SectionReader) (head []byte, blocks []xzBlock, err error) {
	damaged := func(what string) error { return fmt.Errorf("%w: %s; fetch it again", errXZ, what) }
	head, foot := make([]byte, xzHeader), make([]byte, xzHeader)
	if r.Size() < 2*xzHeader {
		return nil, nil, damaged("it is cut off")
	}
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, nil, err
	}
	if _, err := r.ReadAt(foot, r.Size()-xzHeader); err != nil {
		return nil, nil, err
	}
	if crc32.ChecksumIEEE(head[6:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, nil, damaged("its first bytes are damaged")
	}
	if string(foot[10:]) != "YZ" || binary.LittleEndian.Uint32(foot) != crc32.ChecksumIEEE(foot[4:10]) || !bytes.Equal(foot[8:10], head[6:8]) {
		return nil, nil, damaged("it has no end: it is cut off, or several in one")
	}
	size := 4 * (int64(binary.LittleEndian.Uint32(foot[4:])) + 1)
	at := r.Size() - xzHeader - size
	if size > xzMaxIndex || at < xzHeader {
		return nil, nil, damaged("its index is larger than can be")
	}
	index := make([]byte, size)
	if _, err := r.ReadAt(index, at); err != nil {
		return nil, nil, err
	}
	body := index[:size-4]
	if body[0] != 0 || crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(index[size-4:]) {
		return nil, nil, damaged("its index is damaged")
	}
	body = body[1:]
	number := func() int64 {
		n, used := binary.Uvarint(body)
		if used <= 0 || n >= 1<<62 {
			body = nil
			return -1
		}
		body = body[used:]
		return int64(n)
	}
	off := int64(xzHeader)
	for n := number(); n > 0; n-- {
		b := xzBlock{off: off, size: number(), plain: number()}
		if b.size <= 0 || b.plain < 0 || b.size > at-off {
			return nil, nil, damaged("its index does not fit it")
		}
		blocks = append(blocks, b)
		off += (b.size + 3) &^ 3
	}
	if off != at {
		return nil, nil, damaged("its index does not fit it")
	}
	return head, blocks, nil
}

// look reads a block's header, and refuses it by what it asks for: memory without
// bound, or filters that are not known here.
func (b *xzBlock) look(r io.ReaderAt) error {
	const lzma2, most = 0x21, 1024
	head := make([]byte, min(most, b.size))
	if _, err := r.ReadAt(head, b.off); err != nil {
		return err
	}
	size := 4 * (int(head[0]) + 1)
	if head[0] == 0 || size > len(head) || crc32.ChecksumIEEE(head[:size-4]) != binary.LittleEndian.Uint32(head[size-4:]) {
		return fmt.Errorf("%w: the header of a block is damaged; fetch it again", errXZ)
	}
	flags, fields := head[1], head[2:size-4]
	number := func() uint64 {
		n, used := binary.Uvarint(fields)
		fields = fields[max(used, 0):]
		return n
	}
	for _, flag := range []byte{0x40, 0x80} { // sizes are given; the index has them too
		if flags&flag != 0 {
			number()
		}
	}
	id := number()
	if filters := flags&3 + 1; filters == 2 && undoOf(id) != nil {
		b.filter = id
		if number() != 0 { // where the code begins, if not at 0
			return fmt.Errorf("it is compressed by a filter for code (%#x) that begins in its middle, which is not known here: compress it anew with xz -6", id)
		}
		id = number()
	} else if filters != 1 {
		return fmt.Errorf("it is compressed by a filter (%#x, for code) that is not known here: want those of x86 and arm64, or plain LZMA2; compress it anew with xz -6", id)
	}
	if id != lzma2 {
		return fmt.Errorf("it is compressed by %#x, which is not LZMA2: compress it anew with xz -6", id)
	}
	if number() != 1 || len(fields) == 0 {
		return fmt.Errorf("%w: the header of a block is damaged; fetch it again", errXZ)
	}
	// 2^n or 2^n + 2^(n-1) bytes.
	bits := int64(fields[0])
	b.header, b.window = int64(size), (2|bits&1)<<(bits/2+11)
	if bits > 40 || b.window > maxWindow {
		return fmt.Errorf("it wants %d MiB of memory to be decompressed, and more than %d are refused: compress it anew with xz -6", b.window>>20, maxWindow>>20)
	}
	return nil
}

// open is a block, read as an .xz file of its own.
func (b xzBlock) open(r io.ReaderAt, head []byte) (io.Reader, error) {
	if b.filter != 0 {
		return b.unfilter(r, head)
	}
	index := binary.AppendUvarint(binary.AppendUvarint([]byte{0, 1}, uint64(b.size)), uint64(b.plain))
	index = append(index, make([]byte, -len(index)&3)...)
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	foot := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), head[6:8]...)
	end := binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(foot))
	end = append(append(end, foot...), "YZ"...)
	all := io.MultiReader(bytes.NewReader(head), io.NewSectionReader(r, b.off, (b.size+3)&^3), bytes.NewReader(end))
	return xz.NewReader(bufio.NewReaderSize(all, 1<<16)) // it reads single bytes
}

// unfilter is a block of code: what LZMA2 gives is not yet what was compressed.
func (b xzBlock) unfilter(r io.ReaderAt, head []byte) (io.Reader, error) {
	// The checks that there are (2.1.1.2).
	var sum hash.Hash
	switch kind := head[7]; kind {
	case 0:
	case 1:
		sum = crc32.NewIEEE()
	case 4:
		sum = crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		sum = sha256.New()
	default:
		return nil, fmt.Errorf("it has a checksum of a kind (%d) that is not known here: compress it anew with xz -6", kind)
	}
	length := 0
	if sum != nil {
		length = sum.Size()
	}
	end := b.size - int64(length)
	padding := -end & 3 // is before the checksum
	want := make([]byte, padding+int64(length))
	if _, err := r.ReadAt(want, b.off+end); err != nil {
		return nil, err
	}
	if end < b.header || len(bytes.TrimLeft(want[:padding], "\x00")) > 0 {
		return nil, fmt.Errorf("%w: a block of it is damaged; fetch it again", errXZ)
	}
	want = want[padding:]
	if head[7] != 10 {
		slices.Reverse(want) // CRCs are little endian there
	}
	packed := io.NewSectionReader(r, b.off+b.header, end-b.header)
	text, err := lzma.Reader2Config{DictCap: int(b.window)}.NewReader2(bufio.NewReaderSize(packed, 1<<16))
	if err != nil {
		return nil, err
	}
	return &checked{r: newUnfiltered(text, undoOf(b.filter)), left: b.plain, sum: sum, want: want}, nil
}

// A checked reads so much, of this checksum.
type checked struct {
	r    io.Reader
	left int64
	sum  hash.Hash // nil = there is none
	want []byte
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	if errors.Is(err, io.EOF) && (c.left != 0 || c.sum != nil && !bytes.Equal(c.sum.Sum(nil), c.want)) || c.left < 0 {
		return n, fmt.Errorf("%w: a block of it is damaged; fetch it again", errXZ)
	}
	return n, err
}

// whole is a block, read at once.
func (b xzBlock) whole(r io.ReaderAt, head []byte) ([]byte, error) {
	d, err := b.open(r, head)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, b.plain+1)
	n, err := io.ReadFull(d, plain) // to the end, behind which its checksum is
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) || int64(n) != b.plain {
		return nil, fmt.Errorf("%w: a block of it is damaged (%w)", errXZ, cutOff(err))
	}
	return plain[:n], nil
}

// An xzReader reads blocks in order, some ahead.
type xzReader struct {
	r      io.ReaderAt
	head   []byte
	blocks []xzBlock // not begun
	ahead  []chan ready
	now    io.Reader
	err    error

	streamed bool // as if all blocks were large, for tests
}

// ready is a block, unpacked.
type ready struct {
	plain io.Reader
	err   error
}

func (x *xzReader) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.now == nil {
			x.now, x.err = x.next()
			continue
		}
		var n int
		err := crew.Caught(func() (err error) { n, err = x.now.Read(p); return err })
		if errors.Is(err, io.EOF) {
			x.now, err = nil, nil
		}
		x.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// next is the next block, and begins others. A goroutine ends with its block, whether
// anybody still waits for it or not.
func (x *xzReader) next() (io.Reader, error) {
	for len(x.ahead) < runtime.GOMAXPROCS(0) && len(x.blocks) > 0 && x.blocks[0].plain <= xzAhead && !x.streamed {
		done := make(chan ready, 1)
		go func(b xzBlock) {
			var plain []byte
			err := crew.Caught(func() (err error) { plain, err = b.whole(x.r, x.head); return err })
			done <- ready{bytes.NewReader(plain), err}
		}(x.blocks[0])
		x.ahead = append(x.ahead, done)
		x.blocks = x.blocks[1:]
	}
	if len(x.ahead) > 0 {
		b := <-x.ahead[0]
		x.ahead = x.ahead[1:]
		return b.plain, b.err
	}
	if len(x.blocks) == 0 {
		return nil, io.EOF
	}
	b := x.blocks[0]
	x.blocks = x.blocks[1:]
	return b.open(x.r, x.head)
}
