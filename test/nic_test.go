package test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// makeNICs makes two devices with all that a move takes away.
func makeNICs(t *testing.T) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "nic1"}
	pair.Name, pair.MTU, pair.TxQLen = "nic0", 1400, 500
	must(netlink.LinkAdd(pair))
	for i, name := range []string{"nic0", "nic1"} {
		link, err := netlink.LinkByName(name)
		must(err)
		for _, cidr := range []string{fmt.Sprintf("10.9.%d.1/24", i), fmt.Sprintf("fd00:9:%d::1/64", i)} {
			addr, err := netlink.ParseAddr(cidr)
			must(err)
			addr.Flags = unix.IFA_F_NODAD
			if addr.IP.To4() != nil {
				addr.Broadcast = net.IPv4zero // none
			}
			must(netlink.AddrAdd(link, addr))
		}
		must(os.WriteFile("/sys/class/net/"+name+"/queues/rx-0/rps_cpus", []byte("1"), 0))
		must(netlink.LinkSetUp(link))
	}
	nic0, err := netlink.LinkByName("nic0")
	must(err)
	dst, err := netlink.ParseIPNet("10.10.0.0/16")
	must(err)
	gateway, err := netlink.ParseAddr("10.9.0.2/24")
	must(err)
	must(netlink.RouteAdd(&netlink.Route{LinkIndex: nic0.Attrs().Index, Dst: dst, Gw: gateway.IP, Priority: 7}))
	// The link-local addresses come when the devices are up.
	must(eventually(func() error {
		for _, name := range []string{"nic0", "nic1"} {
			link, err := netlink.LinkByName(name)
			if err != nil {
				return err
			}
			addrs, err := netlink.AddrList(link, netlink.FAMILY_V6)
			if err != nil || len(addrs) < 2 || addrs[0].Flags&unix.IFA_F_TENTATIVE != 0 {
				return fmt.Errorf("%s: IPv6 addresses %v (%v), want two", name, addrs, err)
			}
		}
		return nil
	}))
}

// nicScenario compares steering on the sink's device, with an offload and a
// sysctl of its namespace besides.
func nicScenario(t *testing.T) string {
	t.Helper()
	p := newPlace(t)
	p.write(t, "nic.yaml", `name: nic
question: Does steering matter between two devices?
topology: {kind: nic, source_device: nic0, sink_device: nic1}
traffic: {protocol: tcp, message: 64K}
arms:
  "off": {knobs: {device: {sink: {rps_cpus: none, tx_queue_len: "100"}}}}
  "on": {knobs: {device: {sink: {rps_cpus: "{sink}", offload: {gro: "off"}}, source: {mtu: "1300"}}, sysctl: {net.ipv4.tcp_rmem: "4096 131072 4194304"}}}
`)
	return filepath.Join(p.dir, "nic.yaml")
}

// TestNICSettings: what the kernel drops of a device when it is moved comes back
// with it, by the run's own end: sysctls, and a broadcast address that is not the
// default.
func TestNICSettings(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		makeNICs(t)
		for _, file := range []string{"ipv4/conf/nic0/rp_filter", "ipv4/conf/nic1/rp_filter", "ipv6/conf/nic0/hop_limit", "ipv4/neigh/nic1/gc_stale_time"} {
			if err := os.WriteFile("/proc/sys/net/"+file, []byte("2"), 0); err != nil {
				t.Fatal(err)
			}
		}
		nic0, err := netlink.LinkByName("nic0")
		if err != nil {
			t.Fatal(err)
		}
		addr, err := netlink.ParseAddr("10.11.0.1/24") // whose broadcast address netlink fills in
		if err == nil {
			err = netlink.AddrAdd(nic0, addr)
		}
		if err != nil {
			t.Fatal(err)
		}
		before := snapshotSandbox()
		p := newPlace(t)
		p.netab(t, "run", nicScenario(t), "--store", "store", "--set", "measure.slice=40ms",
			"--set", "measure.trial=240ms", "--max-time", "500ms").want(t, 0, "goodput")
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
	})
}
