package kernel

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// frame is a legacy frame of lz4 of blocks, with the length that a kernel's build puts
// behind it.
func frame(blocks ...string) []byte {
	out := []byte(magicLZ4)
	for _, b := range blocks {
		out = append(out, byte(len(b)), byte(len(b)>>8), 0, 0)
		out = append(out, b...)
	}
	return append(out, 0x00, 0x00, 0xff, 0x7f)
}

func TestLZ4(t *testing.T) {
	for _, tt := range []struct {
		name, block, want string
		damaged           bool
	}{
		{"literals", "\x50hello", "hello", false},
		{"a match that reaches into itself", "\x16a\x01\x00\x10b", "aaaaaaaaaaa" + "b", false},
		{"a match further back", "\x30abc\x03\x00\x10d", "abc" + "abcd"[:0] + "abca" + "d", false},
		{"long literals", "\xf0\x01" + "0123456789abcdef", "0123456789abcdef", false},
		{"back before the beginning", "\x10a\x02\x00\x10b", "", true},
		{"back by nothing", "\x10a\x00\x00\x10b", "", true},
		{"literals that are not there", "\x50hel", "", true},
		{"a torn offset", "\x10a\x01", "", true},
		{"a length without an end", "\xf0\xff\xff", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := decompressBytes(frame(tt.block))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if tt.damaged != errors.Is(err, errLZ4) || !tt.damaged && (err != nil || string(got) != tt.want) {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzLZ4(f *testing.F) {
	f.Add([]byte("\x16a\x01\x00\x10b"))
	f.Add([]byte("\xf0\x01" + "0123456789abcdef"))
	f.Fuzz(func(t *testing.T, block []byte) {
		out, err := lz4Unpack(nil, bytes.Clone(block))
		if err == nil && len(out) > lz4Block {
			t.Errorf("%d bytes", len(out))
		}
	})
}
