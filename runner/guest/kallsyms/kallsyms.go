// Package kallsyms reads the table of symbols that a kernel has in itself
// (CONFIG_KALLSYMS), in its unpacked image: where its functions are, without running it.
// Distributions strip all other symbols, and asking a guest for /proc/kallsyms takes an
// emulated CPU longer than a boot.
//
// The table has no head, so it is found by its shape (scripts/kallsyms.c): names are
// compressed by a table of 256 tokens, in which the digits are tokens one after the
// other.
package kallsyms

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Symbol is where a function of the kernel begins.
type Symbol struct {
	Addr uint64
	Name string
}

const (
	least = 500     // symbols of a kernel; the smallest that ran netab had 9,000
	most  = 4 << 20 // of one with everything
	page  = 256     // names a marker
)

var errNone = errors.New("it has no table of symbols: build it with KALLSYMS")

// Functions finds the functions of a kernel's unpacked image (little endian, 64 bits), in
// the order of their addresses: where it is linked to be, so where it is without KASLR.
func Functions(vmlinux []byte) ([]Symbol, error) {
	digits := []byte("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00")
	for at := 0; ; {
		i := bytes.Index(vmlinux[at:], digits)
		if i < 0 {
			return nil, errNone
		}
		at += i
		if t, ok := findTable(vmlinux, at); ok {
			if out := t.functions(); len(out) > 0 {
				return out, nil
			}
		}
		at++
	}
}

// A table is one that was found.
type table struct {
	text   []byte
	tokens [256][]byte
	first  int // of the tokens, in text
	after  int // behind the index of the tokens
	// Of the names.
	count      int
	countAt    int
	names      int
	namesAfter int
}

// findTable takes the digits that are at a place for those of the tokens, and sees
// whether all else fits.
func findTable(text []byte, digits int) (*table, bool) {
	t := &table{text: text}
	end := digits
	for range page - '0' {
		n := bytes.IndexByte(text[end:min(len(text), end+64)], 0)
		if n < 0 {
			return nil, false
		}
		end += n + 1
	}
	for _, align := range []int{8, 4, 2} {
		index := aligned(end, align)
		if index+2*page > len(text) || t.u16(index) != 0 {
			continue
		}
		t.first = digits - int(t.u16(index+2*'0'))
		if t.first < 0 || !t.takeTokens(index, end) {
			continue
		}
		t.after = index + 2*page
		return t, t.findNames()
	}
	return nil, false
}

func aligned(n, to int) int         { return (n + to - 1) / to * to }
func (t *table) u16(at int) uint16  { return binary.LittleEndian.Uint16(t.text[at:]) }
func (t *table) u32(at int) uint32  { return binary.LittleEndian.Uint32(t.text[at:]) }
func (t *table) u64(at int) uint64  { return binary.LittleEndian.Uint64(t.text[at:]) }
func (t *table) has(at, n int) bool { return at >= 0 && n >= 0 && at <= len(t.text)-n }

// takeTokens reads the tokens by their index, which must be the one that they have.
func (t *table) takeTokens(index, end int) bool {
	at := t.first
	for i := range t.tokens {
		if int(t.u16(index+2*i)) != at-t.first || at >= end {
			return false
		}
		n := bytes.IndexByte(t.text[at:end], 0)
		if n < 0 {
			return false
		}
		t.tokens[i] = t.text[at : at+n]
		at += n + 1
	}
	return at == end
}

// findNames looks for the number of symbols, behind which the names are: until 6.4 and
// from then on they come before the markers, and those, or what is in later kernels
// between, before the tokens.
func (t *table) findNames() bool {
	const farthest = 64 << 20
	for at := t.first &^ 7; at >= max(0, t.first-farthest); at -= 8 {
		if !t.has(at, 8) {
			continue
		}
		n := t.u64(at)
		if n < least || n > most || at+8+int(n) > t.first {
			continue
		}
		if t.namesAt(at, int(n)) {
			return true
		}
	}
	return false
}

// namesAt sees whether so many names are behind a number, and markers behind them.
func (t *table) namesAt(countAt, count int) bool {
	at := countAt + 8
	var marks []int
	for i := range count {
		if i%page == 0 {
			marks = append(marks, at-countAt-8)
		}
		name, next, ok := t.entry(at)
		if !ok || next > t.first {
			return false
		}
		if i < 64 { // enough to tell, and else it takes long
			if text := t.expand(name); len(text) < 2 || !strings.ContainsRune("aAbBcCdDgGiInNpPrRsStTuUvVwW", rune(text[0])) {
				return false
			}
		}
		at = next
	}
	for _, align := range []int{8, 4} {
		markers := aligned(at, align)
		fits := t.has(markers, 4*len(marks)) && markers+4*len(marks) <= t.first
		for i := 0; fits && i < len(marks); i++ {
			fits = int(t.u32(markers+4*i)) == marks[i]
		}
		if fits {
			t.count, t.countAt, t.names, t.namesAfter = count, countAt, countAt+8, at
			return true
		}
	}
	return false
}

// entry is the compressed name at a place: its length, of which a long one has two
// bytes since 6.1, and tokens.
func (t *table) entry(at int) (name []byte, next int, ok bool) {
	if !t.has(at, 2) {
		return nil, 0, false
	}
	n := int(t.text[at])
	at++
	if n&0x80 != 0 {
		n = n&0x7f | int(t.text[at])<<7
		at++
	}
	if n == 0 || !t.has(at, n) {
		return nil, 0, false
	}
	return t.text[at : at+n], at + n, true
}

const maxName = 1024 // KSYM_NAME_LEN is 512

func (t *table) expand(name []byte) []byte {
	var out []byte
	for _, b := range name {
		if out = append(out, t.tokens[b]...); len(out) > maxName {
			return nil
		}
	}
	return out
}

// functions reads addresses and names. Addresses are relative to one that stands behind
// them; both are before the number of symbols, or, from 6.4 on, behind the tokens.
func (t *table) functions() []Symbol {
	for _, place := range []struct{ offsets, base int }{
		{t.countAt - 8 - aligned(4*t.count, 8), t.countAt - 8},
		{aligned(t.after, 8), aligned(aligned(t.after, 8)+4*t.count, 8)},
	} {
		if !t.has(place.offsets, 4*t.count) || !t.has(place.base, 8) {
			continue
		}
		base := t.u64(place.base)
		if base == 0 {
			base = t.relocated(place.base)
		}
		if base>>47 == 1<<17-1 {
			if out := t.read(place.offsets, base); len(out) > 0 {
				return out
			}
		}
	}
	return nil
}

// relocated is the address that a place of the image gets when it is loaded: where the
// kernel is position-independent it is only in the table of relocations, as of arm64
// (R_AARCH64_RELATIVE: where, how, the address; ELF for the Arm 64-bit architecture,
// 5.7). 0 = there is none.
func (t *table) relocated(place int) uint64 {
	const relative, size, align = 0x403, 24, 2 << 20 // as MIN_KIMG_ALIGN
	addrs := map[uint64]uint64{}
	first, last, lowest := ^uint64(0), uint64(0), ^uint64(0)
	for at := 8; t.has(at-8, size); at += 8 {
		if t.u64(at) != relative {
			continue
		}
		where, addr := t.u64(at-8), t.u64(at+8)
		if where>>47 != 1<<17-1 || addr>>47 != 1<<17-1 {
			continue
		}
		addrs[where] = addr
		first, last, lowest = min(first, where), max(last, where), min(lowest, addr)
	}
	// Something points to a function in the first 2 MiB, and all that is relocated is in
	// the image.
	begin := lowest &^ (align - 1)
	if len(addrs) == 0 || first < begin || last-begin >= uint64(len(t.text)) {
		return 0
	}
	return addrs[begin+uint64(place)]
}

func (t *table) read(offsets int, base uint64) []Symbol {
	// Where CPUs' own variables are absolute, the others' offsets are negative
	// (CONFIG_KALLSYMS_ABSOLUTE_PERCPU).
	negative := 0
	for i := range t.count {
		if int32(t.u32(offsets+4*i)) < 0 {
			negative++
		}
	}
	absolute := 2*negative > t.count
	var all []function
	at := t.names
	for i := range t.count {
		name, next, _ := t.entry(at)
		at = next
		offset := t.u32(offsets + 4*i)
		addr := base + uint64(offset)
		if absolute {
			if int32(offset) >= 0 {
				continue
			}
			addr = base - 1 - uint64(int64(int32(offset)))
		}
		if text := t.expand(name); len(text) >= 2 {
			all = appendFunction(all, addr, text[0], string(text[1:]))
		}
	}
	return ordered(all)
}

// ParseMap reads a System.map: lines of an address, a type and a name, as a build
// leaves it. Distributions that put a note in its place have none.
func ParseMap(text []byte) ([]Symbol, error) {
	var all []function
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || len(fields[1]) != 1 {
			continue
		}
		if addr, err := strconv.ParseUint(string(fields[0]), 16, 64); err == nil {
			all = appendFunction(all, addr, fields[1][0], string(fields[2]))
		}
	}
	if len(all) < least {
		return nil, errors.New("it is no System.map of a kernel")
	}
	return ordered(all), nil
}

type function struct {
	Symbol
	global bool
}

// appendFunction adds what is a function of the kernel's: no data, and neither padding
// before functions nor what the compiler adds.
func appendFunction(all []function, addr uint64, kind byte, name string) []function {
	if addr>>47 != 1<<17-1 || !strings.ContainsRune("tTwW", rune(kind)) || strings.HasPrefix(name, "__pfx_") || strings.HasPrefix(name, "__cfi_") {
		return all
	}
	return append(all, function{Symbol{addr, name}, kind == 'T'})
}

// ordered are functions by their addresses; of several names of one, a global one.
func ordered(all []function) []Symbol {
	slices.SortStableFunc(all, func(a, b function) int {
		switch {
		case a.Addr < b.Addr:
			return -1
		case a.Addr > b.Addr:
			return 1
		case a.global == b.global:
			return 0
		case a.global:
			return -1
		}
		return 1
	})
	var out []Symbol
	for _, f := range all {
		if len(out) == 0 || out[len(out)-1].Addr != f.Addr {
			out = append(out, f.Symbol)
		}
	}
	return out
}

// A Table finds the function that an address is in.
type Table []Symbol

// Find is the index of the function; -1 = it is before all.
func (t Table) Find(addr uint64) int {
	i, found := slices.BinarySearchFunc(t, addr, func(s Symbol, a uint64) int {
		switch {
		case s.Addr < a:
			return -1
		case s.Addr > a:
			return 1
		}
		return 0
	})
	if !found {
		i--
	}
	return i
}

// String is for tests.
func (s Symbol) String() string { return fmt.Sprintf("%x %s", s.Addr, s.Name) }
