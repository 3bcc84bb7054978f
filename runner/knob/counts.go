package knob

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"netab/runner/host"
)

// An ethtoolStruct is one of ethtool's structs of numbers, each beside the most
// that the device can have of it. A family of such numbers (queue counts, ring
// sizes) is this and what it costs to change one.
type ethtoolStruct struct {
	what     string // for people: "channels"
	one      string // one of its values: "a queue count"
	get, set uint32 // commands (include/uapi/linux/ethtool.h)
	words    int
	numbers  []ethtoolNumber
	settle   time.Duration
}

// An ethtoolNumber is where a number and its limit stand in the struct, in words;
// a limit of 0 = the device has no such thing.
type ethtoolNumber struct {
	name     string
	most, at int
}

// A deviceCount is one of them of one device. Its changes are slow: drivers stop
// the device, free its rings and interrupts, and make new ones; packets are lost
// and flows back off.
type deviceCount struct {
	spec   Spec
	of     *ethtoolStruct
	number ethtoolNumber
}

// count makes the knob of the number that a Spec names.
func (e *ethtoolStruct) count(spec Spec) (deviceCount, error) {
	k := deviceCount{spec: spec, of: e}
	if err := checkDeviceName(spec.Device); err != nil {
		return k, err
	}
	var names []string
	for _, n := range e.numbers {
		if n.name == spec.Name {
			k.number = n
			return k, nil
		}
		names = append(names, n.name)
	}
	return k, fmt.Errorf("%s: %q is none of %s", k, spec.Name, strings.Join(names, ", "))
}

// bind checks that the device has the knob and can have so many.
func (e *ethtoolStruct) bind(h host.Host, a asked) (deviceCount, error) {
	if err := checkDevice(h, a.device); err != nil {
		return deviceCount{}, fmt.Errorf("%s %s %s: %w", a.device, e.what, a.Name, err)
	}
	k, err := e.count(a.spec("", a.Name))
	if err != nil {
		return k, err
	}
	if err := readable(h, k); err != nil {
		return k, err
	}
	words, err := k.words(h)
	if err != nil {
		return k, explain(k, "read", err)
	}
	if n, most := asNumber(a.Value), int(words[k.number.most]); n > most {
		return k, fmt.Errorf("%s: %d asked for; the device has at most %d", k, n, most)
	}
	return k, nil
}

func (k deviceCount) String() string {
	return k.spec.Device + " " + k.of.what + " " + k.spec.Name
}
func (k deviceCount) Scope() Scope                 { return k.spec.Scope }
func (k deviceCount) Spec() Spec                   { return k.spec }
func (k deviceCount) SlowSwitch() bool             { return true }
func (k deviceCount) Settle() time.Duration        { return k.of.settle }
func (k deviceCount) Equal(asked, got string) bool { return asUint(asked) == asUint(got) }

func (k deviceCount) words(h host.Host) ([]uint32, error) {
	request := make([]uint32, k.of.words)
	request[0] = k.of.get
	words, err := h.Ethtool(k.spec.Device, request)
	if err != nil {
		return nil, fmt.Errorf("%s: read %s: %w", k.spec.Device, k.of.what, err)
	}
	return words, nil
}

func (k deviceCount) Read(h host.Host) (string, error) {
	words, err := k.words(h)
	if err != nil {
		return "", err
	}
	if words[k.number.most] == 0 {
		var has []string
		for _, n := range k.of.numbers {
			has = append(has, fmt.Sprintf("%s up to %d", n.name, words[n.most]))
		}
		return "", fmt.Errorf("the device has no %s %s; it has %s", k.spec.Name, k.of.what, strings.Join(has, ", "))
	}
	return strconv.Itoa(int(words[k.number.at])), nil
}

func (k deviceCount) Write(h host.Host, value string) error {
	if err := k.Check(value); err != nil {
		return err
	}
	words, err := k.words(h)
	if err != nil {
		return err
	}
	if n, most := asNumber(value), int(words[k.number.most]); n > most {
		return fmt.Errorf("the device has at most %d", most)
	}
	words[0], words[k.number.at] = k.of.set, uint32(asNumber(value))
	if _, err := h.Ethtool(k.spec.Device, words); err != nil {
		return fmt.Errorf("%s: set %s: %w", k.spec.Device, k.of.what, err)
	}
	return nil
}

// Check implements Knob.
func (k deviceCount) Check(value string) error {
	if _, err := strconv.ParseUint(value, 10, 16); err != nil {
		return fmt.Errorf("%q is not %s", value, k.of.one)
	}
	return nil
}

// asNumber is a value as a number; what is none is -1, and no limit is against it.
func asNumber(value string) int {
	n, err := strconv.Atoi(value)
	if err != nil {
		return -1
	}
	return n
}
