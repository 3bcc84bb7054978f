package knob

import (
	"fmt"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
)

// A Switcher gives several knobs of one host the values of now this arm, now that
// one. It remembers nothing for after the run: that is the Journal's, which must hold
// every value before a Switcher hears of it.
type Switcher struct {
	host    host.Host
	knobs   []Knob
	current []string
}

// NewSwitcher switches the knobs at a host, in this order.
func NewSwitcher(h host.Host, knobs []Knob) *Switcher {
	return &Switcher{host: h, knobs: knobs, current: make([]string, len(knobs))}
}

// SwitcherOf switches knobs that another process bound.
func SwitcherOf(h host.Host, specs []Spec) (*Switcher, error) {
	var knobs []Knob
	for _, spec := range specs {
		k, err := FromSpec(spec)
		if err != nil {
			return nil, err
		}
		if f, ok := k.(interface{ lookSecret(host.Host) }); ok {
			f.lookSecret(h)
		}
		knobs = append(knobs, k)
	}
	return NewSwitcher(h, knobs), nil
}

// Look reads what every knob is now: nothing is taken for granted from one session to
// the next.
func (s *Switcher) Look() error {
	for i, k := range s.knobs {
		now, err := k.Read(s.host)
		if err != nil {
			return fmt.Errorf("%s: read: %w", k, err)
		}
		s.current[i] = now
	}
	return nil
}

// Set gives every knob its value, in their order as far as it works; what changes is
// read back. errs says, by knob, what did not work.
func (s *Switcher) Set(values []string) (settings []results.Setting, errs []error, err error) {
	if len(values) != len(s.knobs) {
		return nil, nil, fmt.Errorf("%d values for %d knobs", len(values), len(s.knobs))
	}
	settings, errs = make([]results.Setting, len(s.knobs)), make([]error, len(s.knobs))
	known := true // what was read before still holds
	Passes(len(s.knobs), func(pass, i int) (open, changed bool) {
		k, want := s.knobs[i], values[i]
		if known && pass == 0 && k.Equal(want, s.current[i]) {
			settings[i] = Unchanged(k, want, s.current[i])
			return false, false
		}
		settings[i], errs[i] = Apply(s.host, k, want)
		if errs[i] != nil {
			return true, false
		}
		changed = settings[i].Before != settings[i].After
		s.current[i] = settings[i].After
		if _, others := k.(Collateraler); others && changed {
			known = false
		}
		return false, changed
	})
	return settings, errs, nil
}

// Capabilities are what a process takes to switch knobs: all of a device's want
// CAP_NET_ADMIN (queues' files in net/core/net-sysfs.c, netlink, ethtool), and so do
// some sysctls of a namespace; some of the machine's want CAP_SYS_ADMIN
// (proc_dointvec_minmax_sysadmin in kernel/sysctl.c). The files are root's, so who is
// not needs CAP_DAC_OVERRIDE on top.
func Capabilities(specs []Spec, uid int) []int {
	caps := []int{unix.CAP_NET_ADMIN}
	for _, s := range specs {
		if s.Family == familySysctl && s.Scope == Host {
			caps = append(caps, unix.CAP_SYS_ADMIN)
			break
		}
	}
	if uid != 0 {
		caps = append(caps, unix.CAP_DAC_OVERRIDE)
	}
	return caps
}
