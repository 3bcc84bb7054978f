package knob

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"netab/results/cpulist"
)

// textCodec is for values that the kernel takes as they are. Runs of blanks do
// not matter: tcp_rmem is written "4096 131072 6291456" and read with tabs.
type textCodec struct{}

func (textCodec) encode(v string) (string, error) { return v, nil }
func (textCodec) decode(t string) (string, error) { return strings.Join(strings.Fields(t), " "), nil }
func (textCodec) equal(asked, got string) bool {
	return slices.Equal(strings.Fields(asked), strings.Fields(got))
}

// intCodec is for non-negative integers that the kernel stores as they are.
type intCodec struct{}

func (intCodec) encode(v string) (string, error) { return canonicalUint(v) }
func (intCodec) decode(t string) (string, error) { return canonicalUint(t) }
func (intCodec) equal(asked, got string) bool    { return asUint(asked) == asUint(got) }

// canonicalUint strips what makes equal numbers look different.
func canonicalUint(s string) (string, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return "", fmt.Errorf("%q is not a non-negative integer", s)
	}
	return strconv.FormatUint(n, 10), nil
}

// asUint is canonicalUint for comparing: what is no number equals only itself.
func asUint(s string) string {
	if c, err := canonicalUint(s); err == nil {
		return c
	}
	return s
}

// flowCountCodec is intCodec for rps_flow_cnt, which the kernel rounds up to a
// power of two (store_rps_dev_flow_table_cnt in net/core/net-sysfs.c).
type flowCountCodec struct{ intCodec }

func (c flowCountCodec) equal(asked, got string) bool {
	if c.intCodec.equal(asked, got) {
		return true
	}
	a, errA := strconv.ParseUint(asked, 10, 32)
	g, errG := strconv.ParseUint(got, 10, 64)
	return errA == nil && errG == nil && a > 0 && g == 1<<bits.Len64(a-1)
}

// maskCodec is for CPU sets that the kernel keeps as hexadecimal masks.
// Values are CPU lists on our side, which people can read.
type maskCodec struct{}

func (maskCodec) encode(v string) (string, error) {
	cpus, err := parseList(v)
	return cpulist.FormatMask(cpus), err
}

func (maskCodec) decode(t string) (string, error) {
	cpus, err := cpulist.ParseMask(t)
	return formatList(cpus), err
}

func (maskCodec) equal(asked, got string) bool { return equalLists(asked, got) }

// listCodec is for CPU sets that the kernel keeps as lists.
type listCodec struct{}

func (listCodec) encode(v string) (string, error) {
	cpus, err := parseList(v)
	if err == nil && len(cpus) == 0 {
		err = fmt.Errorf("an interrupt needs at least one CPU")
	}
	return formatList(cpus), err
}

func (listCodec) decode(t string) (string, error) {
	cpus, err := parseList(t)
	return formatList(cpus), err
}

func (listCodec) equal(asked, got string) bool { return equalLists(asked, got) }

func equalLists(a, b string) bool {
	x, errX := parseList(a)
	y, errY := parseList(b)
	return errX == nil && errY == nil && slices.Equal(x, y)
}

// wordCodec is for files whose numbers have names; words[i] is number i.
// Numbers are taken as well, so that a newer kernel's value can be put back.
type wordCodec struct{ words []string }

func (c wordCodec) encode(v string) (string, error) {
	if i := slices.Index(c.words, v); i >= 0 {
		return strconv.Itoa(i), nil
	}
	if _, err := strconv.ParseUint(v, 10, 32); err != nil {
		return "", fmt.Errorf("%q is none of %s", v, strings.Join(c.words, ", "))
	}
	return v, nil
}

func (c wordCodec) decode(t string) (string, error) {
	n, err := strconv.ParseUint(t, 10, 32)
	if err != nil {
		return "", fmt.Errorf("%q is not a number", t)
	}
	if n < uint64(len(c.words)) {
		return c.words[n], nil
	}
	return t, nil
}

func (c wordCodec) equal(asked, got string) bool {
	a, errA := c.encode(asked)
	g, errG := c.encode(got)
	return errA == nil && errG == nil && a == g
}
