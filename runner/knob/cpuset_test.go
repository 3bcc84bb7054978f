package knob

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestMasks(t *testing.T) {
	for _, c := range []struct{ list, mask string }{
		{"none", "0"},
		{"0", "1"},
		{"0-1", "3"},
		{"0,2-3", "d"},
		{"31", "80000000"},
		{"32", "1,00000000"},
		{"0-31", "ffffffff"},
		{"0-32", "1,ffffffff"},
		{"4,36,68", "10,00000010,00000010"},
		{"63", "80000000,00000000"},
		{"1023", "80000000" + strings.Repeat(",00000000", 31)},
		{"0-1023", strings.TrimPrefix(strings.Repeat(",ffffffff", 32), ",")},
	} {
		got, err := maskCodec{}.encode(c.list)
		if err != nil || got != c.mask {
			t.Errorf("mask of %s: %s, %v; want %s", c.list, got, err, c.mask)
		}
		back, err := maskCodec{}.decode(c.mask)
		if err != nil || back != c.list {
			t.Errorf("list of %s: %s, %v; want %s", c.mask, back, err, c.list)
		}
	}
}

// kernelMask prints a mask as the kernel's "%*pb" does for nr CPUs: as many
// digits as nr has bits to the power of 16, in groups of 8 digits.
func kernelMask(cpus []int, nr int) string {
	var groups []string
	for base := (nr - 1) / 32 * 32; base >= 0; base -= 32 {
		var bits uint64
		for _, c := range cpus {
			if c >= base && c < base+32 {
				bits |= 1 << (c - base)
			}
		}
		digits := (min(nr-base, 32) + 3) / 4
		g := strconv.FormatUint(bits, 16)
		groups = append(groups, strings.Repeat("0", digits-len(g))+g)
	}
	return strings.Join(groups, ",")
}

// TestMasksOfEveryMachine goes through machines of 1 to 1024 CPUs: what we
// write must mean the same as what that kernel prints.
func TestMasksOfEveryMachine(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for nr := 1; nr <= 1024; nr++ {
		sets := [][]int{{0}, {nr - 1}, nil}
		var some []int
		for c := range nr {
			if random.IntN(3) == 0 {
				some = append(some, c)
			}
		}
		for _, set := range append(sets, some) {
			printed := kernelMask(set, nr)
			list, err := maskCodec{}.decode(printed)
			if err != nil || !(maskCodec{}).equal(formatList(set), list) {
				t.Fatalf("%d CPUs: %s read as %s, %v; want %s", nr, printed, list, err, formatList(set))
			}
			ours, err := parseMask(formatMask(set))
			if err != nil || !slices.Equal(ours, set) {
				t.Fatalf("%d CPUs: we write %v as %s", nr, set, formatMask(set))
			}
			if first, _, _ := strings.Cut(formatMask(set), ","); len(set) > 0 && strings.HasPrefix(first, "0") {
				t.Fatalf("%d CPUs: %s has leading zeros", nr, formatMask(set))
			}
		}
	}
}

func TestBadCPUSets(t *testing.T) {
	for _, s := range []string{",", "0,", "1-0", "a", "-1", "1-", "0-9999999999", "8192", "0x1", "0-1-2", "+1", "1 2"} {
		if cpus, err := parseList(s); err == nil {
			t.Errorf("list %q read as %v", s, cpus)
		}
	}
	for _, s := range []string{"", ",", "g", "0x1", "100000000", "1,,1", "-1", "+1", strings.Repeat("0,", 256) + "0"} {
		if cpus, err := parseMask(s); err == nil {
			t.Errorf("mask %q read as %v", s, cpus)
		}
	}
}

func TestListsInEveryForm(t *testing.T) {
	for in, want := range map[string]string{
		"": "none", "none": "none", "off": "none", " 0-3\n": "0-3", "3,2,1,0": "0-3", "0-2,1-4": "0-4", "007": "7", "5,5": "5",
	} {
		cpus, err := parseList(in)
		if err != nil || formatList(cpus) != want {
			t.Errorf("%q: %s, %v; want %s", in, formatList(cpus), err, want)
		}
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{"", "0", "0,2-3", "0-1023", "none", "1-0", "0-8191,0-8191"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cpus, err := parseList(s)
		if err != nil {
			return
		}
		checkSet(t, cpus)
		again, err := parseList(formatList(cpus))
		if err != nil || !slices.Equal(again, cpus) {
			t.Errorf("%q: %v, again %v, %v", s, cpus, again, err)
		}
	})
}

func FuzzParseMask(f *testing.F) {
	for _, s := range []string{"0", "3", "ffffffff,00000000", "00000000,00000001", "1,1,1", "c\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cpus, err := parseMask(s)
		if err != nil {
			return
		}
		checkSet(t, cpus)
		again, err := parseMask(formatMask(cpus))
		if err != nil || !slices.Equal(again, cpus) {
			t.Errorf("%q: %v, again %v, %v", s, cpus, again, err)
		}
	})
}

func checkSet(t *testing.T, cpus []int) {
	t.Helper()
	if !slices.IsSorted(cpus) || len(slices.Compact(slices.Clone(cpus))) != len(cpus) {
		t.Errorf("not a sorted set: %v", cpus)
	}
	if len(cpus) > 0 && (cpus[0] < 0 || cpus[len(cpus)-1] >= maxCPUs) {
		t.Errorf("out of range: %v", cpus)
	}
}
