package knob

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// A MovedDevice is what a network device loses when it is moved into a
// namespace and back: the kernel takes it down and drops its addresses, routes
// and per-device sysctls (__dev_change_net_namespace in net/core/dev.c).
// Capture it before the move; with Journal.Record(UndoDevice, ...) Restore
// brings it all back.
type MovedDevice struct {
	Name       string            `json:"name"`
	Netns      string            `json:"netns"`          // named namespace that it is moved into
	Real       bool              `json:"real,omitempty"` // outlives the namespace that it is in
	Up         bool              `json:"up"`
	MTU        int               `json:"mtu"`
	TxQueueLen int               `json:"tx_queue_len"`
	Qdisc      string            `json:"qdisc"`
	Addresses  []movedAddress    `json:"addresses,omitempty"`
	Routes     []movedRoute      `json:"routes,omitempty"`
	Sysctls    map[string]string `json:"sysctls,omitempty"` // slashed names
}

// A movedAddress is a netlink.Addr without what the kernel derives. Unset
// addresses and prefixes are zero.
type movedAddress struct {
	Address   netip.Prefix `json:"address"`
	Peer      netip.Prefix `json:"peer,omitzero"`
	Broadcast netip.Addr   `json:"broadcast,omitzero"`
	Label     string       `json:"label,omitempty"`
	Flags     int          `json:"flags,omitempty"`
	Scope     int          `json:"scope,omitempty"`
	Valid     int          `json:"valid_lft,omitempty"`
	Preferred int          `json:"preferred_lft,omitempty"`
}

// A movedRoute is a unicast route through one device.
type movedRoute struct {
	Dst      netip.Prefix `json:"dst,omitzero"` // zero or of no bits = default
	Gateway  netip.Addr   `json:"gateway,omitzero"`
	Source   netip.Addr   `json:"source,omitzero"`
	Family   int          `json:"family"`
	Table    int          `json:"table"`
	Protocol int          `json:"protocol"`
	Scope    int          `json:"scope"`
	Priority int          `json:"priority,omitempty"`
	Flags    int          `json:"flags,omitempty"`
	MTU      int          `json:"mtu,omitempty"`
	AdvMSS   int          `json:"advmss,omitempty"`
}

// Of and to the form of package netlink, in which the length of an address
// decides its family.

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(addrOf(n.IP), ones)
}

func ipNet(p netip.Prefix) *net.IPNet {
	if !p.IsValid() {
		return nil
	}
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// addressFlags are the flags of an address that its maker chose; the others
// are states.
const addressFlags = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_HOMEADDRESS |
	unix.IFA_F_MANAGETEMPADDR | unix.IFA_F_MCAUTOJOIN

// CaptureDevice notes a device of this namespace before it is moved into the
// named one. It refuses what could not be put back: a device that is part of a
// bridge or bond, or carries others (VLANs).
func CaptureDevice(name, into string) (MovedDevice, error) {
	if err := checkDeviceName(name); err != nil {
		return MovedDevice{}, err
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return MovedDevice{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := checkMovable(link); err != nil {
		return MovedDevice{}, fmt.Errorf("%s cannot be moved and put back: %w", name, err)
	}
	a := link.Attrs()
	d := MovedDevice{Name: name, Netns: into, Real: isReal(link), Up: a.Flags&net.FlagUp != 0, MTU: a.MTU, TxQueueLen: a.TxQLen}
	if d.Qdisc, err = rootQdisc(link); err != nil {
		return d, fmt.Errorf("%s: list qdiscs: %w", name, err)
	}
	if d.Addresses, err = captureAddresses(link); err != nil {
		return d, fmt.Errorf("%s: list addresses: %w", name, err)
	}
	if d.Routes, err = captureRoutes(link); err != nil {
		return d, fmt.Errorf("%s: list routes: %w", name, err)
	}
	if d.Sysctls, err = captureSysctls(host.Local{}, name); err != nil {
		return d, fmt.Errorf("%s: read its sysctls: %w", name, err)
	}
	return d, nil
}

// isReal tells a device with hardware behind it, which falls back to the initial
// namespace when the one that it is in ends, from one of a kind of links, which
// is deleted then (default_device_exit_net in net/core/dev.c).
func isReal(link netlink.Link) bool {
	_, generic := link.(*netlink.Device)
	return generic
}

// ComesBackAlone says whether the device would be where it is now, if the
// namespace that it is moved into ended.
func ComesBackAlone(link netlink.Link) bool { return isReal(link) && isInitialNetns() }

func checkMovable(link netlink.Link) error {
	all, err := netlink.LinkList()
	if err != nil {
		return err
	}
	own := link.Attrs()
	for _, l := range all {
		a := l.Attrs()
		if a.Index == own.MasterIndex {
			return fmt.Errorf("it is part of %s", a.Name)
		}
		// A veth names its peer as parent, which may be carried along.
		if a.ParentIndex == own.Index && a.NetNsID < 0 && l.Type() != "veth" {
			return fmt.Errorf("%s is on top of it", a.Name)
		}
	}
	return nil
}

func rootQdisc(link netlink.Link) (string, error) {
	all, err := netlink.QdiscList(link)
	if err != nil {
		return "", err
	}
	for _, q := range all {
		if q.Attrs().Parent == netlink.HANDLE_ROOT {
			return q.Type(), nil
		}
	}
	return "", nil
}

func captureAddresses(link netlink.Link) ([]movedAddress, error) {
	all, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	var out []movedAddress
	for _, a := range all {
		if a.Flags&unix.IFA_F_TEMPORARY != 0 && a.IP.To4() == nil {
			continue // privacy addresses, which the kernel makes anew
		}
		m := movedAddress{Address: prefixOf(a.IPNet), Peer: prefixOf(a.Peer), Broadcast: addrOf(a.Broadcast), Label: a.Label,
			Flags: a.Flags & addressFlags, Scope: a.Scope}
		if a.Flags&unix.IFA_F_PERMANENT == 0 {
			m.Valid, m.Preferred = a.ValidLft, a.PreferedLft
		}
		out = append(out, m)
	}
	return out, nil
}

// captureRoutes lists the routes, of all tables, that do not come back by
// themselves with the device's addresses or the next router advertisement.
func captureRoutes(link netlink.Link) ([]movedRoute, error) {
	filter := netlink.Route{LinkIndex: link.Attrs().Index, Table: unix.RT_TABLE_UNSPEC}
	all, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &filter, netlink.RT_FILTER_OIF|netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, err
	}
	var out []movedRoute
	for _, r := range all {
		if r.Type != unix.RTN_UNICAST || r.Protocol == unix.RTPROT_KERNEL || r.Protocol == unix.RTPROT_RA || len(r.MultiPath) > 0 {
			continue
		}
		out = append(out, movedRoute{Dst: prefixOf(r.Dst), Gateway: addrOf(r.Gw), Source: addrOf(r.Src), Family: r.Family, Table: r.Table,
			Protocol: int(r.Protocol), Scope: int(r.Scope), Priority: r.Priority, Flags: r.Flags &^ stateFlags,
			MTU: r.MTU, AdvMSS: r.AdvMSS})
	}
	// A gateway must be reachable before a route through it is added.
	slices.SortStableFunc(out, func(a, b movedRoute) int {
		return cmp.Compare(a.Gateway.BitLen(), b.Gateway.BitLen())
	})
	return out, nil
}

// stateFlags are set by the kernel on routes and refused when given to it.
const stateFlags = unix.RTNH_F_DEAD | unix.RTNH_F_LINKDOWN | unix.RTNH_F_OFFLOAD | unix.RTNH_F_TRAP

// captureSysctls reads the per-device sysctls that can be written.
func captureSysctls(h host.Host, device string) (map[string]string, error) {
	values := map[string]string{}
	for _, kind := range []string{"ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh"} {
		files, err := h.Glob(path.Join(sysctlRoot, "net", kind, device, "*"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			mode, err := h.Mode(f)
			if err != nil || mode&0o200 == 0 {
				continue
			}
			name := strings.TrimPrefix(f, sysctlRoot)
			// Some cannot be read while unset (stable_secret).
			if v, err := plainSysctl(name, Host).Read(h); err == nil {
				values[name] = v
			}
		}
	}
	return values, nil
}

// movedDevice is what an entry of UndoDevice speaks of.
func (e Entry) movedDevice() (d MovedDevice, ok bool) {
	if e.Undo != UndoDevice {
		return d, false
	}
	d, err := parseMovedDevice(e.Data)
	return d, err == nil
}

// parseMovedDevice reads the data of an entry of UndoDevice.
func parseMovedDevice(data json.RawMessage) (d MovedDevice, err error) {
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("not a moved device: %w", err)
	}
	return d, d.check()
}

// check refuses what CaptureDevice does not find.
func (d MovedDevice) check() error {
	if err := errors.Join(checkDeviceName(d.Name), checkOwnNetns(d.Netns), checkMTU(d.MTU), checkText(d.Qdisc, maxName)); err != nil {
		return err
	}
	if d.TxQueueLen < 0 || d.TxQueueLen > math.MaxInt32 {
		return fmt.Errorf("%s: %d is not a length of a queue", d.Name, d.TxQueueLen)
	}
	for name, value := range d.Sysctls {
		if err := errors.Join(checkSysctlName(name), checkValue(value)); err != nil {
			return err
		}
		ip := strings.HasPrefix(name, "net/ipv4/") || strings.HasPrefix(name, "net/ipv6/")
		if device, ok := DeviceOf(name); !ip || !ok || device != d.Name {
			return fmt.Errorf("%s is not a sysctl of %s", sysctlLabel(name), d.Name)
		}
	}
	for _, a := range d.Addresses {
		if err := a.check(); err != nil {
			return fmt.Errorf("%s: address %s: %w", d.Name, a.Address, err)
		}
	}
	for _, r := range d.Routes {
		if err := r.check(); err != nil {
			return fmt.Errorf("%s: route to %s: %w", d.Name, r.Dst, err)
		}
	}
	return nil
}

func (a movedAddress) check() error {
	if !a.Address.IsValid() || a.Peer.IsValid() && a.Peer.Addr().Is4() != a.Address.Addr().Is4() || a.Broadcast.IsValid() && !a.Broadcast.Is4() {
		return errors.New("not an address of one family")
	}
	if a.Flags&^addressFlags != 0 {
		return fmt.Errorf("flags %#x are none that its maker chooses", a.Flags)
	}
	const forever = math.MaxUint32
	return errors.Join(checkText(a.Label, 15), within("scope", a.Scope, math.MaxUint8),
		within("valid_lft", a.Valid, forever), within("preferred_lft", a.Preferred, forever))
}

func (r movedRoute) check() error {
	var family int
	switch r.Family {
	case unix.AF_INET:
		family = 32
	case unix.AF_INET6:
		family = 128
	default:
		return fmt.Errorf("family %d is neither IPv4 nor IPv6", r.Family)
	}
	for _, a := range []netip.Addr{r.Dst.Addr(), r.Gateway, r.Source} {
		if a.IsValid() && a.BitLen() != family && a != r.Gateway { // IPv4 may go by an IPv6 gateway
			return fmt.Errorf("%s is of another family", a)
		}
	}
	if bad := r.Flags & stateFlags; bad != 0 {
		return fmt.Errorf("flags %#x are the kernel's", bad)
	}
	return errors.Join(within("table", r.Table, math.MaxUint32), within("protocol", r.Protocol, math.MaxUint8), within("scope", r.Scope, math.MaxUint8),
		within("priority", r.Priority, math.MaxUint32), within("flags", r.Flags, math.MaxInt32), within("mtu", r.MTU, math.MaxInt32), within("advmss", r.AdvMSS, math.MaxInt32))
}

func within(what string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s %d is not within 0 and %d", what, n, most)
	}
	return nil
}

// moveBack is the UndoFunc of UndoDevice. Each part is only done where
// something differs, so it does no harm when the device was never moved.
func moveBack(_ context.Context, e Entry, here Site) (note string, err error) {
	d, err := parseMovedDevice(e.Data)
	if err != nil {
		return "", err
	}
	unseen, err := fetch(d)
	if err != nil {
		return "", err
	}
	link, err := netlink.LinkByName(d.Name)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return "", d.lost(unseen, e.Site, here)
	}
	if err != nil {
		return "", err
	}
	if err := errors.Join(d.restoreLink(link), d.restoreAddresses(link), d.restoreRoutes(link)); err != nil {
		return "", err
	}
	if q, err := rootQdisc(link); err == nil && q != d.Qdisc {
		note = fmt.Sprintf("its qdisc was %s and is %s now: set it again if you had set it up", d.Qdisc, q)
	}
	return note, nil
}

// lost is what to say of a device that is neither here nor in its namespace, or
// whose namespace cannot be seen. Only what is known to be gone is given up.
func (d MovedDevice) lost(unseen bool, made, here Site) error {
	switch {
	case !unseen:
		return ErrGone
	case !made.sameMnt(here):
		fate := "a virtual device is gone then"
		if d.Real {
			fate = "the device has fallen to the initial network namespace then, and can be moved here from there"
		}
		return fmt.Errorf("it is not here, and its namespace has its name in mount namespace %s, not in this one (%s), where it cannot be seen (%s): %s",
			number(made.Mnt), number(here.Mnt), fate, made.whereToGo(here, "/proc", NetnsDir))
	case d.Real && !isInitialNetns():
		return errors.New("its namespace is gone, so it has fallen to the initial network namespace: move it here from there and restore again")
	}
	return ErrGone
}

// fetch brings the device from its namespace into this one. unseen says that
// there is no such namespace, as far as can be seen from here.
func fetch(d MovedDevice) (unseen bool, err error) {
	there, err := openNetns(d.Netns)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, errNotMounted) {
		return true, nil // the kernel gave the device back, or it was never moved
	}
	if err != nil {
		return false, fmt.Errorf("open namespace %s: %w", d.Netns, err)
	}
	defer there.Close()
	here, err := netns.Get()
	if err != nil {
		return false, err
	}
	defer here.Close()
	nl, err := netlink.NewHandleAt(there, unix.NETLINK_ROUTE)
	if err != nil {
		return false, fmt.Errorf("enter namespace %s: %w", d.Netns, err)
	}
	defer nl.Close()
	link, err := nl.LinkByName(d.Name)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := nl.LinkSetNsFd(link, int(here)); err != nil {
		return false, fmt.Errorf("move it back from namespace %s: %w", d.Netns, err)
	}
	return false, nil
}

func (d MovedDevice) restoreLink(link netlink.Link) error {
	var errs []error
	a := link.Attrs()
	if a.MTU != d.MTU {
		errs = append(errs, named("set mtu", netlink.LinkSetMTU(link, d.MTU)))
	}
	if a.TxQLen != d.TxQueueLen {
		errs = append(errs, named("set tx_queue_len", netlink.LinkSetTxQLen(link, d.TxQueueLen)))
	}
	// Before the device is up: they decide what IPv6 does then.
	errs = append(errs, d.restoreSysctls(host.Local{}))
	set := netlink.LinkSetDown
	if d.Up {
		set = netlink.LinkSetUp
	}
	return errors.Join(append(errs, named("set up or down", set(link)))...)
}

func (d MovedDevice) restoreSysctls(h host.Host) error {
	var errs []error
	for name, before := range d.Sysctls {
		k := plainSysctl(name, Host)
		if now, err := k.Read(h); err != nil || k.Equal(before, now) {
			continue // a sysctl that is gone went with its module
		}
		_, err := Apply(h, k, before)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (d MovedDevice) restoreAddresses(link netlink.Link) error {
	var errs []error
	for _, a := range d.Addresses {
		broadcast := net.IP(a.Broadcast.AsSlice())
		if broadcast == nil && a.Address.Addr().Is4() {
			broadcast = net.IPv4zero // none; given nothing, package netlink makes one up
		}
		err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(a.Address), Peer: ipNet(a.Peer), Broadcast: broadcast, Label: a.Label,
			Flags: a.Flags, Scope: a.Scope, ValidLft: a.Valid, PreferedLft: a.Preferred})
		if !errors.Is(err, unix.EEXIST) {
			errs = append(errs, named("add address "+a.Address.String(), err))
		}
	}
	return errors.Join(errs...)
}

func (d MovedDevice) restoreRoutes(link netlink.Link) error {
	if !d.Up {
		return nil // a device that is down has no routes
	}
	var errs []error
	for _, r := range d.Routes {
		route := netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(r.Dst), Gw: r.Gateway.AsSlice(), Src: r.Source.AsSlice(), Family: r.Family,
			Table: r.Table, Protocol: netlink.RouteProtocol(r.Protocol), Scope: netlink.Scope(r.Scope),
			Priority: r.Priority, Flags: r.Flags, MTU: r.MTU, AdvMSS: r.AdvMSS}
		if err := netlink.RouteAdd(&route); !errors.Is(err, unix.EEXIST) {
			errs = append(errs, named("add route "+route.String(), err))
		}
	}
	return errors.Join(errs...)
}

// named wraps an error with what was attempted; nil stays nil.
func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
