package scenarios

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for in, want := range map[string]Size{
		"0": 0, "1472": 1472, "64K": 65536, "64k": 65536, "64 KiB": 65536, "1M": 1 << 20, "2MiB": 2 << 20, "1G": 1 << 30, "10B": 10,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "K", "1.5K", "64KB", "-1", "+1", "1 000", "1e3", "9223372036854775808", "9007199254740993G"} {
		if got, err := ParseSize(bad); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", bad, got)
		}
	}
}

func TestParseFraction(t *testing.T) {
	for in, want := range map[string]float64{"0.01": 0.01, "1%": 0.01, "2.5 %": 0.025, "99%": 0.99} {
		if got, err := ParseFraction(in); err != nil || math.Abs(float64(got)-want) > 1e-15 {
			t.Errorf("ParseFraction(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "%", "NaN", "Inf", "one"} {
		if got, err := ParseFraction(bad); err == nil {
			t.Errorf("ParseFraction(%q) = %v, want an error", bad, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]string{
		"100ms": "100ms", "1m": "60s", "1.5s": "1500ms", "20us": "20us", "20µs": "20us", "7ns": "7ns", "1h": "3600s",
	} {
		d, err := ParseDuration(in)
		if err != nil || d.String() != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %s", in, d, err, want)
		}
		text, err := json.Marshal(d)
		var back Duration
		if err != nil || string(text) != `"`+want+`"` || json.Unmarshal(text, &back) != nil || back != d {
			t.Errorf("%s as JSON is %s (%v), and back %v", in, text, err, back)
		}
	}
	for _, bad := range []string{"", "100", "0", "ms", "1 s", "1 fortnight"} {
		if d, err := ParseDuration(bad); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", bad, d)
		}
	}
	if got := Duration(0).String(); got != "0s" {
		t.Errorf("no time is %q", got)
	}
	if time.Duration(Duration(time.Second)) != time.Second {
		t.Error("Duration is not a time.Duration")
	}
}

func TestSysctlPath(t *testing.T) {
	for in, want := range map[string]string{
		"net.core.netdev_budget":            "net/core/netdev_budget",
		"net/core/netdev_budget":            "net/core/netdev_budget",
		"net.ipv4.conf.eth0/100.rp_filter":  "net/ipv4/conf/eth0.100/rp_filter",
		"net/ipv4/conf/eth0.100/rp_filter":  "net/ipv4/conf/eth0.100/rp_filter",
		"/proc/sys/net/ipv4/tcp_rmem":       "net/ipv4/tcp_rmem",
		"net.ipv6.conf.all.disable_ipv6":    "net/ipv6/conf/all/disable_ipv6",
		"net.netfilter.nf_conntrack_max":    "net/netfilter/nf_conntrack_max",
		"net.ipv4.conf.veth-a@1.log_packet": "net/ipv4/conf/veth-a@1/log_packet",
	} {
		if got, err := sysctlPath(in); err != nil || got != want {
			t.Errorf("sysctlPath(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "net", "net.", ".net", "net..core", "../x/y", "net/../kernel", "net core", "/etc/passwd", "a\x00.b"} {
		if got, err := sysctlPath(bad); err == nil {
			t.Errorf("sysctlPath(%q) = %q, want an error", bad, got)
		}
	}
}

// TestSysctlVLAN: the dots of a VLAN's name are not those between the parts.
func TestSysctlVLAN(t *testing.T) {
	for bad, hint := range map[string]string{
		"net.ipv4.conf.eth0.100.rp_filter":     "net.ipv4.conf.eth0/100.rp_filter",
		"net.ipv6.neigh.eth0.1.2.app_solicit":  "net.ipv6.neigh.eth0/1/2.app_solicit",
		"net/ipv4/conf/eth0/100/rp_filter":     "net.ipv4.conf.eth0/100.rp_filter",
		"/proc/sys/net/mpls/conf/bond0.7/a/in": "net.mpls.conf.bond0/7/a.in",
	} {
		_, err := sysctlPath(bad)
		if err == nil || !strings.HasSuffix(err.Error(), " "+hint) {
			t.Errorf("%s: %v, want a hint at %s", bad, err, hint)
		}
	}
}
