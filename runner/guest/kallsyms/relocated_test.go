package kallsyms

import (
	"encoding/binary"
	"testing"
)

// TestRelocated: where a place of a position-independent image is zero, the table of
// relocations has what it gets.
func TestRelocated(t *testing.T) {
	const begin, stext, place = 0xffff800008000000, 0xffff800008010000, 0x300
	image := func(entries ...[2]uint64) *table {
		text := make([]byte, 0x400)
		for i, e := range entries {
			at := 0x40 + 24*i
			binary.LittleEndian.PutUint64(text[at:], e[0])
			binary.LittleEndian.PutUint64(text[at+8:], 0x403)
			binary.LittleEndian.PutUint64(text[at+16:], e[1])
		}
		return &table{text: text}
	}
	for name, tt := range map[string]struct {
		t    *table
		want uint64
	}{
		"as it is":             {image([2]uint64{begin + 0x200, begin + 0x1234}, [2]uint64{begin + place, stext}), stext},
		"no relocations":       {image(), 0},
		"another place":        {image([2]uint64{begin + 0x200, begin + 0x1234}), 0},
		"outside of the image": {image([2]uint64{begin + place, stext}, [2]uint64{begin + 0x800000, stext}), 0},
		"no addresses":         {image([2]uint64{0x300, 0x10000}), 0},
	} {
		if got := tt.t.relocated(place); got != tt.want {
			t.Errorf("%s: %x, want %x", name, got, tt.want)
		}
	}
}
