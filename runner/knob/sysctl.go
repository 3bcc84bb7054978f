package knob

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"netab/results/cpulist"
	"netab/runner/host"
)

const sysctlRoot = "/proc/sys/"

// maskSysctls are CPU masks; every other sysctl is text to us.
var maskSysctls = []string{"net/core/rps_default_mask", "net/core/flow_limit_cpu_bitmap"}

// SysctlScope tells whether a sysctl (slashed name below /proc/sys) belongs to
// a network namespace. ns is a place in a namespace of our own.
//
// The kernel says so itself: in a namespace other than the initial one, net/
// files of the whole machine are either absent (netdev_budget) or lose their
// write bits (rmem_max), because their table entries carry no per-namespace
// data; what is there and writable is the namespace's own. Root's access(2)
// would pass either way, so the mode bits are what counts.
func SysctlScope(ns host.Host, name string) (Scope, error) {
	if err := checkSysctlName(name); err != nil {
		return "", err
	}
	if !strings.HasPrefix(name, "net/") {
		return Host, nil
	}
	mode, err := ns.Mode(sysctlRoot + name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Host, nil
	case err != nil:
		return "", fmt.Errorf("%s: find its scope: %w", sysctlLabel(name), err)
	case mode&0o222 == 0:
		return Host, nil
	}
	return Netns, nil
}

// checkSysctlName refuses what is not a plain path below /proc/sys: the
// journal writes as root to what it names.
func checkSysctlName(name string) error {
	if name == "" || name == "." || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") ||
		strings.ContainsAny(name, " *?[\\") || checkText(name, maxName) != nil {
		return fmt.Errorf("sysctl %.80q: not a path below /proc/sys such as net/ipv4/tcp_rmem", name)
	}
	return nil
}

// sysctlLabel is the name for people, as sysctl(8) writes it: dots between the
// parts, and a dot inside a part (a device eth0.100) turned into a slash.
func sysctlLabel(name string) string {
	return "sysctl " + strings.NewReplacer("/", ".", ".", "/").Replace(name)
}

// newSysctl makes the knob of one file below /proc/sys.
func newSysctl(spec Spec) (Knob, error) {
	if err := checkSysctlName(spec.Name); err != nil {
		return nil, err
	}
	k := plainSysctl(spec.Name, spec.Scope)
	if spec.Scope == Host && path.Base(spec.Name) == "disable_ipv6" {
		return nil, fmt.Errorf("%s: refused on the machine itself: it deletes the IPv6 addresses of existing devices for good", k)
	}
	if patterns := fansOut(spec.Name); patterns != nil {
		return &fanOutSysctl{fileKnob: k, patterns: patterns}, nil
	}
	return k, nil
}

func plainSysctl(name string, scope Scope) *fileKnob {
	k := &fileKnob{
		codec: textCodec{},
		spec:  Spec{Family: familySysctl, Name: name, Scope: scope},
		name:  sysctlLabel(name),
		path:  sysctlRoot + name,
		// The packet path reads most sysctls per packet or per poll round, so a
		// new value works at once; what is left is the queue built up under the
		// old one, which a saturated flow turns over in a few milliseconds.
		settle: 5 * time.Millisecond,
	}
	if slices.Contains(maskSysctls, name) {
		k.codec = maskTextCodec{}
	}
	return k
}

// maskTextCodec is for sysctls that are masks: the value stays the kernel's
// text, only the comparison knows that leading zeros mean nothing.
type maskTextCodec struct{ textCodec }

func (maskTextCodec) equal(asked, got string) bool {
	a, errA := cpulist.ParseMask(asked)
	g, errG := cpulist.ParseMask(got)
	return errA == nil && errG == nil && slices.Equal(a, g)
}

// A fanOutSysctl is one whose write changes other sysctls too, so that they
// must be remembered with it.
type fanOutSysctl struct {
	*fileKnob
	patterns []string
}

// fansOut names the files that the kernel changes along with a sysctl:
// ip_forward and conf/all/forwarding set every device's forwarding and the
// accept_redirects defaults (inet_forward_change in net/ipv4/devinet.c,
// addrconf_fixup_forwarding in net/ipv6/addrconf.c).
func fansOut(name string) []string {
	switch name {
	case "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding":
		return []string{"net/ipv4/conf/*/forwarding", "net/ipv4/conf/*/accept_redirects"}
	case "net/ipv6/conf/all/forwarding":
		return []string{"net/ipv6/conf/*/forwarding"}
	}
	return nil
}

// Collateral implements Collateraler.
func (k *fanOutSysctl) Collateral(h host.Host) ([]Knob, error) {
	var knobs []Knob
	for _, pattern := range k.patterns {
		paths, err := h.Glob(sysctlRoot + pattern)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			if p != k.path {
				knobs = append(knobs, plainSysctl(strings.TrimPrefix(p, sysctlRoot), k.Scope()))
			}
		}
	}
	return knobs, nil
}

// bindSysctl checks that the sysctl is there and takes values.
func bindSysctl(h host.Host, a asked) ([]Knob, error) {
	name, scope := a.Name, a.scope
	if scope != Netns {
		scope = Host
	}
	k, err := newSysctl(Spec{Family: familySysctl, Name: name, Scope: scope})
	if err != nil {
		return nil, err
	}
	mode, err := h.Mode(sysctlRoot + name)
	if f, ok := k.(interface{ lookSecret(host.Host) }); ok {
		f.lookSecret(h)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if device, ok := DeviceOf(name); ok {
			if err := checkDevice(h, device); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", k, device, err)
			}
		}
		return nil, fmt.Errorf("%s: %s (see: ls %s)", k, missingSysctl(scope), path.Dir(sysctlRoot+name))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k, err)
	}
	if mode&0o222 == 0 {
		return nil, fmt.Errorf("%s: the kernel lets nobody write it %s", k, where(scope))
	}
	return []Knob{k}, nil
}

// DeviceOf is the device that a sysctl belongs to: net/ipv4/conf/eth0/rp_filter.
func DeviceOf(name string) (device string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 5 || parts[0] != "net" || parts[2] != "conf" && parts[2] != "neigh" || parts[3] == "all" || parts[3] == "default" {
		return "", false
	}
	return parts[3], true
}

func missingSysctl(scope Scope) string {
	if scope == Netns {
		return "does not exist in a namespace of its own: it is of the whole machine, or this kernel lacks it"
	}
	return "this kernel lacks it, or the module that brings it is not loaded"
}

func where(scope Scope) string {
	if scope == Netns {
		return "in a namespace of its own; it is of the whole machine"
	}
	return "here (read-only)"
}
