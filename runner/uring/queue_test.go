package uring

import (
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/test/need"
)

// TestFullQueue blocks a source of datagrams behind a queue that keeps them: it
// waits, and shutdown ends it.
func TestFullQueue(t *testing.T) {
	needed(t)
	slowDevice(t)
	for _, how := range []int{unix.SHUT_WR, unix.SHUT_RDWR} {
		for _, zerocopy := range []bool{false, true} {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			must(t, err)
			defer unix.Close(fd)
			must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 20_000))
			must(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 2}, Port: 9}))
			source := &end{source: openSource(t, fd, message(1000), 32, zerocopy)}
			sending := source.start(!zerocopy)
			blocked(t, source)
			must(t, unix.Shutdown(fd, how))
			must(t, within(t, "Send", sending))
			if n := source.total; n.errno != unix.EPIPE || n.msgs == 0 || n.msgs > 100 {
				t.Errorf("%+v; want a few messages, then EPIPE", n)
			}
		}
	}
}

// slowDevice puts the test's thread into a network namespace with a device that
// sends a packet a second.
func slowDevice(t *testing.T) {
	t.Helper()
	need.Root(t)
	runtime.LockOSThread() // for good: the thread ends with the test
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	attributes := netlink.NewLinkAttrs()
	attributes.Name = "slow"
	device := &netlink.Veth{LinkAttrs: attributes, PeerName: "peer"}
	must(t, netlink.LinkAdd(device))
	address, err := netlink.ParseAddr("192.0.2.1/24")
	must(t, err)
	must(t, netlink.AddrAdd(device, address))
	must(t, netlink.LinkSetUp(device))
	peer, err := netlink.LinkByName("peer")
	must(t, err)
	must(t, netlink.LinkSetUp(peer))
	must(t, netlink.NeighSet(&netlink.Neigh{LinkIndex: device.Attrs().Index, State: netlink.NUD_PERMANENT,
		IP: []byte{192, 0, 2, 2}, HardwareAddr: []byte{2, 0, 0, 0, 0, 2}}))
	must(t, netlink.QdiscReplace(&netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: device.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       1000, Limit: 1 << 20, Buffer: uint32(2 * time.Second / 64), // of 64 ns: 2000 bytes
	}))
}
