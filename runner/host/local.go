package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Local is the network namespace and the file tree of this process. An agent
// serves a Local of its own to the runner.
type Local struct{}

var _ Host = Local{}

// ReadFile reads a file of /proc or /sys.
func (Local) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// WriteFile makes exactly one write(2): sysctl and sysfs handlers take each
// write as one whole value.
func (Local) WriteFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// Mode returns a file's permission bits.
func (Local) Mode(path string) (fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

// Glob lists the paths that match.
func (Local) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// Rtnetlink makes one request in the namespace of the calling thread. A dump that
// devices changed under is asked for again.
func (Local) Rtnetlink(r NetlinkRequest) (messages [][]byte, err error) {
	for range 3 {
		request := nl.NewNetlinkRequest(int(r.Type), int(r.Flags))
		request.AddRawData(r.Body)
		messages, err = request.Execute(unix.NETLINK_ROUTE, 0)
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			break
		}
	}
	return messages, err
}

// Close does nothing: this process is not ours to end.
func (Local) Close(context.Context) error { return nil }

// Links lists the devices of the namespace.
func (Local) Links() ([]Link, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	out := make([]Link, 0, len(links))
	for _, l := range links {
		link, err := describe(l)
		if err != nil {
			return nil, err
		}
		out = append(out, link)
	}
	return out, nil
}

func describe(l netlink.Link) (Link, error) {
	a := l.Attrs()
	link := Link{Name: a.Name, Index: a.Index, Kind: l.Type(), MTU: a.MTU, TxQueueLen: a.TxQLen,
		Up: a.Flags&net.FlagUp != 0, MAC: a.HardwareAddr.String()}
	addrs, err := netlink.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return link, fmt.Errorf("%s: list addresses: %w", a.Name, err)
	}
	for _, addr := range addrs {
		if p, ok := prefix(addr.IPNet); ok {
			link.Addresses = append(link.Addresses, p)
		}
	}
	qdiscs, err := netlink.QdiscList(l)
	if err != nil {
		return link, fmt.Errorf("%s: list qdiscs: %w", a.Name, err)
	}
	for _, q := range qdiscs {
		if q.Attrs().Parent == netlink.HANDLE_ROOT {
			link.Qdisc = q.Type()
		}
	}
	return link, nil
}

func prefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), ones), ok
}

// SetLink changes what is not nil of a device: addresses, then up, then
// neighbours, which need a device that is up.
func (Local) SetLink(name string, c LinkChange) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, p := range c.AddAddress {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
		if p.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(l, addr); err != nil {
			return fmt.Errorf("%s: add address %s: %w", name, p, err)
		}
	}
	if c.MTU != nil {
		if err := netlink.LinkSetMTU(l, *c.MTU); err != nil {
			return fmt.Errorf("%s: set mtu %d: %w", name, *c.MTU, err)
		}
	}
	if c.TxQueueLen != nil {
		if err := netlink.LinkSetTxQLen(l, *c.TxQueueLen); err != nil {
			return fmt.Errorf("%s: set tx_queue_len %d: %w", name, *c.TxQueueLen, err)
		}
	}
	if c.Up != nil {
		set := netlink.LinkSetDown
		if *c.Up {
			set = netlink.LinkSetUp
		}
		if err := set(l); err != nil {
			return fmt.Errorf("%s: set up %v: %w", name, *c.Up, err)
		}
	}
	for _, n := range c.AddNeighbor {
		if err := addNeighbor(l, n); err != nil {
			return fmt.Errorf("%s: add neighbour %s %s: %w", name, n.Addr, n.MAC, err)
		}
	}
	return nil
}

func addNeighbor(l netlink.Link, n Neighbor) error {
	mac, err := net.ParseMAC(n.MAC)
	if err != nil {
		return err
	}
	return netlink.NeighSet(&netlink.Neigh{LinkIndex: l.Attrs().Index, State: netlink.NUD_PERMANENT,
		IP: n.Addr.AsSlice(), HardwareAddr: mac})
}

// A Veth says how to make a veth pair whose other end lies in the namespace of
// another process.
type Veth struct {
	Name, PeerName string
	PeerPID        int
	MTU            int // 0 = the kernel's default
	Queues         int // rx and tx queues of each end; 0 = the kernel's default
}

// AddVeth makes a veth pair with its first end in this namespace.
func (Local) AddVeth(v Veth) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = v.Name
	if v.MTU > 0 {
		attrs.MTU = v.MTU
	}
	link := netlink.NewVeth(attrs)
	link.PeerName, link.PeerNamespace = v.PeerName, netlink.NsPid(v.PeerPID)
	if v.MTU > 0 {
		link.PeerMTU = uint32(v.MTU)
	}
	if v.Queues > 0 {
		link.NumRxQueues, link.NumTxQueues = v.Queues, v.Queues
		link.PeerNumRxQueues, link.PeerNumTxQueues = uint32(v.Queues), uint32(v.Queues)
	}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("make veth pair %s-%s: %w", v.Name, v.PeerName, err)
	}
	return nil
}
