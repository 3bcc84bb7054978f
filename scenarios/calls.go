package scenarios

// This file is the table of system calls: what each can do decides which
// combinations are refused.

// A sourceCall is what a way of sending can do.
type sourceCall struct {
	plain    bool // one message a call, given by its length: sizes, answers and epoll work
	batch    bool // several messages a call
	zerocopy bool // takes MSG_ZEROCOPY, or has its own
	stamp    bool // sends from a buffer that may be written to for each message
	address  bool // can give an address with each message
	stream   bool // works on byte streams
	datagram bool // works on datagrams
	unix     bool // works on AF_UNIX
	crafted  bool // makes packets itself, without a UDP socket
}

func sourceCalls() map[string]sourceCall {
	return map[string]sourceCall{
		"send":     {plain: true, stamp: true, zerocopy: true, stream: true, datagram: true, unix: true},
		"sendto":   {plain: true, stamp: true, zerocopy: true, stream: true, datagram: true, unix: true, address: true},
		"sendmsg":  {plain: true, stamp: true, zerocopy: true, stream: true, datagram: true, unix: true, address: true},
		"write":    {plain: true, stamp: true, stream: true, datagram: true, unix: true}, // has no flags
		"sendmmsg": {batch: true, stamp: true, zerocopy: true, datagram: true, unix: true, address: true},
		"sendfile": {stream: true, unix: true},
		"splice":   {stream: true, unix: true},
		"io_uring": {batch: true, zerocopy: true, stream: true, datagram: true},
		"packet":   {batch: true, datagram: true, crafted: true},
		"pktgen":   {datagram: true, crafted: true},
	}
}

// A sinkCall is what a way of receiving can do.
type sinkCall struct {
	plain    bool // one message a call into a buffer: answers and epoll work
	batch    bool // several messages a call
	truncate bool // takes MSG_TRUNC
	control  bool // receives control messages, which UDP_GRO needs
	verify   bool // the payload arrives where it can be read
	stream   bool // works on byte streams
	datagram bool // works on datagrams
	unix     bool // works on AF_UNIX
}

func sinkCalls() map[string]sinkCall {
	return map[string]sinkCall{
		"recv":         {plain: true, truncate: true, verify: true, stream: true, datagram: true, unix: true},
		"recvfrom":     {plain: true, truncate: true, verify: true, stream: true, datagram: true, unix: true},
		"recvmsg":      {plain: true, truncate: true, verify: true, control: true, stream: true, datagram: true, unix: true},
		"read":         {plain: true, verify: true, stream: true, datagram: true, unix: true}, // has no flags
		"recvmmsg":     {batch: true, truncate: true, verify: true, control: true, datagram: true, unix: true},
		"splice":       {stream: true, unix: true},
		"tcp-zerocopy": {stream: true},
		"io_uring":     {stream: true, datagram: true},
	}
}
