package knob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// The kinds of Journal.Record that this package can undo.
const (
	UndoNetns  = "netns"       // a named namespace to be deleted; data: its name
	UndoDevice = "device-move" // a device to be moved back; data: MovedDevice
)

// Undos are the undo functions of this package, for Options.Undo.
func Undos() map[string]UndoFunc {
	return map[string]UndoFunc{UndoNetns: deleteNetns, UndoDevice: moveBack}
}

// NetnsDir is where ip-netns(8) keeps named namespaces.
const NetnsDir = "/run/netns"

// NetnsPrefix is how the names of our namespaces begin. The journal's line is
// written before the namespace is made, so a crash in between could name one
// that somebody else makes later; undo deletes none without the prefix. Callers
// put the run's id behind it.
const NetnsPrefix = "netab-"

// netnsName is the namespace that an entry of UndoNetns speaks of; "" if it is
// of another kind.
func (e Entry) netnsName() string {
	if e.Undo != UndoNetns {
		return ""
	}
	name, err := parseNetns(e.Data)
	if err != nil {
		return ""
	}
	return name
}

// parseNetns reads the data of an entry of UndoNetns.
func parseNetns(data json.RawMessage) (name string, err error) {
	if err := json.Unmarshal(data, &name); err != nil {
		return "", fmt.Errorf("%.80q is not the name of a namespace", data)
	}
	return name, checkOwnNetns(name)
}

// checkOwnNetns refuses the name of a namespace that netab makes none like.
func checkOwnNetns(name string) error {
	if err := checkNetnsName(name); err != nil {
		return err
	}
	if !strings.HasPrefix(name, NetnsPrefix) {
		return fmt.Errorf("%q is not a namespace of netab's", name)
	}
	return nil
}

// checkNetnsName refuses what is not the name of one file of NetnsDir.
func checkNetnsName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}) {
		return fmt.Errorf("%.80q is not the name of a namespace", name)
	}
	return nil
}

// deleteNetns deletes a named namespace as ip-netns(8) does, but none that
// holds a device: virtual ones would be deleted with it, and real ones would
// fall to the initial namespace.
func deleteNetns(_ context.Context, e Entry, _ Site) (string, error) {
	name, err := parseNetns(e.Data)
	if err != nil {
		return "", err
	}
	path := filepath.Join(NetnsDir, name)
	inside, err := openNetns(name)
	switch {
	case errors.Is(err, errNotMounted):
		// The crash came before the mount, or the mount namespace is gone that it
		// was made in.
		return "", os.Remove(path)
	case errors.Is(err, fs.ErrNotExist):
		return "", ErrGone
	case err != nil:
		return "", fmt.Errorf("not deleted, as it cannot be looked into: %w", err)
	}
	held, err := devicesIn(inside)
	if err := errors.Join(err, inside.Close()); err != nil {
		return "", fmt.Errorf("not deleted, as it cannot be looked into: %w", err)
	}
	if len(held) > 0 {
		return "", fmt.Errorf("not deleted, as %s is in it: take it out (ip -n %s link set %s netns PID) and restore again",
			strings.Join(held, ", "), name, held[0])
	}
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		return "", fmt.Errorf("unmount %s: %w", path, err)
	}
	return "", os.Remove(path)
}

// errNotMounted says that a name stands there and no namespace is mounted on it,
// as far as this mount namespace shows.
var errNotMounted = errors.New("no namespace is mounted there")

// openNetns opens a named namespace. The error is fs.ErrNotExist when there is
// no such name, or errNotMounted.
func openNetns(name string) (netns.NsHandle, error) {
	path := filepath.Join(NetnsDir, name)
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return ns, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(ns), &st); err != nil {
		return ns, errors.Join(err, ns.Close())
	}
	if st.Type != unix.NSFS_MAGIC {
		return ns, errors.Join(fmt.Errorf("%s: %w", path, errNotMounted), ns.Close())
	}
	return ns, nil
}

// devicesIn lists the devices of a namespace beside those that the kernel makes
// in each: lo, and the fallback devices of tunnel modules.
func devicesIn(ns netns.NsHandle) (names []string, err error) {
	nl, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer nl.Close()
	links, err := nl.LinkList()
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if name := l.Attrs().Name; !slices.Contains(fallbackDevices, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// fallbackDevices: see fb_tunnels_only_for_init_net in
// Documentation/admin-guide/sysctl/net.rst.
var fallbackDevices = []string{"lo", "tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"}
