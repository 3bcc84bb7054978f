package cpulist

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLists(t *testing.T) {
	for _, tt := range []struct {
		in      string
		ordered []int
		out     string
	}{
		{"", nil, ""},
		{"0", []int{0}, "0"},
		{"0-3,8", []int{0, 1, 2, 3, 8}, "0-3,8"},
		{"8,0-1", []int{8, 0, 1}, "0-1,8"},
		{"3,3,2-3", []int{3, 2}, "2-3"},
		{"0-2,1-4", []int{0, 1, 2, 3, 4}, "0-4"},
		{"0-1\n", []int{0, 1}, "0-1"}, // as sysfs prints it
		{"31-33,64,66", []int{31, 32, 33, 64, 66}, "31-33,64,66"},
		{"007", []int{7}, "7"},
		{"8191", []int{8191}, "8191"},
	} {
		got, err := ParseOrdered(tt.in)
		if diff := cmp.Diff(tt.ordered, got); err != nil || diff != "" {
			t.Errorf("ParseOrdered(%q): %v (-want +got):\n%s", tt.in, err, diff)
		}
		sorted, err := Parse(tt.in)
		if diff := cmp.Diff(slices.Sorted(slices.Values(tt.ordered)), sorted); err != nil || diff != "" {
			t.Errorf("Parse(%q): %v (-want +got):\n%s", tt.in, err, diff)
		}
		if out := Format(got); out != tt.out {
			t.Errorf("Format(%v) = %q, want %q", got, out, tt.out)
		}
	}
	for _, bad := range []string{",", "0,", "a", "1-", "-1", "3-1", "1,,2", "1;2", "8192", "99999", "4294967296", "0-4000000000", "0x1", "+1", "0-1-2", "1 2"} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, got)
		}
	}
}

func TestMasks(t *testing.T) {
	for _, c := range []struct{ list, mask string }{
		{"", "0"},
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
		cpus, err := Parse(c.list)
		if got := FormatMask(cpus); err != nil || got != c.mask {
			t.Errorf("mask of %s: %s, %v; want %s", c.list, got, err, c.mask)
		}
		back, err := ParseMask(c.mask)
		if err != nil || Format(back) != c.list {
			t.Errorf("list of %s: %s, %v; want %s", c.mask, Format(back), err, c.list)
		}
	}
	for _, bad := range []string{"", ",", "g", "0x1", "100000000", "1,,1", "-1", "+1", strings.Repeat("0,", 256) + "0"} {
		if cpus, err := ParseMask(bad); err == nil {
			t.Errorf("mask %q read as %v", bad, cpus)
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

// Machines of 1 to 1024 CPUs: what we write must mean the same as what that kernel
// prints.
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
			if read, err := ParseMask(printed); err != nil || !slices.Equal(read, set) {
				t.Fatalf("%d CPUs: %s read as %v, %v; want %v", nr, printed, read, err, set)
			}
			ours := FormatMask(set)
			if read, err := ParseMask(ours); err != nil || !slices.Equal(read, set) {
				t.Fatalf("%d CPUs: we write %v as %s", nr, set, ours)
			}
			if len(set) > 0 && strings.HasPrefix(ours, "0") {
				t.Fatalf("%d CPUs: %s has leading zeros", nr, ours)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "0", "0,2-3", "0-1023", "1-0", "0-", "0-8191,0-8191"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cpus, err := Parse(s)
		if err != nil {
			return
		}
		checkSet(t, cpus)
		again, err := Parse(Format(cpus))
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
		cpus, err := ParseMask(s)
		if err != nil {
			return
		}
		checkSet(t, cpus)
		again, err := ParseMask(FormatMask(cpus))
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
	if len(cpus) > 0 && (cpus[0] < 0 || cpus[len(cpus)-1] > Max) {
		t.Errorf("out of range: %v", cpus)
	}
}
