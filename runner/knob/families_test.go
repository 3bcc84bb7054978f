package knob

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/scenarios"
)

func TestScopeOfSysctls(t *testing.T) {
	h := newTree(t, map[string]string{
		"/proc/sys/net/ipv4/tcp_rmem": "1 2 3\n",
		"/proc/sys/net/core/rmem_max": "1\n",
		"/proc/sys/kernel/numa":       "1\n",
	})
	must(t, os.Chmod(h.at("/proc/sys/net/core/rmem_max"), 0o444))
	for name, want := range map[string]Scope{
		"net/ipv4/tcp_rmem":      Netns,
		"net/core/rmem_max":      Host,
		"net/core/netdev_budget": Host,
		"kernel/numa":            Host,
	} {
		if got, err := SysctlScope(h, name); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"", "/net/ipv4", "../x", "net/../../x", "net//x", "net/", "."} {
		if s, err := SysctlScope(h, name); err == nil {
			t.Errorf("%q has scope %q", name, s)
		}
	}
}

func TestNamesOfSysctls(t *testing.T) {
	for name, want := range map[string]string{
		"net/ipv4/tcp_rmem":                "sysctl net.ipv4.tcp_rmem",
		"net/ipv4/conf/eth0.100/rp_filter": "sysctl net.ipv4.conf.eth0/100.rp_filter",
	} {
		if got := sysctlLabel(name); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestEqual: what a read gives back need not be written like what was asked.
func TestEqual(t *testing.T) {
	queue := func(family, kind string) Spec {
		return Spec{Family: family, Device: "eth1", Queue: kind + "-0", Scope: Device}
	}
	device := func(family string) Spec { return Spec{Family: family, Device: "eth1", Scope: Device} }
	for _, c := range []struct {
		spec       Spec
		asked, got string
		want       bool
	}{
		{Spec{Family: familySysctl, Name: "net/ipv4/tcp_rmem", Scope: Host}, "1 2 3", "1\t2\t3", true},
		{Spec{Family: familySysctl, Name: "net/ipv4/tcp_rmem", Scope: Host}, "1 2 3", "1 2", false},
		{Spec{Family: familySysctl, Name: "net/core/rps_default_mask", Scope: Host}, "1", "00000000,00000001", true},
		{Spec{Family: familySysctl, Name: "net/core/rps_default_mask", Scope: Host}, "1", "2", false},
		{queue(familyRPSCPUs, "rx"), "0-1", "0,1", true},
		{queue(familyRPSCPUs, "rx"), "", "none", true},
		{queue(familyRPSCPUs, "rx"), "0-1", "0", false},
		{queue(familyRPSFlowCnt, "rx"), "100", "128", true},
		{queue(familyRPSFlowCnt, "rx"), "129", "256", true},
		{queue(familyRPSFlowCnt, "rx"), "1", "1", true},
		{queue(familyRPSFlowCnt, "rx"), "0", "1", false},
		{queue(familyRPSFlowCnt, "rx"), "100", "256", false},
		{queue(familyRPSFlowCnt, "rx"), "4096", "0", false},
		{device(familyThreaded), "on", "on", true},
		{device(familyThreaded), "1", "on", true},
		{device(familyThreaded), "on", "off", false},
		{device(familyThreaded), "on", "busy-poll", false},
		{device(familyMTU), "9000", "09000", true},
		{device(familyGROFlushTimeout), "20000", "20001", false},
		{tso, "on", "on", true},
		{tso, "on", "on-inactive", false},
		{tso, "on-inactive", "on", true},
		{tso, "off", "tx-tcp-segmentation=off,tx-tcp6-segmentation=on", false},
		{tso, "tx-tcp-segmentation=off,tx-tcp6-segmentation=on", "off", false},
		{tso, "tx-tcp-segmentation=off,tx-tcp6-segmentation=off", "off", true},
		{tso, "on", "nonsense", false},
		{Spec{Family: familyIRQ, Name: "41", Scope: Host}, "0,1", "0-1", true},
		{Spec{Family: familyGovernor, Name: "policy0", Scope: Host}, "performance", "powersave", false},
	} {
		if got := bind(t, c.spec).Equal(c.asked, c.got); got != c.want {
			t.Errorf("%s: %q against %q: %v", describeSpec(c.spec), c.asked, c.got, got)
		}
	}
}

func TestBind(t *testing.T) {
	h := nic(t)
	for _, c := range []struct {
		knob  scenarios.Knob
		scope Scope
		want  []string
	}{
		{scenarios.Knob{Family: "rps_cpus"}, Device, []string{"eth1 rx-0 rps_cpus", "eth1 rx-1 rps_cpus"}},
		{scenarios.Knob{Family: "xps_cpus", Queue: "tx-1"}, Device, []string{"eth1 tx-1 xps_cpus"}},
		{scenarios.Knob{Family: "threaded"}, Device, []string{"eth1 threaded"}},
		{scenarios.Knob{Family: "mtu", Value: "9000"}, Device, []string{"eth1 mtu"}},
		{scenarios.Knob{Family: "offload", Name: "tx-checksum"}, Device, []string{"eth1 offload tx-checksum"}},
		{scenarios.Knob{Family: "offload", Name: "rx-gro"}, Device, []string{"eth1 offload rx-gro"}},
		{scenarios.Knob{Family: "channels", Name: "combined", Value: "4"}, Device, []string{"eth1 channels combined"}},
		{scenarios.Knob{Family: "governor", Value: "performance"}, Host, []string{"governor policy0", "governor policy2"}},
		{scenarios.Knob{Family: "sysctl", Name: "net/core/netdev_budget"}, Host, []string{"sysctl net.core.netdev_budget"}},
	} {
		knobs, err := Bind(h, c.knob, "eth1", c.scope)
		must(t, err)
		var names []string
		for _, k := range knobs {
			names = append(names, k.String())
			if k.Scope() != c.scope || k.Settle() < time.Millisecond || k.Settle() > time.Second {
				t.Errorf("%s: scope %s, settle %s", k, k.Scope(), k.Settle())
			}
			again, err := FromSpec(k.Spec())
			if err != nil || again.String() != k.String() || again.Scope() != k.Scope() || again.SlowSwitch() != k.SlowSwitch() {
				t.Errorf("%s: from its spec %v, %v", k, again, err)
			}
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%+v: %v, want %v", c.knob, names, c.want)
		}
	}
}

func TestBindSaysWhatIsMissing(t *testing.T) {
	h, bare := nic(t), newTree(t, map[string]string{"/proc/interrupts": "CPU0\n", netClass + "/lo/mtu": "65536"})
	for _, c := range []struct {
		host   *tree
		knob   scenarios.Knob
		device string
		want   string
	}{
		{h, scenarios.Knob{Family: "rps_cpus", Queue: "rx-7"}, "eth1", "there are rx-0, rx-1, tx-0, tx-1"},
		{h, scenarios.Knob{Family: "rps_cpus", Queue: "tx-0"}, "eth1", "rx-0"},
		{h, scenarios.Knob{Family: "rps_cpus"}, "eth7", "there are eth1, lo"},
		{h, scenarios.Knob{Family: "mtu"}, "../etc", "not the name"},
		{h, scenarios.Knob{Family: "mtu", Value: "1000"}, "eth1", "IPv6"},
		{h, scenarios.Knob{Family: "offload", Name: "lro"}, "eth1", "rx-lro off [fixed]"},
		{h, scenarios.Knob{Family: "channels", Name: "combined", Value: "9"}, "eth1", "at most 4"},
		{h, scenarios.Knob{Family: "channels", Name: "rx", Value: "1"}, "eth1", "combined up to 4"},
		{h, scenarios.Knob{Family: "channels", Name: "both", Value: "1"}, "eth1", "none of rx, tx, combined"},
		{h, scenarios.Knob{Family: "governor", Value: "ondemand"}, "", "performance, schedutil"},
		{h, scenarios.Knob{Family: "sysctl", Name: "net/core/nothing"}, "", "this kernel lacks it"},
		{h, scenarios.Knob{Family: "sysctl", Name: "net/ipv6/conf/all/disable_ipv6"}, "", "IPv6 addresses"},
		{h, scenarios.Knob{Family: "warp"}, "", "not a family"},
		{bare, scenarios.Knob{Family: "governor", Value: "performance"}, "", "no cpufreq"},
		{bare, scenarios.Knob{Family: "threaded"}, "lo", "this kernel or device lacks it"},
		{bare, scenarios.Knob{Family: "irq", Device: "lo"}, "lo", "no interrupts of its own"},
		{bare, scenarios.Knob{Family: "rps_cpus"}, "lo", "no queues"},
	} {
		_, err := Bind(c.host, c.knob, c.device, Device)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q in it", c.knob, err, c.want)
		}
	}
}

func TestApplyComparesWhatItReadsBack(t *testing.T) {
	h := nic(t)
	isolated := netClass + "/eth1/queues/rx-0/rps_cpus"
	h.take[isolated] = func(string) (string, error) { return "1\n", nil } // CPU 1 is isolated
	k := bind(t, Spec{Family: familyRPSCPUs, Device: "eth1", Queue: "rx-0", Scope: Device})
	s, err := Apply(h, k, "0-1")
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "isolated") || s.After != "0" {
		t.Errorf("%+v, %v", s, err)
	}
	for errno, want := range map[error]string{
		unix.EPERM: "needs root", unix.EACCES: "needs root", unix.EROFS: "read-only", unix.EINVAL: "isolated",
	} {
		h.take[isolated] = func(string) (string, error) { return "", errno }
		_, err = Apply(h, k, "1")
		if !errors.Is(err, errno) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "eth1 rx-0 rps_cpus") {
			t.Errorf("%v: %v", errno, err)
		}
	}
	must(t, os.RemoveAll(h.at(netClass+"/eth1/queues")))
	if _, err = Apply(h, k, "0"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the file: %v", err)
	}
}

// TestOffloadGroups: ethtool(8)'s names stand for several kernel features, of
// which the driver may fix some.
func TestOffloadGroups(t *testing.T) {
	h := nic(t)
	k := bind(t, tso)
	before, err := k.Read(h)
	must(t, err)
	const mixed = "tx-tcp-mangleid-segmentation=off,tx-tcp-segmentation=on,tx-tcp6-segmentation=on"
	if before != mixed {
		t.Errorf("read %q, want %q", before, mixed)
	}
	for _, v := range []string{"off", "on", mixed} {
		if s, err := Apply(h, k, v); err != nil || s.After != v {
			t.Errorf("%s: %+v, %v", v, s, err)
		}
	}
	if _, err := Apply(h, bind(t, sg), "off"); err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(h, k, "on"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "needs sg") {
		t.Errorf("tso without sg: %v", err)
	}
	for _, bad := range []string{"", "yes", "on,off", "=on", "a=", "a=on,a=off"} {
		if err := k.Write(h, bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestFileKnobs: an agent that switches by itself needs path and bytes.
func TestFileKnobs(t *testing.T) {
	k, ok := bind(t, rps1).(FileKnob)
	if !ok {
		t.Fatal("rps_cpus is no FileKnob")
	}
	path, data, err := k.File("0,33")
	if err != nil || path != netClass+"/eth1/queues/rx-1/rps_cpus" || string(data) != "2,00000001\n" {
		t.Errorf("%s %q %v", path, data, err)
	}
}

func TestSpecsOfStrangers(t *testing.T) {
	for _, s := range []Spec{
		{}, {Family: "warp"}, {Family: familySysctl, Name: "../../etc/passwd"}, {Family: familyMTU, Device: "a/b"},
		{Family: familyRPSCPUs, Device: "eth0", Queue: "../x"}, {Family: familyXPSCPUs, Device: "eth0", Queue: "rx-0"},
		{Family: familyIRQ, Name: "../1"}, {Family: familyIRQ, Name: "1", Device: "*"}, {Family: familyGovernor, Name: "policy../x"},
		{Family: familyOffload, Device: "eth0", Name: "["}, {Family: familyThreaded, Device: ".."},
	} {
		for _, s.Scope = range []Scope{Host, Device, Netns, ""} {
			if k, err := FromSpec(s); err == nil {
				t.Errorf("%+v made %s", s, k)
			}
		}
	}
}
