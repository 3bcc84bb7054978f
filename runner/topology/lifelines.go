package topology

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results"
)

// A lifeline is a device that this machine, or whoever sits at it from afar, hangs
// on, and why.
type lifeline struct {
	link int // its index
	why  string
}

// ReasonsNotTo says why a device must not be moved into a namespace: each reason is
// one line that goes on from the device's name ("carries the default route ..."). None = it may be. It looks at this thread's network
// namespace, and at processes and mounts as far as they are seen here.
func ReasonsNotTo(device string) ([]string, error) { return reasonsNotTo(results.Root(""), device) }

func reasonsNotTo(files results.Root, device string) ([]string, error) {
	if device == "lo" {
		return []string{"cannot be moved; use topology loopback"}, nil
	}
	all, err := netlink.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	link, err := netlink.LinkByName(device)
	if err != nil {
		return nil, err
	}
	lines, err := lifelines(files)
	if err != nil {
		return nil, err
	}
	own := link.Attrs().Index
	var out []string
	for _, l := range lines {
		at := slices.IndexFunc(all, func(k netlink.Link) bool { return k.Attrs().Index == l.link })
		switch {
		case l.link == own:
			out = append(out, l.why)
		case at < 0:
		case slices.Contains(related(all, l.link, below), own):
			out = append(out, fmt.Sprintf("is below %s, which %s", all[at].Attrs().Name, l.why))
		case slices.Contains(related(all, l.link, above), own):
			out = append(out, fmt.Sprintf("is on top of %s, which %s", all[at].Attrs().Name, l.why))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// lifelines are all of them that can be found.
func lifelines(files results.Root) ([]lifeline, error) {
	out, err := defaultRoutes()
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Concat(sshPeers(files), storagePeers(files)) {
		out = append(out, p.lifelines()...)
	}
	return out, nil
}

// Of routes that cover at least so much of an address family, one is as good as
// default: VPNs halve it (0.0.0.0/1 and 128.0.0.0/1), and of IPv6 2000::/3 is all
// that is given out.
const (
	widestV4 = 4
	widestV6 = 3
)

// defaultRoutes are the devices with a default route of whatever table: which of
// them a rule leads to may depend on an address, a mark or a user, and may change.
func defaultRoutes() ([]lifeline, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []lifeline
	for _, r := range routes {
		what, ok := widest(r)
		if !ok {
			continue
		}
		why := "carries " + what
		if r.Table != unix.RT_TABLE_MAIN {
			why = fmt.Sprintf("%s of routing table %d", why, r.Table)
		}
		why += ": moving it would cut this machine off"
		if r.LinkIndex > 0 {
			out = append(out, lifeline{r.LinkIndex, why})
		}
		for _, hop := range r.MultiPath {
			out = append(out, lifeline{hop.LinkIndex, why})
		}
	}
	return out, nil
}

func widest(r netlink.Route) (what string, ok bool) {
	if r.Type != unix.RTN_UNICAST && r.Type != unix.RTN_UNSPEC {
		return "", false
	}
	if r.Dst == nil {
		return "the default route", true
	}
	ones, bits := r.Dst.Mask.Size()
	switch {
	case ones == 0:
		return "the default route", true
	case bits == 32 && ones <= widestV4 || bits == 128 && ones <= widestV6:
		return "the route to " + r.Dst.String(), true
	}
	return "", false
}

// A peer is another machine that something here must go on reaching.
type peer struct {
	local, remote netip.Addr // local may be unknown
	why           string     // without the remote address: "carries the SSH connection of"
}

// lifelines are the devices that packets to the peer leave by, and that has the
// address which its packets come to.
func (p peer) lifelines() []lifeline {
	remote, local := p.remote.Unmap(), p.local.Unmap()
	if !remote.IsValid() || remote.IsLoopback() || remote.IsUnspecified() {
		return nil
	}
	why := fmt.Sprintf("%s %s", p.why, remote)
	var out []lifeline
	asks := []netlink.RouteGetOptions{{}}
	if local.IsValid() && !local.IsUnspecified() {
		asks = append(asks, netlink.RouteGetOptions{SrcAddr: local.AsSlice()})
	}
	if zone := p.remote.Zone(); zone != "" {
		if link, err := netlink.LinkByName(zone); err == nil {
			out = append(out, lifeline{link.Attrs().Index, why})
		}
	}
	for _, o := range asks {
		routes, err := netlink.RouteGetWithOptions(net.IP(remote.AsSlice()), &o)
		if err != nil {
			continue // it is not reached from here
		}
		for _, r := range routes {
			out = append(out, lifeline{r.LinkIndex, why})
		}
	}
	if !local.IsValid() {
		return out
	}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return out
	}
	for _, a := range addresses {
		if has, ok := netip.AddrFromSlice(a.IP); ok && has.Unmap() == local.WithZone("") {
			out = append(out, lifeline{a.LinkIndex, why})
		}
	}
	return out
}

const overSSH = "carries the SSH connection of"

// sshPeers are those at the other end of SSH: of the session that this process was
// started from (SSH_CONNECTION of its own or of an ancestor's environment, which
// sudo does not hand on), and of every process of an SSH server.
func sshPeers(files results.Root) []peer {
	var out []peer
	for pid := os.Getpid(); pid > 0; pid = parent(files, pid) {
		environment, _ := files.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if pid == os.Getpid() {
			environment = []byte("SSH_CONNECTION=" + os.Getenv("SSH_CONNECTION"))
		}
		for variable := range bytes.SplitSeq(environment, []byte{0}) {
			if value, ok := strings.CutPrefix(string(variable), "SSH_CONNECTION="); ok {
				out = append(out, sshConnection(value)...)
			}
		}
	}
	sockets := map[string]bool{}
	processes, _ := filepath.Glob(string(files) + "/proc/[0-9]*")
	for _, dir := range processes {
		name, _ := os.ReadFile(dir + "/comm")
		if !slices.Contains(sshServers, strings.TrimSpace(string(name))) {
			continue
		}
		descriptors, _ := filepath.Glob(dir + "/fd/*")
		for _, fd := range descriptors {
			target, _ := os.Readlink(fd)
			if inode, ok := strings.CutPrefix(target, "socket:["); ok {
				sockets[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	for _, name := range []string{"tcp", "tcp6"} {
		table, _ := files.ReadFile("/proc/thread-self/net/" + name)
		for _, c := range established(string(table)) {
			// A port that is SSH's by its number is for servers that are not seen from
			// here (another PID namespace).
			if sockets[c.inode] || c.local.Port() == sshPort {
				out = append(out, peer{c.local.Addr(), c.remote.Addr(), overSSH})
			}
		}
	}
	return out
}

const sshPort = 22

// sshServers are processes by the names that the kernel gives them: OpenSSH's, since
// 9.8 with processes of their own for sessions, and Dropbear's.
var sshServers = []string{"sshd", "sshd-session", "sshd-auth", "dropbear"}

// sshConnection reads a value of SSH_CONNECTION (ssh(1)): client address and port,
// server address and port.
func sshConnection(value string) []peer {
	f := strings.Fields(value)
	if len(f) != 4 {
		return nil
	}
	client, err := netip.ParseAddr(f[0])
	if err != nil {
		return nil
	}
	server, _ := netip.ParseAddr(f[2])
	return []peer{{server, client, overSSH}}
}

// parent is the parent of a process (field 4 of /proc/PID/stat, behind a name that
// may hold anything); 0 = none.
func parent(files results.Root, pid int) int {
	stat, _ := files.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

// A connection is a line of /proc/net/tcp or tcp6.
type connection struct {
	local, remote netip.AddrPort
	inode         string
}

// established are the connections of such a table: get_tcp4_sock in
// net/ipv4/tcp_ipv4.c, get_tcp6_sock in net/ipv6/tcp_ipv6.c.
func established(table string) []connection {
	const stateEstablished = "01"
	var out []connection
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != stateEstablished {
			continue
		}
		local, okLocal := hexAddress(f[1])
		remote, okRemote := hexAddress(f[2])
		if okLocal && okRemote {
			out = append(out, connection{local, remote, f[9]})
		}
	}
	return out
}

// hexAddress reads an address of such a table: words of four bytes in the machine's
// order, each in hexadecimal as a number, then the port.
func hexAddress(text string) (netip.AddrPort, bool) {
	words, port, ok := strings.Cut(text, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || len(words) != 8 && len(words) != 32 {
		return netip.AddrPort{}, false
	}
	var raw []byte
	for ; words != ""; words = words[8:] {
		word, err := strconv.ParseUint(words[:8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		raw = binary.NativeEndian.AppendUint32(raw, uint32(word))
	}
	address, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), true
}

// storagePeers are the servers of file systems and block devices that come over the
// network: without them the machine hangs. File systems of this process and of the
// machine's first one count; servers that mounts know by name only are not found.
func storagePeers(files results.Root) []peer {
	var out []peer
	for _, pid := range []string{"self", "1"} {
		mounts, _ := files.ReadFile("/proc/" + pid + "/mountinfo")
		for line := range strings.Lines(string(mounts)) {
			out = append(out, mountPeers(line)...)
		}
	}
	add := func(why, address string) {
		if a, err := netip.ParseAddr(strings.TrimSpace(address)); err == nil {
			out = append(out, peer{remote: a, why: why})
		}
	}
	iscsi, _ := filepath.Glob(string(files) + "/sys/class/iscsi_connection/*/*address")
	for _, file := range iscsi {
		text, _ := os.ReadFile(file)
		add("carries iSCSI of", string(text))
	}
	nvme, _ := filepath.Glob(string(files) + "/sys/class/nvme/*/address")
	for _, file := range nvme {
		text, _ := os.ReadFile(file)
		for option := range strings.SplitSeq(string(text), ",") {
			if address, ok := strings.CutPrefix(option, "traddr="); ok {
				add("carries NVMe of", address)
			}
		}
	}
	return out
}

// mountPeers are the servers of a mount, by its line of mountinfo (proc(5)): of NFS
// and CIFS the option addr, of Ceph and others the source.
func mountPeers(line string) []peer {
	before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
	place, kind := strings.Fields(before), strings.Fields(after)
	if !ok || len(place) < 5 || len(kind) < 3 || !slices.Contains(networkFilesystems, kind[0]) {
		return nil
	}
	var addresses []string
	for option := range strings.SplitSeq(kind[2], ",") {
		for _, key := range []string{"addr=", "mountaddr="} {
			if address, ok := strings.CutPrefix(option, key); ok {
				addresses = append(addresses, address)
			}
		}
	}
	// 192.0.2.1:/export, 192.0.2.1:6789,192.0.2.2:6789:/, [2001:db8::1]:/export, //192.0.2.1/share
	for server := range strings.SplitSeq(kind[1], ",") {
		server = strings.TrimPrefix(server, "//")
		if inside, _, ok := strings.Cut(strings.TrimPrefix(server, "["), "]"); ok {
			addresses = append(addresses, inside)
		} else {
			addresses = append(addresses, server[:len(server)-len(strings.TrimLeft(server, "0123456789."))])
		}
	}
	var out []peer
	for _, text := range addresses {
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, peer{remote: a, why: fmt.Sprintf("carries %s on %s of", kind[0], place[4])})
		}
	}
	return out
}

var networkFilesystems = []string{"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "afs", "fuse.glusterfs", "lustre"}

// below and above say which devices are next to one: a VLAN is above the device that
// it is on (IFLA_LINK), a bond or bridge above its ports (IFLA_MASTER). The ends of a
// veth pair name each other, and depend on each other.
func below(all []netlink.Link, link netlink.Link) (out []int) {
	a := link.Attrs()
	if a.ParentIndex > 0 && a.NetNsID < 0 {
		out = append(out, a.ParentIndex)
	}
	for _, l := range all {
		if l.Attrs().MasterIndex == a.Index {
			out = append(out, l.Attrs().Index)
		}
	}
	return out
}

func above(all []netlink.Link, link netlink.Link) (out []int) {
	a := link.Attrs()
	if a.MasterIndex > 0 {
		out = append(out, a.MasterIndex)
	}
	for _, l := range all {
		if b := l.Attrs(); b.ParentIndex == a.Index && b.NetNsID < 0 {
			out = append(out, b.Index)
		}
	}
	return out
}

// related are all devices that can be reached from one, step by step.
func related(all []netlink.Link, from int, next func([]netlink.Link, netlink.Link) []int) []int {
	reached := []int{from}
	for i := 0; i < len(reached); i++ {
		for _, l := range all {
			if l.Attrs().Index != reached[i] {
				continue
			}
			for _, n := range next(all, l) {
				if !slices.Contains(reached, n) {
					reached = append(reached, n)
				}
			}
		}
	}
	return reached[1:]
}
