package vocab

// Events are what happened to a role's ends beside sending and receiving.
const (
	Retries           = "retries"            // a call that failed with ENOBUFS, EAGAIN or ENOMEM and was made again
	ConnectErrors     = "connect errors"     // a connection that failed and was made again (EADDRNOTAVAIL, ECONNREFUSED, ECONNRESET)
	Timeouts          = "timeouts"           // a request over datagrams whose response did not come in time
	StaleResponses    = "stale responses"    // a response that came after its request's time
	ZeroCopyCopied    = "zerocopy copied"    // a MSG_ZEROCOPY send that the kernel copied after all
	ZeroCopyCompleted = "zerocopy completed" // a MSG_ZEROCOPY send completed, copied or not
	BytesMapped       = "bytes mapped"       // received through TCP_ZEROCOPY_RECEIVE's mapping
	BytesCopied       = "bytes copied"       // that TCP_ZEROCOPY_RECEIVE left to be copied
	Lost              = "lost"               // verify: messages that never came
	Duplicated        = "duplicated"         // verify: that came twice
	Reordered         = "reordered"          // verify: that came after a later one
	Late              = "late"               // verify: that came too far behind to be told from duplicates
	Corrupt           = "corrupt"            // verify: messages, or bytes of a stream, that were not as sent
	EmptyPolls        = "empty polls"        // a call of a spinning sink that found nothing
	Strangers         = "strangers"          // a connection or a datagram that is none of our sources'
)

// Places where the ledger finds messages that were sent and did not arrive.
const (
	PlaceSourceSocket  = "source socket"               // the send call refused it: ENOBUFS, EAGAIN
	PlaceSourceIP      = "source IP"                   // IpOutDiscards, IpFragFails
	PlaceQdisc         = "qdisc"                       // dropped by the source's queueing discipline
	PlaceQueued        = "still in the qdisc"          // not lost, but not on its way either when the counters were read
	PlaceSourceQueue   = "source queue"                // lost in the send call, and neither qdisc nor device say so: UdpSndbufErrors
	PlaceDevice        = "device"                      // tx_dropped of the source's, rx_dropped of the sink's devices, errors
	PlaceBacklog       = "softnet backlog (host-wide)" // netdev_max_backlog or the flow limit
	PlaceFilter        = "tc filter"                   // dropped by a filter of an ingress or clsact qdisc
	PlaceSinkIP        = "sink IP"                     // IpInDiscards, header and address errors, no route, reverse path, truncated
	PlaceReassembly    = "IP reassembly"               // IpReasmFails
	PlaceNoPort        = "UDP no port"                 // UdpNoPorts: sink gone or not yet there; of multicast UdpIgnoredMulti
	PlaceReceiveBuffer = "receive buffer"              // UdpRcvbufErrors: the sink is too slow or SO_RCVBUF too small
	PlaceMemory        = "UDP memory"                  // UdpMemErrors: net.ipv4.udp_mem
	PlaceChecksum      = "checksum"                    // UdpInCsumErrors
	PlaceSocket        = "socket, other"               // socket filter, and drops of the socket that no snmp counter knows
)
