// Package paths finds out which ways of sending and receiving work here, by
// trying each on real sockets over loopback, in this process and a network
// namespace of its own: a version number says little of a kernel with backports,
// without modules, or behind seccomp.
//
// A path is named as scenarios name it (traffic.source.path, or the option's own
// name). That it works means that the kernel takes the call and does what it is
// for; where it cannot have the effect its name promises (zerocopy over lo
// copies) the result has a note.
//
// Nothing is left behind: sockets are closed, no setting of the machine is
// touched, and every wait is bounded.
package paths

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"netab/runner/uring"
)

// A Result is what trying one path showed.
type Result struct {
	Name   string // as in scenarios
	Kernel string // what it needs of the kernel, in the kernel's words; "" if that is the name
	Err    error  // why it does not work; nil = it does
	Note   string // how, where that is not plain
}

// String is "name (KERNEL NAME): yes", with the note, or "...: no: reason".
func (r Result) String() string {
	name := r.Name
	if r.Kernel != "" {
		name += " (" + r.Kernel + ")"
	}
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: no: %s", name, r.reason())
	case r.Note != "":
		return fmt.Sprintf("%s: yes; %s", name, r.Note)
	}
	return name + ": yes"
}

// reason is the error without the name, if it begins with that.
func (r Result) reason() string { return strings.TrimPrefix(r.Err.Error(), r.Name+": ") }

// A path is one line of the table.
type path struct {
	name   string
	kernel string
	since  string // the first Linux that has it; "" = older than anything that runs netab
	needs  string // capability
	plain  bool   // its errors say all there is to say
	try    func() (note string, err error)
}

// table has every path there is. A new one is a line here and a function that
// tries it.
var table = []path{
	{name: "send", try: tryDatagram(send, receive)},
	{name: "sendto", try: tryDatagram(sendto, receive)},
	{name: "sendmsg", try: tryDatagram(sendmsg, receive)},
	{name: "write", try: tryDatagram(write, receive)},
	{name: "sendmmsg", since: "3.0", try: tryDatagram(sendmmsg, receive)},
	{name: "recv", try: tryDatagram(send, receive)},
	{name: "recvfrom", try: tryDatagram(send, recvfrom)},
	{name: "recvmsg", try: tryDatagram(send, recvmsg)},
	{name: "read", try: tryDatagram(send, read)},
	{name: "recvmmsg", since: "2.6.33", try: tryDatagram(send, recvmmsg)},
	{name: "sendfile", try: trySendfile},
	{name: "splice", try: trySplice},
	{name: "zerocopy", kernel: "MSG_ZEROCOPY", since: "4.14, for UDP 5.0", try: tryZeroCopy},
	{name: "segment", kernel: "UDP_SEGMENT", since: "4.18", try: trySegment},
	{name: "gro", kernel: "UDP_GRO", since: "5.0", try: tryGRO},
	{name: "truncate", kernel: "MSG_TRUNC on TCP", try: tryTruncate},
	{name: "tcp-zerocopy", kernel: "TCP_ZEROCOPY_RECEIVE", since: "4.18", try: tryTCPZeroCopy},
	{name: "busy_poll", kernel: "SO_BUSY_POLL", since: "3.11, with CONFIG_NET_RX_BUSY_POLL", needs: "CAP_NET_ADMIN", try: tryBusyPoll},
	{name: "prefer_busy_poll", kernel: "SO_PREFER_BUSY_POLL", since: "5.11, with CONFIG_NET_RX_BUSY_POLL", needs: "CAP_NET_ADMIN", try: tryPreferBusyPoll},
	{name: "receive_buffer", kernel: "SO_RCVBUFFORCE", needs: "CAP_NET_ADMIN; up to net.core.rmem_max it works without", try: tryBufferForce},
	{name: "pacing_rate", kernel: "SO_MAX_PACING_RATE", since: "3.13", try: tryPacing},
	{name: "notsent_lowat", kernel: "TCP_NOTSENT_LOWAT", since: "3.12", try: tryNotSentLowat},
	{name: "mptcp", kernel: "IPPROTO_MPTCP", since: "5.6, with CONFIG_MPTCP and sysctl net.mptcp.enabled", try: tryMPTCP},
	{name: "low_water", kernel: "SO_RCVLOWAT", try: tryLowWater},
	{name: "reuseport", kernel: "SO_REUSEPORT", since: "3.9", try: tryReusePort},
	{name: "reuseport-cpu", kernel: "SO_ATTACH_REUSEPORT_CBPF", since: "4.5", try: tryReusePortCPU},
	{name: "packet", kernel: "AF_PACKET with a TX ring", since: "2.6.31, with CONFIG_PACKET", needs: "CAP_NET_RAW", try: tryPacket},
	{name: "io_uring", plain: true, try: func() (string, error) { return "", uring.Available() }},
	{name: "pktgen", plain: true, try: tryPktgen},
	{name: "unix-stream", kernel: "AF_UNIX", since: "ever, with CONFIG_UNIX", try: tryUnix(unix.SOCK_STREAM)},
	{name: "unix-dgram", kernel: "AF_UNIX", since: "ever, with CONFIG_UNIX", try: tryUnix(unix.SOCK_DGRAM)},
}

// Check tries all paths.
func Check(ctx context.Context) (results []Result) {
	isolated(func() { results = checkHere(ctx) })
	return results
}

func checkHere(ctx context.Context) []Result {
	results := make([]Result, 0, len(table))
	for _, p := range table {
		if err := ctx.Err(); err != nil {
			results = append(results, Result{Name: p.name, Kernel: p.kernel, Err: context.Cause(ctx)})
			continue
		}
		results = append(results, p.result())
	}
	return results
}

// Require tries the paths named and returns one error, of one line, for all
// that do not work.
func Require(names ...string) (err error) {
	isolated(func() { err = requireHere(names) })
	return err
}

func requireHere(names []string) error {
	var lacking []error
	var line []string
	for _, name := range names {
		p, ok := find(name)
		if !ok {
			return fmt.Errorf("no traffic path is named %q", name)
		}
		if r := p.result(); r.Err != nil {
			lacking = append(lacking, r.Err)
			line = append(line, name+": "+r.reason())
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return &requireError{"this traffic does not work here: " + strings.Join(line, "; ") + " (see `netab doctor`)", errors.Join(lacking...)}
}

// A requireError is the one line of several errors.
type requireError struct {
	line string
	errs error
}

func (e *requireError) Error() string { return e.line }
func (e *requireError) Unwrap() error { return e.errs }

func find(name string) (path, bool) {
	for _, p := range table {
		if p.name == name {
			return p, true
		}
	}
	return path{}, false
}

func (p path) result() Result {
	note, err := p.try()
	if err != nil {
		note, err = "", p.explain(err)
	}
	return Result{Name: p.name, Kernel: p.kernel, Err: err, Note: note}
}

// explain tells "the kernel lacks it" from "you may not", as far as the errno
// does.
func (p path) explain(err error) error {
	if p.plain {
		return err
	}
	what := p.kernel
	if what == "" {
		what = p.name
	}
	since := ""
	if p.since != "" {
		since = " (since Linux " + p.since + ")"
	}
	errno, _ := errors.AsType[syscall.Errno](err)
	switch errno {
	case unix.ENOSYS, unix.ENOPROTOOPT, unix.EOPNOTSUPP, unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT, unix.ESOCKTNOSUPPORT:
		return fmt.Errorf("the kernel lacks %s%s: %w", what, since, err)
	case unix.EPERM, unix.EACCES:
		if p.needs != "" {
			return fmt.Errorf("not permitted: %w; needs root (%s)", err, p.needs)
		}
		return fmt.Errorf("not permitted: %w", err)
	}
	return err
}
