package knob

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// A pretended kernel has two settings, of which high must not be below low.
type pretended struct{ low, high int }

type pretendedKnob struct {
	Knob
	kernel *pretended
	name   string
	writes *int
}

func (k pretendedKnob) String() string                 { return k.name }
func (k pretendedKnob) Scope() Scope                   { return Host }
func (k pretendedKnob) Settle() time.Duration          { return 0 }
func (k pretendedKnob) Equal(a, b string) bool         { return a == b }
func (k pretendedKnob) Read(host.Host) (string, error) { return fmt.Sprint(*k.value(k.kernel)), nil }

func (k pretendedKnob) value(p *pretended) *int {
	if k.name == "low" {
		return &p.low
	}
	return &p.high
}

func (k pretendedKnob) Write(_ host.Host, text string) error {
	*k.writes++
	next := *k.kernel
	fmt.Sscan(text, k.value(&next))
	if next.low > next.high {
		return unix.EINVAL
	}
	*k.kernel = next
	return nil
}

// TestSwitchInAnOrderThatWorks: from arm to arm, now one setting must come first
// and now the other.
func TestSwitchInAnOrderThatWorks(t *testing.T) {
	kernel, writes := &pretended{10, 20}, 0
	s := NewSwitcher(nil, []Knob{pretendedKnob{kernel: kernel, name: "low", writes: &writes}, pretendedKnob{kernel: kernel, name: "high", writes: &writes}})
	set := func(low, high int) []error {
		t.Helper()
		if err := s.Look(); err != nil {
			t.Fatal(err)
		}
		settings, errs, err := s.Set([]string{fmt.Sprint(low), fmt.Sprint(high)})
		if err != nil {
			t.Fatal(err)
		}
		if errors.Join(errs...) == nil && (settings[0].After != fmt.Sprint(low) || settings[1].After != fmt.Sprint(high)) {
			t.Errorf("%d, %d: %+v", low, high, settings)
		}
		return errs
	}
	for _, want := range []pretended{{30, 40}, {1, 2}, {10, 20}, {10, 20}, {1, 2}, {30, 40}, {10, 20}} {
		if err := errors.Join(set(want.low, want.high)...); err != nil || *kernel != want {
			t.Errorf("%+v, want %+v, %v", *kernel, want, err)
		}
	}
	writes = 0
	if err := errors.Join(set(10, 20)...); err != nil || writes != 0 {
		t.Errorf("%d writes of what is set already, %v", writes, err)
	}
	if errs := set(50, 49); !errors.Is(errs[0], unix.EINVAL) || errs[1] != nil {
		t.Errorf("values that cannot be: %v", errs)
	}
	if _, _, err := s.Set([]string{"1"}); err == nil {
		t.Error("a value for each of two knobs, of which there is one")
	}
}

// TestEmptySetIsRecordedAsItIsRead: an empty CPU set that is found as it is asked
// for is no difference.
func TestEmptySetIsRecordedAsItIsRead(t *testing.T) {
	h := newTree(t, map[string]string{netClass + "/lo/queues/rx-0/rps_cpus": "0\n"})
	s, err := SwitcherOf(h, []Spec{{Family: familyRPSCPUs, Device: "lo", Queue: "rx-0", Scope: Device}})
	if err == nil {
		err = s.Look()
	}
	if err != nil {
		t.Fatal(err)
	}
	if settings, errs, err := s.Set([]string{""}); errors.Join(append(errs, err)...) != nil || settings[0].Asked != settings[0].After {
		t.Errorf("%+v, %v, %v", settings, errs, err)
	}
}

// TestCovers: what the journal does not hold is not to be written.
func TestCovers(t *testing.T) {
	h := newTree(t, map[string]string{"/proc/sys/net/core/netdev_budget": "300\n", "/proc/sys/net/core/dev_weight": "64\n"})
	j, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Begin(testOwner()); err != nil {
		t.Fatal(err)
	}
	k := bind(t, budget)
	if err := j.Covers(h, k, "300"); err == nil {
		t.Error("a knob that was not borrowed is covered")
	}
	if err := j.Borrow(h, k, "600", "900"); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]bool{"300": true, "600": true, "900": true, "1000": false, "": false} {
		if err := j.Covers(h, k, value); (err == nil) != want {
			t.Errorf("%q: %v", value, err)
		}
	}
	if other := bind(t, Spec{Family: familySysctl, Name: "net/core/dev_weight", Scope: Host}); j.Covers(h, other, "300") == nil {
		t.Error("another knob is covered")
	}
}

func TestCapabilitiesOfKnobs(t *testing.T) {
	device, own := Spec{Family: familyRPSCPUs, Device: "eth1", Queue: "rx-0", Scope: Device}, Spec{Family: familySysctl, Name: "net/ipv4/tcp_rmem", Scope: Netns}
	for _, tt := range []struct {
		specs []Spec
		uid   int
		want  []int
	}{
		{[]Spec{device, own}, 0, []int{unix.CAP_NET_ADMIN}},
		{[]Spec{device, budget, budget}, 0, []int{unix.CAP_NET_ADMIN, unix.CAP_SYS_ADMIN}},
		{[]Spec{device}, 1000, []int{unix.CAP_NET_ADMIN, unix.CAP_DAC_OVERRIDE}},
	} {
		if got := Capabilities(tt.specs, tt.uid); !slices.Equal(got, tt.want) {
			t.Errorf("%v of %d: %v, want %v", tt.specs, tt.uid, got, tt.want)
		}
	}
}
