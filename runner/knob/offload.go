package knob

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"netab/runner/host"
)

// offloadNames are the names people know, each with the kernel features that
// it stands for: the mapping of ethtool(8), off_flag_def in its ethtool.c and
// common.c. A pattern stands for every feature that it matches.
var offloadNames = map[string]string{
	"rx":                           "rx-checksum",
	"rx-checksumming":              "rx-checksum",
	"tx":                           "tx-checksum-*",
	"tx-checksum":                  "tx-checksum-*",
	"tx-checksumming":              "tx-checksum-*",
	"sg":                           "tx-scatter-gather*",
	"scatter-gather":               "tx-scatter-gather*",
	"tso":                          "tx-tcp*-segmentation",
	"tcp-segmentation-offload":     "tx-tcp*-segmentation",
	"ufo":                          "tx-udp-fragmentation",
	"gso":                          "tx-generic-segmentation",
	"generic-segmentation-offload": "tx-generic-segmentation",
	"gro":                          "rx-gro",
	"generic-receive-offload":      "rx-gro",
	"lro":                          "rx-lro",
	"large-receive-offload":        "rx-lro",
	"rxvlan":                       "rx-vlan-hw-parse",
	"rx-vlan-offload":              "rx-vlan-hw-parse",
	"txvlan":                       "tx-vlan-hw-insert",
	"tx-vlan-offload":              "tx-vlan-hw-insert",
	"ntuple":                       "rx-ntuple-filter",
	"rxhash":                       "rx-hashing",
	"receive-hashing":              "rx-hashing",
}

// The states of one feature. Requested is what the kernel remembers as wanted;
// active is what works, which may differ while a feature that it depends on is
// off (tso needs sg). Both are kept, so that restoring asks for what was
// wanted, and not for what happened to be active.
const (
	featureOn         = "on"
	featureOff        = "off"
	featureOnInactive = "on-inactive" // wanted, but something it needs is off
	featureOffActive  = "off-active"  // not wanted, but the driver has it on
)

func featureState(f host.Feature) string {
	switch {
	case f.Requested && f.Active:
		return featureOn
	case f.Requested:
		return featureOnInactive
	case f.Active:
		return featureOffActive
	}
	return featureOff
}

// An offload is one ethtool feature, or the several that one name of
// ethtool(8) stands for. Its value is on or off, or, where the features of the
// group differ, "tx-tcp-segmentation=on,tx-tcp6-segmentation=off".
type offload struct {
	spec    Spec
	pattern string
}

func newOffload(spec Spec) (Knob, error) {
	if err := checkDeviceName(spec.Device); err != nil {
		return nil, err
	}
	pattern, ok := offloadNames[spec.Name]
	if !ok {
		pattern = spec.Name
	}
	if !isFeatureName(spec.Name) {
		return nil, fmt.Errorf("%s offload: %q is not the name of a feature", spec.Device, spec.Name)
	}
	return &offload{spec: spec, pattern: pattern}, nil
}

func (k *offload) String() string   { return k.spec.Device + " offload " + k.spec.Name }
func (k *offload) Scope() Scope     { return k.spec.Scope }
func (k *offload) SlowSwitch() bool { return false }
func (k *offload) Spec() Spec       { return k.spec }

// Settle: software features act on the next packet, but some drivers reset
// their rings for rx features, and TCP keeps a socket's route capabilities
// until the next skb that it builds.
func (k *offload) Settle() time.Duration { return 20 * time.Millisecond }

// Hint implements hinter.
func (k *offload) Hint() string {
	return "another feature that it needs may be off: tso needs sg and tx-checksum, gro-hw and lro need rx-checksum"
}

// members are the device's features that the knob stands for and that can be
// changed.
func (k *offload) members(h host.Host) (map[string]host.Feature, error) {
	all, err := host.Features(h, k.spec.Device)
	if err != nil {
		return nil, err
	}
	changeable := map[string]host.Feature{}
	var fixed []string
	for name, f := range all {
		if ok, _ := path.Match(k.pattern, name); !ok {
			continue
		}
		if f.Fixed {
			fixed = append(fixed, name+" "+onOff(f.Active))
			continue
		}
		changeable[name] = f
	}
	switch {
	case len(changeable) > 0:
		return changeable, nil
	case len(fixed) > 0:
		slices.Sort(fixed)
		return nil, fmt.Errorf("the driver never changes it: %s [fixed]", strings.Join(fixed, ", "))
	}
	return nil, fmt.Errorf("the device has no such feature; it can change %s", orNone(changeableNames(all)))
}

func changeableNames(all map[string]host.Feature) []string {
	maps.DeleteFunc(all, func(_ string, f host.Feature) bool { return f.Fixed })
	return slices.Sorted(maps.Keys(all))
}

func onOff(on bool) string {
	if on {
		return featureOn
	}
	return featureOff
}

// Read gives one word when all members agree, else every member's state.
func (k *offload) Read(h host.Host) (string, error) {
	members, err := k.members(h)
	if err != nil {
		return "", err
	}
	states := map[string]bool{}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		s := featureState(members[name])
		states[s] = true
		all = append(all, name+"="+s)
	}
	if len(states) == 1 {
		_, state, _ := strings.Cut(all[0], "=")
		return state, nil
	}
	return strings.Join(all, ","), nil
}

// Write asks for all members in one go, so that a driver that resets itself on
// a change does so once.
func (k *offload) Write(h host.Host, value string) error {
	want, err := k.parse(value)
	if err != nil {
		return err
	}
	if state, ok := want[""]; ok {
		members, err := k.members(h)
		if err != nil {
			return err
		}
		delete(want, "")
		for name := range members {
			want[name] = state
		}
	}
	request := make(map[string]bool, len(want))
	for name, state := range want {
		request[name] = requested(state)
	}
	return host.SetFeatures(h, k.spec.Device, request)
}

// parse reads a value, and refuses one that speaks of other features than the
// knob's.
func (k *offload) parse(value string) (map[string]string, error) {
	want, err := parseFeatures(value)
	if err != nil {
		return nil, err
	}
	for name := range want {
		if ok, _ := path.Match(k.pattern, name); name != "" && (!ok || !isFeatureName(name)) {
			return nil, fmt.Errorf("%q: %q is not a feature of %s", value, name, k.spec.Name)
		}
	}
	return want, nil
}

// Check implements Knob.
func (k *offload) Check(value string) error {
	if err := checkValue(value); err != nil {
		return err
	}
	_, err := k.parse(value)
	return err
}

// isFeatureName says whether a name can be ethtool's or the kernel's
// (netdev_features_strings in net/ethtool/common.c).
func isFeatureName(name string) bool {
	return name != "" && len(name) < 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

func requested(state string) bool { return state == featureOn || state == featureOnInactive }

// Equal: on and off must be active as asked; the states with two halves come
// from an earlier Read, and what they ask for is what was wanted then.
func (k *offload) Equal(asked, got string) bool {
	a, errA := parseFeatures(asked)
	g, errG := parseFeatures(got)
	if errA != nil || errG != nil {
		return false
	}
	for name, state := range a {
		if name == "" {
			continue
		}
		if !sameFeature(state, lookup(g, name)) {
			return false
		}
	}
	if state, ok := a[""]; ok {
		for _, s := range g {
			if !sameFeature(state, s) {
				return false
			}
		}
	}
	return true
}

// lookup finds a member's state in a value that may be one word for all.
func lookup(states map[string]string, name string) string {
	if s, ok := states[name]; ok {
		return s
	}
	return states[""]
}

func sameFeature(asked, got string) bool {
	if asked == featureOnInactive || asked == featureOffActive {
		return requested(asked) == requested(got)
	}
	return asked == got
}

// parseFeatures reads a value of an offload knob; a value of one word is under
// the name "".
func parseFeatures(value string) (map[string]string, error) {
	states := map[string]string{}
	for part := range strings.SplitSeq(value, ",") {
		name, state, named := strings.Cut(part, "=")
		if !named {
			name, state = "", part
		}
		switch state {
		case featureOn, featureOff, featureOnInactive, featureOffActive:
		default:
			return nil, fmt.Errorf("%q: want on or off", value)
		}
		if _, twice := states[name]; twice || named == (name == "") {
			return nil, fmt.Errorf("%q: want on or off, or a list of feature=on", value)
		}
		states[name] = state
	}
	return states, nil
}

func bindOffload(h host.Host, a asked) ([]Knob, error) {
	if err := checkDevice(h, a.device); err != nil {
		return nil, fmt.Errorf("%s offload %s: %w", a.device, a.Name, err)
	}
	k, err := newOffload(a.spec("", a.Name))
	if err != nil {
		return nil, err
	}
	if _, err := k.Read(h); err != nil {
		// Hints of a refused write would mislead here.
		return nil, &Error{Knob: k.String(), Op: "read", Err: err}
	}
	return []Knob{k}, nil
}
