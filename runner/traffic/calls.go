package traffic

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// An op is what a step does around its system call.
type op int

const (
	opPlain     op = iota // one call, one message
	opAlike               // opPlain whose calls are all alike: several, until the clock is due
	opBatch               // sendmmsg, recvmmsg
	opSendfile            // sendfile, from the beginning of a file
	opSpliceOut           // file -> pipe -> socket
	opSpliceIn            // socket -> pipe -> /dev/null
	opZeroCopy            // a call with MSG_ZEROCOPY, and the error queue
	opMapped              // TCP_ZEROCOPY_RECEIVE
	opURing               // io_uring
	opPacket              // AF_PACKET with a TX ring
	opTransact            // rr: request out, response in, in a closed loop
	opSchedule            // rr: requests at intended times, responses when they come
	opRespond             // rr: the other side
	opConnect             // crr, conn: a socket for each message
	opAnswer              // crr, conn: the other side
	opKernel              // pktgen: not a step of ours
	opReady               // the next of many ends that is ready (epoll), then opPlain
)

// A sysCall is how a path's system call is made: its number, and its arguments
// behind the socket.
type sysCall struct {
	op     op
	number uintptr
	args   func(p *entry) [5]uintptr
}

func message(p *entry) [5]uintptr { return [5]uintptr{p.at(0), uintptr(len(p.buf)), p.flags} }
func address(p *entry) [5]uintptr {
	return [5]uintptr{p.at(0), uintptr(len(p.buf)), p.flags, addressOf(p.name), p.nameLen()}
}
func header(p *entry) [5]uintptr { return [5]uintptr{uintptr(unsafe.Pointer(&p.headers[0])), p.flags} }
func headers(p *entry) [5]uintptr {
	return [5]uintptr{uintptr(unsafe.Pointer(&p.headers[0])), uintptr(len(p.headers)), p.flags}
}
func bufferOnly(p *entry) [5]uintptr { return [5]uintptr{p.at(0), uintptr(len(p.buf))} }
func none(*entry) [5]uintptr         { return [5]uintptr{} }

// Paths by the name that a scenario gives them.
var (
	sourceCalls = map[string]sysCall{
		"send":     {opPlain, unix.SYS_SENDTO, message},
		"sendto":   {opPlain, unix.SYS_SENDTO, address},
		"sendmsg":  {opPlain, unix.SYS_SENDMSG, header},
		"write":    {opPlain, unix.SYS_WRITE, bufferOnly},
		"sendmmsg": {opBatch, unix.SYS_SENDMMSG, headers},
		"sendfile": {opSendfile, unix.SYS_SENDFILE, none},
		"splice":   {opSpliceOut, unix.SYS_SPLICE, none},
		"io_uring": {opURing, 0, none},
		"packet":   {opPacket, 0, none},
		"pktgen":   {opKernel, 0, none},
	}
	sinkCalls = map[string]sysCall{
		"recv":         {opPlain, unix.SYS_RECVFROM, message},
		"recvfrom":     {opPlain, unix.SYS_RECVFROM, address},
		"recvmsg":      {opPlain, unix.SYS_RECVMSG, header},
		"read":         {opPlain, unix.SYS_READ, bufferOnly},
		"recvmmsg":     {opBatch, unix.SYS_RECVMMSG, headers},
		"splice":       {opSpliceIn, unix.SYS_SPLICE, none},
		"tcp-zerocopy": {opMapped, unix.SYS_GETSOCKOPT, none},
		"io_uring":     {opURing, 0, none},
	}
)
