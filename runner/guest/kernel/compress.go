package kernel

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// What compressed data begin with.
const (
	magicGzip  = "\x1f\x8b"
	magicXZ    = "\xfd7zXZ\x00"
	magicZstd  = "\x28\xb5\x2f\xfd"
	magicBzip2 = "BZh"
)

// maxWindow bounds the memory that a compressed file may ask for, as its author
// chose it. xz -9 wants 64 MiB, zstd --ultra -22 128 MiB.
const maxWindow = 128 << 20

// decompress reads what is compressed with gzip, xz, zstd, bzip2 or, as kernels are, lz4,
// or not at all.
func decompress(r *io.SectionReader) (io.Reader, error) {
	head := make([]byte, len(magicXZ))
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	is := func(magic string) bool { return bytes.HasPrefix(head[:n], []byte(magic)) }
	whole := bufio.NewReaderSize(io.NewSectionReader(r, 0, r.Size()), 1<<18)
	switch {
	case is(magicGzip):
		return gzip.NewReader(whole)
	case is(magicXZ):
		return newXZ(r)
	case is(magicZstd):
		// With one, it starts no goroutines that would have to be ended.
		d, err := zstd.NewReader(whole, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d, nil
	case is(magicBzip2):
		return bzip2.NewReader(whole), nil
	case is(magicLZ4):
		if _, err := whole.Discard(len(magicLZ4)); err != nil {
			return nil, err
		}
		return newLZ4(whole), nil
	case is("\x5d\x00\x00"):
		return nil, errors.New("it is compressed with LZMA alone, the format before xz: decompress it and compress it anew with xz or zstd")
	}
	return whole, nil
}

// decompressBytes is decompress of what is in memory.
func decompressBytes(data []byte) (io.Reader, error) {
	return decompress(io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))))
}
