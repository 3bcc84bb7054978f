package knob

import (
	"maps"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// askFeatures answers what host.Features and host.SetFeatures ask for as the kernel
// does (net/ethtool/ioctl.c), for a device with these features.
func askFeatures(request []uint32, features map[string]host.Feature, set func(map[string]bool) error) ([]uint32, error) {
	names := slices.Sorted(maps.Keys(features))
	answer := slices.Clone(request)
	mask := func(at, i int) *uint32 { return &answer[2+at+i] }
	switch request[0] {
	case 0x37: // how many names there are
		answer[4] = uint32(len(names))
	case 0x1b: // the names, of 32 bytes
		for i, name := range names {
			text := unsafe.Slice((*byte)(unsafe.Pointer(&answer[3+8*i])), 32)
			copy(text, name)
		}
	case 0x3a: // available, requested, active, never changed
		for i, name := range names {
			f, block, bit := features[name], i/32*4, uint32(1)<<(i%32)
			for at, on := range []bool{!f.Fixed, f.Requested, f.Active, f.Fixed} {
				if on {
					*mask(block, at) |= bit
				}
			}
		}
	case 0x3b: // valid, requested
		change := map[string]bool{}
		for i, name := range names {
			block, bit := i/32*2, uint32(1)<<(i%32)
			if *mask(block, 0)&bit != 0 {
				change[name] = *mask(block, 1)&bit != 0
			}
		}
		return answer, set(change)
	default:
		return nil, unix.EOPNOTSUPP
	}
	return answer, nil
}

// TestFamilies holds the table: each family makes knobs that the journal knows by
// their Spec again, and refuses a Spec with other fields than its own.
func TestFamilies(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range families {
		if seen[f.name] {
			t.Errorf("%s stands in the table twice", f.name)
		}
		seen[f.name] = true
		if f.bind == nil || f.make == nil {
			t.Errorf("%s: cannot be found, or not be made again", f.name)
		}
		for _, wrong := range []Spec{{}, {Scope: Device}, {Device: "eth1", Queue: "rx-0", Name: "x", Scope: Device}} {
			wrong.Family = f.name
			if k, err := FromSpec(wrong); err == nil {
				t.Errorf("%+v makes %s", wrong, k)
			}
		}
	}
}
