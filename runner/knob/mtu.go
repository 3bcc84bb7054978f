package knob

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// ipv6MinMTU is where the kernel takes IPv6 off a device, addresses and all
// (addrconf_notify in net/ipv6/addrconf.c).
const ipv6MinMTU = 1280

// mtu is a device's MTU. It goes through netlink and not through sysfs, so that
// it works in a user namespace whose sysfs is not mounted anew.
type mtu struct{ spec Spec }

func newMTU(spec Spec) (Knob, error) {
	if err := checkDeviceName(spec.Device); err != nil {
		return nil, err
	}
	return mtu{spec}, nil
}

func (k mtu) String() string { return k.spec.Device + " mtu" }
func (k mtu) Scope() Scope   { return k.spec.Scope }
func (k mtu) Spec() Spec     { return k.spec }

// SlowSwitch: a TCP connection never sends segments larger than the MSS agreed
// in its handshake, so a live flow under a new MTU is not the flow that would
// have been set up under it. Real devices reset their rings on top.
func (k mtu) SlowSwitch() bool { return true }

// Settle covers a link that goes down and up with the change.
func (k mtu) Settle() time.Duration { return 500 * time.Millisecond }

// Hint implements hinter.
func (k mtu) Hint() string { return "see the device's limits: ip -d link show dev " + k.spec.Device }

func (k mtu) Read(h host.Host) (string, error) {
	links, err := h.Links()
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.Name == k.spec.Device {
			return strconv.Itoa(l.MTU), nil
		}
	}
	return "", fmt.Errorf("no such device: %w", unix.ENODEV)
}

func (k mtu) Write(h host.Host, value string) error {
	if err := k.Check(value); err != nil {
		return err
	}
	size, err := strconv.Atoi(value)
	if err != nil {
		return err
	}
	return h.SetLink(k.spec.Device, host.LinkChange{MTU: &size})
}

// Check implements Knob.
func (k mtu) Check(value string) error {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not an MTU in bytes", value)
	}
	return checkMTU(int(n))
}

// checkMTU refuses what no device carries IP with: 68 is the least (RFC 791), and
// the kernel's own most is a number of 31 bits.
func checkMTU(n int) error {
	if n < 68 || n > 1<<31-1 {
		return fmt.Errorf("%d is not an MTU: want 68 or more", n)
	}
	return nil
}

func (k mtu) Equal(asked, got string) bool { return asUint(asked) == asUint(got) }

func bindMTU(h host.Host, a asked) ([]Knob, error) {
	if err := checkDevice(h, a.device); err != nil {
		return nil, fmt.Errorf("%s mtu: %w", a.device, err)
	}
	k, err := newMTU(a.spec("", ""))
	if err != nil {
		return nil, err
	}
	if _, err := k.Read(h); err != nil {
		return nil, explain(k, "read", err)
	}
	if n, err := strconv.Atoi(a.Value); err == nil && n < ipv6MinMTU && a.scope != Netns {
		return nil, fmt.Errorf("%s: %d refused: below %d the kernel deletes the IPv6 addresses of an existing device for good",
			k, n, ipv6MinMTU)
	}
	return []Knob{k}, nil
}
