package guest

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/guest/inside"
)

// A wire is a pair of connected sockets: QEMU inherits one. What QEMU has not read yet
// it does not take from the guest, so nothing piles up on the way.
//
// Where nothing of the host may reach the guest's clock it is a pipe, and nothing is said
// to the guest: a UART writes bytes one by one, of which a socket takes some 300 until
// somebody reads, and then the guest waits.
type wire struct {
	ours, theirs *os.File
	mute         bool // a pipe
}

func newWire() (*wire, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("connect a guest: %w", err)
	}
	return &wire{os.NewFile(uintptr(fds[0]), "guest"), os.NewFile(uintptr(fds[1]), "guest"), false}, nil
}

func newPipe() (*wire, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("connect a guest: %w", err)
	}
	_ = unix.SetNonblock(fds[0], true)                              // for deadlines
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, 1<<20) // or as much as there may be
	return &wire{os.NewFile(uintptr(fds[0]), "guest"), os.NewFile(uintptr(fds[1]), "guest"), true}, nil
}

// given is QEMU's side; nil = there is no such wire.
func (w *wire) given() *os.File {
	if w == nil {
		return nil
	}
	return w.theirs
}

// started gives up QEMU's side, so that ours ends with QEMU.
func (w *wire) started() {
	if w == nil {
		return
	}
	_ = w.theirs.Close()
	w.theirs = nil
}

func (w *wire) hangUp() { _ = w.ours.SetReadDeadline(time.Now()) }

// acknowledge tells the guest that all was heard.
func (w *wire) acknowledge() {
	if w.mute {
		return
	}
	_ = w.ours.SetWriteDeadline(time.Now().Add(time.Second))
	_ = inside.NewSender(w.ours).Send(inside.Message{Type: inside.AckType}) // else it ends by its own clock, or ours
}

func (w *wire) close() {
	if w == nil {
		return
	}
	_ = w.ours.Close()
	if w.theirs != nil {
		_ = w.theirs.Close()
	}
}

// A quota passes on what is said for people, up to a bound: a guest could say things
// for ever.
type quota struct {
	to   io.Writer
	left int
}

const maxSaid = 4 << 20

func newQuota(to io.Writer) *quota {
	if to == nil {
		to = io.Discard
	}
	return &quota{to, maxSaid}
}

// Write says that all was written: that it was too much is no fault of the guest's.
func (q *quota) Write(p []byte) (int, error) {
	if q.left <= 0 {
		return len(p), nil
	}
	part := p[:min(len(p), q.left)]
	q.left -= len(part)
	_, err := q.to.Write(part)
	if q.left == 0 && err == nil {
		_, err = fmt.Fprintf(q.to, "\n(the guest says more; after %d MiB it is left out)\n", maxSaid>>20)
	}
	return len(p), err
}
