package knob

import "testing"

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

// The kernel keeps masks; people read lists.
func TestMaskCodec(t *testing.T) {
	for list, mask := range map[string]string{"none": "0", "0,2-3": "d", "32": "1,00000000"} {
		got, err := maskCodec{}.encode(list)
		if err != nil || got != mask {
			t.Errorf("mask of %s: %s, %v; want %s", list, got, err, mask)
		}
		back, err := maskCodec{}.decode("00000000," + mask)
		if err != nil || !(maskCodec{}).equal(list, back) {
			t.Errorf("list of %s: %s, %v; want %s", mask, back, err, list)
		}
	}
}
