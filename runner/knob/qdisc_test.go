package knob

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"netab/runner/host"
	"netab/scenarios"
	"netab/test/need"
)

// TestQdiscCodec: what is written to the kernel reads as it was asked for, of kinds too
// that the kernel under the test lacks.
func TestQdiscCodec(t *testing.T) {
	for _, value := range []string{
		"pfifo limit 100", "bfifo limit 64K", "fq limit 500 flow_limit 20", "fq_codel limit 7 flows 64", "codel limit 9", "tbf rate 100Mbit/s burst 32K limit 128K",
		"tbf rate 80Gbit/s burst 1M limit 1M", "netem delay 10ms jitter 1ms loss 0.1% limit 5000",
		"netem delay 59s duplicate 1% reorder 25% corrupt 0.003% rate 100Gbit/s limit 1", "netem delay 123456789ns",
	} {
		q, err := scenarios.ParseQdisc(value)
		must(t, err)
		got, err := describeQdisc(q.Kind, encodeQdisc(q))
		if err != nil || !(qdisc{}).Equal(value, got) {
			t.Errorf("%q reads %q, %v", value, got, err)
		}
		if _, err := describeQdisc(q.Kind, encodeQdisc(q)[:3]); err == nil && q.Kind != "fq" && q.Kind != "fq_codel" && q.Kind != "codel" {
			t.Errorf("%s: options of 3 bytes are taken", q.Kind)
		}
	}
	for _, c := range []struct {
		asked, got string
		same       bool
	}{
		{"default", "default (noqueue)", true}, {"default (mq)", "default (fq_codel)", true}, {"noqueue", "default (noqueue)", false},
		{"fq", "fq limit 10000", true}, {"fq limit 5", "fq limit 6", false}, {"netem loss 0%", "netem limit 1000", true},
		{"netem loss 1%", "netem loss 1.001%", false}, {"netem delay 1ms", "netem delay 1000001ns", false}, {"tbf rate 1Mbit/s burst 1K limit 1K", "x", false},
	} {
		if (qdisc{}).Equal(c.asked, c.got) != c.same {
			t.Errorf("%q and %q", c.asked, c.got)
		}
	}
}

// TestQdiscInNamespace sets real ones, of a kernel that may have few.
func TestQdiscInNamespace(t *testing.T) {
	enterNamespace(t)
	h := host.Local{}
	before := "default (noqueue)"
	for _, value := range []string{
		"pfifo limit 100", "pfifo", "tbf rate 100Mbit/s burst 32K limit 128K", "tbf rate 3Gbit/s burst 100K limit 1M", "bfifo limit 64K", "noqueue",
		"fq limit 500 flow_limit 20", "fq", "fq_codel limit 7", "codel limit 9", "sfq", "cake", "pie",
		"netem delay 10ms jitter 1ms loss 0.1% rate 5Gbit/s limit 5000", "netem", "netem delay 5ms duplicate 1% reorder 25% corrupt 0.003%",
	} {
		kind, _, _ := strings.Cut(value, " ")
		knobs, err := Bind(h, scenarios.Knob{Family: "qdisc", Value: value}, "va", Netns)
		must(t, err)
		s, err := Apply(h, knobs[0], value)
		known := HasQdisc(h, kind)
		if lacks, ok := errors.AsType[*NoQdisc](err); ok {
			if _, same := errors.AsType[*NoQdisc](known); !same || lacks.kind != kind || !strings.Contains(err.Error(), "this kernel has no qdisc "+kind+" (CONFIG_NET_SCH_") {
				t.Errorf("%s: %v, %v", value, err, known)
			}
			continue
		}
		if err != nil || known != nil || s.Before != before || s.ReadBack == "" {
			t.Errorf("%s: %+v, %v, %v", value, s, err, known)
		}
		if before = s.After; !strings.HasPrefix(before, value) {
			t.Logf("%s reads %s", value, before)
		}
	}
	if _, ok := errors.AsType[*NoQdisc](HasQdisc(h, "nosuch")); !ok {
		t.Errorf("a kind of qdisc that no kernel has: %v", HasQdisc(h, "nosuch"))
	}
	k := qdisc{Spec{Family: familyQdisc, Device: "va", Scope: Device}}
	must(t, k.Write(h, "pfifo"))
	if _, err := Bind(h, scenarios.Knob{Family: "qdisc", Value: "pfifo"}, "va", Device); err == nil || !strings.Contains(err.Error(), "tc qdisc del dev va root") {
		t.Errorf("what was put there would be lost: %v", err)
	}
	if s, err := Apply(h, k, "default"); err != nil || s.After != "default (noqueue)" {
		t.Errorf("%+v, %v", s, err)
	}
	lo, err := Bind(h, scenarios.Knob{Family: "qdisc", Value: "pfifo"}, "lo", Device)
	if err != nil || len(lo) != 1 {
		t.Errorf("%v, %v", lo, err)
	}
	if _, err := Bind(h, scenarios.Knob{Family: "qdisc", Value: "pfifo"}, "none", Netns); err == nil || !strings.Contains(err.Error(), "no such device") {
		t.Errorf("%v", err)
	}
	if all, err := (host.Local{}).Qdiscs(); err != nil || len(all) == 0 || all[0].Handle != 0 {
		t.Errorf("asking for kinds left something: %+v, %v", all, err)
	}
}

// A qdisc of a device of the machine is the kernel's own again, whoever ends the run.
func TestQdiscIsBorrowed(t *testing.T) {
	need.Root(t)
	enterNamespace(t)
	runtime.LockOSThread()
	h, dir := host.Local{}, t.TempDir()
	opts := testOptions(h)
	j := begin(t, dir, opts)
	k := bind(t, Spec{Family: familyQdisc, Device: "va", Scope: Device})
	s, err := j.Set(h, k, "tbf rate 1Gbit/s burst 128K limit 1M")
	must(t, err)
	if s.Before != "default (noqueue)" || !strings.HasPrefix(s.After, "tbf rate 1Gbit/s burst") {
		t.Errorf("%+v", s)
	}
	must(t, j.Close()) // as if killed
	r := restoreOne(t, dir, opts)
	link, err := netlink.LinkByName("va")
	must(t, err)
	if kind, err := rootQdisc(link); r.Status != Restored || kind != "noqueue" || err != nil {
		t.Errorf("%v; %s is there, %v", r, kind, err)
	}
}
