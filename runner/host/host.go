// Package host is a place where things happen: this machine's own namespace,
// a namespace of ours behind an agent process, later another machine or a
// guest. Knobs, probes and topology speak only to Host, so they never learn
// where they run.
package host

import (
	"context"
	"io/fs"
	"net/netip"
)

// A Host reads, writes and configures one network namespace (and, if it is
// the initial one, the machine). Errors satisfy errors.Is for
// fs.ErrNotExist, fs.ErrPermission and the unix.Errno that the kernel gave,
// also when the host is behind an agent.
type Host interface {
	// ReadFile and WriteFile are of /proc and /sys as this place sees them.
	// WriteFile makes one write(2) of all data and never creates a file.
	ReadFile(path string) ([]byte, error)
	WriteFile(path string, data []byte) error
	// Mode returns the permission bits of a file as this place sees it.
	Mode(path string) (fs.FileMode, error)
	// Glob lists paths as path/filepath.Glob does.
	Glob(pattern string) ([]string, error)

	// Links lists the namespace's devices.
	Links() ([]Link, error)
	// SetLink changes what is not nil of a device.
	SetLink(name string, change LinkChange) error

	// Ethtool makes one request of a device (SIOCETHTOOL; include/uapi/linux/ethtool.h)
	// and returns it as the kernel left it. All of ethtool's structs are arrays of
	// 32-bit words of which the first is the command; request has room for the answer.
	Ethtool(device string, request []uint32) ([]uint32, error)

	// Rtnetlink makes one request of rtnetlink(7) in the namespace and returns what is
	// answered beside the acknowledgement: messages without their netlink headers.
	Rtnetlink(r NetlinkRequest) ([][]byte, error)

	// Close ends the place (for an agent: its process and namespace).
	Close(ctx context.Context) error
}

// A NetlinkRequest is a message without its netlink header, and what that has.
type NetlinkRequest struct {
	Type, Flags uint16 // RTM_NEWQDISC, NLM_F_CREATE|NLM_F_ACK; NLM_F_REQUEST goes without saying
	Body        []byte
}

// A Link is a network device.
type Link struct {
	Name       string
	Index      int
	Kind       string // veth, "", ...
	MTU        int
	TxQueueLen int
	Up         bool
	Qdisc      string
	MAC        string // "" for a device without one
	Addresses  []netip.Prefix
}

// A LinkChange names what to change of a device; nil leaves it alone.
type LinkChange struct {
	Up         *bool
	MTU        *int
	TxQueueLen *int
	AddAddress []netip.Prefix // IPv6 without duplicate address detection
	// AddNeighbor are permanent neighbour entries: nothing has to be resolved,
	// and no first packets are lost while it is.
	AddNeighbor []Neighbor
}

// A Neighbor is an address on the device's link and who has it.
type Neighbor struct {
	Addr netip.Addr
	MAC  string
}
