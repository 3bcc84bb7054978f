// Package vocab owns the words that scenarios, records and reports share, and what
// they imply: a word that two packages compare with stands here once.
//
// The words are in files, so they stay; what is not a word of ours (a word of an
// older or newer netab) implies nothing.
package vocab

// A Kind is what traffic does.
type Kind string

const (
	Stream    Kind = "stream"    // as much as goes, or at a rate; old records leave it out
	RR        Kind = "rr"        // request and response
	CRR       Kind = "crr"       // a connection for each request
	Conn      Kind = "conn"      // a socket for each message
	Flood     Kind = "flood"     // many small datagrams: a stream with other defaults
	Multicast Kind = "multicast" // one source, all sinks in its group
)

// Kinds are all, as the documentation lists them.
func Kinds() []Kind { return []Kind{Stream, RR, CRR, Conn, Flood, Multicast} }

// Or is the kind, where a record does not name it.
func (k Kind) Or() Kind {
	if k == "" {
		return Stream
	}
	return k
}

// Answers says whether a request waits for its response.
func (k Kind) Answers() bool { return k == RR || k == CRR }

// Transacts says whether transactions are what is counted.
func (k Kind) Transacts() bool { return k.Answers() || k == Conn }

// Connects says whether each message has a socket of its own.
func (k Kind) Connects() bool { return k == CRR || k == Conn }

// OneWay says whether messages go from source to sink only, through sockets that
// last.
func (k Kind) OneWay() bool { return k.Or() == Stream || k == Flood || k == Multicast }

// Protocols are those that can carry it.
func (k Kind) Protocols() []Protocol {
	switch k {
	case CRR:
		return []Protocol{TCP}
	case Conn:
		return []Protocol{TCP, UDP}
	case Flood, Multicast:
		return []Protocol{UDP}
	}
	return Protocols()
}

// A Protocol is what carries it.
type Protocol string

const (
	TCP        Protocol = "tcp"
	UDP        Protocol = "udp"
	UnixStream Protocol = "unix-stream"
	UnixDgram  Protocol = "unix-dgram"
)

// Protocols are all, as the documentation lists them.
func Protocols() []Protocol { return []Protocol{TCP, UDP, UnixStream, UnixDgram} }

// Datagrams says whether messages keep their bounds.
func (p Protocol) Datagrams() bool { return p == UDP || p == UnixDgram }

// Streams says whether messages are lost in a stream of bytes.
func (p Protocol) Streams() bool { return p == TCP || p == UnixStream }

// Unix says whether it needs no address.
func (p Protocol) Unix() bool { return p == UnixStream || p == UnixDgram }

// A Topology is what the traffic passes through.
type Topology string

const (
	Loopback Topology = "loopback" // lo of an own namespace
	Veth     Topology = "veth"     // a pair between two namespaces
	NIC      Topology = "nic"      // two existing devices, moved into two namespaces
)

// Topologies are all, as the documentation lists them.
func Topologies() []Topology { return []Topology{Loopback, Veth, NIC} }

// Words are as they stand in files.
func Words[T ~string](of []T) []string {
	out := make([]string, len(of))
	for i, w := range of {
		out[i] = string(w)
	}
	return out
}
