package kallsyms

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReal: tables that kernels have are what another program reads in them.
func TestReal(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		image, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(strings.TrimSuffix(file, ".bin") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		want := map[uint64][]string{}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			addr, err := strconv.ParseUint(f[0], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains("tTwW", f[1]) && !strings.HasPrefix(f[2], "__pfx_") {
				want[addr] = append(want[addr], f[2])
			}
		}
		// Where it lies in an image is nothing to it, nor what is around.
		for _, before := range []int{0, 8, 4096} {
			got, err := Functions(slices.Concat(make([]byte, before), image, []byte("0\x001\x002\x003\x00")))
			if err != nil || len(got) != len(want) {
				t.Errorf("%s: %d functions, want %d: %v", file, len(got), len(want), err)
				continue
			}
			for _, s := range got {
				if !slices.Contains(want[s.Addr], s.Name) {
					t.Errorf("%s: %s, want %q", file, s, want[s.Addr])
				}
				if i := Table(got).Find(s.Addr + 1); got[i] != s {
					t.Errorf("%s: one byte behind %s is %s", file, s, got[i])
				}
			}
		}
	}
}

// A shape is how a kernel lays its table out.
type shape struct {
	late     bool   // offsets behind the tokens (6.4 and later)
	absolute bool   // KALLSYMS_ABSOLUTE_PERCPU
	align    int    // of the tokens' index
	long     string // a name of so many tokens that its length takes two bytes (6.1 and later)
	between  int    // bytes between markers and tokens (6.2 and 6.3 have the order of names there)
}

const linked = 0xffffffff81000000

// made is a table of such a shape, with functions f0, f1, … and variables.
func made(sh shape, n int) (image []byte, want []Symbol) {
	var tokens [256][]byte
	for i := range tokens {
		tokens[i] = []byte{byte(i)}
		if i < 32 || i > 126 {
			tokens[i] = fmt.Appendf(nil, "_%d_", i)
		}
	}
	names, marks, offsets := []byte{}, []byte{}, []byte{}
	add := func(kind byte, name string, offset uint64) {
		i := len(offsets) / 4
		if i%page == 0 {
			marks = binary.LittleEndian.AppendUint32(marks, uint32(len(names)))
		}
		entry := append([]byte{kind}, name...)
		if len(entry) > 127 {
			names = append(names, byte(len(entry)&0x7f|0x80), byte(len(entry)>>7))
		} else {
			names = append(names, byte(len(entry)))
		}
		names = append(names, entry...)
		o := uint32(offset)
		if sh.absolute && kind != 'A' {
			o = uint32(-1 - int64(offset))
		}
		offsets = binary.LittleEndian.AppendUint32(offsets, o)
		if kind == 'T' || kind == 't' {
			var full strings.Builder
			for _, c := range []byte(name) {
				full.Write(tokens[c])
			}
			want = append(want, Symbol{linked + offset, full.String()})
		}
	}
	for i := range n {
		switch {
		case i == n/2 && sh.long != "":
			add('T', sh.long, uint64(16*i))
		case sh.absolute && i%8 == 0:
			add('A', "percpu", uint64(16*i))
		case i%5 == 1:
			add('d', "data", uint64(16*i))
		default:
			add("Tt"[i%2], fmt.Sprintf("f%d\x80", i), uint64(16*i))
		}
	}
	pad := func(to int) {
		for len(image)%to != 0 {
			image = append(image, 0)
		}
	}
	base := binary.LittleEndian.AppendUint64(nil, linked)
	image = []byte("head....")
	if !sh.late {
		image = append(image, offsets...)
		pad(8)
		image = append(image, base...)
	}
	image = binary.LittleEndian.AppendUint64(image, uint64(n))
	image = append(image, names...)
	pad(8)
	image = append(image, marks...)
	image = append(image, bytes.Repeat([]byte{7}, sh.between)...)
	pad(8)
	index := []byte{}
	at := 0
	for _, token := range tokens {
		index = binary.LittleEndian.AppendUint16(index, uint16(at))
		image = append(append(image, token...), 0)
		at += len(token) + 1
	}
	pad(sh.align)
	image = append(image, index...)
	pad(8)
	if sh.late {
		image = append(image, offsets...)
		pad(8)
		image = append(image, base...)
	}
	return append(image, "tail"...), want
}

var shapes = map[string]shape{
	"5.10":                   {align: 8, absolute: true},
	"without a base of CPUs": {align: 8},
	"6.1, a long name":       {align: 8, absolute: true, long: strings.Repeat("rust", 75)},
	"6.2":                    {align: 8, absolute: true, between: 3 * 1000},
	"6.12":                   {align: 8, absolute: true, late: true, long: strings.Repeat("x", 200)},
	"6.12, by four":          {align: 4, late: true},
	"6.12, by two":           {align: 2, late: true},
}

func TestShapes(t *testing.T) {
	for name, sh := range shapes {
		for _, n := range []int{600, 1024, 1025} {
			image, want := made(sh, n)
			got, err := Functions(image)
			if err != nil || !slices.Equal(got, want) {
				i := 0
				for i < min(len(got), len(want)) && got[i] == want[i] {
					i++
				}
				t.Errorf("%s, %d symbols: %d functions, want %d, which differ from %d on: %v", name, n, len(got), len(want), i, err)
			}
		}
	}
}

// TestBroken: an image that is cut off, or has something else in the place of a part, has no
// table, rather than another one.
func TestBroken(t *testing.T) {
	for name, sh := range shapes {
		image, want := made(sh, 600)
		for _, at := range []int{0, 16, len(image) / 3, len(image) / 2, len(image) - 600} {
			if got, err := Functions(image[:at]); err == nil {
				t.Errorf("%s, its first %d bytes: %d functions", name, at, len(got))
			}
		}
		// A byte of the tokens, of the number of symbols.
		digits := bytes.Index(image, []byte("0\x001\x002\x003\x004"))
		broken := slices.Clone(image)
		broken[digits+9] = 'x'
		if got, err := Functions(broken); err == nil {
			t.Errorf("%s, without the digit 4: %d functions", name, len(got))
		}
		count := bytes.Index(image, binary.LittleEndian.AppendUint64(nil, 600))
		broken = slices.Clone(image)
		broken[count]++
		if got, err := Functions(broken); err == nil && len(got) >= len(want) {
			t.Errorf("%s, another number of symbols: %d functions", name, len(got))
		}
	}
	if _, err := Functions(nil); err == nil {
		t.Error("nothing has a table")
	}
}

// TestFind: before, in, between and behind.
func TestFind(t *testing.T) {
	table := Table{{100, "a"}, {200, "b"}, {300, "c"}}
	for addr, want := range map[uint64]int{0: -1, 99: -1, 100: 0, 199: 0, 200: 1, 299: 1, 300: 2, 1 << 60: 2} {
		if got := table.Find(addr); got != want {
			t.Errorf("%d: %d, want %d", addr, got, want)
		}
	}
	if Table(nil).Find(7) != -1 {
		t.Error("a function in nothing")
	}
}

// FuzzFunctions: whatever an image has, what is found is functions of a kernel, in order.
func FuzzFunctions(f *testing.F) {
	for _, sh := range shapes {
		image, _ := made(sh, 520)
		f.Add(image)
	}
	f.Add([]byte("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00"))
	f.Fuzz(func(t *testing.T, image []byte) {
		got, err := Functions(image)
		if err != nil {
			return
		}
		for i, s := range got {
			if s.Name == "" || len(s.Name) > maxName || s.Addr>>47 != 1<<17-1 || i > 0 && got[i-1].Addr >= s.Addr {
				t.Fatalf("%d: %s", i, s)
			}
		}
	})
}

func FuzzParseMap(f *testing.F) {
	f.Add([]byte("ffffffff80000010 t inner\nffffffff80000010 T udp_sendmsg\n"), 600)
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		var b bytes.Buffer
		for i := range max(0, min(n, 1000)) {
			fmt.Fprintf(&b, "%016x t filler_%d\n", linked+uint64(i)*16, i)
		}
		b.Write(text)
		got, err := ParseMap(b.Bytes())
		if err != nil {
			return
		}
		for i := range got {
			if i > 0 && got[i-1].Addr >= got[i].Addr {
				t.Fatalf("%s before %s", got[i-1], got[i])
			}
		}
	})
}
