package topology

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/place"
	"netab/scenarios"
	"netab/test/need"
)

// inScratchNamespace calls f in a network namespace of its own, which ends with it.
func inScratchNamespace(t *testing.T, f func()) {
	t.Helper()
	need.Root(t)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		defer close(done)
		f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// ip runs ip(8) in the namespace of this thread.
func ip(t *testing.T, commands string) (done bool) {
	t.Helper()
	for command := range strings.Lines(commands) {
		args := strings.Fields(command)
		if len(args) == 0 {
			continue
		}
		out, err := exec.Command("ip", args...).CombinedOutput()
		if strings.Contains(string(out), "Unknown device type") {
			return false // this kernel has none of them
		}
		if err != nil {
			t.Errorf("ip %s: %v %s", strings.TrimSpace(command), err, out)
		}
	}
	return true
}

const wire = `
	link add name w0 type veth peer name w1
	addr add 198.18.0.1/24 dev w0
	addr add 2001:db8:1::1/64 dev w0 nodad
	link set lo up
	link set w0 up
	link set w1 up
`

// TestReasonsNotTo: item 6: a device that this machine, or its user, hangs on is not
// moved, whichever routing table, connection or mount says so, and whichever device
// is above or below it.
func TestReasonsNotTo(t *testing.T) {
	const (
		stat = "(netab) S 77 1 1 0"
		tcp  = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
			"   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0 100 0 0 10 0\n"
	)
	// An address of /proc/net/tcp, in this machine's order of bytes.
	hex := func(addr string, port int) string {
		a := net.ParseIP(addr).To4()
		if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
			return fmt.Sprintf("%02X%02X%02X%02X:%04X", a[3], a[2], a[1], a[0], port)
		}
		return fmt.Sprintf("%02X%02X%02X%02X:%04X", a[0], a[1], a[2], a[3], port)
	}
	line := func(port int, inode string) string {
		return fmt.Sprintf("   1: %s %s 01 00000000:00000000 02:000A 00000000     0        0 %s 4 0\n", hex("198.18.0.1", port), hex("198.18.0.9", 55000), inode)
	}
	for _, tt := range []struct {
		name   string
		ip     string
		ssh    string            // SSH_CONNECTION
		files  map[string]string // "-> x" = a symbolic link
		device string
		want   []string // nil = none
	}{
		{"nothing hangs on it", wire, "", nil, "w0", nil},
		{"the wire's other end", wire, "", nil, "w1", nil},
		{"lo", wire, "", nil, "lo", []string{"cannot be moved"}},
		{"default route", wire + "route add default via 198.18.0.2", "", nil, "w0", []string{"carries the default route: moving it would cut this machine off"}},
		{"default route of IPv6", wire + "-6 route add default via 2001:db8:1::2", "", nil, "w0", []string{"carries the default route: "}},
		{"default route of another table", wire + "route add default via 198.18.0.2 table 100\nrule add from 192.0.2.0/24 table 100", "", nil, "w0",
			[]string{"carries the default route of routing table 100: "}},
		{"default route of IPv6 in another table", wire + "-6 route add default via 2001:db8:1::2 table 101", "", nil, "w0", []string{"of routing table 101"}},
		{"default route in halves", wire + "route add 0.0.0.0/1 via 198.18.0.2\nroute add 128.0.0.0/1 via 198.18.0.2", "", nil, "w0",
			[]string{"carries the route to 0.0.0.0/1", "carries the route to 128.0.0.0/1"}},
		{"one of several ways of a route", wire + "link add name c0 type veth peer name c1\nlink set c1 up\naddr add 198.18.1.1/24 dev c0\nlink set c0 up\nroute add default nexthop via 198.18.1.2 nexthop via 198.18.0.2", "", nil, "w0",
			[]string{"carries the default route: "}},
		{"no route of its own", wire + "link add name c0 type veth peer name c1\nlink set c1 up\nlink set c0 up\nroute add default dev c0\nroute add unreachable default table 9", "", nil, "w0", nil},

		{"SSH", wire, "198.18.0.9 50000 198.18.0.1 22", nil, "w0", []string{"carries the SSH connection of 198.18.0.9"}},
		{"SSH over IPv6", wire, "2001:db8:1::9 50000 2001:db8:1::1 22", nil, "w0", []string{"carries the SSH connection of 2001:db8:1::9"}},
		{"SSH by another device", wire + "link add name c0 type veth peer name c1\nlink set c1 up\naddr add 198.18.1.1/24 dev c0\nlink set c0 up", "198.18.1.9 50000 198.18.1.1 22", nil, "w0", nil},
		{"SSH that a rule leads here by its source", wire + "link add name c0 type veth peer name c1\nlink set c1 up\naddr add 198.18.1.1/24 dev c0\nlink set c0 up\nroute add 203.0.113.0/24 dev c0\n" +
			"route add 203.0.113.0/24 via 198.18.0.2 table 100\nrule add from 198.18.0.1 table 100", "203.0.113.9 50000 198.18.0.1 22", nil, "w0",
			[]string{"carries the SSH connection of 203.0.113.9"}},
		{"SSH from this very machine", wire, "127.0.0.1 50000 127.0.0.1 22", nil, "w0", nil},
		{"SSH of an ancestor", wire, "", map[string]string{"/proc/SELF/stat": "5 " + stat, "/proc/77/stat": "77 (sh) S 0 1", "/proc/77/environ": "A=b\x00SSH_CONNECTION=198.18.0.9 1 198.18.0.1 22\x00"}, "w0",
			[]string{"carries the SSH connection of 198.18.0.9"}},
		{"a connection of sshd on a port of its own", wire, "", map[string]string{"/proc/8/comm": "sshd-session\n", "/proc/8/fd/4": "-> socket:[4711]", "/proc/thread-self/net/tcp": tcp + line(2222, "4711")}, "w0",
			[]string{"carries the SSH connection of 198.18.0.9"}},
		{"a connection of port 22 whose process is not seen", wire, "", map[string]string{"/proc/thread-self/net/tcp": tcp + line(22, "4711")}, "w0", []string{"SSH connection"}},
		{"a connection of something else", wire, "", map[string]string{"/proc/8/comm": "nginx\n", "/proc/8/fd/4": "-> socket:[4711]", "/proc/thread-self/net/tcp": tcp + line(80, "4711")}, "w0", nil},

		{"NFS", wire, "", map[string]string{"/proc/self/mountinfo": "36 35 0:99 / /srv rw - nfs4 files:/export rw,vers=4.2,addr=198.18.0.7\n"}, "w0", []string{"carries nfs4 on /srv of 198.18.0.7"}},
		{"CIFS", wire, "", map[string]string{"/proc/1/mountinfo": "36 35 0:99 / /mnt rw shared:1 - cifs //198.18.0.7/share rw,addr=198.18.0.7\n"}, "w0", []string{"carries cifs on /mnt of 198.18.0.7"}},
		{"NFS by its address", wire, "", map[string]string{"/proc/self/mountinfo": "36 35 0:99 / /srv rw - nfs [2001:db8:1::7]:/export rw\n"}, "w0", []string{"carries nfs on /srv of 2001:db8:1::7"}},
		{"Ceph", wire, "", map[string]string{"/proc/self/mountinfo": "36 35 0:99 / /srv rw - ceph 203.0.113.1:6789,198.18.0.7:6789:/ rw\n"}, "w0", []string{"carries ceph on /srv of 198.18.0.7"}},
		{"iSCSI", wire, "", map[string]string{"/sys/class/iscsi_connection/connection1:0/persistent_address": "198.18.0.7\n"}, "w0", []string{"carries iSCSI of 198.18.0.7"}},
		{"NVMe over TCP", wire, "", map[string]string{"/sys/class/nvme/nvme1/address": "traddr=198.18.0.7,trsvcid=4420\n"}, "w0", []string{"carries NVMe of 198.18.0.7"}},
		{"a mount of a disk", wire, "", map[string]string{"/proc/self/mountinfo": "36 35 8:1 / / rw - ext4 /dev/sda1 rw,addr=198.18.0.7\n"}, "w0", nil},

		{"below a bridge", wire + "link add name br0 type bridge\nlink set w1 master br0\nlink set br0 up\naddr add 198.18.2.1/24 dev br0\nroute add default via 198.18.2.2", "", nil, "w1",
			[]string{"is below br0, which carries the default route: "}},
		{"the other end of a port of a bridge", wire + "link add name br0 type bridge\nlink set w1 master br0\nlink set br0 up\naddr add 198.18.2.1/24 dev br0\nroute add default via 198.18.2.2", "", nil, "w0",
			[]string{"is below br0, which carries the default route: "}},
		{"below a VLAN", wire + "link add link w0 name w0.7 type vlan id 7\naddr add 198.18.7.1/24 dev w0.7\nlink set w0.7 up\nroute add default via 198.18.7.2 table 100", "", nil, "w0",
			[]string{"is below w0.7, which carries the default route of routing table 100: "}},
		{"below a macvlan", wire + "link add link w0 name mac0 type macvlan\naddr add 198.18.7.1/24 dev mac0\nlink set mac0 up\nroute add default via 198.18.7.2", "", nil, "w0",
			[]string{"is below mac0, which carries the default route: "}},
		{"on top of a VLAN's lower device", wire + "link add link w0 name w0.7 type vlan id 7\nlink set w0.7 up\nroute add default via 198.18.0.2", "", nil, "w0.7",
			[]string{"is on top of w0, which carries the default route: "}},
		{"on top", wire + "link add link w0 name mac0 type macvlan\nlink set mac0 up\nroute add default via 198.18.0.2", "", nil, "mac0",
			[]string{"is on top of w0, which carries the default route: "}},
		{"all reasons", wire + "route add default via 198.18.0.2", "198.18.0.9 50000 198.18.0.1 22",
			map[string]string{"/proc/self/mountinfo": "36 35 0:99 / /srv rw - nfs4 files:/export rw,vers=4.2,addr=198.18.0.7\n"}, "w0",
			[]string{"carries nfs4", "carries the SSH connection", "carries the default route"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SSH_CONNECTION", tt.ssh)
			root := t.TempDir()
			for path, text := range tt.files {
				path = filepath.Join(root, strings.Replace(path, "SELF", fmt.Sprint(os.Getpid()), 1))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				err := os.WriteFile(path, []byte(text), 0o644)
				if target, ok := strings.CutPrefix(text, "-> "); ok {
					err = os.Remove(path)
					if err == nil {
						err = os.Symlink(target, path)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			inScratchNamespace(t, func() {
				if !ip(t, tt.ip) {
					t.Log("this kernel has no such devices: see TestRelatedDevices")
					return
				}
				got, err := reasonsNotTo(results.Root(root), tt.device)
				if err != nil {
					t.Error(err)
				}
				if len(got) != len(tt.want) {
					t.Errorf("reasons: %q, want %q", got, tt.want)
					return
				}
				for i, want := range tt.want {
					if !strings.Contains(got[i], want) || strings.Contains(got[i], "\n") {
						t.Errorf("reason %q, want %q", got[i], want)
					}
				}
			})
		})
	}
}

// TestCheckNICSaysAllReasons: of both devices, one a line, and what to do.
func TestCheckNICSaysAllReasons(t *testing.T) {
	t.Setenv("SSH_CONNECTION", "198.18.0.9 50000 198.18.0.1 22")
	inScratchNamespace(t, func() {
		ip(t, wire+"addr add 198.18.5.1/24 dev w1\nroute add default via 198.18.5.2 table 100")
		_, err := CheckNIC(place.Both(new(place.Local)), scenarios.Topology{Kind: "nic", SourceDevice: "w0", SinkDevice: "w1"})
		want := []string{"topology nic: w0 carries the SSH connection of 198.18.0.9", "topology nic: w0 is below w1, which carries the default route of routing table 100",
			"topology nic: w1 carries the default route of routing table 100", "topology nic: use devices that nothing else hangs on"}
		for _, text := range want {
			if !strings.Contains(fmt.Sprint(err), text) {
				t.Errorf("CheckNIC: %v\nlacks %s", err, text)
			}
		}
		if link, err := netlink.LinkByName("w0"); err != nil || link.Attrs().Flags&net.FlagUp == 0 {
			t.Errorf("w0 was touched: %v", err)
		}
	})
}

// TestRelatedDevices: what is below and above a device, over several steps, of types
// that not every kernel has.
func TestRelatedDevices(t *testing.T) {
	device := func(index, parent, master, elsewhere int) netlink.LinkAttrs {
		return netlink.LinkAttrs{Index: index, Name: fmt.Sprint(index), ParentIndex: parent, MasterIndex: master, NetNsID: elsewhere}
	}
	// Two ports 1 and 2 in a bond 3, with a VLAN 4 on it in a bridge 5; a VLAN 6 on 1;
	// a macvlan 7 whose lower device, also of index 1, is in another namespace.
	all := []netlink.Link{
		&netlink.Device{LinkAttrs: device(1, 0, 3, -1)}, &netlink.Device{LinkAttrs: device(2, 0, 3, -1)},
		&netlink.Bond{LinkAttrs: device(3, 0, 0, -1)}, &netlink.Vlan{LinkAttrs: device(4, 3, 5, -1)},
		&netlink.Bridge{LinkAttrs: device(5, 0, 0, -1)}, &netlink.Vlan{LinkAttrs: device(6, 1, 0, -1)},
		&netlink.Macvlan{LinkAttrs: device(7, 1, 0, 3)},
	}
	for _, tt := range []struct {
		of           int
		below, above []int
	}{
		{1, nil, []int{3, 4, 5, 6}}, {2, nil, []int{3, 4, 5}}, {3, []int{1, 2}, []int{4, 5}}, {4, []int{1, 2, 3}, []int{5}},
		{5, []int{1, 2, 3, 4}, nil}, {6, []int{1}, nil}, {7, nil, nil},
	} {
		for _, way := range []struct {
			name string
			next func([]netlink.Link, netlink.Link) []int
			want []int
		}{{"below", below, tt.below}, {"above", above, tt.above}} {
			got := related(all, tt.of, way.next)
			slices.Sort(got)
			if !slices.Equal(got, way.want) {
				t.Errorf("%s %d: %v, want %v", way.name, tt.of, got, way.want)
			}
		}
	}
}
