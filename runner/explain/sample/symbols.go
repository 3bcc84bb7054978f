package sample

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"netab/results"
)

// Symbols are the kernel's functions by where they begin.
type Symbols struct {
	at      []uint64
	names   []string
	modules []string // that each is of; "" = the kernel itself
}

// ReadSymbols reads /proc/kallsyms: 100 ms.
func ReadSymbols(files results.Reader) (*Symbols, error) {
	text, err := files.ReadFile("/proc/kallsyms")
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	return ParseSymbols(bytes.NewReader(text))
}

var errHidden = errors.New("sampling: /proc/kallsyms shows no addresses: it takes CAP_SYSLOG, and kernel.kptr_restrict below 2")

// ReadVariables reads the names of the kernel's own variables from there.
func ReadVariables(files results.Reader) (*Symbols, error) {
	text, err := files.ReadFile("/proc/kallsyms")
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	return parseSymbols(bytes.NewReader(text), "bBdDrR")
}

// ParseSymbols reads functions ("ffffffff81000000 T name [module]"), and leaves out
// whatever else there is.
func ParseSymbols(r io.Reader) (*Symbols, error) { return parseSymbols(r, "tTwW") }

// parseSymbols reads those of some kinds.
func parseSymbols(r io.Reader, kinds string) (*Symbols, error) {
	type symbol struct {
		at           uint64
		name, module string
	}
	var all []symbol
	lines, n := bufio.NewScanner(r), 0
	for lines.Scan() {
		n++
		address, rest, ok := strings.Cut(lines.Text(), " ")
		if !ok || len(rest) < 3 {
			return nil, fmt.Errorf("/proc/kallsyms:%d: %q is no symbol", n, lines.Text())
		}
		if !strings.ContainsAny(rest[:1], kinds) {
			continue
		}
		at, err := strconv.ParseUint(address, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("/proc/kallsyms:%d: %q is no address", n, address)
		}
		name, module, _ := strings.Cut(rest[2:], "\t")
		if at > 0 {
			all = append(all, symbol{at, name, module})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("/proc/kallsyms: %w", err)
	}
	if len(all) == 0 {
		return nil, errHidden
	}
	slices.SortStableFunc(all, func(a, b symbol) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	s := &Symbols{at: make([]uint64, len(all)), names: make([]string, len(all)), modules: make([]string, len(all))}
	for i, x := range all {
		s.at[i], s.names[i], s.modules[i] = x.at, x.name, x.module
	}
	return s, nil
}

// Names of what is no function of the kernel's text.
const (
	Program = "[bpf]" // code of eBPF programs
	Unknown = "[unknown]"
)

// Name is the function that an address is in. What compilers add to names (parts that
// are seldom run, copies for certain arguments) is left out: it differs from kernel to
// kernel.
func (s *Symbols) Name(ip uint64) string {
	i := sort.Search(len(s.at), func(i int) bool { return s.at[i] > ip })
	if i == 0 {
		return Unknown
	}
	name := s.names[i-1]
	// Code that is made when programs are loaded lies behind the kernel's own, where it
	// is not told by a name.
	if name == "_einittext" || strings.HasPrefix(name, "bpf_prog_") || strings.HasPrefix(name, "bpf_trampoline_") {
		return Program
	}
	if dot := strings.IndexByte(name, '.'); dot > 0 {
		name = name[:dot]
	}
	return name
}

// largestFunction: what is further from the next symbol is the last one of a module, or
// of the kernel.
const largestFunction = 1 << 20

// Sizes are how many bytes functions have, up to where the next symbol begins; 0 = not
// known. What compilers make of one (copies for certain arguments, parts that are seldom
// run), and functions of several files that have one name, are taken together: those of
// the kernel itself, or else those of modules.
func (s *Symbols) Sizes(functions []string) []int64 {
	at := map[string]int{}
	for i, name := range functions {
		if name != Program && name != Unknown {
			at[name] = i
		}
	}
	kernel, modules := make([]int64, len(functions)), make([]int64, len(functions))
	end := uint64(0) // where what is behind symbol i begins
	for i := len(s.at) - 1; i >= 0; i-- {
		if i+1 < len(s.at) && s.at[i+1] > s.at[i] {
			end = s.at[i+1]
		}
		name, _, _ := strings.Cut(s.names[i], ".")
		n, asked := at[name]
		if !asked || end == 0 || end-s.at[i] > largestFunction {
			continue
		}
		if s.modules[i] == "" {
			kernel[n] += int64(end - s.at[i])
		} else {
			modules[n] += int64(end - s.at[i])
		}
	}
	for i := range kernel {
		if kernel[i] == 0 {
			kernel[i] = modules[i]
		}
	}
	return kernel
}

// largestVariable that an address may be in. Behind the last one, and between those of
// modules, there is memory of other kinds.
const largestVariable = 64 << 10

// Variable is the one that an address is in, "" if it is in none: then the object was
// made while the kernel ran.
func (s *Symbols) Variable(at uint64) string {
	i := sort.Search(len(s.at), func(i int) bool { return s.at[i] > at })
	if i == 0 || i == len(s.at) || at-s.at[i-1] > largestVariable {
		return ""
	}
	name, _, _ := strings.Cut(s.names[i-1], ".")
	return name
}

// Names are the functions of a chain, the innermost first. Where a call returns to may
// be behind the end of its function.
func (s *Symbols) Names(chain []uint64) []string {
	out := make([]string, len(chain))
	for i, ip := range chain {
		if i > 0 {
			ip--
		}
		out[i] = s.Name(ip)
	}
	return out
}
